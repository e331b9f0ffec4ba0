"""Doubling of maps by repeating pixels, with a gradient that every compiler has a kernel for."""

import keras
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class NearestUpsampling(keras.Operation):
    """Maps of twice the height and width, each pixel four times.

    The values of `ops.image.resize(..., interpolation="nearest")`, whose gradient XLA has no CPU kernel for. It is one
    node of a graph, as that is: Keras orders the layers of a network, and so its saved weights, by depth in nodes.
    """

    def call(self, x):
        """(N, 2 H, 2 W, C) from (N, H, W, C); H, W and C are known."""
        _, height, width, channels = x.shape
        x = ops.tile(ops.reshape(x, (-1, height, 1, width * channels)), (1, 1, 2, 1))
        x = ops.tile(ops.reshape(x, (-1, 2 * height * width, 1, channels)), (1, 1, 2, 1))
        return ops.reshape(x, (-1, 2 * height, 2 * width, channels))

    def compute_output_spec(self, x):
        """The shape and dtype of what `call` returns."""
        rows, height, width, channels = x.shape
        return keras.KerasTensor((rows, 2 * height, 2 * width, channels), dtype=x.dtype)


def nearest(x):
    """Maps (N, 2 H, 2 W, C) with each pixel of x (N, H, W, C) four times: nearest-neighbour upsampling."""
    return NearestUpsampling()(x)
