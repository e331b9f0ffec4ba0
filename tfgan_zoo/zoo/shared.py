"""What the zoo's functions have in common: which networks points get, and how rates become optimizers."""

from keras.optimizers import Adam

from tfgan_zoo.networks import mlp

EMA_DECAY = 0.99  # see the zoo's own page


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
