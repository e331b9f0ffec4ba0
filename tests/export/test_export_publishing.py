"""An export is whole or it did not happen, and bad input is refused in a sentence before any work."""

import errno
import importlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_stand_ins import StandIn, image_model, point_model

from tfgan_zoo.conditions import Classes
from tfgan_zoo.export import export

# By import_module, because the package may show the function `export` under the name of its module.
endpoints, litert, parity, publishing, saved_model = (
    importlib.import_module(f"tfgan_zoo.export.{name}")
    for name in ("endpoints", "litert", "parity", "publishing", "saved_model")
)


def snapshot(directory):
    """Every path below a directory, with its content."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(pathlib.Path(directory).rglob("*"))
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    directory = tmp_path_factory.mktemp("first") / "out"
    export(point_model(), directory)
    return directory


@pytest.fixture
def out(first, tmp_path):
    """A copy of one finished export."""
    return pathlib.Path(shutil.copytree(first, tmp_path / "out"))


def test_second_export_is_version_2_and_keeps_1(out):
    before = snapshot(out / "1")
    shutil.copytree(out / "1", out / "7")  # a version that came another way
    (out / "8").mkdir()
    model = point_model()
    model.ema_network.set_weights([2 * w for w in model.ema_network.get_weights()])
    card = export(model, out, "saved_model")
    assert card["version"] == 9
    assert snapshot(out / "1") == before
    latents = tf.ones((1, 8))
    old, new = (
        tf.saved_model.load(out / str(n)).signatures["serving_default"](latents=latents)["images"] for n in (1, 9)
    )
    assert np.abs(old - new).max() > 0.01


def test_old_versions_leave_when_told(out):
    (out / "notes").mkdir()
    for expected in ({"1", "2"}, {"2", "3"}):
        export(point_model(), out, "saved_model", keep=2)
        assert {path.name for path in out.iterdir() if path.name.isdecimal()} == expected
    card = export(point_model(), out, "saved_model", keep=1)
    assert [path.name for path in out.iterdir() if path.is_dir()] in (["4", "notes"], ["notes", "4"])
    assert tf.saved_model.load(out / "4").signatures
    assert card["version"] == 4


def test_a_directory_that_is_no_version_of_ours_stays_whatever_its_number(out):
    (out / "2024").mkdir()
    (out / "2024" / "holiday.jpg").write_text("mine")
    card = export(point_model(), out, "saved_model", keep=1)
    assert (card["version"], card["versions"]) == (2025, [2025])
    assert (out / "2024" / "holiday.jpg").read_text() == "mine"
    assert not (out / "1").exists()


@pytest.mark.parametrize("card", ["{}", '{"files": {"README.md": {}}, "name": "another tool"}', "a card of birthdays"])
def test_a_strangers_card_makes_nothing_ours(card, tmp_path, monkeypatch):
    for name, content in {"card.json": card, "README.md": "mine", "thesis.tex": "mine too"}.items():
        (tmp_path / name).write_text(content)
    before = snapshot(tmp_path)
    monkeypatch.setattr(parity.Reference, "drawn_from", untouched)
    with pytest.raises(FileExistsError, match=r"holds a card.json that is not as an export wrote it"):
        export(point_model(), tmp_path, formats=())
    assert snapshot(tmp_path) == before


def test_what_an_export_did_not_write_as_it_is_is_not_lost(out, monkeypatch):
    for name, sentence in {
        "README.md": "README.md was changed after it was exported",
        "generator_int8.tflite": "generator_int8.tflite is not of an export",
    }.items():
        copy = pathlib.Path(shutil.copytree(out, out.parent / name))
        (copy / name).write_text("notes of mine")
        before = snapshot(copy)
        with monkeypatch.context() as patch:
            patch.setattr(parity.Reference, "drawn_from", untouched)
            with pytest.raises(FileExistsError, match=sentence):
                export(point_model(), copy, formats=())
        assert snapshot(copy) == before
        (copy / name).unlink()
        export(point_model(), copy, formats=())
    text = (out / "README.md").read_bytes()
    (out / "README.md").write_bytes(text.replace(b"\n", b"\r\n"))  # as version control may have done
    export(point_model(), out, formats=())


def test_what_the_new_export_does_not_have_leaves(out):
    card = export(point_model(), out, formats=["saved_model"])
    assert "generator.tflite" not in card["files"]
    assert not (out / "generator.tflite").exists()
    assert (out / "1").is_dir()
    assert (out / "2").is_dir()


def test_a_folder_that_holds_only_a_training_run_is_welcome(tmp_path):
    (tmp_path / "out" / "run").mkdir(parents=True)
    (tmp_path / "out" / "run" / "log").write_text("private")
    (tmp_path / "out" / ".hidden").write_text("")
    export(point_model(), tmp_path / "out", formats=())
    assert (tmp_path / "out" / "run" / "log").read_text() == "private"
    assert (tmp_path / "out" / "generator.keras").is_file()


def breakages():
    def wrong_images(patch):
        patch.setattr(endpoints, "to_uint8", lambda images: tf.zeros_like(images, tf.uint8))
        return image_model(), ["saved_model"], parity.ParityError, "grey levels"

    def wrong_tflite(patch):
        other = convert_another()
        patch.setattr(litert, "convert", lambda source, name: other)
        return point_model(), ["tflite"], parity.ParityError, r"The tflite file \(generator.tflite\) differs"

    def interrupted(patch):
        patch.setattr(parity, "of", raises(KeyboardInterrupt()))
        return point_model(), [], KeyboardInterrupt, None

    def disk_full(patch):
        patch.setattr(keras.Model, "save", raises(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
        return point_model(), [], OSError, "The disk is full: .* was not written"

    def disk_full_in_c(patch):
        error = tf.errors.ResourceExhaustedError(None, None, "/x/variables; No space left on device")
        patch.setattr(tf.saved_model, "save", raises(error))
        return point_model(), ["saved_model"], OSError, "The disk is full: .* was not written"

    def while_moving(patch):
        rename = os.rename

        def fails_on_the_version(source, target):
            if pathlib.Path(source).name == "saved_model":
                raise OSError(errno.EACCES, "no")
            rename(source, target)

        patch.setattr(publishing.os, "rename", fails_on_the_version)
        return point_model(), ["saved_model"], OSError, "no permission"

    def while_replacing(patch):
        put, done = publishing._put, []

        def interrupted_once(path, place, moving):
            put(path, place, moving)
            if "/new/" in str(path) and str(place).endswith(".keras") and not done:
                done.append(place)
                raise KeyboardInterrupt

        patch.setattr(publishing, "_put", interrupted_once)
        return point_model(), [], KeyboardInterrupt, None

    return [wrong_images, wrong_tflite, interrupted, disk_full, disk_full_in_c, while_moving, while_replacing]


def raises(error):
    def call(*_, **__):
        raise error

    return call


def convert_another():
    import tempfile

    model = point_model()
    model.ema_network.set_weights([w + 0.1 for w in model.ema_network.get_weights()])
    with tempfile.TemporaryDirectory() as directory:
        return litert.convert(litert.Source(model, pathlib.Path(directory), None))


@pytest.mark.parametrize("breakage", breakages(), ids=lambda b: b.__name__)
def test_failed_export_changes_nothing(breakage, out, tmp_path, monkeypatch):
    before = snapshot(out)
    model, formats, error, message = breakage(monkeypatch)
    with pytest.raises(error, match=message):
        export(model, out, formats)
    assert snapshot(out) == before
    if breakage.__name__ == "while_replacing":
        return  # it breaks the first time only
    with pytest.raises(error, match=message):
        export(model, tmp_path / "new" / "deeper", formats)
    assert not (tmp_path / "new").exists()


def test_really_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        shutil.which("mount")
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], capture_output=True
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("mount is not allowed here")
    try:
        export(point_model(), disk / "out", "saved_model")
        before = snapshot(disk)
        with pytest.raises(OSError, match=r"The disk is full: .*out was not written. Free some space"):
            export(image_model(width=48), disk / "out", "saved_model")
        assert snapshot(disk) == before
    finally:
        subprocess.run(["umount", str(disk)], check=True)


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from export_stand_ins import point_model
import importlib, time
from tfgan_zoo.export import export
parity = importlib.import_module("tfgan_zoo.export.parity")
def wait(*_):
    open(sys.argv[3], "w").close()
    time.sleep(60)
parity.of = wait
export(point_model(), sys.argv[2], "saved_model")
"""


