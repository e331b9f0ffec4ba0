"""Encoders and decoders: images to numbers about a code, and a code to the parameters of a likelihood.

Dense ones for anything, linear without hidden layers; convolutional ones for images that a small grid doubles to.
Nothing is squashed and nothing normalised over the batch: what the numbers mean, the likelihood and the model know.
"""

import math

import keras
from keras import layers

from tfgan_zoo.layers import SharedScale
from tfgan_zoo.networks import grids, labels

SIZES = grids.sizes(range(1, 6))


def dense_encoder(image_shape, outputs, width, depth=2, *, activation="relu", num_classes=None):
    """Images or points -> numbers about a code, through dense layers.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        outputs: numbers, such as the code's coordinates, or twice as many for means and log variances.
        width: units of a hidden layer.
        depth: hidden layers; 0 makes it linear.
        activation: of hidden layers; "glu" for gated ones, twice as many weights.
        num_classes: of the labels that come beside the images; None for none.

    Returns:
        A functional model (N, *image_shape) [and labels (N,)] -> (N, outputs), float32.
    """
    seen = keras.Input(image_shape, name="images")
    inputs, x = [seen], layers.Flatten()(seen)
    if num_classes is not None:
        inputs.append(labels.given())
        x = layers.Concatenate()([x, labels.vectors(inputs[1], num_classes)])
    x = layers.Dense(outputs, name="codes", dtype="float32")(_hidden(x, width, depth, activation))
    return keras.Model(labels.alone_or_list(inputs), x, name="encoder")


def dense_decoder(output_shape, latent_dim, width, depth=2, *, activation="relu", num_classes=None):
    """Codes -> parameters of a likelihood, through dense layers.

    Args:
        output_shape: (height, width, likelihood.channels(channels)), or (likelihood.channels(2),) for points.
        latent_dim: coordinates of a code.
        width, depth, activation, num_classes: as in `dense_encoder`.

    Returns:
        A functional model (N, latent_dim) [and labels (N,)] -> (N, *output_shape), float32.
    """
    inputs, x = labels.latents(latent_dim, num_classes)
    x = layers.Dense(math.prod(output_shape), name="parameters", dtype="float32")(_hidden(x, width, depth, activation))
    x = layers.Reshape(output_shape, dtype="float32")(x)
    return keras.Model(labels.alone_or_list(inputs), x, name="decoder")


def conv_encoder(image_shape, outputs, width, *, activation="relu", num_classes=None):
    """Images -> numbers about a code: a strided 4 x 4 convolution for each halving, then a dense layer.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows.
        outputs: as in `dense_encoder`.
        width: channels after the first convolution; each one behind it has twice as many.
        activation, num_classes: as in `dense_encoder`; labels become constant maps beside the images.

    Returns:
        A functional model (N, *image_shape) [and labels (N,)] -> (N, outputs), float32.

    Raises:
        ValueError: if there is no grid for `image_shape`.
    """
    _, halvings = grids.plan(image_shape, SIZES, name="autoencoder")
    inputs, x = labels.images(image_shape, num_classes)
    for step in range(halvings):
        x = _active(layers.Conv2D, activation, width * 2**step, 4, 2, "same", kernel_initializer="he_normal")(x)
    x = layers.Dense(outputs, name="codes", dtype="float32")(layers.Flatten()(x))
    return keras.Model(labels.alone_or_list(inputs), x, name="encoder")


def conv_decoder(output_shape, latent_dim, width, *, activation="relu", num_classes=None):
    """Codes -> parameters of a likelihood: a dense layer to a grid, and a transposed convolution for each doubling.

    Args:
        output_shape: (height, width, likelihood.channels(channels)), sides as in `conv_encoder`.
        latent_dim: coordinates of a code.
        width: channels of the last hidden maps; each layer before it has twice as many.
        activation, num_classes: as in `dense_encoder`.

    Returns:
        A functional model (N, latent_dim) [and labels (N,)] -> (N, *output_shape), float32.

    Raises:
        ValueError: if there is no grid for `output_shape`.
    """
    grid, doublings = grids.plan(output_shape, SIZES, name="autoencoder")
    channels = width * 2 ** (doublings - 1)
    inputs, x = labels.latents(latent_dim, num_classes)
    x = _active(layers.Dense, activation, math.prod(grid) * channels, kernel_initializer="he_normal")(x)
    x = layers.Reshape((*grid, channels))(x)
    for _ in range(doublings - 1):
        channels //= 2
        x = _active(_doubling, activation, channels, kernel_initializer="he_normal")(x)
    x = _doubling(output_shape[-1], name="parameters")(x)
    return keras.Model(labels.alone_or_list(inputs), layers.Activation("linear", dtype="float32")(x), name="decoder")


def with_shared_scale(decoder, initial=1.0):
    """A decoder of means, with one learned sigma behind them for `likelihoods.Gaussian()`."""
    parameters = SharedScale(initial, dtype="float32")(decoder.output)
    return keras.Model(labels.alone_or_list(decoder.inputs), parameters, name="decoder")


def _hidden(x, width, depth, activation):
    initializer = "he_normal" if activation == "relu" else "glorot_uniform"
    for _ in range(depth):
        x = _active(layers.Dense, activation, width, kernel_initializer=initializer)(x)
    return x


def _active(kind, activation, *size, **options):
    """A layer and its activation; a gated one is two, since Keras' "glu" halves what the layer says it gives."""
    if activation != "glu":
        return kind(*size, activation=activation, **options)
    what, gate = kind(*size, **options), kind(*size, activation="sigmoid", **options)
    return lambda x: layers.Multiply()([what(x), gate(x)])


def _doubling(channels, **options):
    return layers.Conv2DTranspose(channels, 4, 2, "same", **options)
