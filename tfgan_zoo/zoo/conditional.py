"""GANs that know classes or codes."""

from keras import layers

from tfgan_zoo.layers import SpectralNorm
from tfgan_zoo.models.conditional import ACGAN, ConditionalGAN, InfoGAN
from tfgan_zoo.models.semi_supervised import SemiSupervisedGAN
from tfgan_zoo.networks import dcgan as dcgan_networks
from tfgan_zoo.networks import heads, improved, resnet
from tfgan_zoo.objectives import FeatureMatching, Hinge, NonSaturating
from tfgan_zoo.priors import Codes, Normal, Uniform
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.shared import EMA_DECAY, GAN_RANGES, adam, family


@register(extends=ConditionalGAN, ranges=GAN_RANGES)
def cgan(
    image_shape,
    *,
    num_classes=10,
    label_dim=None,
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
    """Conditional GAN: Mirza & Osindero 2014, labels beside latents and beside images.

    The paper's networks are dense and trained with SGD; these are DCGAN's, with its Adam.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`; or (2,) for points.
        label_dim: coordinates of a learned embedding of the label in each network; None for one-hot, as in the paper.
    """
    networks = family(image_shape, dcgan_networks)
    labels = {"num_classes": num_classes, "label_dim": label_dim}
    return ConditionalGAN(
        networks.generator(image_shape, latent_dim, width, **labels),
        networks.discriminator(image_shape, width, **labels),
        num_classes=num_classes,
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "cgan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=ACGAN, ranges=GAN_RANGES)
def acgan(
    image_shape,
    *,
    num_classes=10,
    label_dim=None,
    latent_dim=110,
    width=64,
    objective=NonSaturating(),
    prior=Normal(),
    learning_rate=2e-4,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """Auxiliary classifier GAN: Odena et al. 2017, whose discriminator names the class, on DCGAN's networks.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`; or (2,) for points.
        label_dim: coordinates of a learned embedding of the label in G; None for one-hot.
    """
    networks = family(image_shape, dcgan_networks)
    classes = layers.Dense(num_classes, name="classes", dtype="float32")
    return ACGAN(
        networks.generator(image_shape, latent_dim, width, num_classes=num_classes, label_dim=label_dim),
        heads.discriminator(networks.body(image_shape, width), classes=classes),
        num_classes=num_classes,
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "acgan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=ConditionalGAN, ranges=GAN_RANGES)
def projection_gan(
    image_shape,
    *,
    num_classes=10,
    label_dim=None,
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
    """cGANs with projection discriminator: Miyato & Koyama 2018, on SNGAN's residual pair.

    The paper's generator is told the class by conditional batch normalisation; here it is beside the latents.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.resnet.SIZES`; or (2,) for points.
        label_dim: coordinates of a learned embedding of the label in G; None for one-hot.
    """
    networks = family(image_shape, resnet)
    return ConditionalGAN(
        networks.generator(image_shape, latent_dim, width, num_classes=num_classes, label_dim=label_dim),
        heads.projection(networks.body(image_shape, width, wrap=SpectralNorm), num_classes, wrap=SpectralNorm),
        num_classes=num_classes,
        objective=objective,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        **{"name": "projection_gan"} | adam(learning_rate, discriminator_learning_rate, beta_1, beta_2=0.9) | model,
    )


@register(extends=InfoGAN, ranges=GAN_RANGES)
def infogan(
    image_shape,
    *,
    latent_dim=74,
    width=64,
    objective=NonSaturating(),
    prior=Codes(categorical=(10,), continuous=2),
    categorical_weight=1.0,
    continuous_weight=0.1,
    learning_rate=1e-3,
    discriminator_learning_rate=2e-4,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """InfoGAN: Chen et al. 2016, App. C.1 (MNIST): 62 numbers of noise, ten categories, two continuous codes.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`; or (2,) for points.
        latent_dim: noise and codes together.
        prior: the codes.
    """
    networks = family(image_shape, dcgan_networks)
    return InfoGAN(
        networks.generator(image_shape, latent_dim, width),
        heads.discriminator(networks.body(image_shape, width), codes=lambda features: _codes(features, prior.code_dim)),
        objective=objective,
        prior=prior,
        categorical_weight=categorical_weight,
        continuous_weight=continuous_weight,
        ema_decay=ema_decay,
        **{"name": "infogan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


def _codes(features, code_dim):
    """Q: one hidden layer of its own on D's body."""
    x = layers.Dense(128, use_bias=False)(features)
    x = layers.LeakyReLU(0.1)(layers.BatchNormalization(momentum=0.9)(x))
    return layers.Dense(code_dim, name="codes", dtype="float32")(x)


@register(extends=SemiSupervisedGAN, ranges=GAN_RANGES)
def improved_gan(
    image_shape,
    *,
    num_classes=10,
    latent_dim=100,
    width=1000,
    objective=FeatureMatching(NonSaturating()),
    prior=Uniform(),
    learning_rate=3e-3,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=EMA_DECAY,
    **model,
):
    """Improved techniques for training GANs: Salimans et al. 2016, Sec. 3.1 and 5, the dense networks for MNIST.

    A classifier that learns from few labels; the generator matches features. Labels of -1 are unknown.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        width: units of D's first layer; the others have a half and thrice a quarter. G's two layers have a half.
    """
    return SemiSupervisedGAN(
        improved.generator(image_shape, latent_dim, max(1, width // 2)),
        heads.classifier(improved.body(image_shape, width), num_classes),
        num_classes=num_classes,
        objective=objective,
        prior=prior,
        ema_decay=ema_decay,
        **{"name": "improved_gan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )
