"""Pictures, checkpoints and progress: a run that is stopped goes on where it was."""

import csv

import keras
import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo import pictures

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")


def model(run_eagerly=False, **overrides):
    tz.runtime.setup(seed=1)
    gan = tz.create("gan", image_shape=(8, 8, 1), width=8, dropout=0.5, **overrides)
    gan.compile(run_eagerly=run_eagerly)
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


def test_an_interrupted_run_continues_bit_for_bit(tmp_path, capsys):
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
    assert kept.continued == {"4": 3}
    tables = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("cut", "whole")]
    rows, undisturbed = (list(csv.DictReader(table)) for table in tables)
    assert [row["epoch"] for row in rows] == list("123456")
    assert [row.pop("continued_from") for row in rows] == ["", "", "", "3", "", ""]
    assert rows == undisturbed
    assert f"{tmp_path / 'cut'} goes on after epoch 3." in capsys.readouterr().err
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


@pytest.mark.parametrize(
    "damage", ["truncated", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("flipped", "missing"))]
)
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path, damage, capsys):
    model().fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    newest = tmp_path / "checkpoints/epoch_0003/arrays.npz"
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


class Killed(keras.callbacks.Callback):
    """Ctrl-C after so many steps of the whole run."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("together", [1, 2])
def test_a_run_cut_within_an_epoch_goes_on_there(tmp_path, together):
    """Eight steps an epoch, a checkpoint every two: cut in the second epoch, the other steps are not taken twice."""
    images, steps = np.concatenate([IMAGES, IMAGES[::-1]] * 2), []

    def run(directory, *more):
        gan, kept = model(), tz.callbacks.Checkpoint(tmp_path / directory, every_steps=2)
        gan.compile(steps_per_execution=together)
        count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(int(gan.step)))
        gan.fit(tz.data.load(images, batch_size=24, seed=3), epochs=3, verbose=0, callbacks=[kept, count, *more])
        return gan, kept

    whole, undisturbed = run("whole")
    assert [path.name for path in undisturbed.saved()] == ["epoch_0002_step_000006", "epoch_0003"]
    with pytest.raises(KeyboardInterrupt):
        run("cut", Killed((8 + 5) // together))
    assert sorted(path.name for path in (tmp_path / "cut/checkpoints").iterdir())[-1] == "epoch_0001_step_000004"
    steps.clear()
    resumed, kept = run("cut")
    assert steps == [12] * (4 // together) + list(range(12 + together, 25, together))
    for a, b in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert kept.history == undisturbed.history
    if together == 2:
        with pytest.raises(KeyboardInterrupt):
            run("odd", Killed(1))
        odd = model()
        odd.compile(steps_per_execution=4)
        with pytest.raises(ValueError, match="stopped after 2 steps of an epoch"):
            odd.fit(
                tz.data.load(images, batch_size=24), verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path / "odd")]
            )


def test_divergence_stops_in_a_sentence_and_nothing_of_it_is_kept(tmp_path):
    class Diverge(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                kernel = self.model.generator.trainable_variables[-2]
                kernel.assign(kernel * np.nan)

    fine = model(run_eagerly=True)
    fine.fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path / "fine")])
    with pytest.raises(
        FloatingPointError, match=r"loss is nan in epoch 3\. Training has diverged and is stopped; what"
    ):
        model(run_eagerly=True).fit(
            data(), epochs=4, verbose=0, callbacks=[Diverge(), tz.callbacks.Checkpoint(tmp_path / "cut")]
        )
    last = model(run_eagerly=True)
    kept = tz.callbacks.Checkpoint(tmp_path / "cut")
    last.fit(data(), epochs=2, verbose=0, callbacks=[kept])
    for a, b in zip(state(fine), state(last), strict=True):
        np.testing.assert_array_equal(a, b)
    last.generator.trainable_variables[-2].assign(last.generator.trainable_variables[-2] * np.inf)
    with pytest.raises(FloatingPointError, match="After epoch 3 the model holds NaN or infinity"):
        kept.save(3)  # the losses of an epoch are finite where its very last update was not
    assert [path.name for path in kept.saved()] == ["epoch_0001", "epoch_0002"]


def test_a_directory_that_cannot_be_written_stops_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    gan = model(run_eagerly=True)
    with pytest.raises(OSError, match="a file is in the place of a directory"):
        gan.fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path / "file")])
    assert int(gan.step) == 0


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    model(run_eagerly=True).fit(data(), verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    other = tz.create("gan", image_shape=(8, 8, 1), width=4, dropout=0.5)
    other.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="epoch_0001 is of another model"):
        other.fit(data(), verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    for wrong in ({"every": 0}, {"every_steps": 0}, {"every_steps": 1.5}):
        with pytest.raises(ValueError, match=r"every(_steps)?=.*at least 1"):
            tz.callbacks.Checkpoint(tmp_path, **wrong)


def test_a_disk_that_fills_while_a_checkpoint_is_written_keeps_the_one_before(tmp_path):
    """The kernel refuses to let any file grow beyond a limit, as a full disk does, in the middle of the write."""
    import resource

    model(run_eagerly=True).fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match=r"disk is full: .*epoch_0003 was not written"):
            model(run_eagerly=True).fit(data(), epochs=3, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
        with pytest.raises(OSError, match=r"disk is full: .*last.keras was not written"):
            model(run_eagerly=True).fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.Checkpoint(tmp_path)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["epoch_0001", "epoch_0002"]


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


@pytest.mark.parametrize("together", [1, 2])
def test_the_clock_counts_every_step_of_an_execution_of_several(tmp_path, together):
    gan, clock = model(), tz.callbacks.Clock(tmp_path / "clock.json")
    gan.compile(steps_per_execution=together)
    gan.fit(data(), epochs=2, verbose=0, callbacks=[clock])
    assert clock.read(tmp_path / "clock.json")["steps"] == 2 * 3 == int(gan.step)


class Clock:
    """Advances by so many seconds each time it is read."""

    def __init__(self, seconds):
        self.seconds, self.now = seconds, 0.0

    def __call__(self):
        self.now += self.seconds
        return self.now


def fitted(directory, minutes, clock, epochs=100):
    kept = tz.callbacks.Checkpoint(directory)
    budget, grid = tz.callbacks.Minutes(minutes, kept), tz.callbacks.SampleGrid(directory, num_images=4, every=None)
    budget._clock = clock
    model().fit(data(), epochs=epochs, verbose=0, callbacks=[budget, grid, kept])
    return kept.history


@pytest.mark.parametrize(("minutes", "epochs"), [(3.0, 3), (3.4, 3), (0.1, 1)])
def test_training_ends_with_the_epoch_nearest_to_the_minutes(tmp_path, minutes, epochs):
    history = fitted(tmp_path, minutes, Clock(60.0))
    assert [row["minutes"] for row in history] == [1.0 + row for row in range(epochs)]
    assert (tmp_path / f"epoch_{epochs:04d}.png").exists()  # the last epoch, as other callbacks see it


def test_minutes_go_on_after_a_restart_and_epochs_bound_them(tmp_path):
    assert len(fitted(tmp_path, 2.0, Clock(60.0))) == 2
    assert [row["minutes"] for row in fitted(tmp_path, 5.0, Clock(90.0))] == [1.0, 2.0, 3.5, 5.0]
    assert len(fitted(tmp_path / "bounded", 50.0, Clock(60.0), epochs=2)) == 2
    with pytest.raises(ValueError, match="minutes=0: give a number above 0"):
        tz.callbacks.Minutes(0, None)


class Rates(keras.callbacks.Callback):
    """The rates of every step."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        optimizers = self.model.discriminator_optimizer, self.model.generator_optimizer
        self.seen.append([tz.runtime.learning_rate(one) for one in optimizers])


