"""Keras callbacks for any generative model: look at it, score it, keep it, draw its curves, show how long it takes."""

import atexit
import csv
import hashlib
import pathlib
import shutil
import sys
import time
import weakref

import keras
import numpy as np

from tfgan_zoo import data, files, keras_private, pictures, runtime
from tfgan_zoo.doctor import Doctor as Doctor
from tfgan_zoo.metrics import evaluate
from tfgan_zoo.profiling import Profile as Profile

_ARRAYS = "arrays.npz"
_FALLEN = weakref.WeakKeyDictionary()  # optimizer -> (its whole rate, what it was set to): of a fit that was broken off
_PICTURES = 40  # of a training, where nobody says how often
_DIVERGED = (
    "Training has diverged and is stopped; what was kept before is untouched. Lower learning rates, clipped gradients "
    "(global_clipnorm of the optimizers) or a gradient penalty help."
)


class SampleGrid(keras.callbacks.Callback):
    """Draw the model's `preview` as a PNG while training, always of one seed, and the film of it at the end.

    Args:
        directory: where `epoch_0000.png` (before training), `epoch_0001.png`, … and `samples.gif` go.
        num_images: images in a grid, or points in a scatter; None for as many as the model shows: 64 images, a row a
            class if there are any, or 1,000 points.
        every: epochs between two pictures; the first and the last are always drawn. None makes forty of them or so.
        seed: of what is drawn.
        reference: points of the data, drawn under generated points.
    """

    def __init__(self, directory, num_images=None, every=1, seed=0, reference=None):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.num_images, self.every, self.seed, self.reference = num_images, every, seed, reference

    def on_train_begin(self, logs=None):
        if runtime.is_chief() and not (self.directory / "epoch_0000.png").exists():  # a run that goes on has it already
            self.draw(0)

    def on_epoch_end(self, epoch, logs=None):
        if runtime.is_chief() and (epoch == 0 or _is_due(epoch, self.every, self.params, _PICTURES)):
            self.draw(epoch + 1)

    def draw(self, epoch):
        """Draw the preview as the picture of an epoch; 0 is before training."""
        panels = self.model.preview(self.seed, self.num_images)
        path = self.directory / f"epoch_{epoch:04d}.png"
        if len(panels) > 1:
            pictures.save_panels(panels, path)
        else:
            ((images, columns),) = panels.values()
            pictures.save_grid(images, path, columns=columns, reference=self.reference)

    def on_train_end(self, logs=None):
        if not runtime.is_chief():
            return
        frames = sorted(self.directory.glob("epoch_*.png"), key=lambda path: int(path.stem.removeprefix("epoch_")))
        pictures.save_film(frames, self.directory / "samples.gif", seconds_each=min(0.3, 10 / max(len(frames), 1)))


class Evaluate(keras.callbacks.Callback):
    """Score the model every few epochs and write the scores into the logs, for other callbacks to watch.

    Scores are taken against the training split unless told otherwise, so that choosing the best epoch by them leaves
    the test split unseen. Of several workers each scores, and all read the same number.

    Args:
        reference: data source, as in `tz.evaluate`.
        every: epochs between two scores; the last epoch is always scored. None makes about so many as `times` says.
        times: how many scores, where `every` is None.
        split: of the reference.
        num_images: generated for a score; None for as many as the split has, but at most 5,000.
        seed: of the generated images.
        **arguments: passed on to `tz.evaluate`, such as extractor=.

    A score's name in the logs is its key without the count of images, wherever that stands: "fd_classifier",
    "fid_inception2015_clean"; `metrics.distance_name(reference, extractor)` is that of the Fréchet distance.
    """

    def __init__(self, reference, every=1, split="train", num_images=None, seed=0, times=10, **arguments):
        super().__init__()
        self.reference, self.every, self.split, self.times = reference, every, split, times
        self.num_images, self.seed, self.arguments = num_images, seed, arguments

    def on_epoch_end(self, epoch, logs=None):
        if not _is_due(epoch, self.every, self.params, self.times):
            return
        check_finite(logs, epoch)
        if self.num_images is None:
            self.num_images = min(5000, data.info(self.reference).count(self.split))
        record = evaluate(
            self.model,
            self.reference,
            num_images=self.num_images,
            seed=self.seed,
            split=self.split,
            floor=False,
            verbose=False,
            **self.arguments,
        )
        numbers = {name: value for name, value in record["scores"].items() if isinstance(value, (int, float))}
        count = str(record["protocol"]["num_generated"])
        logs.update({"_".join(word for word in name.split("_") if word != count): v for name, v in numbers.items()})