def test_killed_export_leaves_the_previous_one_and_the_next_sweeps_up(out, tmp_path):
    before, sign = snapshot(out), tmp_path / "waiting"
    here = str(pathlib.Path(__file__).parent)
    process = subprocess.Popen([sys.executable, "-c", KILLED, here, str(out), str(sign)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not sign.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        during = {name for name in snapshot(out) if not name.startswith(".")}
        assert during == set(before)
        card = export(point_model(), out, formats=())  # beside a living export: its staging directory stays
        assert list(out.glob(".exporting-*"))
        assert card["version"] is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = {name: content for name, content in snapshot(out).items() if name.startswith("1/")}
    assert left == {name: content for name, content in before.items() if name.startswith("1/")}
    export(point_model(), out, formats=())
    assert not list(out.glob(".*"))


def test_two_exports_at_once_take_two_versions(tmp_path, monkeypatch):
    together = threading.Barrier(2)
    publish = publishing.publish

    def meet(*arguments):
        together.wait(60)
        return publish(*arguments)

    monkeypatch.setattr(publishing, "publish", meet)
    cards, models = [], [point_model(), point_model()]
    threads = [
        threading.Thread(target=lambda m=m: cards.append(export(m, tmp_path / "out", formats=["saved_model"])))
        for m in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(card["version"] for card in cards) == [1, 2]
    assert json.loads((tmp_path / "out" / "card.json").read_text()) in cards
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "1",
        "2",
        "generator.keras",
        "models.config",
        "batching.config",
        "reference.npz",
        "samples.png",
        "card.json",
        "README.md",
    }


def untouched(*_, **__):
    raise AssertionError("work began before the input was checked")


def changed(**attributes):
    model = point_model()
    vars(model).update(attributes)
    return model


def bad_inputs(tmp_path):
    unbuilt = keras.Sequential([keras.layers.Dense(2)])
    (tmp_path / "file").write_text("")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_text("")
    new = tmp_path / "new"
    good = changed()
    return {
        "format": (good, new, {"formats": ("tflit",)}, ValueError, "Unknown export format 'tflit'. Did you mean"),
        "no cap": (good, new, {"max_images": 1}, ValueError, "max_images=1: give an integer, at least 2"),
        "no version": (good, new, {"keep": 0}, ValueError, "keep=0: give an integer, at least 1"),
        "file": (good, tmp_path / "file", {}, NotADirectoryError, "is a file; an export is a directory"),
        "below a file": (good, tmp_path / "file" / "a" / "b", {}, NotADirectoryError, "because .* is a file"),
        "other folder": (good, tmp_path / "photos", {}, FileExistsError, r"holds holiday.jpg and no card.json"),
        "no network": (types.SimpleNamespace(), new, {}, TypeError, "SimpleNamespace has no trained networks"),
        "unbuilt": (changed(inference={"generator": unbuilt}), new, {}, ValueError, "is not built"),
        "labels": (
            changed(condition=Classes(3)),
            new,
            {},
            ValueError,
            "its generator has no input",
        ),
        "classes": (StandIn(image_model(num_classes=2).ema_network, (12, 12, 1)), new, {}, ValueError, "takes labels"),
        "scores": (good, new, {"scores": 3.0}, TypeError, "scores is a float"),
        "record": (good, new, {"scores": {"fd": 3.0}}, ValueError, 'scores has no "scores" inside'),
        "about": (good, new, {"about": "mine"}, TypeError, "about is a str"),
        "pictures": (good, new, {"pictures": ["a.png"]}, TypeError, "pictures is a list"),
        "no picture": (good, new, {"pictures": {"A": tmp_path / "a.png"}}, FileNotFoundError, "does not exist"),
    }


BAD = list(bad_inputs(pathlib.Path(__import__("tempfile").mkdtemp())))


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_before_any_work(name, tmp_path, monkeypatch):
    model, directory, options, error, message = bad_inputs(tmp_path)[name]
    before = snapshot(tmp_path)
    monkeypatch.setattr(parity.Reference, "drawn_from", untouched)
    monkeypatch.setattr(saved_model, "write", untouched)
    with pytest.raises(error, match=message) as caught:
        export(model, directory, **options)
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


def test_unwritable_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(publishing.tempfile, "mkdtemp", raises(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(OSError, match=r"out cannot be written: no permission. Choose another directory"):
        export(point_model(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_generator_that_gives_nan_is_refused(tmp_path):
    model = point_model()
    model.ema_network.set_weights([w * np.nan for w in model.ema_network.get_weights()])
    with pytest.raises(ValueError, match="not finite"):
        export(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_operations_foreign_to_litert_are_refused(tmp_path):
    z = keras.layers.Input((8,))
    inverse = keras.layers.Lambda(lambda x: tf.linalg.inv(x[:, :2, None] * x[:, None, :2] + tf.eye(2))[:, 0])
    model = StandIn(keras.Model(z, inverse(z)), (2,))
    with pytest.raises(ValueError, match=r"LiteRT cannot express this generator .*'tflite' out of formats"):
        export(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_outside_the_tflite_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(litert, "operations", lambda content: ["ADD", "FlexConv2D", "READ_VARIABLE"])
    with pytest.raises(ValueError, match="FlexConv2D, READ_VARIABLE"):
        litert.convert(litert.Source(point_model(), tmp_path, None))
