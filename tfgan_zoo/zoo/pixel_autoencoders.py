"""Autoencoders with a PixelCNN for a decoder."""

from keras.optimizers import Adam

from tfgan_zoo.models.autoencoder import latent_dim as checked
from tfgan_zoo.models.pixel_autoencoders import PixelGANAutoencoder, PixelVAE
from tfgan_zoo.networks import autoencoder as networks
from tfgan_zoo.networks import mlp
from tfgan_zoo.networks import pixelcnn as pixelcnn_networks
from tfgan_zoo.objectives import NonSaturating
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.autoencoders import RANGES
from tfgan_zoo.zoo.variational import usual_likelihood


@register(extends=PixelVAE, ranges=RANGES | {"depth": [1, 2, 4]})
def pixelvae(
    image_shape,
    *,
    latent_dim=16,
    width=16,
    depth=2,
    maps=16,
    everywhere=False,
    convolutional=True,
    likelihood=None,
    learning_rate=1e-3,
    **model,
):
    """PixelVAE: Gulrajani et al. 2017, one level of codes; the paper's for MNIST has 12 layers in its PixelCNN.

    Args:
        image_shape: (height, width, channels), sides of `networks.autoencoder.SIZES` if convolutional.
        latent_dim: coordinates of a code.
        width: channels after the encoder's first convolution (dense layers have 8 times as many units), and maps of
            each layer of the PixelCNN.
        depth: gated layers of the PixelCNN; it sees depth + 2 pixels to the left and above, the code says the rest.
        maps: numbers that the decoder makes of a code for each pixel.
        everywhere: whether they are the same for every pixel.
        convolutional: False for dense networks.
        likelihood: of a value; None for what `vae` has.
    """
    likelihood = usual_likelihood(image_shape) if likelihood is None else likelihood
    given = (image_shape, 2, latent_dim, width, depth, maps, everywhere, convolutional, likelihood)
    optimizers = {f"{name}_optimizer": Adam(learning_rate) for name in ("encoder", "decoder", "pixelcnn")}
    return PixelVAE(*_networks(*given), likelihood=likelihood, **{"name": "pixelvae"} | optimizers | model)


@register(extends=PixelGANAutoencoder, ranges=RANGES | {"depth": [1, 2, 4], "adversarial_weight": (1.0, 100.0, "log")})
def pixelgan_autoencoder(
    image_shape,
    *,
    latent_dim=8,
    width=16,
    depth=2,
    maps=16,
    everywhere=False,
    convolutional=True,
    likelihood=None,
    objective=NonSaturating(),
    adversarial_weight=10.0,
    learning_rate=1e-3,
    **model,
):
    """PixelGAN autoencoder: Makhzani & Frey 2017, an adversarial autoencoder whose decoder is a PixelCNN.

    Args:
        image_shape, width, depth, maps, everywhere, convolutional, likelihood: as for `pixelvae`; the discriminator of
            codes has two layers of 8 * width units.
        latent_dim: coordinates of a code.
        objective: of the game over codes.
    """
    likelihood = usual_likelihood(image_shape) if likelihood is None else likelihood
    given = (image_shape, 1, latent_dim, width, depth, maps, everywhere, convolutional, likelihood)
    optimizers = {f"{name}_optimizer": Adam(learning_rate) for name in ("encoder", "decoder", "pixelcnn")}
    optimizers["discriminator_optimizer"] = Adam(learning_rate, beta_1=0.5)
    return PixelGANAutoencoder(
        *_networks(*given),
        mlp.discriminator((latent_dim,), 8 * width, 2),
        likelihood=likelihood,
        objective=objective,
        adversarial_weight=adversarial_weight,
        **{"name": "pixelgan_autoencoder"} | optimizers | model,
    )


def _networks(image_shape, numbers_of_code, latent_dim, width, depth, maps, everywhere, convolutional, likelihood):
    """Encoder, decoder and PixelCNN."""
    if len(image_shape) != 3:
        raise ValueError(f"image_shape={tuple(image_shape)}: a PixelCNN orders pixels; for points take 'vae'.")
    outputs, told = numbers_of_code * checked(latent_dim), (maps,) if everywhere else (*image_shape[:2], maps)
    if convolutional:
        encoder = networks.conv_encoder(image_shape, outputs, width)
    else:
        encoder = networks.dense_encoder(image_shape, outputs, 8 * width)
    if convolutional and not everywhere:
        decoder = networks.conv_decoder(told, latent_dim, width)
    else:
        decoder = networks.dense_decoder(told, latent_dim, 8 * width)
    pixelcnn = pixelcnn_networks.gated(image_shape, likelihood.channels(1), width, depth, told=told)
    return encoder, decoder, pixelcnn