class Checkpoint(keras.callbacks.Callback):
    """Keep a run so that the same `fit` continues it: weights, optimizers, average, step, best score and history.

    One checkpoint is one directory `epoch_0007/`, or `epoch_0007_step_000120/` for so many steps into the epoch after
    it, that appears whole or not at all. The last two and the best are kept; a damaged one is passed over for the one
    before it. `history.csv` is rewritten with each, so that rows are never doubled; a run that was continued has a
    column there that says from which epoch. At the end `last.keras` is the model, for `keras.models.load_model`. Put
    it after callbacks whose scores it should record.

    Training that has diverged is stopped, and nothing of it is kept. Of several workers each keeps what is its own,
    those after the first in `worker_1/` and so on, and all continue from the last checkpoint that all have.

    Args:
        directory: of the run; checkpoints go to `directory/checkpoints`.
        monitor: a name in the logs whose best value is worth keeping; None keeps no best.
        mode: "min" or "max".
        every: epochs between two checkpoints; a best or a last epoch is always kept.
        every_steps: steps between two checkpoints within an epoch; None for none. Continuing there, the batches of
            the epoch's first steps are read and passed over: their order must be that of the first time, as it is
            with `tz.data.load`.
    """

    def __init__(self, directory, monitor=None, mode="min", every=1, every_steps=None):
        super().__init__()
        if mode not in ("min", "max"):
            raise ValueError(f'mode={mode!r}: the best score is its "min" or its "max".')
        for name, number in (("every", every), ("every_steps", 1 if every_steps is None else every_steps)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise ValueError(f"{name}={number!r}: a checkpoint is kept every so many, at least 1.")
        self.directory = pathlib.Path(directory)
        self.monitor, self.mode, self.every, self.every_steps = monitor, mode, every, every_steps
        self._start()

    def on_train_begin(self, logs=None):
        self._start()
        files.directory(self._checkpoints)
        for rest in self._checkpoints.glob(".epoch_*"):  # of a process that was killed while saving
            shutil.rmtree(rest)
        places = _common([_place(path) for path in self.saved() if self.is_sound(path)])
        if not places:
            return
        epoch, steps = max(places)
        state = self.restore(self._path(epoch, steps))
        self.history, self.best, self.best_epoch = state["history"], state["best"], state["best_epoch"]
        self.continued, self._passed_over = state["continued"], steps
        keras_private.begin_at(self.model, epoch)  # as Keras' own BackupAndRestore says where to go on
        if epoch < self.params.get("epochs", 0):
            self.continued[str(epoch + 1)] = epoch
            if runtime.is_chief():
                within = f", step {steps} of the next" if steps else ""
                print(f"{self.directory} goes on after epoch {epoch}{within}.", file=sys.stderr)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._taken, self._kept = epoch, 0, 0
        if self._passed_over:
            _assign(_variables_of(self.model.metrics), self._means)  # Keras has just reset them
            self._pass_over(self._passed_over)
            self._kept, self._passed_over = self._passed_over, 0

    def on_train_batch_end(self, batch, logs=None):
        self._taken = batch + 1
        if self.every_steps and self._taken - self._kept >= self.every_steps:
            self._kept = self._taken
            if self._taken != self.params.get("steps"):  # or the epoch's own checkpoint comes at once
                check_finite(logs, self._epoch)
                self.save(self._epoch, self._taken)

    def on_epoch_end(self, epoch, logs=None):
        if self._undone:  # by a callback before this one: there is nothing of this epoch to keep
            self._undone = False
            return
        check_finite(logs, epoch)
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        self.history.append(row)
        score = row.get(self.monitor)
        improved = score is not None and (self.best is None or (score < self.best) == (self.mode == "min"))
        if improved:
            self.best, self.best_epoch = score, epoch + 1
        if improved or (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            self.save(epoch + 1)

    def on_train_end(self, logs=None):
        keras_private.begin_at(self.model, None)  # or every later fit would begin there
        if self.saved():  # on every worker: Keras makes variables as it saves, which all of them must do together
            with files.atomic_write(self._own / "last.keras") as temporary:
                self.model.save(temporary)

    def save(self, epoch, steps=0):
        """Write the checkpoint of an epoch, or of so many steps after it, and drop those that are no longer needed."""
        arrays = [np.asarray(variable) for variable in self._variables()]
        if not all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f"):
            raise FloatingPointError(f"After epoch {epoch} the model holds NaN or infinity. {_DIVERGED}")
        path = self._path(epoch, steps)
        if path.exists():  # damaged, or it would have been continued from
            shutil.rmtree(path)
        with files.atomic_write(path, directory=True) as temporary:
            np.savez(temporary / _ARRAYS, *arrays)
            names = ("best", "best_epoch", "history", "continued")
            state = {"epoch": epoch, "steps": steps} | {name: getattr(self, name) for name in names}
            files.write_json(temporary / "state.json", {"sha256": _sha256(temporary / _ARRAYS), **state})
        for old in self.saved()[:-2]:
            if old.name != f"epoch_{self.best_epoch or 0:04d}":
                shutil.rmtree(old)
        if runtime.is_chief() and not steps:
            marks = [{"continued_from": self.continued.get(str(row["epoch"]))} for row in self.history]
            rows = [row | mark for row, mark in zip(self.history, marks, strict=True)] if self.continued else None
            write_history(rows or self.history, self.directory / "history.csv")

    def saved(self):
        """Paths of the checkpoints there are, oldest first."""
        return sorted(self._checkpoints.glob("epoch_*"), key=_place)

    def restore(self, path):
        """Give the model the weights, optimizer slots and counters of a checkpoint, and return what else it holds.

        Raises:
            ValueError: if the checkpoint is of another model.
        """
        with np.load(path / _ARRAYS) as stored:
            arrays = list(stored.values())
        variables = self._variables()
        if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
            raise ValueError(
                f"{path} is of another model: its {len(arrays)} arrays do not fit this one's {len(variables)}. "
                "Build it with the same numbers, or choose another directory."
            )
        # Running means wait for their epoch; besides, to touch them is for all workers together
        kept = len(variables) - len(_variables_of(self.model.metrics))
        _assign(variables[:kept], arrays[:kept])
        self._means = arrays[kept:]
        return files.read_json(path / "state.json")

    def restore_best(self, model):
        """Give `model` the weights of the best epoch and return its number; the last epoch's, where none was scored."""
        self.set_model(model)
        best = self._path(self.best_epoch or 0)
        path = best if best.exists() else self.saved()[-1]
        self.restore(path)
        self._undone = True
        return _place(path)[0]

    def _start(self):
        self.history, self.best, self.best_epoch = [], None, None
        self.continued = {}  # epoch -> the one after which a restart went on
        self._passed_over, self._undone = 0, False

    @property
    def _own(self):
        return self.directory / f"worker_{runtime.worker()}" if runtime.worker() else self.directory

    @property
    def _checkpoints(self):
        return self._own / "checkpoints"

    def _path(self, epoch, steps=0):
        return self._checkpoints / (f"epoch_{epoch:04d}" + (f"_step_{steps:06d}" if steps else ""))

    def _variables(self):
        """All that training changes, in a fixed order: weights, random states, optimizers' slots, running means."""
        optimizers = {id(one): one for one in vars(self.model).values() if isinstance(one, keras.optimizers.Optimizer)}
        metrics = self.model.metrics
        own = {id(variable) for variable in _variables_of(metrics)}
        model = [variable for variable in self.model.variables if id(variable) not in own]
        return [*model, *_variables_of(optimizers.values()), *_variables_of(metrics)]

    def is_sound(self, path):
        """Whether a checkpoint is what was written; one that is not is named."""
        try:
            if _sha256(path / _ARRAYS) != files.read_json(path / "state.json")["sha256"]:
                raise ValueError("its hash is not the one it was written with")
        except (OSError, ValueError, KeyError) as error:
            print(f"{path} is damaged and passed over ({error}).", file=sys.stderr)
            return False
        return True

    def _pass_over(self, steps):
        """Let the first steps of this epoch read their batches and do nothing."""
        train, together = self.model.train_function, self.model.steps_per_execution
        if steps % together:
            raise ValueError(
                f"steps_per_execution={together}, but the run was stopped after {steps} steps of an epoch: "
                f"compile it with a divisor of {steps} to go on there."
            )

        def passed_over(iterator):
            nonlocal steps
            for _ in range(together):
                next(iterator)
            steps -= together
            if not steps:
                self.model.train_function = train
            return self.model.get_metrics_result()

        self.model.train_function = passed_over


class Minutes(keras.callbacks.Callback):
    """End training with the epoch that comes nearest to so many minutes of it, the first at least.

    What counts is the CPU time of all cores, which a busy machine does not change; the clock's, where a GPU computes.
    Scores and pictures are not counted, nor what went before a restart a second time. The epochs that the minutes will
    buy, told after each by its share, are what other callbacks take for the last one. Put it before them, and before
    the `Checkpoint` that keeps the count, `minutes` in the logs.

    Args:
        minutes: of training, above 0.
        checkpoint: the `Checkpoint` of this training.
    """

    def __init__(self, minutes, checkpoint):
        super().__init__()
        if not minutes > 0:
            raise ValueError(f"minutes={minutes!r}: give a number above 0.")
        self.minutes, self.checkpoint = minutes, checkpoint
        self._clock = time.perf_counter if runtime.device() == "GPU" else time.process_time

    def on_train_begin(self, logs=None):
        self._most = self.params["epochs"]  # whatever the first epoch, which is slow, promises

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = self._clock()

    def on_epoch_end(self, epoch, logs=None):
        before = self.checkpoint.history[-1].get("minutes", 0.0) if self.checkpoint.history else 0.0
        milliseconds = runtime.gathered([round(1e3 * (self._clock() - self._begin))]).max()  # workers stop together
        logs["minutes"] = before + milliseconds / 6e4
        epochs = min(self._most, self._bought(logs["minutes"], epoch + 1))
        self.params["epochs"] = max(epochs, epoch + 1)  # Keras gives all callbacks this one dict
        self.model.stop_training |= epoch + 1 >= epochs

    def at_most(self, epochs):
        """How many epochs to ask `fit` for, at most `epochs`: those there are, where they have spent the minutes."""
        for path in reversed(self.checkpoint.saved()):
            if self.checkpoint.is_sound(path):
                history = files.read_json(path / "state.json")["history"]
                if history and self._bought(history[-1].get("minutes", 0.0), len(history)) <= len(history):
                    return min(epochs, len(history))
                break
        return epochs

    def _bought(self, spent, epochs):
        """The epochs that the minutes buy, if so many have spent so much."""
        return max(1, round(self.minutes / max(spent, 1e-9) * epochs))


class LinearDecay(keras.callbacks.Callback):
    """Let every network's learning rate fall linearly to 0 over the end of training.

    Source: Zhu et al. 2017, Sec. 4: the whole rate for 100 epochs, and down to 0 over 100 more.

    The factor is a function of the share of the epochs that is done, batch by batch, and so the same in a run that goes
    on. Whatever is saved between epochs has the whole rate: put it before the `Checkpoint`, and behind `Minutes`, whose
    epochs it then follows.

    Args:
        start: the share of training after which rates fall, in [0, 1]; from 1 on nothing falls.

    Raises:
        ValueError: if it is none; when training begins, if an optimizer has a schedule of its own.
    """

    def __init__(self, start=0.5):
        super().__init__()
        if not 0.0 <= start <= 1.0:
            raise ValueError(f"start={start!r}: give the share of training after which rates fall, from 0 to 1.")
        self.start = start

    def factor(self, done):
        """What rates are multiplied by when a share of training is done."""
        return 1.0 if done <= self.start else (1.0 - done) / (1.0 - self.start)

    def on_train_begin(self, logs=None):
        self._rates = {}
        for name in self.model.networks:
            optimizer = self.model.optimizer_of(name)
            rate = runtime.learning_rate(optimizer)
            if rate is None:
                raise ValueError(f"The optimizer of {name} has a schedule of its own: give it a number as its rate.")
            whole, fallen = _FALLEN.get(optimizer, (rate, None))
            self._rates[optimizer] = whole if rate == fallen else rate

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._multiply(0.0)

    def on_train_batch_begin(self, batch, logs=None):
        if steps := self.params.get("steps"):
            self._multiply(batch / steps)

    def on_epoch_end(self, epoch, logs=None):
        for optimizer, rate in self._rates.items():
            optimizer.learning_rate = rate

    def _multiply(self, share):
        """Set the rates of a moment, when a share of the epoch is done."""
        factor = self.factor((self._epoch + share) / self.params["epochs"])
        for optimizer, rate in self._rates.items():
            optimizer.learning_rate = rate * factor
            _FALLEN[optimizer] = rate, runtime.learning_rate(optimizer)


class Curves(keras.callbacks.Callback):
    """Draw losses and scores by epoch as one PNG, from the checkpoint's history, when training ends.

    Args:
        path: the PNG to write.
        checkpoint: the `Checkpoint` that holds the history, also of epochs before a restart.
    """

    def __init__(self, path, checkpoint):
        super().__init__()
        self.path, self.checkpoint = path, checkpoint

    def on_train_end(self, logs=None):
        if not runtime.is_chief():
            return
        rows = [
            {name: value for name, value in row.items() if name not in ("loss", "minutes")}
            for row in self.checkpoint.history
        ]
        pictures.save_curves(rows, self.path)


class Clock(keras.callbacks.Callback):
    """What the steps of a run have taken, without scores, pictures and the tracing of the first of them.

    Args:
        path: of the JSON that it is kept in by epoch, so that a run which goes on goes on counting.
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs=None):
        self._epochs = files.read_json(self.path) if self.path.exists() else {}
        self._begin, self._device = None, runtime.device()

    def on_epoch_begin(self, epoch, logs=None):
        self._steps, self._last = 0, None
        self._begin = self._begin and _clocks()

    def on_train_batch_end(self, batch, logs=None):
        self._steps, self._last = self._steps + 1, _clocks()
        self._begin = self._begin or self._last

    def on_epoch_end(self, epoch, logs=None):
        spent = [round(last - begin, 2) for last, begin in zip(self._last or (), self._begin or (), strict=False)]
        self._epochs[str(epoch + 1)] = [*(spent or [0.0, 0.0]), self._steps, self._device]
        self._begin = self._begin or _clocks()
        if runtime.is_chief():
            files.write_json(self.path, self._epochs)

    @staticmethod
    def read(path):
        """{"cpu_minutes", "wall_minutes", "steps", "device"} of all epochs of a run; empty where no clock ran."""
        path = pathlib.Path(path)
        if not path.exists():
            return {}
        *numbers, devices = zip(*files.read_json(path).values(), strict=True)
        cpu, wall, steps = map(sum, numbers)
        spent = {"cpu_minutes": round(cpu / 60, 2), "wall_minutes": round(wall / 60, 2)}
        return {"steps": steps, **spent, "device": ", ".join(sorted(set(devices)))}


def _clocks():
    return time.process_time(), time.perf_counter()


class Progress(keras.callbacks.Callback):
    """One bar for the whole of training, with rate, remaining time and losses; for many short epochs.

    On a terminal it moves in place; in a log it is a line every `seconds`.

    Args:
        seconds: between two lines in a log.
    """

    def __init__(self, seconds=10.0):
        super().__init__()
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._console = Console(stderr=True, quiet=not runtime.is_chief())
        columns = (
            "Training",
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            "left",
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        first = keras_private.beginning_of(self.model)
        self._task = self._bar.add_task("", total=self.params["epochs"], completed=first, text="")
        self._bar.start()
        atexit.register(self._bar.stop)  # Ctrl-C leaves no hidden cursor behind
        self._begin = self._said = time.monotonic()
        self._first, self._steps = first, 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        if self.params.get("steps") and self._bar.live.is_started:
            self._bar.update(self._task, completed=self._epoch + (batch + 1) / self.params["steps"])

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        rate = self._steps / max(now - self._begin, 1e-9)
        numbers = "  ".join(f"{name} {value:.3g}" for name, value in (logs or {}).items() if name != "loss")
        text = f"epoch {epoch + 1}/{self.params['epochs']}  {rate:.1f} steps/s  {numbers}"
        self._bar.update(self._task, completed=epoch + 1, total=self.params["epochs"], text=text)
        last = epoch + 1 == self.params["epochs"]
        if not self._console.is_terminal and (now - self._said > self.seconds or last):
            left = (now - self._begin) / (epoch + 1 - self._first) * (self.params["epochs"] - epoch - 1)
            self._console.print(f"{text}  {left:.0f} s left", soft_wrap=True, highlight=False)
            self._said = now

    def on_train_end(self, logs=None):
        self._bar.stop()


def write_history(history, path):
    """Write rows of a training history as CSV, one row an epoch; a score that was not taken stays empty."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    with files.atomic_write(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(history)


def _is_due(epoch, every, params, times):
    """Whether something is to be done after an epoch, counted from 0; after the last it always is."""
    last = (params or {}).get("epochs")
    return epoch + 1 == last or (epoch + 1) % (every or max(1, (last or 1) // times)) == 0


def check_finite(logs, epoch):
    """Raise if a loss of an epoch (counted from 0) is not a number.

    Raises:
        FloatingPointError: with one sentence.
    """
    for name, value in (logs or {}).items():
        if not np.isfinite(value).all():
            raise FloatingPointError(f"{name} is {float(np.mean(value))} in epoch {epoch + 1}. {_DIVERGED}")


def _place(path):
    """(epoch, steps into the next) of a checkpoint."""
    epoch, _, steps = path.name.removeprefix("epoch_").partition("_step_")
    return int(epoch), int(steps or 0)


def _common(places):
    """Those places that every worker has."""
    slots = 4  # the last two, the best, and one that a kill kept from being dropped
    mine = sorted(places)[-slots:]
    rows = runtime.gathered([number for place in [*mine, *[(-1, -1)] * (slots - len(mine))] for number in place])
    return set.intersection(*({tuple(pair) for pair in row.reshape(-1, 2).tolist()} for row in rows)) - {(-1, -1)}


def _variables_of(owners):
    return [variable for owner in owners for variable in owner.variables]


def _assign(variables, arrays):
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
