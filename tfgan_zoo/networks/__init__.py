"""Functional Keras graphs, one file a family; `heads` end a discriminator, `labels` tell a network its class.

`grids` says how often a small grid is doubled to the size of the images, and `upsampling` how.
"""

from tfgan_zoo.networks import (
    autoencoder,
    began,
    biggan,
    boltzmann,
    dcgan,
    density,
    flow,
    grids,
    growing,
    heads,
    improved,
    labels,
    mlp,
    pixelcnn,
    r3gan,
    resnet,
    stylegan2,
    translation,
    unet,
    upsampling,
    vq,
)

__all__ = [
    "autoencoder",
    "began",
    "biggan",
    "boltzmann",
    "dcgan",
    "density",
    "flow",
    "grids",
    "growing",
    "heads",
    "improved",
    "labels",
    "mlp",
    "pixelcnn",
    "r3gan",
    "resnet",
    "stylegan2",
    "translation",
    "unet",
    "upsampling",
    "vq",
]
