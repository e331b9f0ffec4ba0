"""The energy of a restricted Boltzmann machine, as a function of images."""

import math

import keras
from keras import layers

from tfgan_zoo.layers import RestrictedBoltzmann


def restricted(image_shape, units, centred=True):
    """Images of -1 and 1 -> free energy.

    Args:
        image_shape: (height, width, channels).
        units: hidden units.
        centred: whether there are offsets of the units' means, as `models.RBM(centred=True)` needs.

    Returns:
        Functional keras.Model: (N, *image_shape) -> (N,) float32; its layer "boltzmann" has the weights.
    """
    images = keras.Input(image_shape, name="images")
    bits = layers.Rescaling(0.5, 0.5, dtype="float32")(layers.Reshape((math.prod(image_shape),))(images))
    return keras.Model(images, RestrictedBoltzmann(units, centred, name="boltzmann")(bits), name="energy")
