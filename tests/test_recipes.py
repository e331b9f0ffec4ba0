"""Recipes as a user runs them: flags, figures, files, a second run, a killed run, and sentences for bad input."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from recipes import dcgan, vanilla_gan

ROOT = pathlib.Path(__file__).parent.parent


def command(recipe, *flags, **arguments):
    return subprocess.run(
        [sys.executable, "-m", f"recipes.{recipe}", *map(str, flags)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        **arguments,
    )


def test_dcgan_leaves_what_it_promises_and_a_second_run_says_so(tmp_path, capsys):
    out = tmp_path / "out"
    record = dcgan.main(epochs=2, width=4, image_size=8, batch_size=128, out=out, quiet=True)
    assert {"fd_classifier_360", "fd_classifier_360_floor", "recall_classifier_360"} <= set(record["scores"])
    assert record["epoch"] in (1, 2)
    assert record["last"]["epoch"] == 2
    served = {path.name for path in out.iterdir()}
    assert {"1", "generator.tflite", "generator.keras", "samples.png", "card.json", "README.md", "run"} <= served
    private = {path.name for path in (out / "run").iterdir()}
    assert {"config.json", "history.csv", "checkpoints", "last.keras", "samples", "curves.png", "done.json"} <= private
    assert json.loads((out / "run/config.json").read_text())["width"] == 4
    assert (out / "run/samples/samples.gif").exists()
    capsys.readouterr()
    assert dcgan.main(epochs=2, width=4, image_size=8, batch_size=128, out=out, quiet=True) == record
    assert "is done already" in capsys.readouterr().out
    assert not (out / "2").exists()


def test_the_lectures_gaussian_is_found(tmp_path):
    record = vanilla_gan.main(epochs=5, out=tmp_path / "out", quiet=True)
    assert record["scores"]["fd_points_10000"] < 0.3  # a cloud at the origin has 50
    cloud = tz.data.arrays("gaussian", split="test")[0]
    import keras

    points = keras.models.load_model(tmp_path / "out/run/last.keras").generate(4000, seed=1)
    np.testing.assert_allclose(points.mean(0), cloud.mean(0), atol=0.4)
    np.testing.assert_allclose(points.std(0), cloud.std(0), atol=0.4)
    with Image.open(tmp_path / "out/run/by_epoch.png") as figure:
        assert len(np.unique(np.asarray(figure))) > 50


@pytest.mark.slow
def test_a_killed_run_continues_and_ends_as_an_uninterrupted_one(tmp_path):
    flags = ("--epochs", 12, "--width", 4, "--image-size", 8, "--quiet")
    assert command("dcgan", *flags, "--out", tmp_path / "whole").returncode == 0
    cut = tmp_path / "cut"
    process = subprocess.Popen(
        [sys.executable, "-m", "recipes.dcgan", *map(str, flags), "--out", str(cut)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (cut / "run/checkpoints/epoch_0004").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (cut / "run/done.json").exists()
    finished = command("dcgan", *flags, "--out", cut)
    assert finished.returncode == 0, finished.stderr
    assert (cut / "run/history.csv").read_text() == (tmp_path / "whole/run/history.csv").read_text()
    import keras

    a, b = (keras.models.load_model(path / "run/last.keras") for path in (cut, tmp_path / "whole"))
    for ours, theirs in zip(a.variables, b.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        for ours, theirs in zip(getattr(a, name).variables, getattr(b, name).variables, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_ctrl_c_leaves_a_state_to_go_on_from(tmp_path):
    arguments = [sys.executable, "-m", "recipes.vanilla_gan", "--epochs", "400", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "out/run/checkpoints").glob("epoch_*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The same command continues" in stderr
    assert "Traceback" not in stderr


def test_flags_and_their_sentences(tmp_path):
    bad = command("dcgan", "--dataset", "fashion_mnst", "--out", tmp_path / "x")
    assert bad.returncode == 2
    assert "Did you mean 'fashion_mnist'" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert not (tmp_path / "x").exists()
    assert "--batch-size" in command("dcgan", "--help").stdout


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds files that are not a run's"):
        dcgan.main(out=tmp_path, fresh=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ValueError, match="is a file"):
        dcgan.main(out=tmp_path / "thesis.tex")


def test_a_run_with_other_numbers_is_not_mixed_in_and_fresh_forgets_it(tmp_path):
    run = tz.Run(tmp_path, {"width": 8, "epochs": 3})
    run.callbacks(3)
    with pytest.raises(ValueError, match=r"width=8 became 16.*--fresh"):
        tz.Run(tmp_path, {"width": 16, "epochs": 3})
    tz.Run(tmp_path, {"width": 8, "epochs": 9})
    tz.Run(tmp_path, {"width": 16, "epochs": 3}, fresh=True)
    assert not (tmp_path / "run").exists()
