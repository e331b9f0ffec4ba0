"""GANs whose discriminator is an autoencoder, and its error an energy."""

import math

from tfgan_zoo.layers import ReconstructionEnergy
from tfgan_zoo.models.energy import EBGAN
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.networks import began as began_networks
from tfgan_zoo.networks import dcgan as dcgan_networks
from tfgan_zoo.networks import mlp
from tfgan_zoo.objectives import BoundaryEquilibrium, EnergyMargin
from tfgan_zoo.priors import Normal, Uniform
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.shared import EMA_DECAY, GAN_RANGES, adam, family

CODES = {64: 64, 32: 16, 0: 8}  # BEGAN's: least side of an image -> units of the code


@register(extends=EBGAN, ranges=GAN_RANGES)
def ebgan(
    image_shape,
    *,
    latent_dim=100,
    width=64,
    code_dim=64,
    objective=None,
    pulling_away=0.1,
    prior=Normal(),
    learning_rate=None,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """Energy-based GAN with the pulling-away term: Zhao et al. 2017, on DCGAN's encoder and decoder.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`; or (2,) for points.
        code_dim: units between the discriminator's encoder and its decoder.
        objective: None for `EnergyMargin` with the paper's margin for MNIST, 10 at 28 x 28, which grows like the norm
            of an image with the root of its size; 1 for points. The margin depends on the data: the paper has 80 for
            its LSUN and 20 for its CelebA.
        learning_rate: None for the paper's 2e-4 (convolutions) or 1e-3 (dense).
    """
    points = len(image_shape) == 1
    networks = family(image_shape, dcgan_networks)
    learning_rate = (1e-3 if points else 2e-4) if learning_rate is None else learning_rate
    margin = 1.0 if points else 10.0 * math.sqrt(math.prod(image_shape) / (28 * 28))
    return EBGAN(
        networks.generator(image_shape, latent_dim, width),
        networks.autoencoder(image_shape, code_dim, width, ReconstructionEnergy(order=2)),
        objective=EnergyMargin(margin) if objective is None else objective,
        pulling_away=pulling_away,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "ebgan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=GAN, ranges=GAN_RANGES)
def began(
    image_shape,
    *,
    latent_dim=None,
    width=32,
    code_dim=None,
    objective=BoundaryEquilibrium(gamma=0.5),
    prior=Uniform(),
    learning_rate=1e-4,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """Boundary equilibrium GAN: Berthelot et al. 2017, Sec. 3 and Fig. 1.

    The paper's faces of 128 x 128 have width=128; it halves the rate when the measure of convergence stalls.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`; or (2,) for points.
        latent_dim: None for as many as the code has, as in the paper.
        code_dim: units between the discriminator's encoder and its decoder. None for the paper's 64 from 64 x 64 on, 16
            from 32 x 32, 8 below, 1 for points: a code that holds any small image lets D reconstruct whatever G makes,
            and k stays at 0.
    """
    if code_dim is None:
        code_dim = 1 if len(image_shape) == 1 else next(d for side, d in CODES.items() if image_shape[0] >= side)
    latent_dim = code_dim if latent_dim is None else latent_dim
    if len(image_shape) == 1:
        generator = mlp.generator(image_shape, latent_dim, width)
        discriminator = mlp.autoencoder(image_shape, code_dim, width, ReconstructionEnergy(order=1))
    else:
        generator = began_networks.generator(image_shape, latent_dim, width)
        discriminator = began_networks.autoencoder(image_shape, code_dim, width)
    return GAN(
        generator,
        discriminator,
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "began"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )
