"""U-Nets that read a noisy image and its time, and a dense network that does so for points.

Ronneberger et al. 2015; Ho et al. 2020, App. B. Arithmetic is scarce on a CPU: with `patch=2` the network works at half
the image's height and width, on patches of 2 x 2 pixels as channels, which costs a quarter.
"""

import math

import keras
from keras import layers, ops

from tfgan_zoo.layers import Dropout, GroupNormalization, PixelAttention, TimeEmbedding
from tfgan_zoo.networks import labels as conditioning
from tfgan_zoo.networks import upsampling
from tfgan_zoo.serialization import serializable

_SMALL = 1e-4  # variance of what ends a residual, so that a block starts as the identity, nearly


def unet(
    image_shape,
    width,
    *,
    multipliers=(1, 2),
    blocks=1,
    up_blocks=None,
    attention=(1,),
    patch=1,
    dropout=0.0,
    num_classes=None,
):
    """Noisy images and times -> what the network is asked for, of the images' shape, without bounds.

    Args:
        image_shape: (height, width, channels), channels 1, 3 or 4; sides that halve as often as the network does.
        width: maps of the first level; a multiple of 4.
        multipliers: of `width`, one for each level; each level has half the side of the one before.
        blocks: residual blocks of a level on the way down.
        up_blocks: on the way up; `blocks`, each with the maps of one on the way down, or `blocks + 1` as in the paper,
            with those of the first convolution and of each halving too. None for `blocks`.
        attention: numbers of the levels with attention, from 0; the middle has it wherever there is any.
        patch: side of the patches of pixels that the first convolution sees as one, 1 or 2.
        dropout: in each residual, in [0, 1).
        num_classes: of the labels; None without. Row `num_classes` of their embedding stands for no label.

    Returns:
        A functional model [images (N, *image_shape), times (N,)] [and labels (N,) int32] -> (N, *image_shape), float32.

    Raises:
        ValueError: if the sides do not halve so often, with the nearest that do.
    """
    _check(image_shape, patch * 2 ** (len(multipliers) - 1), width)
    up_blocks = blocks if up_blocks is None else up_blocks
    if up_blocks not in (blocks, blocks + 1):
        raise ValueError(f"up_blocks={up_blocks}: there are maps to join for blocks={blocks} or {blocks + 1} of them.")
    images, inputs, told = _told(image_shape, width, num_classes)
    x = images if patch == 1 else Patches()(images)
    x = _conv(width)(x)
    everything, skips = up_blocks > blocks, []
    if everything:
        skips.append(x)
    for level, multiplier in enumerate(multipliers):
        if level:
            x = _conv(multiplier * width, stride=2)(x) if not everything else _conv(x.shape[-1], stride=2)(x)
            skips += [x] if everything else []
        for _ in range(blocks):
            x = _residual(x, told, multiplier * width, dropout)
            x = _attended(x) if level in attention else x
            skips.append(x)
    x = _residual(x, told, x.shape[-1], dropout)
    if attention:
        x = _residual(_attended(x), told, x.shape[-1], dropout)
    for level, multiplier in reversed([*enumerate(multipliers)]):
        for _ in range(up_blocks):
            x = _residual(layers.Concatenate()([x, skips.pop()]), told, multiplier * width, dropout)
            x = _attended(x) if level in attention else x
        if level:
            below = multipliers[level - 1] * width if not everything else x.shape[-1]
            x = _conv(below, 1)(x) if not everything else x
            x = upsampling.nearest(x)
            x = _conv(below)(x) if everything else x
    x = layers.Activation("silu")(_norm(x))
    x = _conv(image_shape[-1] * patch**2, small=True, dtype="float32")(x)
    return keras.Model(inputs, x if patch == 1 else Pixels(dtype="float32")(x), name="denoiser")


def dense(image_shape, width, depth=3, *, num_classes=None):
    """Noisy points, or small images, and times -> what the network is asked for, through dense residual layers.

    Args:
        image_shape: (2,) for points, or (height, width, channels).
        width: units of a hidden layer; even.
        depth: residual layers.
        num_classes: as in `unet`.

    Returns:
        A functional model as `unet` gives.
    """
    images, inputs, told = _told(image_shape, width, num_classes)
    x = layers.Dense(width)(layers.Flatten()(images))
    for _ in range(depth):
        h = layers.Activation("silu")(layers.Add()([x, layers.Dense(width, use_bias=False)(told)]))
        h = layers.Activation("silu")(layers.Dense(width)(h))
        x = layers.Add()([x, layers.Dense(width, kernel_initializer=_small())(h)])
    x = layers.Dense(math.prod(image_shape), kernel_initializer=_small(), dtype="float32")(layers.Activation("silu")(x))
    return keras.Model(inputs, layers.Reshape(image_shape, dtype="float32")(x), name="denoiser")