def falling(**overrides):
    return model(learning_rate=0.01, discriminator_learning_rate=0.04, **overrides)


def test_rates_fall_to_0_over_the_second_half():
    gan, rates = falling(), Rates()
    gan.fit(data(), epochs=4, verbose=0, callbacks=[tz.callbacks.LinearDecay(), rates])
    share = [1.0] * 6 + [1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]  # 3 steps an epoch
    np.testing.assert_allclose(rates.seen, np.outer(share, [0.04, 0.01]), rtol=1e-6)
    assert tz.runtime.learning_rate(gan.generator_optimizer) == pytest.approx(0.01)
    gan.fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.LinearDecay(0.0), rates])
    np.testing.assert_allclose(np.array(rates.seen)[:, 1], 0.01 * np.arange(6, 0, -1) / 6, rtol=1e-6)
    with pytest.raises(KeyboardInterrupt):
        gan.fit(data(), epochs=2, verbose=0, callbacks=[tz.callbacks.LinearDecay(0.0), Stop(1)])
    assert tz.runtime.learning_rate(gan.generator_optimizer) < 0.005
    gan.fit(data(), epochs=1, verbose=0, callbacks=[tz.callbacks.LinearDecay(0.5), rates])
    assert rates.seen[0] == pytest.approx([0.04, 0.01])


@pytest.mark.parametrize("every_steps", [None, 1])
def test_falling_rates_go_on_after_a_restart(tmp_path, every_steps):
    def fit(gan, place, *more):
        kept = tz.callbacks.Checkpoint(tmp_path / place, every_steps=every_steps)
        rates = Rates()
        gan.fit(data(), epochs=4, verbose=0, callbacks=[tz.callbacks.LinearDecay(), kept, rates, *more])
        return rates.seen

    whole, cut = falling(), falling()
    seen = fit(whole, "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(cut, "cut", Stop(2))
    resumed = falling()
    assert seen[-3:] == fit(resumed, "cut")[-3:]
    for a, b in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_falling_rates_refuse_what_they_cannot_do():
    for start in (1.1, -0.1):
        with pytest.raises(ValueError, match="give the share of training after which rates fall"):
            tz.callbacks.LinearDecay(start)
    gan = model()
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    gan.compile(generator_optimizer=keras.optimizers.Adam(schedule))
    with pytest.raises(ValueError, match="The optimizer of generator has a schedule of its own"):
        gan.fit(data(), epochs=1, verbose=0, callbacks=[tz.callbacks.LinearDecay()])


def test_checkpoints_are_sorted_by_their_numbers_and_not_by_their_names(tmp_path):
    """From epoch 10,000 on names have five digits: the newest two are kept, not the two whose names come last."""
    gan = model()
    checkpoint = tz.callbacks.Checkpoint(tmp_path)
    checkpoint.set_model(gan)
    for epoch in (9_998, 9_999, 10_000, 10_001):
        checkpoint.save(epoch)
    assert [path.name for path in checkpoint.saved()] == ["epoch_10000", "epoch_10001"]
