"""VQ-VAE's pair: maps of vectors a quarter of the image's size, each to be replaced by its nearest code."""

import math

import keras
from keras import layers

SLOTS = 4  # vectors that stand for a point in the plane


def encoder(image_shape, embedding_dim, width, blocks=2):
    """Images -> a map of vectors: two strided 4 x 4 convolutions and residual blocks.

    Van den Oord et al. 2017, Sec. 4.1. Points become `SLOTS` vectors, through a dense layer.

    Args:
        image_shape: (height, width, channels), sides that 4 divides; or (2,) for points.
        embedding_dim: coordinates of a vector.
        width: channels of hidden layers; 256 in the paper.
        blocks: residual blocks.

    Returns:
        A functional model (N, height, width, channels) -> (N, height / 4, width / 4, embedding_dim), float32.

    Raises:
        ValueError: if 4 does not divide the sides.
    """
    inputs = keras.Input(image_shape, name="images")
    if len(image_shape) == 1:
        x = layers.Dense(8 * width, activation="relu")(inputs)
        x = layers.Dense(SLOTS * embedding_dim, dtype="float32")(x)
        return keras.Model(inputs, layers.Reshape((SLOTS, embedding_dim), dtype="float32")(x), name="encoder")
    grid(image_shape)
    x = layers.Conv2D(width, 4, 2, "same", activation="relu", kernel_initializer="he_normal")(inputs)
    x = layers.Conv2D(width, 4, 2, "same", kernel_initializer="he_normal")(x)
    x = layers.ReLU()(_residual(x, width, blocks))
    x = layers.Conv2D(embedding_dim, 1, dtype="float32")(x)
    return keras.Model(inputs, x, name="encoder")


def decoder(output_shape, embedding_dim, width, blocks=2):
    """A map of codes' vectors -> parameters of a likelihood: residual blocks and two transposed convolutions.

    Args:
        output_shape: (height, width, likelihood.channels(channels)), or (likelihood.channels(2),) for points.
        embedding_dim, width, blocks: as in `encoder`.

    Returns:
        A functional model (N, height / 4, width / 4, embedding_dim) -> (N, *output_shape), float32.
    """
    if len(output_shape) == 1:
        inputs = keras.Input((SLOTS, embedding_dim), name="codes")
        x = layers.Dense(8 * width, activation="relu")(layers.Flatten()(inputs))
        return keras.Model(inputs, layers.Dense(math.prod(output_shape), dtype="float32")(x), name="decoder")
    inputs = keras.Input((*grid(output_shape), embedding_dim), name="codes")
    x = layers.Conv2D(width, 3, 1, "same", kernel_initializer="he_normal")(inputs)
    x = layers.ReLU()(_residual(x, width, blocks))
    x = layers.Conv2DTranspose(width, 4, 2, "same", activation="relu", kernel_initializer="he_normal")(x)
    x = layers.Conv2DTranspose(output_shape[-1], 4, 2, "same")(x)
    return keras.Model(inputs, layers.Activation("linear", dtype="float32")(x), name="decoder")


def grid(image_shape):
    """Rows and columns of an image's map.

    Raises:
        ValueError: if 4 does not divide the sides.
    """
    height, width = image_shape[:2]
    if height % 4 or width % 4:
        near = " x ".join(str(max(4, 4 * round(side / 4))) for side in (height, width))
        raise ValueError(
            f"image_shape={tuple(image_shape)}: VQ-VAE's networks halve both sides twice, so that 4 must divide them; "
            f"the nearest is {near}."
        )
    return height // 4, width // 4


def _residual(x, width, blocks):
    for _ in range(blocks):
        y = layers.Conv2D(width, 3, 1, "same", activation="relu", kernel_initializer="he_normal")(layers.ReLU()(x))
        x = layers.Add()([x, layers.Conv2D(width, 1)(y)])
    return x
