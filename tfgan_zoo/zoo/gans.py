"""Unconditional GANs whose discriminator gives a logit."""

from keras import ops
from keras.optimizers import RMSprop

from tfgan_zoo.layers import ClipWeights, Rectifier, SpectralNorm
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.networks import dcgan as dcgan_networks
from tfgan_zoo.networks import mlp, resnet
from tfgan_zoo.objectives import Hinge, LeastSquares, NonSaturating, Wasserstein
from tfgan_zoo.penalties import DRAGAN, GradientPenalty
from tfgan_zoo.priors import Normal, Uniform
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.shared import EMA_DECAY, GAN_RANGES, adam, family


@register(extends=GAN, ranges=GAN_RANGES)
def gan(
    image_shape,
    *,
    latent_dim=100,
    width=256,
    depth=2,
    dropout=None,
    objective=NonSaturating(),
    prior=Uniform(),
    learning_rate=None,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """Generative adversarial nets, dense ("vanilla"): Goodfellow et al. 2014.

    The paper trains with SGD and momentum; Adam (2e-4, 0.5) is what has been used since Radford et al. 2016.

    Args:
        image_shape: (height, width, channels), or (2,) for 2-D points.
        dropout: of D's hidden units; None for 0.3 on images and none on points.
        learning_rate: None for 2e-4 on images and 1e-3 on points, which small dense networks bear.
    """
    points = len(image_shape) == 1
    learning_rate = (1e-3 if points else 2e-4) if learning_rate is None else learning_rate
    dropout = (0.0 if points else 0.3) if dropout is None else dropout
    return GAN(
        mlp.generator(image_shape, latent_dim, width, depth),
        mlp.discriminator(image_shape, width, depth, dropout=dropout),
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "gan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=GAN, ranges=GAN_RANGES)
def dcgan(
    image_shape,
    *,
    latent_dim=100,
    width=64,
    objective=NonSaturating(),
    prior=Uniform(),
    learning_rate=2e-4,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """Deep convolutional GAN: Radford et al. 2016, Sec. 3 and 4.

    The paper's last hidden map has 128 channels (width=128), for 64 x 64 photographs; 64 is ample at 28 x 28.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
    """
    networks = family(image_shape, dcgan_networks)
    return GAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width),
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "dcgan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=dcgan)
def lsgan(image_shape, *, objective=LeastSquares(fake=0.0, real=1.0, wanted=1.0), **numbers):
    """Least squares GAN: Mao et al. 2017, Eq. 9, on DCGAN's networks.

    The rate is the paper's for characters; for scenes (LSUN, 112 x 112) it is 1e-3.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
    """
    return dcgan(image_shape, **{"objective": objective, "name": "lsgan"} | numbers)


@register(extends=GAN, ranges=GAN_RANGES)
def wgan(
    image_shape,
    *,
    latent_dim=100,
    width=64,
    objective=Wasserstein(),
    prior=Normal(),
    n_critic=5,
    clip=0.01,
    learning_rate=5e-5,
    discriminator_learning_rate=None,
    ema_decay=EMA_DECAY,
    **model,
):
    """Wasserstein GAN: Arjovsky et al. 2017, Algorithm 1; every weight of the critic is clipped.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
        clip: bound c of the critic's weights.
    """
    networks, limit = family(image_shape, dcgan_networks), ClipWeights(clip)
    norm = None if networks is mlp else lambda: dcgan_networks.batch_norm(limit)
    optimizers = {
        "generator_optimizer": RMSprop(learning_rate),
        "discriminator_optimizer": RMSprop(discriminator_learning_rate or learning_rate),
    }
    return GAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, bias=False, constraint=limit, norm=norm),
        objective=objective,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        **{"name": "wgan"} | optimizers | model,
    )


@register(extends=GAN, ranges=GAN_RANGES)
def wgan_gp(
    image_shape,
    *,
    latent_dim=128,
    width=64,
    objective=Wasserstein(),
    penalties=(GradientPenalty(10.0),),
    prior=Normal(),
    n_critic=5,
    learning_rate=1e-4,
    discriminator_learning_rate=None,
    beta_1=0.0,
    ema_decay=EMA_DECAY,
    **model,
):
    """Wasserstein GAN with gradient penalty: Gulrajani et al. 2017, Algorithm 1; no normalisation in the critic.

    Residual networks from 32 x 32 on, as the paper's for CIFAR-10 (width=128 there); DCGAN's below.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
    """
    networks = family(image_shape, resnet if image_shape[0] >= 32 else dcgan_networks)
    if networks is resnet:
        discriminator = resnet.discriminator(image_shape, width, bias=False, pool=ops.mean, rectifier=Rectifier)
    else:
        discriminator = networks.discriminator(image_shape, width, bias=False, norm=None, rectifier=Rectifier)
    return GAN(
        networks.generator(image_shape, latent_dim, width),
        discriminator,
        objective=objective,
        penalties=penalties,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        **{"name": "wgan_gp"} | adam(learning_rate, discriminator_learning_rate, beta_1, beta_2=0.9) | model,
    )


@register(extends=GAN, ranges=GAN_RANGES)
def dragan(
    image_shape,
    *,
    latent_dim=100,
    width=64,
    objective=NonSaturating(),
    penalties=(DRAGAN(10.0),),
    prior=Uniform(),
    learning_rate=1e-4,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """DRAGAN: Kodali et al. 2017, a slope of 1 around the data, on DCGAN's networks.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
    """
    networks = family(image_shape, dcgan_networks)
    return GAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, rectifier=Rectifier),
        objective=objective,
        penalties=penalties,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "dragan"} | adam(learning_rate, discriminator_learning_rate, beta_1, beta_2=0.9) | model,
    )


@register(extends=dcgan)
def hinge_gan(image_shape, *, objective=Hinge(), **numbers):
    """Geometric GAN: the hinge loss of Lim & Ye 2017, on DCGAN's networks with DCGAN's Adam.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
    """
    return dcgan(image_shape, **{"objective": objective, "name": "hinge_gan"} | numbers)


@register(extends=GAN, ranges=GAN_RANGES)
def sngan(
    image_shape,
    *,
    latent_dim=128,
    width=64,
    objective=Hinge(),
    prior=Normal(),
    n_critic=5,
    learning_rate=2e-4,
    discriminator_learning_rate=None,
    beta_1=0.0,
    ema_decay=EMA_DECAY,
    **model,
):
    """Spectrally normalised GAN: Miyato et al. 2018, the residual pair of Table 4 with the hinge loss.

    The paper's CIFAR-10 generator has 256 maps and its discriminator 128; `width` is both. Its generator sees 128
    latents an update and its discriminator 64 images; here both see one slice.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.resnet.SIZES`.
    """
    networks = family(image_shape, resnet)
    return GAN(
        networks.generator(image_shape, latent_dim, width),
        networks.discriminator(image_shape, width, wrap=SpectralNorm),
        objective=objective,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        **{"name": "sngan"} | adam(learning_rate, discriminator_learning_rate, beta_1, beta_2=0.9) | model,
    )
