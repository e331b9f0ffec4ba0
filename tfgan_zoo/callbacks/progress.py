"""What training shows: a bar while it runs, curves when it has ended."""

import atexit
import time

import keras

from tfgan_zoo import keras_private, pictures, runtime


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
        self._steps = self._before + batch + 1  # of several in one execution, the last's
        if self.params.get("steps") and self._bar.live.is_started:
            self._bar.update(self._task, completed=self._epoch + (batch + 1) / self.params["steps"])

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._before = epoch, self._steps

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
