"""Autoencoders: images through a code and back."""

from keras.optimizers import Adam

from tfgan_zoo.augmentations import InstanceNoise
from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.models.autoencoder import Autoencoder
from tfgan_zoo.models.autoencoder import latent_dim as checked
from tfgan_zoo.networks import autoencoder as networks
from tfgan_zoo.registry import Search, register

RANGES = {
    "learning_rate": Search(wide=(1e-5, 1e-2, "log"), narrow=(3e-4, 3e-3, "log")),
    "latent_dim": Search(wide=(2, 128, "log"), narrow=(8, 64, "log")),
    "beta": Search(wide=(0.1, 100.0, "log"), narrow=(0.5, 4.0, "log")),
}


@register(extends=Autoencoder, ranges=RANGES)
def autoencoder(
    image_shape,
    *,
    latent_dim=32,
    width=32,
    depth=2,
    convolutional=True,
    likelihood=Gaussian(1.0),
    learning_rate=1e-3,
    **model,
):
    """Autoencoder with a squared error: Hinton & Salakhutdinov 2006, trained from scratch by Adam.

    Args:
        image_shape: (height, width, channels), sides of `networks.autoencoder.SIZES` if convolutional; or (2,).
        width: channels after the first convolution; dense layers have 8 times as many units.
        depth: hidden layers of dense networks; 0 with convolutional=False is principal component analysis.
        convolutional: False for dense networks, which points always have.
    """
    encoder, decoder = pair(image_shape, checked(latent_dim), width, depth, convolutional, likelihood)
    optimizers = {"encoder_optimizer": Adam(learning_rate), "decoder_optimizer": Adam(learning_rate)}
    return Autoencoder(encoder, decoder, likelihood=likelihood, **{"name": "autoencoder"} | optimizers | model)


@register(extends=autoencoder)
def denoising_autoencoder(image_shape, *, corruption=(InstanceNoise(0.5, steps=None),), **numbers):
    """Denoising autoencoder: Vincent et al. 2010; noisy images go in, the clean ones are to come out.

    The noise is normal, of a quarter of the images' range; `Masking(0.25)` is the paper's other one.

    Args:
        image_shape: as for `autoencoder`.
    """
    return autoencoder(image_shape, **{"corruption": corruption, "name": "denoising_autoencoder"} | numbers)


def pair(
    image_shape,
    latent_dim,
    width,
    depth,
    convolutional,
    likelihood,
    numbers_of_code=1,
    num_classes=None,
    activation="relu",
):
    """Encoder and decoder of the zoo's autoencoders.

    Args:
        image_shape, width, depth, convolutional: as for `autoencoder`.
        latent_dim: coordinates of a code.
        likelihood: whose parameters the decoder gives.
        numbers_of_code: that the encoder gives for each of them.
        num_classes: of the labels that both read; None for none.
        activation: of hidden dense layers.
    """
    made = (*image_shape[:-1], likelihood.channels(image_shape[-1]))
    outputs, told = numbers_of_code * latent_dim, {"num_classes": num_classes}
    if convolutional and len(image_shape) == 3:
        return (
            networks.conv_encoder(image_shape, outputs, width, **told),
            networks.conv_decoder(made, latent_dim, width, **told),
        )
    return (
        networks.dense_encoder(image_shape, outputs, 8 * width, depth, activation=activation, **told),
        networks.dense_decoder(made, latent_dim, 8 * width, depth, activation=activation, **told),
    )
