"""StyleGAN2's networks: a mapping, a synthesis of modulated convolutions with skips, a residual discriminator.

Karras et al. 2020, Fig. 2 and 7; numbers of channels are min(width * size / side, channel_max).
"""

import math

import keras
from keras import layers, ops

from tfgan_zoo.layers import (
    Blur,
    Clipped,
    EqualizedRate,
    FilteredDownsampling,
    FilteredUpsampling,
    LearnedMap,
    MinibatchStdDev,
    ModulatedConv2D,
    MovingMean,
    NoiseInjection,
    PixelNorm,
    Rectifier,
)
from tfgan_zoo.networks import grids, labels

SIZES = tuple(sorted({*grids.sizes(range(1, 6)), 256, 512, 1024}))
_GAIN = math.sqrt(2.0)  # of a leaky rectifier, so that a layer keeps its inputs' variance


def mapping(latent_dim, style_dim, depth, *, num_classes=None, lr_multiplier=0.01):
    """Latents -> styles w: normalised latents through dense layers; of a class, beside its normalised embedding.

    Karras et al. 2019, Sec. 2; Karras et al. 2020 (ADA), App. D.1, for classes.

    Args:
        latent_dim: coordinates of a latent; 0 for a network of labels alone, as a discriminator's has.
        style_dim: coordinates of a style, and units of every layer.
        depth: dense layers.
        num_classes: None for a network without labels.
        lr_multiplier: of the layers' equalised rate.

    Returns:
        A functional model (N, latent_dim) [and labels (N,)] -> (N, style_dim) named "mapping", whose layer "w_avg"
        remembers the mean style.
    """
    inputs, parts = [], []
    if latent_dim:
        inputs.append(keras.Input((latent_dim,), name="latents"))
        parts.append(PixelNorm()(inputs[-1]))
    if num_classes:
        inputs.append(labels.given())
        embedded = _dense(style_dim)(labels.vectors(inputs[-1], num_classes))
        parts.append(PixelNorm()(embedded))
    x = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    for _ in range(depth):
        x = Rectifier(0.2, _GAIN)(_dense(style_dim, lr_multiplier=lr_multiplier)(x))
    x = MovingMean(name="w_avg")(x) if latent_dim else x
    return keras.Model(labels.alone_or_list(inputs), x, name="mapping")


