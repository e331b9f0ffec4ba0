"""A trial under watch: scored every few epochs, and ended early when there is no hope."""

import time

import keras
import numpy as np

from tfgan_zoo.metrics import records

COUNTED = 256  # images whose diversity is looked at
OFTEN = 50  # batches between two looks at the loss
IN_FULL = "all epochs"  # why a run ended that nothing ended early


class Watch(keras.callbacks.Callback):
    """Score the model every few epochs on validation images, and stop training that has become hopeless.

    A model has diverged when a loss or an image is not finite, and collapsed when its images' diversity is under the
    floor and has not grown since the look before. Either counts as an untrained model. One that has not improved for
    more than `patience` looks keeps its best score.

    Args:
        material: a `Material`.
        goal: a `Goal`.
        every: epochs between two looks; there is one at the last epoch too.
        patience: looks without a better score after which training ends; None for no end.
        floor: of the diversity, as a share of the data's; 0 for none.
        past: the run of which this is the continuation, or None.
        keep: whether to hold on to the weights of the best look.
        say: function of (epoch, its score or None), called at every look, or None.
    """

    def __init__(self, material, goal, every=1, patience=None, floor=0.1, past=None, keep=False, say=None):
        super().__init__()
        self.material, self.goal = material, goal
        self.every, self.patience, self.floor, self.keep, self.say = every, patience, floor, keep, say
        self.looks = list((past or {}).get("looks", ()))  # dicts of epoch, score, diversity
        self.best = (past or {}).get("best")  # {"epoch", "scores", and what else `evaluate` recorded}
        self.ended, self.hopeless, self.epoch = None, False, (past or {}).get("epochs", 0)
        self.weights, self.score_s = None, 0.0

    def on_train_batch_end(self, batch, logs=None):
        if batch % OFTEN == 0:
            self._check(logs, self.epoch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.epoch = epoch + 1
        self._check(logs, self.epoch)
        if self.hopeless or ((epoch + 1) % self.every and epoch + 1 != self.params.get("epochs")):
            return
        begin = time.process_time()
        self._look(logs)
        self.score_s += time.process_time() - begin
        if self.say:
            self.say(self.epoch, self.looks[-1]["score"] if self.looks else None)

    def _check(self, logs, epoch):
        if not np.isfinite(list((logs or {}).values())).all():
            self._end(f"diverged: NaN in epoch {epoch}", hopeless=True)

    def _look(self, logs):
        images = self.model.generate(COUNTED, seed=0)
        if not np.isfinite(images).all():
            return self._end(f"diverged: NaN in the images of epoch {self.epoch}", hopeless=True)
        try:
            record = self.material.judge(self.model)
        except ValueError as error:  # images that `evaluate` refuses, such as a blank
            return self._end(f"not scored in epoch {self.epoch}: {error}", hopeless=True)
        score, diversity = self.goal.of(record), self.material.diversity(images)
        if not np.isfinite(score):
            return self._end(f"diverged: {self.goal.name} is {score} in epoch {self.epoch}", hopeless=True)
        self.looks.append({"epoch": self.epoch, "score": score, "diversity": diversity})
        logs.update(self.goal.plain(record))
        if self.best is None or self.goal.better(score, self.goal.of(self.best)):
            self.best = record | {"epoch": self.epoch}
            self.weights = self.model.get_weights() if self.keep else None
        before = [look["diversity"] for look in self.looks[:-1]]
        if diversity < self.floor and before and diversity <= before[-1]:
            return self._end(f"collapsed: diversity {diversity:.2g} of the data's in epoch {self.epoch}", hopeless=True)
        since = sum(look["epoch"] > self.best["epoch"] for look in self.looks)
        if self.patience is not None and since > self.patience:
            self._end(f"no better for {since} looks, since epoch {self.best['epoch']}")

    def _end(self, reason, hopeless=False):
        self.ended, self.hopeless = reason, hopeless
        self.model.stop_training = True

    def run(self):
        """What is recorded of this run, as JSON holds it."""
        best = None if self.hopeless else self.best
        return {
            "ended": self.ended or IN_FULL,
            "hopeless": self.hopeless or best is None,
            "epochs": self.epoch,
            "score": self.goal.of(best) if best else self.goal.untrained,
            "best": best,
            "looks": self.looks,
        }


class Goal:
    """The score that a search is about, and which way is better.

    Args:
        name: of a score without its count of images, such as "fd_classifier".
        untrained: the record of a model before training; what a diverged or collapsed one counts as.

    Raises:
        ValueError: if the record has no such score.
    """

    def __init__(self, name, untrained):
        self.name = name
        self.direction = "min" if name.startswith("fd_") else "max"  # the others of `evaluate` grow with quality
        value = self.of(untrained)
        if not isinstance(value, int | float):
            raise ValueError(f"objective={name!r} is no single number: take one such as {distance(untrained)!r}.")
        self.name, self.untrained = self._short(name, untrained), value

    def of(self, record):
        """The score in a record."""
        return records.score(record, self.name)

    def better(self, a, b):
        """Whether score `a` is better than `b`."""
        return a < b if self.direction == "min" else a > b

    def plain(self, record):
        """All numbers of a record, by their names without counts."""
        numbers = {name: value for name, value in record["scores"].items() if isinstance(value, int | float)}
        return {self._short(name, record): value for name, value in numbers.items()}

    def _short(self, name, record):
        return name.removesuffix(f"_{record['protocol']['num_generated']}")


def distance(record):
    """The name of the Fréchet distance in a record, without its count."""
    name = next(name for name in record["scores"] if name.startswith("fd_"))
    return name.removesuffix(f"_{record['protocol']['num_generated']}")
