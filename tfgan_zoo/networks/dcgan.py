"""The DCGAN pair: strided and transposed 5x5 convolutions (Radford et al. 2016, Fig. 1 and Sec. 3)."""

import keras
from keras import layers

SIZES = tuple(
    sorted(base * 2**doublings for base in (4, 5, 6, 7) for doublings in range(1, 6) if base * 2**doublings <= 128)
)


def generator(image_shape, latent_dim, width):
    """Latents -> images in [-1, 1]: a projection, then one transposed convolution for each doubling of the size.

    Radford et al. 2016, Fig. 1: at 64 x 64 with width 128 the maps have 1024, 512, 256 and 128 channels.

    Args:
        image_shape: (size, size, channels), size one of `SIZES`, channels 1, 3 or 4.
        latent_dim: coordinates of a latent.
        width: channels of the last hidden layer; each layer before it has twice as many.

    Returns:
        A functional model (N, latent_dim) -> (N, size, size, channels), float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    base, doublings = _plan(image_shape)
    channels = width * 2 ** (doublings - 1)
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Dense(base * base * channels, use_bias=False, kernel_initializer=_initializer())(latents)
    x = layers.Reshape((base, base, channels))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    for _ in range(doublings - 1):
        channels //= 2
        x = _convolution(layers.Conv2DTranspose, channels, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = _convolution(layers.Conv2DTranspose, image_shape[-1])(x)
    return keras.Model(latents, layers.Activation("tanh", name="images", dtype="float32")(x), name="generator")


def discriminator(image_shape, width):
    """Images -> one logit: strided convolutions with leaky rectifiers, batch-normalised after the first.

    Radford et al. 2016, Sec. 3: no pooling, no hidden dense layer, no batch normalisation on the input layer.

    Args:
        image_shape: (size, size, channels), size one of `SIZES`, channels 1, 3 or 4.
        width: channels after the first convolution; each layer after it has twice as many.

    Returns:
        A functional model (N, size, size, channels) -> (N, 1) logits, float32.

    Raises:
        ValueError: if these networks cannot read `image_shape`.
    """
    _, halvings = _plan(image_shape)
    images = keras.Input(image_shape, name="images")
    x = layers.LeakyReLU(0.2)(_convolution(layers.Conv2D, width)(images))
    for step in range(1, halvings):
        x = _convolution(layers.Conv2D, width * 2**step, use_bias=False)(x)
        x = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.9)(x))
    logits = layers.Dense(1, kernel_initializer=_initializer(), name="logits", dtype="float32")(layers.Flatten()(x))
    return keras.Model(images, logits, name="discriminator")


def _convolution(layer, channels, use_bias=True):
    return layer(channels, 5, strides=2, padding="same", use_bias=use_bias, kernel_initializer=_initializer())


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)


def _plan(image_shape):
    """The smallest map's size and how often it is doubled: 28 = 7 * 2 ** 2."""
    if len(image_shape) != 3 or image_shape[0] != image_shape[1] or image_shape[0] not in SIZES:
        nearest = min(SIZES, key=lambda size: abs(size - image_shape[0]))
        raise ValueError(
            f"image_shape={tuple(image_shape)}: the DCGAN networks make square images of "
            f"{', '.join(map(str, SIZES))} pixels; the nearest is {nearest} x {nearest}. For 2-D points take 'gan'."
        )
    base = image_shape[0]
    doublings = 0
    while base > 7:
        base, doublings = base // 2, doublings + 1
    return base, doublings
