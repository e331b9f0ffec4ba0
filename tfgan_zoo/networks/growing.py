"""Networks that grow: a size's layers are faded in when those of the smaller sizes have been trained.

Karras et al. 2018 (Progressive GAN), Table 2 and Fig. 2; Karras et al. 2019 (StyleGAN), Fig. 1b. Layers of a size bear
its number, from 0 for the smallest: "colours_2", "read_2", "block_2", "fade_2", "pool_2". So a model can cut out what
is trained at one size.
"""

import math

import keras
from keras import layers

from tfgan_zoo.layers import (
    AdaIN,
    Blur,
    Clipped,
    EqualizedRate,
    FadeIn,
    LearnedMap,
    MinibatchStdDev,
    NoiseInjection,
    PixelNorm,
    Rectifier,
)
from tfgan_zoo.networks import stylegan2, upsampling

SIZES = stylegan2.SIZES
_GAIN = math.sqrt(2.0)


def generator(image_shape, latent_dim, width, channel_max):
    """Latents -> images: convolutions with pixel norm, doubled size by size (Karras et al. 2018, Table 2).

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows.
        latent_dim: coordinates of a latent.
        width: channels of the largest maps; twice as many for each halving.
        channel_max: channels at most.

    Returns:
        A functional model (N, latent_dim) -> (N, *image_shape), float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, channels = stylegan2.plan(image_shape, width, channel_max)
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Reshape((1, 1, latent_dim))(PixelNorm()(latents))
    x = layers.ZeroPadding2D([(side - 1, side - 1) for side in grid])(x)  # a dense layer with a bias for each channel
    x = EqualizedRate(layers.Conv2D(channels[0], grid), gain=_GAIN / 4.0 * math.sqrt(math.prod(grid)))(x)
    x = _normed(channels[0])(PixelNorm()(Rectifier(0.2)(x)))
    images = _colours(0, image_shape)(x)
    for stage, filters in enumerate(channels[1:], start=1):
        x = _normed(filters)(_normed(filters)(upsampling.nearest(x)))
        images = _faded(images, _colours(stage, image_shape)(x), stage)
    return keras.Model(latents, Clipped(name="images", dtype="float32")(images), name="generator")


def synthesis(image_shape, style_dim, width, channel_max):
    """Styles, one a layer -> images: noise and adaptive instance norm behind every layer (Karras et al. 2019, Fig. 1b).

    Args:
        image_shape, width, channel_max: as in `generator`.
        style_dim: coordinates of a style.

    Returns:
        A functional model (N, 2 doublings + 2, style_dim) -> (N, *image_shape) float32 named "synthesis".
    """
    grid, channels = stylegan2.plan(image_shape, width, channel_max)
    styles = keras.Input((2 * len(channels), style_dim), name="styles")
    numbers = iter(range(2 * len(channels)))

    def styled(x):
        number = next(numbers)
        x = Rectifier(0.2)(NoiseInjection(number, per_channel=True, use_bias=True)(x))
        return AdaIN()([x, EqualizedRate(layers.Dense(2 * x.shape[-1]))(styles[:, number])])

    def convolved(x, filters):
        return EqualizedRate(layers.Conv2D(filters, 3, padding="same", use_bias=False), gain=_GAIN)(x)

    start = keras.initializers.RandomNormal(stddev=1.0)  # of ones, as in the paper, the norm would see rounding alone
    x = styled(LearnedMap((*grid, channels[0]), start, name="constant")(styles))
    x = styled(convolved(x, channels[0]))
    images = _colours(0, image_shape)(x)
    for stage, filters in enumerate(channels[1:], start=1):
        x = styled(Blur(3)(convolved(upsampling.nearest(x), filters)))
        x = styled(convolved(x, filters))
        images = _faded(images, _colours(stage, image_shape)(x), stage)
    return keras.Model(styles, Clipped(name="images", dtype="float32")(images), name="synthesis")


def discriminator(image_shape, width, channel_max, *, blur=False, group_size=4):
    """Images -> one logit: the generator's mirror image, with the deviation of a group before its last layers.

    Args:
        image_shape, width, channel_max: as in `generator`.
        blur: whether maps are filtered by [1, 2, 1] before they are halved, as in StyleGAN.
        group_size: images whose deviation is compared; 1 leaves that out.

    Returns:
        A functional model (N, *image_shape) -> (N, 1) logits, float32.
    """
    grid, channels = stylegan2.plan(image_shape, width, channel_max)
    shapes = [tuple(side * 2**stage for side in grid) for stage in range(len(channels))]
    reads = [
        _read((*shape, image_shape[-1]), filters, stage)
        for stage, (shape, filters) in enumerate(zip(shapes, channels, strict=True))
    ]
    blocks = [_last_block((*grid, channels[0]), group_size)]
    blocks += [
        _block((*shapes[stage], channels[stage]), channels[stage - 1], stage, blur) for stage in range(1, len(shapes))
    ]
    fades = [FadeIn(name=f"fade_{stage}") for stage in range(len(channels))]
    images = smaller = keras.Input(image_shape, name="images")
    x = reads[-1](images)
    for stage in range(len(channels) - 1, 0, -1):
        smaller = layers.AveragePooling2D(2, name=f"pool_{stage - 1}")(smaller)
        x = fades[stage]([reads[stage - 1](smaller), blocks[stage](x)])
    return keras.Model(images, blocks[0](x), name="discriminator")


def _read(shape, filters, stage):
    """Colours -> features of a size."""
    images = keras.Input(shape)
    read = EqualizedRate(layers.Conv2D(filters, 1, name=f"read_{stage}"), gain=_GAIN)
    return keras.Model(images, Rectifier(0.2)(read(images)), name=f"read_{stage}")


def _block(shape, filters, stage, blur):
    """Features of a size -> features of half of it."""
    maps = keras.Input(shape)
    x = _convolved(shape[-1])(maps)
    x = Blur(3)(x) if blur else x
    x = layers.AveragePooling2D(2)(_convolved(filters)(x))
    return keras.Model(maps, x, name=f"block_{stage}")


def _last_block(shape, group_size):
    """Features of the smallest size -> the logit."""
    maps = keras.Input(shape)
    x = MinibatchStdDev(group_size)(maps) if group_size > 1 else maps
    x = layers.Flatten()(_convolved(shape[-1])(x))
    x = Rectifier(0.2)(EqualizedRate(layers.Dense(shape[-1]), gain=_GAIN)(x))
    judge = EqualizedRate(layers.Dense(1, dtype="float32"), name="logits")
    return keras.Model(maps, judge(x), name="block_0")


def _convolved(filters):
    def applied(x):
        return Rectifier(0.2)(EqualizedRate(layers.Conv2D(filters, 3, padding="same"), gain=_GAIN)(x))

    return applied


def _normed(filters):
    def applied(x):
        return PixelNorm()(_convolved(filters)(x))

    return applied


def _colours(stage, image_shape):
    """Features -> colours of a size, without a rectifier."""
    colours = layers.Conv2D(image_shape[-1], 1, dtype="float32", name=f"colours_{stage}")
    return EqualizedRate(colours, name=f"colours_{stage}")


def _faded(images, more, stage):
    return FadeIn(name=f"fade_{stage}", dtype="float32")([upsampling.nearest(images), more])
