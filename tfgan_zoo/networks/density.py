"""A density network's decoder: dense layers from latents to a likelihood's parameters."""

import math

import keras
from keras import layers


def decoder(image_shape, channels, latent_dim, width, depth=2):
    """Latents -> parameters of each value of an image.

    MacKay 1995, Sec. 2.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        channels: parameters of a pixel, `likelihood.channels(image_shape[-1])`.
        latent_dim: coordinates of a latent.
        width, depth: units and number of the hidden layers.

    Returns:
        Functional keras.Model: (N, latent_dim) -> (N, ..., channels) float32.
    """
    latents = keras.Input((latent_dim,), name="latents")
    x = latents
    for _ in range(depth):
        x = layers.Dense(width, activation="tanh")(x)
    x = layers.Dense(math.prod(image_shape[:-1]) * channels, dtype="float32")(x)
    return keras.Model(latents, layers.Reshape((*image_shape[:-1], channels), dtype="float32")(x), name="decoder")
