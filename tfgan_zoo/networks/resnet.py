"""The residual pair for small images (Gulrajani et al. 2017, App. F; Miyato et al. 2018, App. B.4, Table 4)."""

import keras
from keras import layers, ops

from tfgan_zoo.layers import BatchNormalization
from tfgan_zoo.networks import heads, labels

SIZES = tuple(
    sorted(base * 2**doublings for base in (4, 5, 6, 7) for doublings in range(2, 6) if base * 2**doublings <= 128)
)


def generator(image_shape, latent_dim, width, *, num_classes=None, label_dim=None, wrap=None):
    """Latents -> images in [-1, 1]: a projection, then one residual block for each doubling of the size.

    Miyato et al. 2018, Table 4a: at 32 x 32 three blocks of 256 maps on a 4 x 4 projection. Gulrajani et al. 2017,
    App. F, take 128 maps. Only the last convolution has a bias: any other would vanish in a batch normalisation.

    Args:
        image_shape: (size, size, channels), size one of `SIZES`, channels 1, 3 or 4.
        latent_dim: coordinates of a latent.
        width: maps of every block.
        num_classes: None for a generator without labels.
        label_dim: coordinates of a label's embedding; None for one-hot labels.
        wrap: function layer -> layer for the dense one and each convolution, such as `layers.SpectralNorm`; None for
            none.

    Returns:
        A functional model, latents (N, latent_dim), or [latents, labels (N,) int32], -> (N, size, size, channels)
        float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    base, doublings = _plan(image_shape)
    wrap = wrap or _itself
    inputs, x = labels.latents(latent_dim, num_classes, label_dim)
    x = wrap(layers.Dense(base * base * width, use_bias=False))(x)
    x = layers.Reshape((base, base, width))(x)
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
        image_shape: (size, size, channels), size one of `SIZES`, channels 1, 3 or 4.
        width: maps of every block.
        wrap: function layer -> layer for each convolution, such as `layers.SpectralNorm`; None for none.
        pool: function (maps, axis) -> features; `keras.ops.sum` or `keras.ops.mean`.
        rectifier: function () -> layer; `layers.Rectifier` makes a gradient penalty cheaper.

    Returns:
        A functional model (N, size, size, channels) -> (N, width), float32.

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
        image_shape: (size, size, channels), size one of `SIZES`, channels 1, 3 or 4.
        width: maps of every block.
        wrap: as in `body`, for the dense layer too.
        bias: of the logit; it has no effect on objectives of differences (Wasserstein, relativistic).
        **options: as in `body`.

    Returns:
        A functional model (N, size, size, channels) -> (N, 1) logits, float32.

    Raises:
        ValueError: if these networks cannot read `image_shape`.
    """
    return heads.discriminator(body(image_shape, width, wrap=wrap, **options), bias=bias, wrap=wrap)


def _doubling(x, width, wrap):
    y = _doubled(_rectified(x))
    y = wrap(_convolution(width, 3, gain=2.0, use_bias=False))(y)
    y = wrap(_convolution(width, 3, gain=2.0, use_bias=False))(_rectified(y))
    shortcut = wrap(_convolution(width, 1, use_bias=False))(x)
    return layers.Add()([_doubled(shortcut), y])  # doubled after the 1x1: the same, for a quarter of the work


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


def _doubled(x):
    return ops.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), interpolation="nearest")


def _convolution(maps, size, *, gain=1.0, use_bias=True):
    """Glorot's uniform weights; both papers' code doubles their variance in the 3x3 convolutions of a residual."""
    initializer = keras.initializers.VarianceScaling(gain, mode="fan_avg", distribution="uniform")
    return layers.Conv2D(maps, size, padding="same", use_bias=use_bias, kernel_initializer=initializer)


def _itself(layer):
    return layer


def _plan(image_shape):
    """The smallest map's size and how often it is doubled: 32 = 4 * 2 ** 3."""
    if len(image_shape) != 3 or image_shape[0] != image_shape[1] or image_shape[0] not in SIZES:
        nearest = min(SIZES, key=lambda size: abs(size - image_shape[0]))
        raise ValueError(
            f"image_shape={tuple(image_shape)}: the residual networks make square images of "
            f"{', '.join(map(str, SIZES))} pixels; the nearest is {nearest} x {nearest}. For points take networks.mlp."
        )
    base = image_shape[0]
    doublings = 0
    while base > 7:
        base, doublings = base // 2, doublings + 1
    return base, doublings
