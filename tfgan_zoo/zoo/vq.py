"""Autoencoders whose codes are integers."""

import math

from keras.optimizers import Adam

from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.models.vq import FSQVAE, VQVAE
from tfgan_zoo.networks import vq as networks
from tfgan_zoo.networks.pixelcnn import gated
from tfgan_zoo.registry import Search, register

RANGES = {
    "learning_rate": Search(wide=(1e-5, 1e-2, "log"), narrow=(1e-4, 1e-3, "log")),
    "num_embeddings": Search(wide=(16, 1024, "log"), narrow=(64, 512, "log")),
    "commitment_cost": Search(wide=(0.1, 2.0, "log"), narrow=0.25),
}


@register(extends=VQVAE, ranges=RANGES)
def vq_vae(
    image_shape,
    *,
    num_embeddings=512,
    embedding_dim=64,
    levels=None,
    width=64,
    prior_width=32,
    prior_depth=5,
    likelihood=Gaussian(0.1),
    learning_rate=2e-4,
    prior_learning_rate=1e-3,
    **model,
):
    """VQ-VAE: van den Oord et al. 2017, Sec. 4.1, with averages instead of a loss for the codebook (App. A.1).

    The paper has 256 channels and 512 codes of 64 coordinates. Its squared error is divided by the variance of the
    data; here it is a normal's whose sigma is a twentieth of the images' range. The paper's prior is a PixelCNN that is
    trained afterwards; here it learns beside the autoencoder.

    Args:
        image_shape: (height, width, channels), sides that 4 divides; or (2,) for points.
        num_embeddings, embedding_dim: codes in the book, and their coordinates.
        levels: such as (8, 6, 5), for finite scalar quantisation (Mentzer et al. 2024) in place of a book that is
            learned: of each coordinate of the codes, which are all their combinations.
        width: channels of hidden layers.
        prior_width, prior_depth: maps and layers of the prior of codes, a PixelCNN; width 0 for none, as points have.
        likelihood: whose parameters the decoder gives; its sigma weighs the error against the commitment.
    """
    if levels is not None:
        num_embeddings, embedding_dim = math.prod(levels), len(levels)
    made = (*image_shape[:-1], likelihood.channels(image_shape[-1]))
    rates = {"encoder_optimizer": Adam(learning_rate), "decoder_optimizer": Adam(learning_rate)}
    prior = None
    if prior_width and len(image_shape) == 3:
        grid = (*networks.grid(image_shape), 1)
        prior = gated(grid, num_embeddings, prior_width, prior_depth, levels=num_embeddings)
        rates["code_prior_optimizer"] = Adam(prior_learning_rate)
    family, kind = (VQVAE, {"num_embeddings": num_embeddings}) if levels is None else (FSQVAE, {"levels": levels})
    return family(
        networks.encoder(image_shape, embedding_dim, width),
        networks.decoder(made, embedding_dim, width),
        likelihood=likelihood,
        code_prior=prior,
        **kind,
        **{"name": "vq_vae"} | rates | model,
    )
