"""What the zoo's functions have in common: points' networks, how rates become optimizers, what a tuner may search."""

from keras.optimizers import Adam

from tfgan_zoo.networks import mlp
from tfgan_zoo.registry import Search

EMA_DECAY = 0.99  # see the zoo's own page

# Lucic et al. 2018, "Are GANs Created Equal?", by its code, compare_gan v1: the wide ranges of its first search and the
# narrow ones of its second. Its discriminators' batch normalisation, on or off, is no keyword here. Where its ranges
# touch a value with which nothing can be learned (beta_1 = 1, gamma = 0), they end beside it.
GAN_RANGES = {
    "learning_rate": Search(wide=(1e-5, 1e-2, "log"), narrow=(1e-4, 1e-3, "log")),
    "beta_1": Search(wide=(0.0, 0.999), narrow=0.5),
    "n_critic": Search(wide=[1, 5], narrow=1),
    "clip": Search(wide=(1e-3, 1.0, "log"), narrow=(1e-2, 1.0, "log")),
    "penalties.weight": Search(wide=(1e-1, 1e2, "log"), narrow=(1e-1, 1e1, "log")),
    "objective.rate": Search(wide=(1e-4, 1e-2, "log"), narrow=1e-3),
    "objective.gamma": Search(wide=(0.01, 1.0), narrow=(0.6, 0.9)),
}


def family(image_shape, of_images):
    """Dense networks for points; otherwise the family that is given."""
    return mlp if len(image_shape) == 1 else of_images


def adam(learning_rate, discriminator_learning_rate, beta_1, beta_2=0.999):
    """Two Adams, as a model's keywords; the discriminator's rate is the generator's unless it has its own."""
    rate = discriminator_learning_rate or learning_rate
    return {
        "generator_optimizer": Adam(learning_rate, beta_1=beta_1, beta_2=beta_2),
        "discriminator_optimizer": Adam(rate, beta_1=beta_1, beta_2=beta_2),
    }
