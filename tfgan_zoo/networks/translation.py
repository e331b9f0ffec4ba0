"""Networks from images to images: pix2pix's U-Net, CycleGAN's and StarGAN's residual ones; discriminators of patches.

Isola et al. 2017, App. 6.1; Zhu et al. 2017, App. 7.2; Choi et al. 2018, App. 7.2, in the form of their released code.
Where that normalises a batch of one image, these normalise each image by itself, with as many weights.
"""

import math

import keras
from keras import layers, ops

from tfgan_zoo.layers import InstanceNormalization
from tfgan_zoo.networks import upsampling
from tfgan_zoo.networks.labels import alone_or_list, given

_WIDEST = 8  # times the width, the maps of the deepest levels
_DEEPEST = 8  # halvings: 256 pixels to one
_DROPPED = 3  # levels of the U-Net's decoder with dropout, next to the innermost


def unet(source_shape, channels, width, *, depth=None, dropout=0.5):
    """Source images -> images in [-1, 1], through a bottleneck of one pixel, with each level joined to its mirror.

    Isola et al. 2017, App. 6.1.1: at 256 x 256 with width 64 it has 54,413,955 weights. A side that does not halve is
    padded on its way down and cut on its way up. Dropout acts at inference, too: what it does is an input.

    Args:
        source_shape: (height, width, channels) of the sources.
        channels: of the images.
        width: maps of the first level; each deeper one has twice as many, up to eight times.
        depth: halvings, at least 2; None for as many as leave one pixel, but at most 8.
        dropout: share of units that the innermost levels of the decoder drop, in [0, 1); 0 for a network without.

    Returns:
        A functional model sources (N, *source_shape) -> (N, height, width, channels), float32. With dropout it is
        [sources, factors (N, d)] -> images: factors of units, 0 for one that is dropped; ones for no dropout.

    Raises:
        ValueError: if the sources are no images, or too small.
    """
    _check_images(source_shape, "pix2pix")
    reach = math.ceil(math.log2(min(source_shape[:2])))
    depth = min(_DEEPEST, reach) if depth is None else depth
    if not 2 <= depth <= reach:
        raise ValueError(
            f"depth={depth}: a U-Net halves images of {source_shape[0]} x {source_shape[1]} from 2 to {reach} times."
        )
    sources = keras.Input(source_shape, name="sources")
    maps = [width * min(2**level, _WIDEST) for level in range(depth)]
    x, skips = _convolution(maps[0], use_bias=False)(sources), []
    for level in range(1, depth):
        skips.append(x)
        x = _convolution(maps[level], use_bias=False)(layers.LeakyReLU(0.2)(x))
        x = InstanceNormalization()(x) if level < depth - 1 else x  # of one pixel nothing would be left
    dropping = range(depth - 2, max(0, depth - 2 - _DROPPED), -1) if dropout else ()
    sizes = {level: math.prod(skips[level - 1].shape[1:3]) * maps[level - 1] for level in dropping}
    factors, used = keras.Input((sum(sizes.values()),), name="factors") if sizes else None, 0
    for level in reversed(range(1, depth)):
        skip = skips.pop()
        x = _transposed(maps[level - 1], use_bias=False)(layers.ReLU()(x))
        x = InstanceNormalization()(_cut(x, skip.shape))
        if level in sizes:
            own = factors[:, used : used + sizes[level]]
            x, used = layers.Multiply()([x, layers.Reshape(tuple(x.shape[1:]))(own)]), used + sizes[level]
        x = layers.Concatenate()([skip, x])
    x = _cut(_transposed(channels)(layers.ReLU()(x)), source_shape)
    inputs = [sources, factors] if sizes else sources
    return keras.Model(inputs, _images(x), name="generator")


