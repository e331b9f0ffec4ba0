"""Regularisers: what a network pays for its weights."""

import math

import keras
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class Orthogonal(keras.regularizers.Regularizer):
    """Asks the filters of a layer to be orthogonal to one another, and leaves their lengths alone.

    Brock et al. 2019, Eq. 3: weight * ||W'W ∘ (1 - I)||^2, the squared inner products of all ordered pairs of
    different filters. The kernel's last axis counts the filters; in a Conv2DTranspose that is its input's channels.

    Args:
        weight: factor beta, >= 0; 1e-4 in the paper.

    Raises:
        ValueError: if weight is negative or not finite.
    """

    def __init__(self, weight=1e-4):
        if not 0.0 <= weight < math.inf:
            raise ValueError(f"weight={weight}: the penalty's factor is a number >= 0; the paper takes 1e-4.")
        self.weight = weight

    def __call__(self, x):
        filters = x.shape[-1]
        matrix = ops.reshape(ops.cast(x, "float32"), (-1, filters))
        products = ops.matmul(ops.transpose(matrix), matrix)
        return self.weight * ops.sum((products * (1.0 - ops.eye(filters))) ** 2)

    def get_config(self):
        return {"weight": self.weight}
