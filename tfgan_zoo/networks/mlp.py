"""Dense networks: the first GAN's, for 2-D points and small images."""

import math

import keras
from keras import layers

from tfgan_zoo.layers import Dropout
from tfgan_zoo.networks import heads, labels

REACH = 2.0  # biases of a discriminator of points start within it, on both sides of zero


def generator(image_shape, latent_dim, width, depth=2, *, num_classes=None, label_dim=None):
    """Latents -> images in [-1, 1], or 2-D points without bounds, through dense layers only.

    Goodfellow et al. 2014, Sec. 5 (rectifiers in G).

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        latent_dim: coordinates of a latent.
        width: units of a hidden layer.
        depth: hidden layers.
        num_classes: of the labels that come beside latents; None for a generator without labels.
        label_dim: coordinates of a learned embedding of the labels; None for one-hot vectors.

    Returns:
        A functional model (N, latent_dim) [and labels (N,)] -> (N, *image_shape), float32.
    """
    inputs, x = labels.latents(latent_dim, num_classes, label_dim)
    for _ in range(depth):
        x = layers.Dense(width, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.Dense(math.prod(image_shape))(x)
    x = layers.Activation("tanh" if len(image_shape) == 3 else "linear", dtype="float32")(x)
    images = layers.Reshape(image_shape, name="images", dtype="float32")(x)
    return keras.Model(labels.alone_or_list(inputs), images, name="generator")


def body(
    image_shape,
    width,
    depth=2,
    *,
    dropout=0.0,
    norm=None,
    wrap=None,
    constraint=None,
    rectifier=layers.LeakyReLU,
    num_classes=None,
    label_dim=None,
):
    """Images or points -> features, through dense layers with leaky rectifiers and dropout.

    Goodfellow et al. 2014, Sec. 5: dropout in D; leaky rectifiers stand in for its maxout units. Without biases
    rectifiers of points bend along lines through the origin only, and D cannot tell neighbouring modes apart before it
    has learned some: for points the biases start at random.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        width: units of a hidden layer.
        depth: hidden layers.
        dropout: fraction of hidden units dropped, in [0, 1).
        norm: function () -> normalisation layer after each dense one; None for none.
        wrap: function layer -> layer for each dense one, such as `layers.SpectralNorm`; None for none.
        constraint: keras constraint of all weights, such as `layers.ClipWeights(0.01)`.
        rectifier: function slope -> layer; `layers.Rectifier` makes a gradient penalty cheaper.
        num_classes, label_dim: as in `generator`.

    Returns:
        A functional model (N, *image_shape) [and labels (N,)] -> features (N, width).
    """
    inputs, x = labels.images(image_shape, num_classes, label_dim)
    x = layers.Flatten()(x)
    held = {"kernel_initializer": "he_normal", "kernel_constraint": constraint, "bias_constraint": constraint}
    for _ in range(depth):
        bends = keras.initializers.RandomUniform(-REACH, REACH) if len(image_shape) == 1 else "zeros"
        dense = layers.Dense(width, use_bias=norm is None, bias_initializer=bends, **held)
        x = (wrap(dense) if wrap else dense)(x)
        x = rectifier(0.2)(x if norm is None else norm()(x))
        if dropout:
            x = Dropout(dropout)(x)
    return keras.Model(labels.alone_or_list(inputs), x, name="body")


def discriminator(image_shape, width, depth=2, *, bias=True, wrap=None, constraint=None, **options):
    """Images or points -> one logit, through `body`.

    Args:
        image_shape, width, depth, wrap, constraint, **options: as in `body`.
        bias: of the logit, as in `heads.discriminator`.

    Returns:
        A functional model (N, *image_shape) [and labels (N,)] -> (N, 1) logits, float32.
    """
    features = body(image_shape, width, depth, wrap=wrap, constraint=constraint, **options)
    return heads.discriminator(features, bias=bias, wrap=wrap, constraint=constraint)


def autoencoder(image_shape, code_dim, width, energy):
    """Images or points -> their energy, through dense layers to a code and back.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        code_dim: units of the code.
        width: units of a hidden layer.
        energy: layer [images, reconstructions] -> (N, 1), such as `layers.ReconstructionEnergy()`.

    Returns:
        A functional model (N, *image_shape) -> {"energy" (N, 1), "codes" (N, code_dim)}, float32.
    """
    seen = keras.Input(image_shape, name="images")
    encoder = body(image_shape, width, depth=1)
    codes = layers.Dense(code_dim, name="codes", dtype="float32")(encoder(seen))
    made = generator(image_shape, code_dim, width, depth=1)(codes)
    return keras.Model(seen, {"energy": energy([seen, made]), "codes": codes}, name="discriminator")