def resnet(image_shape, channels, width, blocks, *, bias=False):
    """Images -> images in [-1, 1], by residual blocks at a quarter of the size.

    Zhu et al. 2017, App. 7.2: c7s1-64, d128, d256, R256 `blocks` times, u128, u64, c7s1-3, with reflected edges. Maps
    are doubled by repeating pixels before a convolution, as many weights as the transposed one of the paper, whose
    kernel of 3 draws a checkerboard.

    Args:
        image_shape: (height, width, channels) of the sources; sides are multiples of 4, at least 8.
        channels: of the images.
        width: maps of the first convolution.
        blocks: residual blocks; 9 at 256 pixels in the paper, 6 at 128.
        bias: whether convolutions before a normalisation have one, which it cancels; the released code has them, and
            with them 11,378,179 weights for nine blocks.

    Returns:
        A functional model (N, *image_shape) -> (N, height, width, channels), float32.

    Raises:
        ValueError: if they are no images, or their sides no such multiples.
    """
    _check_sides(image_shape, "CycleGAN's generator")
    images = keras.Input(image_shape, name="sources")

    def normed(x, convolution, activated=True):
        x = InstanceNormalization(affine=False)(convolution(x))
        return layers.ReLU()(x) if activated else x

    def plain(maps, size=3, **options):
        return _convolution(maps, size, **{"strides": 1, "padding": "valid", "use_bias": bias} | options)

    x = normed(_reflected(images, 3), plain(width, 7))
    for times in (2, 4):
        x = normed(x, plain(width * times, strides=2, padding="same"))
    for _ in range(blocks):
        h = normed(_reflected(x, 1), plain(4 * width))
        x = layers.Add()([x, normed(_reflected(h, 1), plain(4 * width), activated=False)])
    for times in (2, 1):
        x = normed(upsampling.nearest(x), plain(width * times, padding="same"))
    return keras.Model(images, _images(plain(channels, 7, use_bias=True)(_reflected(x, 3))), name="generator")


def told(image_shape, width, blocks, num_attributes, *, classes=False):
    """Images and what they are to show -> images in [-1, 1], by residual blocks at a quarter of the size.

    Choi et al. 2018, Table 4. What an image is told comes as constant maps beside it. Edges are padded with zeros: an
    instance norm after reflected ones would cancel constant maps, and with them all that is told.

    Args:
        image_shape: (height, width, channels); sides are multiples of 4, at least 8.
        width: maps of the first convolution.
        blocks: residual blocks; 6 in the paper.
        num_attributes: numbers that an image is told, or the classes it may be told.
        classes: whether it is told the number of its class.

    Returns:
        A functional model [sources (N, *image_shape), attributes (N, num_attributes) or labels (N,)] ->
        (N, *image_shape), float32.

    Raises:
        ValueError: if they are no images, or their sides no such multiples.
    """
    _check_sides(image_shape, "StarGAN's generator")
    images = keras.Input(image_shape, name="sources")
    asked = given() if classes else keras.Input((num_attributes,), name="attributes")
    vectors = ops.one_hot(asked, num_attributes) if classes else asked
    planes = vectors[:, None, None, :] * ops.ones_like(images[..., :1])

    def normed(x, convolution):
        return layers.ReLU()(InstanceNormalization()(convolution(x)))

    def plain(maps, size=3):
        return _convolution(maps, size, strides=1, use_bias=False, kernel_initializer=_by_fan_in())

    x = normed(layers.Concatenate()([images, planes]), plain(width, 7))
    for times in (2, 4):
        x = normed(x, _convolution(width * times, use_bias=False, kernel_initializer=_by_fan_in()))
    for _ in range(blocks):
        h = normed(x, plain(4 * width))
        x = layers.Add()([x, InstanceNormalization()(plain(4 * width)(h))])
    for times in (2, 1):
        x = normed(x, _transposed(width * times, use_bias=False, kernel_initializer=_by_fan_in()))
    return keras.Model([images, asked], _images(plain(image_shape[-1], 7)(x)), name="generator")


def patches(image_shape, width, *, source_shape=None, depth=None, affine=True, bias=False):
    """Images -> a logit for each patch of them: 70 x 70 pixels at depth 3, which 256 x 256 has 30 x 30 of.

    Isola et al. 2017, App. 6.1.2: C64-C128-C256-C512 and one more convolution, 2,768,705 weights for pairs of colour
    images.

    Args:
        image_shape: (height, width, channels).
        width: maps of the first convolution.
        source_shape: of the sources that come as a second input, of the same height and width; None for images alone.
        depth: convolutions that halve; None for 3, or fewer where less than 3 pixels would be left.
        affine: whether normalised maps are scaled and shifted.
        bias: as in `resnet`; with it and without `affine` it has the 2,764,737 weights of CycleGAN's.

    Returns:
        A functional model images [and sources] -> logits (N, h, w, 1), float32.

    Raises:
        ValueError: if they are no images, too small, or of two sizes.
    """
    _check_images(image_shape, "A discriminator of patches")
    images, inputs = keras.Input(image_shape, name="images"), []
    x = images
    if source_shape is not None:
        if tuple(source_shape[:2]) != tuple(image_shape[:2]):
            raise ValueError(
                f"sources are {tuple(source_shape)} and images {tuple(image_shape)}: a pair has one height and width."
            )
        inputs = [keras.Input(source_shape, name="sources")]
        x = layers.Concatenate()([*inputs, images])
    depth = _halvings(image_shape, 3, least=3) if depth is None else depth
    x = layers.LeakyReLU(0.2)(_convolution(width)(x))
    for level in range(1, depth + 1):
        maps = width * min(2**level, _WIDEST)
        x = _convolution(maps, use_bias=bias)(x) if level < depth else _narrower(x, maps, use_bias=bias)
        x = layers.LeakyReLU(0.2)(InstanceNormalization(affine)(x))
    logits = _narrower(x, 1, name="logits", dtype="float32")
    return keras.Model([images, *inputs] if inputs else images, logits, name="discriminator")


