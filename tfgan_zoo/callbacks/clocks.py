"""What training takes, and an end to it by the clock."""

import pathlib
import time

import keras

from tfgan_zoo import files, runtime


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
        self._steps = min(batch + 1, self.params.get("steps") or batch + 1)  # of several in one execution the last's
        self._last = _clocks()
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
