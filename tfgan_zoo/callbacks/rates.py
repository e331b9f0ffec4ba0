"""Learning rates that change while a model trains."""

import weakref

import keras

from tfgan_zoo import runtime

_FALLEN = weakref.WeakKeyDictionary()  # optimizer -> (its whole rate, what it was set to): of a fit that was broken off


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
