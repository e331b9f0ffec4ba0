"""Keras' Dropout and GaussianNoise with noise that XLA, and several devices that share a batch, draw alike."""

import keras
from keras import layers, ops

from tfgan_zoo import noise
from tfgan_zoo.serialization import serializable


class Noisy(layers.Layer):
    """What both have: a random state of their own, which every training call advances by one."""

    def __init__(self, seed=None, **keras_arguments):
        super().__init__(**keras_arguments)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def drawn(self, draw, inputs):
        """This replica's rows of `draw(shape, seed)` for the whole batch, float32 of the shape of inputs."""
        seed = ops.cast(self.seed_generator.next(), "int64")
        return noise.shared(lambda count: draw((count, *inputs.shape[1:]), seed), ops.shape(inputs)[0])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"seed": self.seed}


@serializable
class Dropout(Noisy):
    """Sets a share of the inputs to 0 while training, and scales the others up (Srivastava et al. 2014).

    Args:
        rate: share that is dropped, in [0, 1).
        seed: integer of its noise; None takes one from Python's generator.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if rate is out of its range.
    """

    def __init__(self, rate, seed=None, **keras_arguments):
        super().__init__(seed, **keras_arguments)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"rate={rate!r}: the share of inputs that is dropped lies in [0, 1).")
        self.rate = rate

    def call(self, inputs, training=False):
        if not training or not self.rate:
            return inputs
        kept = self.drawn(noise.uniform, inputs) >= self.rate
        return ops.where(kept, inputs / (1.0 - self.rate), ops.zeros_like(inputs))

    def get_config(self):
        return super().get_config() | {"rate": self.rate}


@serializable
class GaussianNoise(Noisy):
    """Adds normal noise while training.

    Args:
        stddev: its standard deviation, not negative.
        seed: integer of its noise; None takes one from Python's generator.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if stddev is negative.
    """

    def __init__(self, stddev, seed=None, **keras_arguments):
        super().__init__(seed, **keras_arguments)
        if not stddev >= 0.0:
            raise ValueError(f"stddev={stddev!r}: a standard deviation is not negative.")
        self.stddev = stddev

    def call(self, inputs, training=False):
        if not training or not self.stddev:
            return inputs
        return inputs + ops.cast(self.stddev * self.drawn(noise.normal, inputs), inputs.dtype)

    def get_config(self):
        return super().get_config() | {"stddev": self.stddev}
