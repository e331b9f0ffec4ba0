"""Group normalisation of maps without a copy per group, scaled and shifted by what an image is told."""

import keras
import numpy as np
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class GroupNormalization(keras.layers.Layer):
    """Maps of zero mean and unit variance in each group of channels (Wu & He 2018), then scaled and shifted.

    Called on [maps, modulation (N, 2 C)] the scale is (1 + first half) and the shift the second half beside the
    layer's own, image by image (Dhariwal & Nichol 2021, Sec. 3: adaptive group normalisation). Groups are formed by a
    product of moments with a small matrix, and the gradient is written out: what Keras' layer takes on a CPU for the
    same numbers is nearly twice as much. It has no second derivative: not for a critic under a gradient penalty.

    Args:
        groups: of channels, which they divide.
        epsilon: added to the variance.
        **keras_arguments: name and so on; it computes in float32 whatever the policy.
    """

    def __init__(self, groups=8, epsilon=1e-5, **keras_arguments):
        super().__init__(**{"autocast": False} | keras_arguments)
        self.groups, self.epsilon = groups, epsilon

    def build(self, input_shape):
        maps = input_shape[0] if isinstance(input_shape[0], (tuple, list)) else input_shape
        channels = maps[-1]
        if channels % self.groups:
            raise ValueError(f"groups={self.groups} do not divide {channels} channels: give a divisor.")
        self.gamma = self.add_weight(name="gamma", shape=(channels,), initializer="ones", dtype="float32")
        self.beta = self.add_weight(name="beta", shape=(channels,), initializer="zeros", dtype="float32")
        size = channels // self.groups
        self.share = np.kron(np.eye(self.groups), np.full((size, size), 1.0 / size)).astype("float32")

    def pooled(self, moments):
        """Moments (N, C) of channels as those of their groups."""
        return ops.matmul(moments, self.share)

    def call(self, inputs):
        maps, modulation = inputs if isinstance(inputs, (list, tuple)) else (inputs, None)
        rows = ops.ones_like(maps[:, 0, 0], dtype="float32")
        scale, shift = rows * self.gamma, rows * self.beta
        if modulation is not None:
            more, beside = ops.split(ops.cast(modulation, "float32"), 2, axis=-1)
            scale, shift = scale * (1.0 + more), shift * (1.0 + more) + beside
        normalised = self.normalised(float(maps.shape[1] * maps.shape[2]))
        return ops.cast(normalised(ops.cast(maps, "float32"), scale, shift), self.compute_dtype)

    def normalised(self, pixels):
        """Function (maps of so many pixels, scale (N, C), shift (N, C)) -> maps, its gradient written out."""
        return _normalised(self.pooled, pixels, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape[0] if isinstance(input_shape[0], (tuple, list)) else input_shape

    def get_config(self):
        return super().get_config() | {"groups": self.groups, "epsilon": self.epsilon}


@serializable
class InstanceNormalization(GroupNormalization):
    """Each map of an image with zero mean and unit variance of its own, training or not (Ulyanov et al. 2016).

    With scale and shift it is what batch normalisation is in a batch of one image, which is how pix2pix is trained and
    sampled (Isola et al. 2017, Sec. 3.3), and does not depend on which images are beside it. A map of one pixel would
    become zero: networks do not normalise there.

    Args:
        affine: whether maps are then scaled and shifted, by numbers that are learned.
        epsilon: added to the variance.
        **keras_arguments: as for `GroupNormalization`.
    """

    def __init__(self, affine=True, epsilon=1e-5, **keras_arguments):
        super().__init__(1, epsilon, **keras_arguments)
        self.affine = affine

    def build(self, input_shape):
        channels = input_shape[-1]
        self.gamma, self.beta = np.ones(channels, "float32"), np.zeros(channels, "float32")
        if self.affine:
            self.gamma = self.add_weight(name="gamma", shape=(channels,), initializer="ones", dtype="float32")
            self.beta = self.add_weight(name="beta", shape=(channels,), initializer="zeros", dtype="float32")

    def normalised(self, pixels):
        """As for groups; a map may be nearly flat, so that its variance is that of differences from the mean."""
        epsilon = self.epsilon

        @ops.custom_gradient
        def normalised(x, scale, shift):
            apart = x - _maps(ops.mean(x, axis=(1, 2)))
            r = ops.rsqrt(ops.mean(apart * apart, axis=(1, 2)) + epsilon)

            def gradient(dy, **_):
                d1, d2 = ops.sum(dy, axis=(1, 2)), r * ops.sum(dy * apart, axis=(1, 2))
                dx = (dy - _maps(d1) / pixels) * _maps(r * scale) - apart * _maps(r * r * d2 * scale / pixels)
                return dx, d2, d1

            return apart * _maps(r * scale) + _maps(shift), gradient

        return normalised

    def get_config(self):
        config = super().get_config() | {"affine": self.affine}
        del config["groups"]
        return config


def _normalised(pooled, pixels, epsilon):
    """Function (x, scale (N, C), shift (N, C)) -> normalised maps, its gradient written out."""

    @ops.custom_gradient
    def normalised(x, scale, shift):
        mean = pooled(ops.mean(x, axis=(1, 2)))
        square = pooled(ops.mean(x * x, axis=(1, 2)))
        r = ops.rsqrt(ops.maximum(square - mean * mean, 0.0) + epsilon)

        def gradient(dy, **_):
            d1, dyx = ops.sum(dy, axis=(1, 2)), ops.sum(dy * x, axis=(1, 2))
            d2 = r * (dyx - mean * d1)
            a = pooled(d1 * scale) / pixels
            b = r * r * pooled(d2 * scale) / pixels
            dx = dy * _maps(r * scale) - x * _maps(b) + _maps(b * mean - r * a)
            return dx, d2, d1

        return x * _maps(r * scale) + _maps(shift - mean * r * scale), gradient

    return normalised


def _maps(rows):
    return rows[:, None, None]
