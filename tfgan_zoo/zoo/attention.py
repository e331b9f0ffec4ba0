"""Class-conditional residual GANs with self-attention."""

from tfgan_zoo.layers import SpectralNorm
from tfgan_zoo.models.conditional import ConditionalGAN
from tfgan_zoo.networks import biggan as biggan_networks
from tfgan_zoo.networks import heads, mlp
from tfgan_zoo.objectives import Hinge
from tfgan_zoo.priors import Normal
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.shared import EMA_DECAY, GAN_RANGES, adam


@register(extends=ConditionalGAN, ranges=GAN_RANGES)
def sagan(
    image_shape,
    *,
    num_classes=10,
    latent_dim=128,
    width=32,
    attention=None,
    objective=Hinge(),
    prior=Normal(),
    learning_rate=1e-4,
    discriminator_learning_rate=4e-4,
    beta_1=0.0,
    ema_decay=EMA_DECAY,
    **model,
):
    """Self-attention GAN: Zhang et al. 2019, spectral norm in both networks, two rates, one update of each.

    The paper's networks at 128 x 128 have width=64, attention=32, and batches of 256.

    Args:
        image_shape: (height, width, channels), a size of `tfgan_zoo.networks.biggan.SIZES`; or (2,) for points.
        width: channels of the largest maps; twice as many for each halving, up to 16 times.
        attention: rows of the maps with self-attention; None for half of the image's.
    """
    networks = (
        _dense(image_shape, latent_dim, width, num_classes)
        if len(image_shape) == 1
        else (
            biggan_networks.generator(image_shape, latent_dim, width, num_classes, attention=attention),
            biggan_networks.discriminator(image_shape, width, num_classes, attention=attention),
        )
    )
    return ConditionalGAN(
        *networks,
        num_classes=num_classes,
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "sagan"} | adam(learning_rate, discriminator_learning_rate, beta_1, beta_2=0.9) | model,
    )


@register(extends=ConditionalGAN, ranges=GAN_RANGES)
def biggan(
    image_shape,
    *,
    num_classes=10,
    chunk_dim=20,
    shared_dim=128,
    width=32,
    attention=None,
    orthogonal=1e-4,
    objective=Hinge(),
    prior=Normal(),
    n_critic=2,
    learning_rate=5e-5,
    discriminator_learning_rate=2e-4,
    beta_1=0.0,
    ema_decay=0.999,
    **model,
):
    """BigGAN: Brock et al. 2019, a shared embedding and a part of the latent in every norm, orthogonal regularisation.

    The paper's networks at 128 x 128 have width=96, attention=64, and batches of 2,048; its average's decay is 0.9999.
    For small batches its authors take 2e-4 for both rates and n_critic=4.

    Args:
        image_shape: (height, width, channels), a size of `tfgan_zoo.networks.biggan.SIZES`; or (2,) for points.
        chunk_dim: coordinates of the latent that each block reads, and as many the first layer.
        shared_dim: coordinates of the class' embedding.
        width: channels of the largest maps; twice as many for each halving, up to 16 times.
        attention: rows of the maps with self-attention; None for half of the image's.
        orthogonal: weight of the regulariser on G's kernels.
    """
    if len(image_shape) == 1:
        networks = _dense(image_shape, chunk_dim, width, num_classes)
    else:
        _, channels = biggan_networks.plan(image_shape, width)
        told = {"shared_dim": shared_dim, "chunk_dim": chunk_dim, "orthogonal": orthogonal}
        networks = (
            biggan_networks.generator(
                image_shape, chunk_dim * len(channels), width, num_classes, attention=attention, **told
            ),
            biggan_networks.discriminator(image_shape, width, num_classes, attention=attention),
        )
    return ConditionalGAN(
        *networks,
        num_classes=num_classes,
        objective=objective,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        **{"name": "biggan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


def _dense(image_shape, latent_dim, width, num_classes):
    """Dense networks for points."""
    body = mlp.body(image_shape, width, wrap=SpectralNorm)
    return (
        mlp.generator(image_shape, latent_dim, width, num_classes=num_classes),
        heads.projection(body, num_classes, wrap=SpectralNorm),
    )
