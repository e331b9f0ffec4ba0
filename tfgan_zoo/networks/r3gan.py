"""R3GAN's networks: residual blocks of grouped convolutions, without any normalisation.

Huang et al. 2024 (NeurIPS, "The GAN is dead; long live the GAN!"), Sec. 4 and App. D.
"""

import math

import keras
from keras import layers, ops

from tfgan_zoo.layers import Clipped, FilteredDownsampling, FilteredUpsampling, GroupedConv2D, LearnedMap, Rectifier
from tfgan_zoo.networks import labels, stylegan2

SIZES = stylegan2.SIZES
_SLOPE = 0.2
_GAIN = math.sqrt(2.0 / (1.0 + _SLOPE**2))  # which keeps the variance behind a leaky rectifier


def generator(image_shape, latent_dim, width, channel_max, *, blocks=2, group_size=16, num_classes=None, label_dim=64):
    """Latents -> images in [-1, 1]: a learned small map scaled by the latent, then blocks, doubled size by size.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows.
        latent_dim: coordinates of a latent.
        width: channels of the largest maps; twice as many for each halving.
        channel_max: channels at most.
        blocks: of each size.
        group_size: channels of a group; it divides twice the channels of every size.
        num_classes: None for a generator without labels.
        label_dim: coordinates of a label's embedding, beside the latent.

    Returns:
        A functional model (N, latent_dim) [and labels (N,)] -> (N, *image_shape), float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, channels = stylegan2.plan(image_shape, width, channel_max)
    inputs, x = labels.latents(latent_dim, num_classes, label_dim)
    basis = LearnedMap((*grid, channels[0]), keras.initializers.RandomNormal(stddev=1.0), name="basis")(x)
    x = basis * _linear(channels[0])(x)[:, None, None]
    for stage, filters in enumerate(channels):
        if stage:
            x = x if x.shape[-1] == filters else _convolution(filters)(x)
            x = FilteredUpsampling()(x)
        for _ in range(blocks):
            x = _residual(x, group_size, blocks * len(channels))
    images = Clipped(name="images", dtype="float32")(_convolution(image_shape[-1])(x))
    return keras.Model(labels.alone_or_list(inputs), images, name="generator")


def discriminator(image_shape, width, channel_max, *, blocks=2, group_size=16, num_classes=None):
    """Images [and labels] -> one logit: the generator's mirror image.

    With labels the logit is the inner product of the features and the label's embedding (Miyato & Koyama 2018).

    Args:
        image_shape, width, channel_max, blocks, group_size, num_classes: as in `generator`.

    Returns:
        A functional model (N, *image_shape) [and labels (N,)] -> (N, 1) logits, float32.
    """
    _, channels = stylegan2.plan(image_shape, width, channel_max)
    images = keras.Input(image_shape, name="images")
    x = _convolution(channels[-1])(images)
    for stage, filters in reversed([*enumerate(channels)]):
        x = x if x.shape[-1] == filters else _convolution(filters)(x)
        for _ in range(blocks):
            x = _residual(x, group_size, blocks * len(channels))
        x = FilteredDownsampling()(x) if stage else x
    size = math.prod(x.shape[1:3])
    start = keras.initializers.RandomNormal(stddev=1.0 / math.sqrt(size))
    x = layers.DepthwiseConv2D(x.shape[1:3], use_bias=False, depthwise_initializer=start)(x)
    x = layers.Flatten()(x)
    if num_classes is None:
        return keras.Model(images, _linear(1, dtype="float32", name="logits")(x), name="discriminator")
    given = labels.given()
    features = _linear(channels[0], dtype="float32", name="features")(x)
    start = keras.initializers.RandomNormal(stddev=1.0 / math.sqrt(channels[0]))
    told = layers.Embedding(num_classes, channels[0], embeddings_initializer=start, dtype="float32")(given)
    logits = ops.sum(features * told, axis=-1, keepdims=True)
    return keras.Model([images, given], logits, name="discriminator")


def _residual(x, group_size, count):
    """x plus a bottleneck turned inside out: twice as wide in the middle, in groups; nothing at the start.

    With m = 3 layers in each of `count` branches, weights are count ** (-1 / (2 m - 2)) smaller (Zhang et al. 2019,
    Fixup), and the last one begins at 0.
    """
    wide, gain = 2 * x.shape[-1], _GAIN * count**-0.25
    y = Rectifier(_SLOPE)(layers.Conv2D(wide, 1, kernel_initializer=_normal(gain))(x))
    y = Rectifier(_SLOPE)(GroupedConv2D(min(group_size, wide), _normal(gain))(y))
    y = layers.Conv2D(x.shape[-1], 1, use_bias=False, kernel_initializer="zeros")(y)
    return layers.Add()([x, y])


def _convolution(filters):
    return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=_normal(1.0))


def _linear(units, **arguments):
    return layers.Dense(units, use_bias=False, kernel_initializer=_normal(1.0), **arguments)


def _normal(gain):
    """Normal weights of standard deviation gain / sqrt(fan-in)."""
    return keras.initializers.VarianceScaling(gain**2, mode="fan_in", distribution="untruncated_normal")
