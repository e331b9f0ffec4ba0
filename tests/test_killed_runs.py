"""Runs that are killed at random moments, by SIGKILL, end exactly as the one that nobody disturbed."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from tfgan_zoo import files

ROOT = pathlib.Path(__file__).parent.parent
SMALL = ("--width", "8", "--image-size", "16", "--batch-size", "32")
RUNS = {
    "dcgan": (20, ("--epochs", "6")),  # spectral norm, dropout, critic steps and k are the others'
    "sngan": (4, ("--epochs", "3", *SMALL)),
    "vanilla_gan": (4, ("--epochs", "8", "--width", "8", "--batch-size", "32")),
    "wgan_gp": (4, ("--epochs", "4", *SMALL)),
    "began": (4, ("--epochs", "4", *SMALL)),
}


def start(recipe, flags, out):
    command = [sys.executable, "-m", f"recipes.{recipe}", "--dataset", "digits", "--seed", "3", "--quiet", *flags]
    return subprocess.Popen(
        [*command, "--out", str(out)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def written(path):
    return path.stat().st_mtime_ns if path.exists() else 0


def wait_for(path, after, process):
    """Until a file is written anew, or the process ends."""
    while written(path) <= after and process.poll() is None:
        time.sleep(0.005)


def arrays(out):
    """All that training changed: weights, averages, states of spectral norms, dropout and objectives, both slots."""
    model = keras.models.load_model(out / "run/last.keras")
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    return [np.asarray(v) for v in (*model.variables, *optimizers[0].variables, *optimizers[1].variables)]


def kept(out):
    return files.read_json(max((out / "run/checkpoints").glob("epoch_*")) / "state.json")


def newest(checkpoints):
    """The last epoch of which a checkpoint stands; 0 without one."""
    return max((int(path.name.removeprefix("epoch_")) for path in checkpoints.glob("epoch_*")), default=0)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RUNS)
def test_a_run_killed_at_random_moments_ends_as_an_undisturbed_one(recipe, tmp_path):
    kills, flags = RUNS[recipe]
    whole, cut, moments = tmp_path / "whole", tmp_path / "cut", random.Random(0)
    process = start(recipe, flags, whole)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    checkpoints, epochs, seen = cut / "run/checkpoints", kept(whole)["epoch"], []
    for kill in range(kills):
        # spread over the epochs: the first kills hit the start, the last ones the score and the export
        wanted, before = epochs * kill // (kills - 1), written(cut / "run/config.json")
        again = newest(checkpoints) >= wanted  # this epoch was reached: somewhere between the start and its end
        process = start(recipe, flags, cut)
        path, after = (cut / "run/config.json", before) if again else (checkpoints / f"epoch_{wanted:04d}", 0)
        wait_for(path, after, process)
        time.sleep(moments.uniform(0.0, 3.0 if again else 0.3))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        seen.append(newest(checkpoints))
        if (cut / "run/done.json").exists():
            break
    assert len(set(seen)) > 2, seen  # killed on the way, not before or behind it
    process = start(recipe, flags, cut)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "damaged" not in errors
    for ours, theirs in zip(arrays(cut), arrays(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = kept(cut), kept(whole)
    assert all(ours[name] == theirs[name] for name in ("epoch", "best", "best_epoch", "history"))
    assert all(int(epoch) == after + 1 for epoch, after in ours["continued"].items())  # at most one epoch is repeated
    assert ours["continued"]
    done, undisturbed = (files.read_json(path / "run/done.json")["scores"]["scores"] for path in (cut, whole))
    assert done == undisturbed
    for picture in (whole / "run/samples").glob("epoch_*.png"):
        assert (cut / "run/samples" / picture.name).read_bytes() == picture.read_bytes()
