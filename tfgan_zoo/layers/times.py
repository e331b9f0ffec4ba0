"""How a network is told a time."""

import math

import keras
import numpy as np
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class TimeEmbedding(keras.layers.Layer):
    """Times as sines and cosines of geometric frequencies (Vaswani et al. 2017; Ho et al. 2020, App. B), in float32.

    Args:
        units: of the embedding, even.
        longest: the slowest wave has about 2 pi times this length.
    """

    def __init__(self, units, longest=10_000.0, **keras_arguments):
        super().__init__(**{"dtype": "float32"} | keras_arguments)
        if units < 2 or units % 2:
            raise ValueError(f"units={units}: as many sines as cosines make an even number.")
        self.units, self.longest = units, longest
        self.frequencies = np.exp(-math.log(longest) * np.arange(units // 2) / (units // 2)).astype("float32")
        self._upper = self.frequencies.astype("float16").astype("float32")  # in two parts, for files in float16

    def call(self, times):
        """(N, units) from times (N,), in about 0 to 1000."""
        times = ops.cast(times, "float32")[:, None]
        angles = times * self._upper + times * (self.frequencies - self._upper)
        return ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        return super().get_config() | {"units": self.units, "longest": self.longest}
