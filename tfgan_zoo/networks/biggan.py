"""Residual networks of SAGAN and BigGAN: conditional batch normalisation, self-attention, projection.

Zhang et al. 2019 and Brock et al. 2019, App. B; spectral norm in every layer with weights, of both networks.
"""

import math

import keras
from keras import layers, ops

from tfgan_zoo.layers import BatchNormalization, ConditionalBatchNormalization, Orthogonal, SelfAttention, SpectralNorm
from tfgan_zoo.networks import grids, heads, labels, upsampling

SIZES = grids.sizes(range(2, 6))
_WIDEST = 16  # channels of the smallest maps, in widths


def generator(
    image_shape, latent_dim, width, num_classes, *, attention=None, shared_dim=None, chunk_dim=None, orthogonal=0.0
):
    """Latents and labels -> images in [-1, 1]: one residual block for each doubling, told the class by its norms.

    Args:
        image_shape: (height, width, channels): squares of `SIZES`, or sides that `grids.plan` allows.
        latent_dim: coordinates of a latent.
        width: channels of the largest maps; twice as many for each halving, 16 times at most.
        num_classes: of the labels.
        attention: rows of the maps with self-attention; None for half of the image's.
        shared_dim: coordinates of the label's embedding that all blocks share (BigGAN); None for a table in each
            norm (SAGAN).
        chunk_dim: coordinates of the latent that each block reads beside the embedding (BigGAN); None for none.
        orthogonal: weight of the orthogonal regulariser on every kernel; 1e-4 in BigGAN.

    Returns:
        A functional model [(N, latent_dim), labels (N,)] -> (N, *image_shape), float32.

    Raises:
        ValueError: if these networks cannot make `image_shape`.
    """
    grid, channels = plan(image_shape, width)
    make = _Layers(orthogonal)
    latents, given = keras.Input((latent_dim,), name="latents"), labels.given()
    told = [labels.vectors(given, num_classes, shared_dim)] * (len(channels) - 1)
    first = latents
    if chunk_dim:
        first = latents[:, :chunk_dim]
        chunks = [latents[:, chunk_dim * at : chunk_dim * (at + 1)] for at in range(1, len(channels))]
        told = [layers.Concatenate()(pair) for pair in zip(told, chunks, strict=True)]
    x = make.dense(math.prod(grid) * channels[0])(first)
    x = layers.Reshape((*grid, channels[0]))(x)
    for filters, vectors in zip(channels[1:], told, strict=True):
        x = _doubled(x, filters, vectors, make, spectral=shared_dim is not None)
        x = _attended(x, image_shape, attention)
    x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
    x = make.convolution(image_shape[-1], 3, name="colours")(x)
    images = layers.Activation("tanh", name="images", dtype="float32")(x)
    return keras.Model([latents, given], images, name="generator")


def discriminator(image_shape, width, num_classes, *, attention=None):
    """Images and labels -> one logit by projection, through residual blocks that halve all but once.

    Args:
        image_shape, width, num_classes, attention: as in `generator`.

    Returns:
        A functional model [(N, *image_shape), labels (N,)] -> (N, 1) logits, float32.
    """
    _, channels = plan(image_shape, width)
    make = _Layers()
    images = keras.Input(image_shape, name="images")
    x = images
    for number, filters in enumerate(channels[:0:-1]):
        y = x if number == 0 else layers.ReLU()(x)  # no rectifier ahead of the images
        y = layers.ReLU()(make.convolution(filters, 3)(y))
        y = layers.AveragePooling2D(2)(make.convolution(filters, 3)(y))
        skip = make.convolution(filters, 1)(layers.AveragePooling2D(2)(x))
        x = _attended(layers.Add()([skip, y]), image_shape, attention)
    y = layers.ReLU()(make.convolution(x.shape[-1], 3)(layers.ReLU()(x)))
    x = layers.Add()([x, make.convolution(x.shape[-1], 3)(y)])
    x = layers.ReLU(dtype="float32")(x)  # bfloat16 would round the sum over the map
    body = keras.Model(images, ops.sum(x, axis=(1, 2)), name="body")
    return heads.projection(body, num_classes, wrap=SpectralNorm)


def plan(image_shape, width):
    """The grid, and the channels of each size from the smallest."""
    grid, doublings = grids.plan(image_shape, SIZES, least=2, name="BigGAN")
    return grid, [width * min(_WIDEST, 2 ** (doublings - stage)) for stage in range(doublings + 1)]


def _doubled(x, filters, vectors, make, spectral):
    def normed(maps):
        return layers.ReLU()(ConditionalBatchNormalization(spectral=spectral)([maps, vectors]))

    y = make.convolution(filters, 3)(upsampling.nearest(normed(x)))
    y = make.convolution(filters, 3)(normed(y))
    return layers.Add()([upsampling.nearest(make.convolution(filters, 1)(x)), y])


def _attended(x, image_shape, rows):
    return SelfAttention()(x) if x.shape[1] == (image_shape[0] // 2 if rows is None else rows) else x


class _Layers:
    """Spectrally normalised layers with orthogonal weights."""

    def __init__(self, orthogonal=0.0):
        self.regularizer = Orthogonal(orthogonal) if orthogonal else None

    def dense(self, units):
        return SpectralNorm(layers.Dense(units, **self._kernel()))

    def convolution(self, filters, size, **arguments):
        return SpectralNorm(layers.Conv2D(filters, size, padding="same", **self._kernel(), **arguments))

    def _kernel(self):
        return {"kernel_initializer": "orthogonal", "kernel_regularizer": self.regularizer}
