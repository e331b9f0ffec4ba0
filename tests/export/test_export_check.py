"""`make export-check`: what its table says of a whole, a damaged and a wrong export."""

import pathlib

import numpy as np
import pytest
from export_stand_ins import image_model

import tfgan_zoo as tz
from benchmarks import export_check as checks
from tfgan_zoo_serving import DamagedError


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "export"
    tz.export(image_model(num_classes=3), directory, formats="tflite_dynamic_range")
    return directory


def test_every_client_of_an_export_has_a_row(exported):
    quick = [client for client in checks.CLIENTS if client is not checks.light]  # which asks pip for a wheel
    rows = list(checks.check([exported], quick))
    assert all(isinstance(found, (checks.Result, checks.Missing)) for _, _, found in rows), rows
    found = {name: one for _, name, one in rows}
    for name in ("load_exported, verify: keras", "ai_edge_litert, without XNNPACK: tflite_dynamic_range"):
        assert found[name].parity <= found[name].allowed
        assert found[name].size > 1000
        assert all(ms > 0 for ms in found[name].ms)
    shared = found["8 threads share one: tflite_dynamic_range"]
    assert 0 < shared.parity <= shared.allowed
    assert "no SavedModel" in str(found["TensorFlow alone, a fresh process"])
    assert "no page" in str(found["Chromium, LiteRT.js: page"])
    lines, failed = checks.table(rows)
    assert failed == 0
    assert len(lines) == 2 + len(rows)
    assert sum("missing: the export has no SavedModel" in line for line in lines) >= 2


def test_other_images_and_damage_fail(exported, tmp_path):
    export = checks.Export(exported)
    near, far = export.images + np.float32(1e-5), export.images + np.float32(1e-3)
    assert export.result(near).parity == pytest.approx(1e-5, rel=0.1)
    bytes_of = {level: np.zeros((int(export.rows.max()) + 1, 12, 12, 1), np.uint8) for level in (0, 1, 2)}
    for level, images in bytes_of.items():
        images[export.rows] = np.clip(np.rint((export.images + 1) * np.float32(127.5)) + level, 0, 255)
    rows = [("a", "near", export.result(near)), ("a", "far", export.result(far))]
    rows += [("a", str(level), export.shown(images)) for level, images in bytes_of.items()]
    rows += [("a", "gone", checks.Missing("x: pip install x")), ("a", "broken", OSError("no\nroom"))]
    lines, failed = checks.table(rows)
    assert failed == 3
    marks = ["FAILED" in line for line in lines[2:]]
    assert marks == [False, True, False, False, True, False, True]
    assert "missing: x: pip install x" in lines[-2]
    with pytest.raises(ValueError, match="instead of"):
        export.result(near[:1])
    (tmp_path / "card.json").write_text("{}")
    ((_, _, error),) = checks.check([tmp_path])
    assert isinstance(error, DamagedError)


@pytest.mark.slow
def test_what_stands_in_the_repository_passes_every_client_there_is(monkeypatch):
    monkeypatch.chdir(checks.ROOT / "exported")
    lines, failed = checks.table(checks.check([pathlib.Path("cgan_digits"), pathlib.Path("dcgan_fashion_mnist")]))
    assert failed == 0, "\n".join(lines)
    assert sum("saved_model_cli" in line for line in lines) == 2


def test_a_server_is_asked_for_the_kept_images(exported):
    export = checks.Export(exported)
    model = image_model(num_classes=3)
    images = model.generate(int(export.rows.max()) + 1, export.asked()["labels"], seed=0)
    np.testing.assert_allclose(images[export.rows], export.images, atol=1e-5)
    assert len(export.asked(5)["labels"]) == len(export.inputs(5)["labels"]) == 5
