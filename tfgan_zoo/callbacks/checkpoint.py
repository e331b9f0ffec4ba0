"""Keep a run so that it can go on."""

import csv
import hashlib
import pathlib
import shutil
import sys

import keras
import numpy as np

from tfgan_zoo import files, keras_private, runtime

_ARRAYS = "arrays.npz"
_DIVERGED = (
    "Training has diverged and is stopped; what was kept before is untouched. Lower learning rates, clipped gradients "
    "(global_clipnorm of the optimizers) or a gradient penalty help."
)


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


def write_history(history, path):
    """Write rows of a training history as CSV, one row an epoch; a score that was not taken stays empty."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    with files.atomic_write(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(history)


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
