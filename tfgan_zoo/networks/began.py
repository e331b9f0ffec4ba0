"""The convolutional autoencoder that judges by its own errors, and its decoder (Berthelot et al. 2017, Fig. 1)."""

import math

import keras
from keras import layers

from tfgan_zoo.layers import ReconstructionEnergy
from tfgan_zoo.networks import dcgan, grids, labels, upsampling

SIZES = dcgan.SIZES


def generator(image_shape, latent_dim, width, *, num_classes=None, label_dim=None):
    """Latents -> images in [-1, 1]: the autoencoder's decoder with weights of its own, and a tanh.

    Berthelot et al. 2017, Sec. 3.5 and Fig. 1. Their decoder ends in a linear convolution; images of this zoo lie in
    [-1, 1], so the generator's go through a tanh. The optional skip connections are left out.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        latent_dim: coordinates of a latent.
        width: maps n of every convolution but the last.
        num_classes: None for a generator without labels.
        label_dim: coordinates of a label's embedding; None for one-hot labels.

    Returns:
        A functional model, latents (N, latent_dim), or [latents, labels (N,) int32], -> (N, height, width, channels)
        float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, doublings = _plan(image_shape)
    inputs, x = labels.latents(latent_dim, num_classes, label_dim)
    x = layers.Conv2D(image_shape[-1], 3, padding="same")(_decoded(x, width, grid, doublings))
    images = layers.Activation("tanh", name="images", dtype="float32")(x)
    return keras.Model(labels.alone_or_list(inputs), images, name="generator")


def autoencoder(image_shape, code_dim, width):
    """Images -> their energy, the mean absolute error of reconstructing them from a few numbers.

    Berthelot et al. 2017, Sec. 3.1 and 3.5, Fig. 1: 3x3 convolutions with exponential linear units, n, 2n, 3n ...
    maps as the size is halved by strides, n maps all the way back; the dense layers around the code and the last
    convolution are linear. As in the paper, codes belong to maps of 8 x 8 for images of 16, 32, 64 and 128 pixels.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        code_dim: numbers that an image is squeezed into.
        width: maps n after the first convolution.

    Returns:
        A functional model, images (N, height, width, channels) -> {"energy" (N, 1), "codes" (N, code_dim),
        "reconstructions" of the images' shape}, float32. Reconstructions are not bounded.

    Raises:
        ValueError: if these networks cannot read `image_shape`.
    """
    grid, doublings = _plan(image_shape)
    x = images = keras.Input(image_shape, name="images")
    for level in range(doublings + 1):
        x = _convolution((level + 1) * width, strides=min(level, 1) + 1)(x)
        for _ in range(2):
            x = _convolution((level + 1) * width)(x)
    codes = layers.Dense(code_dim, name="codes", dtype="float32")(layers.Flatten()(x))
    x = _decoded(codes, width, grid, doublings)
    reconstructions = layers.Conv2D(image_shape[-1], 3, padding="same", name="reconstructions", dtype="float32")(x)
    energy = ReconstructionEnergy(order=1, name="energy")([images, reconstructions])
    outputs = {"energy": energy, "codes": codes, "reconstructions": reconstructions}
    return keras.Model(images, outputs, name="discriminator")


def _decoded(x, width, grid, doublings):
    x = layers.Dense(math.prod(grid) * width)(x)
    x = layers.Reshape((*grid, width))(x)
    for level in range(doublings + 1):
        if level:
            x = upsampling.nearest(x)
        for _ in range(2):
            x = _convolution(width)(x)
    return x


def _convolution(maps, strides=1):
    return layers.Conv2D(maps, 3, strides=strides, padding="same", activation="elu")


def _plan(image_shape):
    """The smallest map's size, 8 if it can be, and how often it is doubled: 32 = 8 * 2 ** 2."""
    if len(image_shape) == 3 and image_shape[0] == image_shape[1] == 8:
        return (4, 4), 1
    return grids.plan(image_shape, SIZES, base=8, name="BEGAN")
