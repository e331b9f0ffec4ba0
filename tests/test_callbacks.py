"""Pictures, checkpoints and progress: a run that is stopped goes on where it was."""

import csv

import keras
import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo import pictures

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")


def model(**overrides):
    tz.runtime.setup(seed=1)
    gan = tz.create("gan", image_shape=(8, 8, 1), width=8, dropout=0.5, **overrides)
    gan.compile()
    return gan


def data():
    return tz.data.load(IMAGES, batch_size=16, seed=3)


class Stop(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.at and batch == 1:
            raise KeyboardInterrupt


def state(gan):
    return [
        np.array(v) for v in (*gan.weights, *gan.generator_optimizer.variables, *gan.discriminator_optimizer.variables)
    ]


def test_an_interrupted_run_continues_bit_for_bit(tmp_path):
    whole = model()
    whole_kept = tz.callbacks.Checkpoint(tmp_path / "whole")
    whole.fit(data(), epochs=6, verbose=0, callbacks=[whole_kept])
    with pytest.raises(KeyboardInterrupt):
        model().fit(data(), epochs=6, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path / "cut"), Stop(3)])
    resumed, kept = model(), tz.callbacks.Checkpoint(tmp_path / "cut")
    tz.data.set_epoch(99)
    history = resumed.fit(data(), epochs=6, verbose=0, callbacks=[kept])
    assert history.epoch == [3, 4, 5]
    for a, b in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert kept.history == whole_kept.history
    assert (tmp_path / "cut/history.csv").read_text() == (tmp_path / "whole/history.csv").read_text()
    rows = csv.DictReader((tmp_path / "cut/history.csv").read_text().splitlines())
    assert [row["epoch"] for row in rows] == list("123456")
    last = keras.models.load_model(tmp_path / "cut/last.keras")
    np.testing.assert_array_equal(last.generate(3, seed=0), whole.generate(3, seed=0))
    assert [path.name for path in kept.saved()] == ["epoch_0005", "epoch_0006"]


def test_a_finished_run_is_not_trained_again_and_a_longer_one_goes_on(tmp_path):
    first = model()
    first.fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    again = model()
    again.fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    np.testing.assert_array_equal(again.generate(2, seed=0), first.generate(2, seed=0))
    assert again.fit(data(), epochs=1, verbose=0).epoch == [0]  # without the checkpoint, an ordinary fit
    longer = model()
    assert longer.fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)]).epoch == [2]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing"])
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path, damage, capsys):
    model().fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    newest = tmp_path / "checkpoints/epoch_0003/model.keras"
    blob = bytearray(newest.read_bytes())
    if damage == "missing":
        newest.unlink()
    else:
        blob[len(blob) // 2] ^= 1
        newest.write_bytes(blob[: len(blob) // 2] if damage == "truncated" else blob)
    (tmp_path / "checkpoints/.epoch_0004.killed").mkdir()
    resumed = model()
    assert resumed.fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)]).epoch == [2]
    assert "epoch_0003 is damaged and passed over" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["epoch_0002", "epoch_0003"]


def test_the_best_epoch_is_kept_and_restored(tmp_path):
    class Scores(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [5.0, 1.0, 3.0, 4.0, 2.0][epoch]

    gan, images = model(), []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: images.append(gan.generate(2, seed=0)))
    kept = tz.callbacks.Checkpoint(tmp_path, monitor="score", every=10)
    gan.fit(data(), epochs=5, verbose=0, callbacks=[Scores(), kept, keep])
    assert kept.best == 1.0
    assert kept.restore_best(gan) == 2
    np.testing.assert_array_equal(gan.generate(2, seed=0), images[1])
    assert kept.saved()[0].name == "epoch_0002"


def test_a_full_disk_stops_in_a_sentence_and_loses_nothing(tmp_path, monkeypatch):
    import errno
    import os

    model().fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"disk is full: .*epoch_0003 was not written"):
        model().fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    monkeypatch.undo()
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["epoch_0001", "epoch_0002"]
    assert model().fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)]).epoch == [2]


def test_samples_are_one_fixed_batch_drawn_by_epoch_and_filmed(tmp_path):
    model().fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.SampleGrid(tmp_path, num_images=9, every=2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch_0000.png",
        "epoch_0001.png",
        "epoch_0002.png",
        "epoch_0003.png",
        "samples.gif",
    ]
    with Image.open(tmp_path / "samples.gif") as film:
        assert film.n_frames == 4
    with Image.open(tmp_path / "epoch_0003.png") as picture:
        assert min(picture.size) >= 400


def test_grid_places_images_in_rows():
    images = np.stack([np.full((2, 3, 1), value, "float32") for value in (-1, 0, 1, -1, 1)])
    sheet = pictures.grid(images, columns=3)
    assert sheet.shape == (2 * 3 + 1, 3 * 4 + 1, 1)
    assert [int(sheet[1, 1 + 4 * column, 0]) for column in range(3)] == [0, 128, 255]
    assert [int(sheet[4, 1 + 4 * column, 0]) for column in range(3)] == [0, 255, 255]
    with pytest.raises(ValueError, match="a grid needs"):
        pictures.grid(np.zeros((2, 2)))


def test_curves_scatter_and_strip_are_pictures(tmp_path):
    history = [{"epoch": e, "discriminator_loss": 1.0 / e, "generator_loss": e, "fd": 2.0 / e} for e in range(1, 9)]
    pictures.save_curves(history, tmp_path / "curves.png")
    points = np.random.default_rng(0).normal(size=(50, 2))
    pictures.save_scatter({"epoch 1": points, "epoch 2": points + 5}, tmp_path / "scatter.png", reference=points + 5)
    pictures.save_strip({"a": tmp_path / "curves.png", "b": tmp_path / "scatter.png"}, tmp_path / "strip.png")
    for name in ("curves.png", "scatter.png", "strip.png"):
        with Image.open(tmp_path / name) as picture:
            assert len(np.unique(np.asarray(picture))) > 20


def test_progress_says_rate_and_remaining_time(capsys):
    model().fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Progress(seconds=0)])
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 3
    assert "epoch 3/3" in lines[-1]
    assert "steps/s" in lines[-1]
    assert "0 s left" in lines[-1]
