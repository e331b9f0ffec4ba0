"""Autoencoders with an adversary."""

from keras.optimizers import Adam

from tfgan_zoo.conditions import Classes
from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.models.adversarial_autoencoder import VAEGAN, AdversarialAutoencoder
from tfgan_zoo.models.autoencoder import latent_dim as checked
from tfgan_zoo.models.semi_supervised import SemiSupervisedAutoencoder
from tfgan_zoo.networks import autoencoder as networks
from tfgan_zoo.networks import dcgan, heads, mlp
from tfgan_zoo.objectives import NonSaturating
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.autoencoders import RANGES, pair
from tfgan_zoo.zoo.shared import family


@register(extends=AdversarialAutoencoder, ranges=RANGES)
def adversarial_autoencoder(
    image_shape,
    *,
    latent_dim=8,
    width=64,
    depth=2,
    convolutional=False,
    likelihood=Gaussian(1.0),
    objective=NonSaturating(),
    learning_rate=2e-4,
    beta_1=0.5,
    **model,
):
    """Adversarial autoencoder: Makhzani et al. 2016, dense; the paper has 1,000 units in two layers and a code of 8.

    Args:
        image_shape: as for `autoencoder`.
        width, depth, convolutional: as for `autoencoder`; the discriminator of codes is as wide and as deep.
    """
    encoder, decoder = pair(image_shape, checked(latent_dim), width, depth, convolutional, likelihood)
    names = ("encoder_optimizer", "decoder_optimizer", "discriminator_optimizer")
    return AdversarialAutoencoder(
        encoder,
        decoder,
        mlp.discriminator((latent_dim,), 8 * width, depth),
        likelihood=likelihood,
        objective=objective,
        **{"name": "adversarial_autoencoder"} | {name: Adam(learning_rate, beta_1=beta_1) for name in names} | model,
    )


@register(extends=SemiSupervisedAutoencoder, ranges=RANGES)
def semi_supervised_autoencoder(
    image_shape,
    *,
    num_classes=10,
    style_dim=4,
    width=64,
    depth=2,
    convolutional=False,
    likelihood=Gaussian(1.0),
    objective=NonSaturating(),
    class_weight=10.0,
    adversarial_weight=10.0,
    learning_rate=1e-3,
    beta_1=0.5,
    **model,
):
    """Semi-supervised adversarial autoencoder: Makhzani et al. 2016, Sec. 5; a class from few labels, and a style.

    Args:
        image_shape: as for `autoencoder`.
        num_classes: of the labels; -1 is that of an image without.
        style_dim: coordinates of a style; with many of them it tells the class too, and the code of the class is idle.
        width, depth, convolutional: as for `autoencoder`; both discriminators are as wide and as deep. The paper has
            1,000 units in two layers.
        class_weight, adversarial_weight: beside a reconstruction's nats, which are a sum over pixels; the paper's
            phases have a rate each instead.
    """
    latent_dim = checked(style_dim) + Classes(num_classes).num_classes
    encoder, decoder = pair(image_shape, latent_dim, width, depth, convolutional, likelihood)
    players = ("encoder", "decoder", "discriminator", "class_discriminator")
    adam = {f"{name}_optimizer": Adam(learning_rate, beta_1=beta_1) for name in players}
    return SemiSupervisedAutoencoder(
        encoder,
        decoder,
        mlp.discriminator((style_dim,), 8 * width, depth),
        mlp.discriminator((num_classes,), 8 * width, depth),
        num_classes=num_classes,
        likelihood=likelihood,
        objective=objective,
        class_weight=class_weight,
        adversarial_weight=adversarial_weight,
        **{"name": "semi_supervised_autoencoder"} | adam | model,
    )


@register(extends=VAEGAN, ranges=RANGES)
def vae_gan(
    image_shape,
    *,
    latent_dim=64,
    width=32,
    objective=NonSaturating(),
    gamma=1e-3,
    learning_rate=2e-4,
    beta_1=0.5,
    **model,
):
    """VAE/GAN: Larsen et al. 2016, on DCGAN's generator and discriminator and the zoo's convolutional encoder.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`; or (2,) for points.
        gamma: weight of the features' error for the decoder, for a sum over features.
    """
    pairs = family(image_shape, dcgan)
    encoder = networks.dense_encoder(image_shape, 2 * checked(latent_dim), 8 * width)
    if len(image_shape) == 3:
        encoder = networks.conv_encoder(image_shape, 2 * latent_dim, width)
    names = ("encoder_optimizer", "decoder_optimizer", "discriminator_optimizer")
    return VAEGAN(
        encoder,
        pairs.generator(image_shape, latent_dim, width),
        heads.discriminator(pairs.body(image_shape, width), features=heads.features),
        objective=objective,
        likelihood=Gaussian(1.0),
        gamma=gamma,
        **{"name": "vae_gan"} | {name: Adam(learning_rate, beta_1=beta_1) for name in names} | model,
    )
