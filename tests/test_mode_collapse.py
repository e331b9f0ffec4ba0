"""The laboratory of mode collapse: what it writes, that it goes on where it was, and its sentence for a bad name."""

import sys

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from recipes import mode_collapse


def test_it_writes_table_records_and_picture_and_a_second_run_trains_nothing(tmp_path, capsys, monkeypatch):
    flags = {"dataset": "ring8", "only": "minibatch", "steps": 20, "out": tmp_path, "quiet": True}
    mode_collapse.main(**flags)
    assert {path.name for path in tmp_path.iterdir()} == {"mode_collapse.json", "ring8.md", "ring8.png"}
    found = tz.metrics.records.load(tmp_path / "mode_collapse.json")
    assert list(found) == ["ring8 minibatch 20 0"]
    for record in found.values():
        assert record["steps"] == 20
        assert 0 <= record["scores"]["modes_covered_10000"] <= 8
        assert 0.0 <= record["scores"]["high_quality_10000"] <= 1.0
    table = (tmp_path / "ring8.md").read_text()
    assert table in capsys.readouterr().out
    assert "| minibatch |" in table
    assert "kernels=" in table
    with Image.open(tmp_path / "ring8.png") as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    assert ((colours[..., 0] - colours[..., 2]) > 100).any()  # generated
    assert ((colours[..., 2] - colours[..., 0]) > 100).any()  # data

    monkeypatch.setattr(mode_collapse, "train", None)
    mode_collapse.main(**flags)
    assert (tmp_path / "ring8.md").read_text() == table


def test_minibatch_discrimination_is_in_the_discriminator_that_is_trained(monkeypatch):
    made = {}
    monkeypatch.setattr(tz, "evaluate", lambda gan, *_, **__: made.setdefault("gan", gan) and {})
    mode_collapse.train("ring8", "minibatch", 2, 0)
    layers = [type(layer) for layer in made["gan"].discriminator.layers]
    assert tz.layers.MinibatchDiscrimination in layers
    assert made["gan"].prior == tz.priors.Uniform()
    assert made["gan"].latent_dim == mode_collapse.COMMON["latent_dim"]


@pytest.mark.parametrize(("flag", "name", "nearest"), [("--only", "dragn", "dragan"), ("--dataset", "ring9", "ring8")])
def test_a_bad_name_is_met_by_a_sentence_with_the_nearest(flag, name, nearest, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["mode_collapse", flag, name, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stopped:
        tz.cli.run(mode_collapse.main)
    assert stopped.value.code == 2
    stderr = " ".join(capsys.readouterr().err.split())
    assert f"Unknown name '{name}'. Did you mean '{nearest}'" in stderr
    assert "Traceback" not in stderr
    assert not (tmp_path / "out").exists()
