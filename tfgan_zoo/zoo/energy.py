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
from tfgan_zoo.zoo.shared import EMA_DECAY, adam, family


@register(extends=EBGAN)
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
        name="ebgan",
        **adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=GAN)
def began(
    image_shape,
    *,
    latent_dim=64,
    width=32,
    code_dim=64,
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
        code_dim: units between the discriminator's encoder and its decoder.
    """
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
        name="began",
        **adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )
