"""Diffusion of images: a denoiser that draws, edits, and bounds what it has learned."""

from tfgan_zoo.models.bounds import Bounded
from tfgan_zoo.models.denoising import Denoising
from tfgan_zoo.models.editing import Editing
from tfgan_zoo.serialization import serializable


@serializable
class Diffusion(Bounded, Editing, Denoising):
    """Diffusion of images (Ho et al. 2020): they are drawn, edited, and bounded in likelihood.

    Args:
        denoiser: as for `Denoising`, of images.
        **denoising: as for `Denoising`: schedule, prediction, min_snr, label_dropout, sampling, ema_half_life, ...
    """
