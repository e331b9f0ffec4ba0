"""Dense networks: the first GAN's, for 2-D points and small images."""

import math

import keras
from keras import layers


def generator(image_shape, latent_dim, width, depth=2):
    """Latents -> images in [-1, 1], or 2-D points without bounds, through dense layers only.

    Goodfellow et al. 2014, Sec. 5 (rectifiers in G).

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        latent_dim: coordinates of a latent.
        width: units of a hidden layer.
        depth: hidden layers.

    Returns:
        A functional model (N, latent_dim) -> (N, *image_shape), float32.
    """
    latents = x = keras.Input((latent_dim,), name="latents")
    for _ in range(depth):
        x = layers.Dense(width, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.Dense(math.prod(image_shape))(x)
    x = layers.Activation("tanh" if len(image_shape) == 3 else "linear", dtype="float32")(x)
    return keras.Model(latents, layers.Reshape(image_shape, name="images", dtype="float32")(x), name="generator")


def discriminator(image_shape, width, depth=2, dropout=0.0):
    """Images or points -> one logit, through dense layers with leaky rectifiers and dropout.

    Goodfellow et al. 2014, Sec. 5: dropout in D; leaky rectifiers stand in for its maxout units.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        width: units of a hidden layer.
        depth: hidden layers.
        dropout: fraction of hidden units dropped, in [0, 1).

    Returns:
        A functional model (N, *image_shape) -> (N, 1) logits, float32.
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Flatten()(images)
    for _ in range(depth):
        x = layers.Dense(width, kernel_initializer="he_normal")(x)
        x = layers.LeakyReLU(0.2)(x)
        if dropout:
            x = layers.Dropout(dropout)(x)
    return keras.Model(images, layers.Dense(1, name="logits", dtype="float32")(x), name="discriminator")
