"""The DCGAN pair: strided and transposed 5x5 convolutions (Radford et al. 2016, Fig. 1 and Sec. 3)."""

import math

import keras
from keras import layers

from tfgan_zoo.layers import BatchNormalization
from tfgan_zoo.networks import grids, heads, labels

SIZES = grids.sizes(range(1, 6))


def batch_norm(constraint=None):
    """Batch normalisation whose moments follow within tens of steps, with a constraint on scale and offset."""
    return BatchNormalization(momentum=0.9, gamma_constraint=constraint, beta_constraint=constraint)


def generator(image_shape, latent_dim, width, *, num_classes=None, label_dim=None):
    """Latents -> images in [-1, 1]: a projection, then one transposed convolution for each doubling of the size.

    Radford et al. 2016, Fig. 1: at 64 x 64 with width 128 the maps have 1024, 512, 256 and 128 channels.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        latent_dim: coordinates of a latent.
        width: channels of the last hidden layer; each layer before it has twice as many.
        num_classes: of the labels that come beside latents; None for a generator without labels.
        label_dim: coordinates of a learned embedding of the labels; None for one-hot vectors.

    Returns:
        A functional model (N, latent_dim) [and labels (N,)] -> (N, height, width, channels), float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, doublings = _plan(image_shape)
    channels = width * 2 ** (doublings - 1)
    inputs, x = labels.latents(latent_dim, num_classes, label_dim)
    x = layers.Dense(math.prod(grid) * channels, use_bias=False, kernel_initializer=_initializer())(x)
    x = layers.Reshape((*grid, channels))(x)
    x = layers.ReLU()(batch_norm()(x))
    for _ in range(doublings - 1):
        channels //= 2
        x = _convolution(layers.Conv2DTranspose, channels, use_bias=False)(x)
        x = layers.ReLU()(batch_norm()(x))
    x = _convolution(layers.Conv2DTranspose, image_shape[-1])(x)
    images = layers.Activation("tanh", name="images", dtype="float32")(x)
    return keras.Model(labels.alone_or_list(inputs), images, name="generator")


def body(
    image_shape,
    width,
    *,
    norm=batch_norm,
    wrap=None,
    constraint=None,
    rectifier=layers.LeakyReLU,
    num_classes=None,
    label_dim=None,
):
    """Images -> features: strided convolutions with leaky rectifiers, normalised after the first.

    Radford et al. 2016, Sec. 3: no pooling, no hidden dense layer, no batch normalisation on the input layer.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows; channels 1, 3
            or 4.
        width: channels after the first convolution; each layer after it has twice as many.
        norm: function () -> normalisation layer, such as `keras.layers.LayerNormalization`; None for none.
        wrap: function layer -> layer for each convolution, such as `layers.SpectralNorm`; None for none.
        constraint: keras constraint of the convolutions, such as `layers.ClipWeights(0.01)`.
        rectifier: function slope -> layer; `layers.Rectifier` makes a gradient penalty cheaper.
        num_classes, label_dim: as in `generator`; labels become constant maps beside the images.

    Returns:
        A functional model (N, height, width, channels) [and labels (N,)] -> features (N, d).

    Raises:
        ValueError: if these networks cannot read `image_shape`.
    """
    _, halvings = _plan(image_shape)
    inputs, x = labels.images(image_shape, num_classes, label_dim)
    for step in range(halvings):
        normed = norm is not None and step > 0
        held = {"kernel_constraint": constraint, "bias_constraint": None if normed else constraint}
        convolution = _convolution(layers.Conv2D, width * 2**step, use_bias=not normed, **held)
        x = (wrap(convolution) if wrap else convolution)(x)
        x = rectifier(0.2)(norm()(x) if normed else x)
    return keras.Model(labels.alone_or_list(inputs), layers.Flatten()(x), name="body")


def discriminator(image_shape, width, *, bias=True, wrap=None, constraint=None, **options):
    """Images -> one logit, through `body`.

    Args:
        image_shape, width, wrap, constraint, **options: as in `body`.
        bias: of the logit, as in `heads.discriminator`.

    Returns:
        A functional model (N, height, width, channels) [and labels (N,)] -> (N, 1) logits, float32.
    """
    features = body(image_shape, width, wrap=wrap, constraint=constraint, **options)
    return heads.discriminator(features, bias=bias, wrap=wrap, constraint=constraint, initializer=_initializer())


def autoencoder(image_shape, code_dim, width, energy):
    """Images -> their energy: `body`, a code, and a decoder built like `generator`.

    Zhao et al. 2017, Sec. 4.

    Args:
        image_shape: (height, width, channels), as in `generator`.
        code_dim: units of the code.
        width: as in `body`.
        energy: layer [images, reconstructions] -> (N, 1), such as `layers.ReconstructionEnergy()`.

    Returns:
        A functional model (N, height, width, channels) -> {"energy" (N, 1), "codes" (N, code_dim)}, float32.
    """
    images = keras.Input(image_shape, name="images")
    dense = layers.Dense(code_dim, kernel_initializer=_initializer(), name="codes", dtype="float32")
    codes = dense(body(image_shape, width)(images))
    decoded = generator(image_shape, code_dim, width)(codes)
    return keras.Model(images, {"energy": energy([images, decoded]), "codes": codes}, name="discriminator")


def _convolution(layer, channels, **options):
    return layer(channels, 5, strides=2, padding="same", kernel_initializer=_initializer(), **options)


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)


def _plan(image_shape):
    """The smallest map's size and how often it is doubled: 28 = 7 * 2 ** 2."""
    return grids.plan(image_shape, SIZES, name="DCGAN")
