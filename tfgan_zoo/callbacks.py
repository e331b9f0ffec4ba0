"""Keras callbacks for any generative model: look at it, score it, keep it, draw its curves, show how long it takes."""

import atexit
import csv
import hashlib
import pathlib
import shutil
import sys
import time
import zipfile

import keras
import numpy as np

from tfgan_zoo import data, files, pictures
from tfgan_zoo.doctor import Doctor as Doctor
from tfgan_zoo.metrics import evaluate


class SampleGrid(keras.callbacks.Callback):
    """Draw one fixed latent batch as a PNG while training, and the film of it at the end; by class, if there are any.

    Args:
        directory: where `epoch_0000.png` (before training), `epoch_0001.png`, … and `samples.gif` go.
        num_images: images in a grid, or points in a scatter; None for 64 images or 1,000 points.
        every: epochs between two pictures; the first and the last are always drawn.
        seed: of the latents.
        reference: points of the data, drawn under generated points.
    """

    def __init__(self, directory, num_images=None, every=1, seed=0, reference=None):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.num_images, self.every, self.seed, self.reference = num_images, every, seed, reference

    def on_train_begin(self, logs=None):
        if not (self.directory / "epoch_0000.png").exists():  # a run that goes on has it already
            self.draw(0)

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0 or (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            self.draw(epoch + 1)

    def draw(self, epoch):
        """Draw the latent batch as the picture of an epoch; 0 is before training."""
        points, classes = len(self.model.image_shape) == 1, self.model.num_classes
        count, labels, columns = self.num_images or (1000 if points else 64), None, None
        if classes:  # a row for each class
            columns = max(1, round(count / classes))
            labels = np.repeat(np.arange(classes), columns)
        images = self.model.generate(count if labels is None else len(labels), labels=labels, seed=self.seed)
        path = self.directory / f"epoch_{epoch:04d}.png"
        pictures.save_grid(images, path, columns=columns, reference=self.reference)

    def on_train_end(self, logs=None):
        frames = sorted(self.directory.glob("epoch_*.png"))
        pictures.save_film(frames, self.directory / "samples.gif", seconds_each=min(0.3, 10 / max(len(frames), 1)))


class Evaluate(keras.callbacks.Callback):
    """Score the model every few epochs and write the scores into the logs, for other callbacks to watch.

    Scores are taken against the training split unless told otherwise, so that choosing the best epoch by them leaves
    the test split unseen.

    Args:
        reference: data source, as in `tz.evaluate`.
        every: epochs between two scores; the last epoch is always scored.
        split: of the reference.
        num_images: generated for a score; None for as many as the split has, but at most 5,000.
        seed: of the generated images.
        **arguments: passed on to `tz.evaluate`, such as extractor=.
    """

    def __init__(self, reference, every=1, split="train", num_images=None, seed=0, **arguments):
        super().__init__()
        self.reference, self.every, self.split = reference, every, split
        self.num_images, self.seed, self.arguments = num_images, seed, arguments

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every and epoch + 1 != self.params.get("epochs"):
            return
        if self.num_images is None:
            self.num_images = min(5000, data.info(self.reference).num_images[self.split])
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
        logs.update({name.removesuffix(f"_{record['protocol']['num_generated']}"): v for name, v in numbers.items()})


class Checkpoint(keras.callbacks.Callback):
    """Keep a run so that the same `fit` continues it: weights, optimizers, average, step, best score and history.

    One checkpoint is one directory `epoch_0007/` that appears whole or not at all. The last two and the best are kept;
    a damaged one is passed over for the one before it. `history.csv` is rewritten with each, so that rows are never
    doubled. Put it after callbacks whose scores it should record.

    Args:
        directory: of the run; checkpoints go to `directory/checkpoints`.
        monitor: a name in the logs whose best value is worth keeping; None keeps no best.
        mode: "min" or "max".
        every: epochs between two checkpoints; a best or a last epoch is always kept.
    """

    def __init__(self, directory, monitor=None, mode="min", every=1):
        super().__init__()
        if mode not in ("min", "max"):
            raise ValueError(f'mode={mode!r}: the best score is its "min" or its "max".')
        self.directory = pathlib.Path(directory)
        self.monitor, self.mode, self.every = monitor, mode, every
        self._start()

    def on_train_begin(self, logs=None):
        self._start()
        for rest in (self.directory / "checkpoints").glob(".epoch_*"):  # of a process that was killed while saving
            shutil.rmtree(rest)
        for path in reversed(self.saved()):
            try:
                self.restore(path)
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                print(f"{path} is damaged and passed over ({error}).", file=sys.stderr)
                continue
            state = files.read_json(path / "state.json")
            self.history, self.best, self.best_epoch = state["history"], state["best"], state["best_epoch"]
            self.model._initial_epoch = state["epoch"]  # as Keras' own BackupAndRestore says where to go on
            return

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        self.history.append(row)
        score = row.get(self.monitor)
        improved = score is not None and (self.best is None or (score < self.best) == (self.mode == "min"))
        if improved:
            self.best, self.best_epoch = score, epoch + 1
        if improved or (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            self.save(epoch + 1)

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None  # or every later fit would begin there
        if self.saved():
            with files.whole(self.directory / "last.keras") as temporary:
                shutil.copyfile(self.saved()[-1] / "model.keras", temporary)

    def save(self, epoch):
        """Write the checkpoint of an epoch and drop those that are no longer needed."""
        path = self.directory / "checkpoints" / f"epoch_{epoch:04d}"
        if path.exists():  # damaged, or it would have been continued from
            shutil.rmtree(path)
        with files.whole(path, directory=True) as temporary:
            self.model.save(temporary / "model.keras")
            state = {"epoch": epoch, "best": self.best, "best_epoch": self.best_epoch, "history": self.history}
            files.write_json(temporary / "state.json", {"sha256": _sha256(temporary / "model.keras"), **state})
        for old in self.saved()[:-2]:
            if old.name != f"epoch_{self.best_epoch or 0:04d}":
                shutil.rmtree(old)
        write_history(self.history, self.directory / "history.csv")

    def saved(self):
        """Paths of the checkpoints there are, oldest first."""
        return sorted((self.directory / "checkpoints").glob("epoch_*"))

    def restore(self, path):
        """Give the model the weights, optimizer slots and counters of a checkpoint.

        Raises:
            ValueError: if the checkpoint is not the file that was written.
        """
        if _sha256(path / "model.keras") != files.read_json(path / "state.json")["sha256"]:
            raise ValueError("its hash is not the one it was written with")
        self.model.load_weights(path / "model.keras")

    def restore_best(self, model):
        """Give `model` the weights of the best epoch and return its number; the last epoch's, where none was scored."""
        self.set_model(model)
        best = self.directory / "checkpoints" / f"epoch_{self.best_epoch or 0:04d}"
        path = best if best.exists() else self.saved()[-1]
        self.restore(path)
        return int(path.name.removeprefix("epoch_"))

    def _start(self):
        self.history, self.best, self.best_epoch = [], None, None


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
        rows = [{name: value for name, value in row.items() if name != "loss"} for row in self.checkpoint.history]
        pictures.save_curves(rows, self.path)


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

        self._console = Console(stderr=True)
        columns = (
            "Training",
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            "left",
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        first = getattr(self.model, "_initial_epoch", None) or 0
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
        self._bar.update(self._task, completed=epoch + 1, text=text)
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
    with files.whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(history)


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
