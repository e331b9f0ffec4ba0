"""Variational autoencoders."""

from keras.optimizers import Adam

from tfgan_zoo.conditions import Classes
from tfgan_zoo.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian
from tfgan_zoo.models.autoencoder import latent_dim as checked
from tfgan_zoo.models.variational import IWAE, VAE
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.autoencoders import RANGES, pair


@register(extends=VAE, ranges=RANGES)
def vae(
    image_shape,
    *,
    latent_dim=40,
    width=25,
    depth=2,
    convolutional=False,
    likelihood=None,
    activation="relu",
    learning_rate=1e-3,
    **model,
):
    """Variational autoencoder: Kingma & Welling 2014, on dense networks, 784-200-200-z as in Burda et al. 2016.

    Args:
        image_shape: (height, width, channels), or (2,) for points; sides of `networks.autoencoder.SIZES` if
            convolutional.
        width, depth, convolutional: as for `autoencoder`; dense layers have 8 times as many units as `width`.
        likelihood: None for `Bernoulli()` of grey images, which are binarised anew at every visit,
            `DiscretizedLogistic()` of coloured ones, and `Gaussian()` of points.
        activation: of hidden dense layers; "glu" for the gated ones of Tomczak & Welling 2018.
    """
    given = (image_shape, latent_dim, width, depth, convolutional, likelihood, learning_rate)
    parts = _parts(*given, activation=activation)
    return VAE(**{"name": "vae"} | parts | model)


@register(extends=vae)
def beta_vae(image_shape, *, beta=4.0, **numbers):
    """beta-VAE: Higgins et al. 2017; a KL that weighs more, so that each unit has to pay for what it says.

    Args:
        image_shape: as for `vae`.
        beta: weight of the KL, for sums over pixels and units; 1 is `vae`.
    """
    return vae(image_shape, **{"beta": beta, "name": "beta_vae"} | numbers)


@register(extends=VAE, ranges=RANGES)
def conditional_vae(
    image_shape,
    *,
    num_classes=10,
    latent_dim=40,
    width=25,
    depth=2,
    convolutional=False,
    likelihood=None,
    learning_rate=1e-3,
    **model,
):
    """Conditional VAE: Sohn et al. 2015, Sec. 4; encoder and decoder are told the class, so that codes need not say it.

    The prior of codes is the same for all classes, as in Kingma et al. 2014 (M2).

    Args:
        image_shape, width, depth, convolutional, likelihood: as for `vae`.
        num_classes: of the labels.
    """
    condition = Classes(num_classes)
    parts = _parts(image_shape, latent_dim, width, depth, convolutional, likelihood, learning_rate, num_classes)
    return VAE(condition=condition, **{"name": "conditional_vae"} | parts | model)


@register(extends=IWAE, ranges=RANGES)
def iwae(
    image_shape,
    *,
    latent_dim=40,
    width=25,
    depth=2,
    convolutional=False,
    likelihood=None,
    k=50,
    activation="relu",
    learning_rate=1e-3,
    **model,
):
    """Importance weighted autoencoder: Burda et al. 2016, the networks of `vae` and k samples in the bound.

    Args:
        image_shape, width, depth, convolutional, likelihood, activation: as for `vae`.
        k: samples of an image's code in a step.
    """
    given = (image_shape, latent_dim, width, depth, convolutional, likelihood, learning_rate)
    parts = _parts(*given, activation=activation)
    return IWAE(k=k, **{"name": "iwae"} | parts | model)


def usual_likelihood(image_shape):
    """What a VAE says of images where nobody chooses."""
    if len(image_shape) == 1:
        return Gaussian()
    return Bernoulli() if image_shape[-1] == 1 else DiscretizedLogistic()


def _parts(
    image_shape, latent_dim, width, depth, convolutional, likelihood, learning_rate, num_classes=None, activation="relu"
):
    likelihood = usual_likelihood(image_shape) if likelihood is None else likelihood
    given = (image_shape, checked(latent_dim), width, depth, convolutional, likelihood)
    networks = pair(*given, 2, num_classes, activation)
    optimizers = {"encoder_optimizer": Adam(learning_rate), "decoder_optimizer": Adam(learning_rate)}
    return dict(zip(("encoder", "decoder"), networks, strict=True)) | {"likelihood": likelihood} | optimizers
