"""A trial as Keras' callback sees it: scored every few epochs, and ended early when there is no hope."""

import time

import keras
import numpy as np

from tfgan_zoo.tuning import interrupts
from tfgan_zoo.tuning.objective import without_counts

COUNTED = 256  # images whose diversity is looked at
OFTEN = 50  # batches between two looks at the loss
IN_FULL = "all epochs"  # why a run ended that nothing ended early


class TrialCallback(keras.callbacks.Callback):
    """Score the model every few epochs on validation images, and stop training that has become hopeless.

    A model has diverged when a loss or an image is not finite, and collapsed when its images' diversity is under the
    floor and has not grown since the look before. Either counts as an untrained model. One that has not improved for
    more than `patience` looks keeps its best score.

    Args:
        splits: a `DataSplits`.
        objective: an `Objective`.
        every: epochs between two looks; there is one at the last epoch too.
        patience: looks without a better score after which training ends; None for no end.
        floor: of the diversity, as a share of the data's; 0 for none.
        past: the run of which this is the continuation, or None.
        keep: whether to hold on to the weights of the best look.
        on_look: function of (epoch, its score or None), called at every look, or None.
    """

    def __init__(self, splits, objective, every=1, patience=None, floor=0.1, past=None, keep=False, on_look=None):
        super().__init__()
        self.splits, self.objective = splits, objective
        self.every, self.patience, self.floor, self.keep, self.on_look = every, patience, floor, keep, on_look
        past = past or {"looks": (), "best": None, "epochs": 0}
        self.looks = list(past["looks"])  # dicts of epoch, score, diversity
        self.best = past["best"]  # {"epoch", "scores", and what else `evaluate` recorded}
        self.ended, self.hopeless, self.epoch = None, False, past["epochs"]
        self.weights, self.score_s = None, 0.0

    def on_train_batch_end(self, batch, logs=None):
        interrupts.check()
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
        if self.on_look:
            self.on_look(self.epoch, self.looks[-1]["score"] if self.looks else None)

    def _check(self, logs, epoch):
        if not np.isfinite(list((logs or {}).values())).all():
            self._end(f"diverged: NaN in epoch {epoch}", hopeless=True)

    def _look(self, logs):
        images = self.model.generate(COUNTED, seed=0)
        if not np.isfinite(images).all():
            return self._end(f"diverged: NaN in the images of epoch {self.epoch}", hopeless=True)
        try:
            record = self.splits.score(self.model)
        except ValueError as error:  # images that `evaluate` refuses, such as a blank
            return self._end(f"not scored in epoch {self.epoch}: {error}", hopeless=True)
        score, diversity = self.objective.of(record), self.splits.diversity(images)
        if not np.isfinite(score):
            return self._end(f"diverged: {self.objective.name} is {score} in epoch {self.epoch}", hopeless=True)
        self.looks.append({"epoch": self.epoch, "score": score, "diversity": diversity})
        logs.update(numbers_of(record))
        if self.best is None or self.objective.better_than(score, self.objective.of(self.best)):
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
            "score": self.objective.of(best) if best else self.objective.untrained,
            "best": best,
            "looks": self.looks,
        }


def numbers_of(record):
    """All single numbers of a record, by their names without counts."""
    return {name: value for name, value in without_counts(record["scores"]).items() if isinstance(value, int | float)}
