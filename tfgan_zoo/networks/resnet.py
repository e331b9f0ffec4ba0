"""The residual pair for small images (Gulrajani et al. 2017, App. F; Miyato et al. 2018, App. B.4, Table 4)."""

import math

import keras
from keras import layers, ops

from tfgan_zoo.layers import BatchNormalization
from tfgan_zoo.networks import grids, heads, labels, upsampling

SIZES = grids.sizes(range(2, 6))


def generator(image_shape, latent_dim, width, *, num_classes=None, label_dim=None, wrap=None):
    """Latents -> images in [-1, 1]: a projection, then one residual block for each doubling of the size.

    Miyato et al. 2018, Table 4a: at 32 x 32 three blocks of 256 maps on a 4 x 4 projection. Gulrajani et al. 2017,
    App. F, take 128 maps. Only the last convolution has a bias: any other would vanish in a batch normalisation.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        latent_dim: coordinates of a latent.
        width: maps of every block.
        num_classes: None for a generator without labels.
        label_dim: coordinates of a label's embedding; None for one-hot labels.
        wrap: function layer -> layer for the dense one and each convolution, such as `layers.SpectralNorm`; None for
            none.

    Returns:
        A functional model, latents (N, latent_dim), or [latents, labels (N,) int32], -> (N, height, width, channels)
        float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, doublings = _plan(image_shape)
    wrap = wrap or _itself
    inputs, x = labels.latents(latent_dim, num_classes, label_dim)
    x = wrap(layers.Dense(math.prod(grid) * width, use_bias=False))(x)
    x = layers.Reshape((*grid, width))(x)
    for _ in range(doublings):
        x = _doubling(x, width, wrap)
    x = wrap(_convolution(image_shape[-1], 3))(_rectified(x))
    images = layers.Activation("tanh", name="images", dtype="float32")(x)
    return keras.Model(labels.alone_or_list(inputs), images, name="generator")


def body(image_shape, width, *, wrap=None, pool=ops.sum, rectifier=layers.ReLU):
    """Images -> features, through residual blocks without normalisation, two or more of which halve the size.

    Miyato et al. 2018, Table 4b: at 32 x 32 two blocks halve, two keep the size, all of 128 maps, and the features
    are summed over the map. In Gulrajani et al. 2017, App. F, they are averaged: pool=keras.ops.mean. Larger images
    are halved until at most 14 x 14 is left.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        width: maps of every block.
        wrap: function layer -> layer for each convolution, such as `layers.SpectralNorm`; None for none.
        pool: function (maps, axis) -> features; `keras.ops.sum` or `keras.ops.mean`.
        rectifier: function () -> layer; `layers.Rectifier` makes a gradient penalty cheaper.

    Returns:
        A functional model (N, height, width, channels) -> (N, width), float32.

    Raises:
        ValueError: if these networks cannot read `image_shape`.
    """
    _, doublings = _plan(image_shape)
    wrap = wrap or _itself
    images = keras.Input(image_shape, name="images")
    x = _first(images, width, wrap, rectifier)
    for _ in range(max(2, doublings - 1) - 1):
        x = _halving(x, width, wrap, rectifier)
    for _ in range(2):
        x = layers.Add()([x, _residual(rectifier()(x), width, wrap, rectifier)])
    x = rectifier(dtype="float32")(x)  # bfloat16 would round the sum over the map
    return keras.Model(images, pool(x, axis=(1, 2)), name="body")


def discriminator(image_shape, width, *, wrap=None, bias=False, **options):
    """Images -> one logit: the body and a dense layer.

    Miyato et al. 2018, Table 4b; in their code the logit has no bias.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        width: maps of every block.
        wrap: as in `body`, for the dense layer too.
        bias: of the logit; it has no effect on objectives of differences (Wasserstein, relativistic).
        **options: as in `body`.

    Returns:
        A functional model (N, height, width, channels) -> (N, 1) logits, float32.

    Raises:
        ValueError: if these networks cannot read `image_shape`.
    """
    return heads.discriminator(body(image_shape, width, wrap=wrap, **options), bias=bias, wrap=wrap)


def _doubling(x, width, wrap):
    y = upsampling.nearest(_rectified(x))
    y = wrap(_convolution(width, 3, gain=2.0, use_bias=False))(y)
    y = wrap(_convolution(width, 3, gain=2.0, use_bias=False))(_rectified(y))
    shortcut = wrap(_convolution(width, 1, use_bias=False))(x)
    return layers.Add()([upsampling.nearest(shortcut), y])  # doubled after the 1x1: the same, for a quarter of the work


def _first(x, width, wrap, rectifier):
    """No rectifier ahead of it, which would cut the images."""
    return layers.Add()([_shortcut(x, width, wrap), _pooled(_residual(x, width, wrap, rectifier))])


def _halving(x, width, wrap, rectifier):
    return layers.Add()([_shortcut(x, width, wrap), _pooled(_residual(rectifier()(x), width, wrap, rectifier))])


def _residual(x, width, wrap, rectifier):
    x = rectifier()(wrap(_convolution(width, 3, gain=2.0))(x))
    return wrap(_convolution(width, 3, gain=2.0))(x)


def _shortcut(x, width, wrap):
    return wrap(_convolution(width, 1))(_pooled(x))  # pooled before the 1x1: the same, for a quarter of the work


def _pooled(x):
    return layers.AveragePooling2D(2)(x)


def _rectified(x):
    return layers.ReLU()(BatchNormalization(momentum=0.9)(x))


def _convolution(maps, size, *, gain=1.0, use_bias=True):
    """Glorot's uniform weights; both papers' code doubles their variance in the 3x3 convolutions of a residual."""
    initializer = keras.initializers.VarianceScaling(gain, mode="fan_avg", distribution="uniform")
    return layers.Conv2D(maps, size, padding="same", use_bias=use_bias, kernel_initializer=initializer)


def _itself(layer):
    return layer


def _plan(image_shape):
    """The smallest map's size and how often it is doubled: 32 = 4 * 2 ** 3."""
    return grids.plan(image_shape, SIZES, least=2, name="residual")