def domains(image_shape, width, num_attributes, *, depth=None):
    """Images -> logits of patches, and of what they show: Choi et al. 2018, Table 5.

    Args:
        image_shape: (height, width, channels).
        width: maps of the first convolution; each further one has twice as many.
        num_attributes: numbers that an image is told, or classes.
        depth: convolutions that halve; None for 6, or fewer where less than 2 pixels would be left.

    Returns:
        A functional model images -> {"logits" (N, h, w, 1), "classes" (N, num_attributes)}, float32.

    Raises:
        ValueError: if they are no images, or too small.
    """
    _check_images(image_shape, "StarGAN's discriminator")
    images = x = keras.Input(image_shape, name="images")
    for level in range(_halvings(image_shape, 6, least=2) if depth is None else depth):
        x = layers.LeakyReLU(0.01)(_convolution(width * 2**level, kernel_initializer=_by_fan_in())(x))
    ends = {"strides": 1, "use_bias": False, "kernel_initializer": _by_fan_in(), "dtype": "float32"}
    logits = _convolution(1, 3, name="logits", **ends)(x)
    shown = _convolution(num_attributes, tuple(x.shape[1:3]), padding="valid", **ends)(x)
    shown = layers.Reshape((num_attributes,), name="classes", dtype="float32")(shown)
    return keras.Model(alone_or_list([images]), {"logits": logits, "classes": shown}, name="discriminator")


def _images(x):
    return layers.Activation("tanh", name="images", dtype="float32")(x)


def _convolution(maps, size=4, **options):
    return layers.Conv2D(
        maps, size, **{"strides": 2, "padding": "same", "kernel_initializer": _initializer()} | options
    )


def _transposed(maps, **options):
    start = {"strides": 2, "padding": "same", "kernel_initializer": _initializer()}
    return layers.Conv2DTranspose(maps, 4, **start | options)


def _narrower(x, maps, **options):
    """A convolution of 4 x 4 with a border of one pixel: a row and a column less."""
    return _convolution(maps, strides=1, padding="valid", **options)(layers.ZeroPadding2D(1)(x))


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)


def _by_fan_in():
    """How the released code of StarGAN leaves its weights: uniform, of variance 1 / (3 fan-in)."""
    return keras.initializers.VarianceScaling(1.0 / 3.0, "fan_in", "uniform")


def _reflected(x, border):
    return ops.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode="reflect")


def _cut(x, shape):
    """Maps of a height and width, from those that may have a row or a column more."""
    more = [have - want for have, want in zip(x.shape[1:3], shape[-3:-1], strict=True)]
    return layers.Cropping2D(tuple((0, one) for one in more))(x) if any(more) else x


def _halvings(image_shape, most, least):
    """How often both sides can be halved and keep so many pixels, at most so often."""
    side, times = min(image_shape[:2]), 0
    while times < most and math.ceil(side / 2) >= least:
        side, times = math.ceil(side / 2), times + 1
    if not times:
        raise ValueError(f"image_shape={tuple(image_shape)}: images to translate have sides of 8 pixels or more.")
    return times


def _check_images(image_shape, what):
    if len(image_shape) != 3:
        raise ValueError(f"image_shape={tuple(image_shape)}: {what} translates images; for points take 'gan'.")
    if min(image_shape[:2]) < 8:
        raise ValueError(f"image_shape={tuple(image_shape)}: images to translate have sides of 8 pixels or more.")


def _check_sides(image_shape, what):
    _check_images(image_shape, what)
    sides = image_shape[:2]
    if any(side % 4 for side in sides):
        nearest = " x ".join(str(max(8, 4 * round(side / 4))) for side in sides)
        raise ValueError(
            f"image_shape={tuple(image_shape)}: {what} halves its maps twice, so sides are multiples of 4; the nearest "
            f"size is {nearest}: load images with image_size=."
        )