def synthesis(image_shape, style_dim, width, channel_max):
    """Styles, one a layer -> images: colours of every size are summed up (Karras et al. 2020, Fig. 7b).

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows.
        style_dim: coordinates of a style.
        width: channels of the largest maps; twice as many for each halving.
        channel_max: channels at most.

    Returns:
        A functional model (N, 2 doublings + 2, style_dim) -> (N, *image_shape) float32 named "synthesis".

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, channels = plan(image_shape, width, channel_max)
    styles = keras.Input((2 * len(channels), style_dim), name="styles")
    numbers = iter(range(2 * len(channels)))

    def convolved(x, style, filters, up=False):
        x = ModulatedConv2D(filters, up=up)([x, _affine(x.shape[-1])(style)])
        return Rectifier(0.2, _GAIN)(NoiseInjection(next(numbers))(x))

    def colours(x, style):
        made = ModulatedConv2D(image_shape[-1], 1, demodulate=False, dtype="float32")
        return made([x, _affine(x.shape[-1])(style)])

    x = LearnedMap((*grid, channels[0]), keras.initializers.RandomNormal(stddev=1.0), name="constant")(styles)
    x = convolved(x, styles[:, 0], channels[0])
    images = colours(x, styles[:, 1])
    for stage, filters in enumerate(channels[1:], start=1):
        x = convolved(x, styles[:, 2 * stage - 1], filters, up=True)
        x = convolved(x, styles[:, 2 * stage], filters)
        images = layers.Add(dtype="float32")(
            [FilteredUpsampling(dtype="float32")(images), colours(x, styles[:, 2 * stage + 1])]
        )
    return keras.Model(styles, Clipped(name="images", dtype="float32")(images), name="synthesis")


def generator(mapping, synthesis):
    """Latents [and labels] -> images: one style for all layers.

    Args:
        mapping, synthesis: functional models, such as those of the functions of these names.

    Returns:
        A functional model of the mapping's inputs, whose layers "mapping" and "synthesis" are the two.
    """
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name) for tensor in mapping.inputs]
    given = labels.alone_or_list(inputs)
    styles = ops.tile(mapping(given)[:, None], (1, synthesis.input_shape[1], 1))
    return keras.Model(given, synthesis(styles), name="generator")


def discriminator(image_shape, width, channel_max, *, num_classes=None, depth=8, residual=True, group_size=4):
    """Images [and labels] -> one logit: two convolutions a size, the deviation of a group, two dense layers.

    Karras et al. 2020, Fig. 7c. With labels the logit is the inner product of the features and the label's mapping,
    over sqrt(d) (Karras et al. 2020, ADA, App. D.1; Miyato & Koyama 2018).

    Args:
        image_shape, width, channel_max: as in `synthesis`.
        num_classes: None for a discriminator without labels.
        depth: dense layers of the labels' mapping.
        residual: whether sizes have skips, as all but the paper's CIFAR-10 network do.
        group_size: images whose deviation is compared; 1 leaves that out.

    Returns:
        A functional model (N, *image_shape) [and labels (N,)] -> (N, 1) logits, float32.
    """
    _, channels = plan(image_shape, width, channel_max)
    images = keras.Input(image_shape, name="images")
    x = _convolution(channels[-1], 1, act=_GAIN)(images)
    for filters in channels[-2::-1]:
        x = _halved(x, filters, residual)
    x = MinibatchStdDev(group_size)(x) if group_size > 1 else x
    x = _convolution(channels[0], 3, act=_GAIN)(x)
    x = Rectifier(0.2, _GAIN)(_dense(channels[0])(layers.Flatten()(x)))
    if num_classes is None:
        return keras.Model(images, _dense(1, dtype="float32", name="logits")(x), name="discriminator")
    given = labels.given()
    features = _dense(channels[0], dtype="float32", name="features")(x)
    told = ops.cast(mapping(0, channels[0], depth, num_classes=num_classes)(given), "float32")
    logits = ops.sum(features * told, axis=-1, keepdims=True) * (1.0 / math.sqrt(channels[0]))
    return keras.Model([images, given], logits, name="discriminator")


def plan(image_shape, width, channel_max):
    """The grid, and the channels of each size from the smallest: width doubled for each halving, up to channel_max."""
    grid, doublings = grids.plan(image_shape, SIZES, name="StyleGAN")
    return grid, [min(channel_max, width * 2 ** (doublings - stage)) for stage in range(doublings + 1)]


def _halved(x, filters, residual):
    """Convolution, filtered convolution of stride 2, and a filtered 1 x 1 skip; each branch over sqrt 2."""
    scale = math.sqrt(0.5) if residual else 1.0
    y = _convolution(x.shape[-1], 3, act=_GAIN)(x)
    y = _convolution(filters, 3, act=_GAIN * scale, down=True)(y)
    if not residual:
        return y
    skip = EqualizedRate(layers.Conv2D(filters, 1, use_bias=False), gain=scale)(FilteredDownsampling()(x))
    return layers.Add()([skip, y])


def _convolution(filters, size, act, down=False):
    """An equalised convolution with its rectifier, of gain `act`; down: filtered by [1, 3, 3, 1], with stride 2."""

    def applied(x):
        if down:
            x = Blur(4, padding=2)(x)
        layer = layers.Conv2D(filters, size, strides=2 if down else 1, padding="valid" if down else "same")
        return Rectifier(0.2, act)(EqualizedRate(layer)(x))

    return applied


def _dense(units, lr_multiplier=1.0, **arguments):
    dtype = {"dtype": arguments["dtype"]} if "dtype" in arguments else {}
    return EqualizedRate(layers.Dense(units, **dtype), lr_multiplier=lr_multiplier, **arguments)


def _affine(channels):
    """What scales a layer's input channels, read from its style; 1 at the start."""
    return EqualizedRate(layers.Dense(channels, bias_initializer="ones"))