def classifier(image_shape, width, num_classes, *, multipliers=(1, 2), blocks=1, attention=(1,), patch=1):
    """Noisy images and times -> logits of classes, through the way down of a U-Net: Dhariwal & Nichol 2021, Sec. 4.

    The paper pools by attention; here maps are averaged. Of points it reads the coordinates, through dense layers.

    Args:
        image_shape: as for `unet`; or (2,) for points.
        width, multipliers, blocks, attention, patch: as for `unet`; of points `width` is the units of a hidden layer.
        num_classes: of the logits.

    Returns:
        A functional model [images (N, *image_shape), times (N,)] -> (N, num_classes), float32.

    Raises:
        ValueError: if the sides do not halve so often, with the nearest that do.
    """
    if len(image_shape) == 3:
        _check(image_shape, patch * 2 ** (len(multipliers) - 1), width)
    images, inputs, told = _told(image_shape, width, None)
    if len(image_shape) == 1:
        x = layers.Dense(width)(images)
        for _ in range(2):
            x = layers.Activation("silu")(layers.Add()([x, layers.Dense(width, use_bias=False)(told)]))
            x = layers.Dense(width)(x)
        x = layers.Activation("silu")(x)
    else:
        x = _conv(width)(images if patch == 1 else Patches()(images))
        for level, multiplier in enumerate(multipliers):
            x = _conv(multiplier * width, stride=2)(x) if level else x
            for _ in range(blocks):
                x = _residual(x, told, multiplier * width, 0.0)
                x = _attended(x) if level in attention else x
        x = layers.GlobalAveragePooling2D()(layers.Activation("silu")(_norm(x)))
    x = layers.Dense(num_classes, kernel_initializer=_small(), name="classes", dtype="float32")(x)
    return keras.Model(inputs, x, name="classifier")


@serializable
class Patches(layers.Layer):
    """Maps (N, H / 2, W / 2, 4 C) whose pixels are patches of 2 x 2 pixels: space to depth, in 4 dimensions at most."""

    def call(self, x):
        _, height, width, channels = x.shape
        x = ops.transpose(ops.reshape(x, (-1, 2, width // 2, 2 * channels)), (0, 2, 1, 3))
        return ops.reshape(x, (-1, height // 2, width // 2, 4 * channels))

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] // 2, shape[2] // 2, 4 * shape[3])


@serializable
class Pixels(layers.Layer):
    """The inverse of `Patches`: depth to space."""

    def call(self, x):
        _, height, width, channels = x.shape
        x = ops.transpose(ops.reshape(x, (-1, width, 2, channels // 2)), (0, 2, 1, 3))
        return ops.reshape(x, (-1, 2 * height, 2 * width, channels // 4))

    def compute_output_shape(self, shape):
        return (shape[0], 2 * shape[1], 2 * shape[2], shape[3] // 4)


def _told(image_shape, width, num_classes):
    """The images' input, all inputs, and what time and label say, (N, 4 width) behind a rectifier."""
    images = keras.Input(image_shape, name="images")
    times = keras.Input((), name="times", dtype="float32")
    told = TimeEmbedding(max(2, 2 * width))(times)
    told = layers.Dense(4 * width, activation="silu", dtype="float32")(told)
    told = layers.Dense(4 * width, dtype="float32")(told)
    inputs = [images, times]
    if num_classes is not None:
        inputs.append(conditioning.given())
        embedded = layers.Embedding(num_classes + 1, 4 * width, dtype="float32")(inputs[-1])
        told = layers.Add(dtype="float32")([told, embedded])
    return images, inputs, layers.Activation("silu", dtype="float32")(told)


def _residual(x, told, maps, dropout):
    h = _conv(maps)(layers.Activation("silu")(_norm(x)))
    modulation = layers.Dense(2 * maps, kernel_initializer=_small(), dtype="float32")(told)
    h = layers.Activation("silu")(_norm(h, modulation))
    if dropout:
        h = Dropout(dropout)(h)
    h = _conv(maps, small=True)(h)
    return layers.Add()([x if x.shape[-1] == maps else _conv(maps, 1)(x), h])


def _attended(x):
    h = PixelAttention()(_norm(x))
    return layers.Add()([x, layers.Dense(x.shape[-1], kernel_initializer=_small())(h)])


def _norm(x, modulation=None):
    channels = x.shape[-1]
    groups = max(groups for groups in (1, 2, 4, 8, 16, 32) if channels % groups == 0 and channels // groups >= 4)
    return GroupNormalization(groups)(x if modulation is None else [x, modulation])


def _conv(maps, size=3, *, stride=1, small=False, **arguments):
    kernel = _small() if small else keras.initializers.VarianceScaling(1.0, "fan_avg", "uniform")
    return layers.Conv2D(maps, size, strides=stride, padding="same", kernel_initializer=kernel, **arguments)


def _small():
    return keras.initializers.VarianceScaling(_SMALL, "fan_avg", "uniform")


def _check(image_shape, cell, width):
    if len(image_shape) != 3:
        raise ValueError(
            f"image_shape={tuple(image_shape)}: a U-Net reads images; for points take networks.unet.dense."
        )
    if width < 4 or width % 4:
        raise ValueError(f"width={width}: the U-Net normalises groups of 4 maps or more: give a multiple of 4.")
    height, across = image_shape[:2]
    if height % cell or across % cell:
        nearest = [max(cell, cell * round(side / cell)) for side in (height, across)]
        raise ValueError(
            f"image_shape={tuple(image_shape)}: this U-Net halves its maps to a {cell}th, which does not divide "
            f"{height} x {across}; the nearest size is {nearest[0]} x {nearest[1]}: load images with image_size=."
        )
