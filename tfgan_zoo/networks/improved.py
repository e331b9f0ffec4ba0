"""The dense pair for semi-supervised learning on MNIST (Salimans et al. 2016, Sec. 6.1, and the code they released)."""

import math

import keras
from keras import layers

from tfgan_zoo.layers import GaussianNoise

# standard deviations before each of D's layers; the code's first is 0.3 for pixels in [0, 1], and ours span twice that
NOISE = (0.6, 0.5, 0.5, 0.5, 0.5, 0.5)
GAIN = math.sqrt(2.0)  # length of a unit's weights, which keeps the size of what a rectifier passes on (He et al. 2015)


def generator(image_shape, latent_dim, width, depth=2):
    """Latents -> images in [-1, 1], or points: dense layers with softplus and batch normalisation.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        latent_dim: coordinates of a latent.
        width: units of a hidden layer; 500 in the paper.
        depth: hidden layers.

    Returns:
        A functional model (N, latent_dim) -> (N, *image_shape), float32.
    """
    latents = x = keras.Input((latent_dim,), name="latents")
    for _ in range(depth):
        x = layers.Dense(width, use_bias=False)(x)
        x = layers.Activation("softplus")(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Dense(math.prod(image_shape))(x)
    x = layers.Activation("tanh" if len(image_shape) == 3 else "linear", dtype="float32")(x)
    return keras.Model(latents, layers.Reshape(image_shape, name="images", dtype="float32")(x), name="generator")


def body(image_shape, width):
    """Images or points -> features: five dense layers with rectifiers, Gaussian noise before each.

    The weights of a unit have a fixed length, as by the code's weight normalisation, whose scale is not trained in
    these layers: otherwise D outgrows the noise, and G's features have no scale. There the length comes from a first
    batch; here it is `GAIN`.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        width: units of the first layer, 1000 in the paper; then a half, and thrice a quarter.

    Returns:
        A functional model (N, *image_shape) -> features (N, width // 4).
    """
    images = keras.Input(image_shape, name="images")
    length = keras.constraints.MinMaxNorm(GAIN, GAIN, axis=0)
    x = GaussianNoise(NOISE[0])(layers.Flatten()(images))
    for share, noise in zip((1, 2, 4, 4, 4), NOISE[1:], strict=True):
        x = layers.Dense(max(1, width // share), kernel_initializer="he_normal", kernel_constraint=length)(x)
        x = GaussianNoise(noise)(layers.ReLU()(x))
    return keras.Model(images, x, name="body")
