"""A GAN of nothing but a relativistic loss and two gradient penalties."""

from keras.optimizers import Adam

from tfgan_zoo.conditions import Classes
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.networks import mlp
from tfgan_zoo.networks import r3gan as r3gan_networks
from tfgan_zoo.objectives import Relativistic
from tfgan_zoo.penalties import R1, R2
from tfgan_zoo.priors import Normal
from tfgan_zoo.registry import Search, register

_GAMMAS = {32: 0.05, 64: 2.0, 256: 150.0}  # side: the paper's first gamma, of CIFAR-10, FFHQ-64 and FFHQ-256
_RANGES = {"learning_rate": Search(wide=(5e-5, 5e-3, "log"), narrow=(2e-4, 2e-3, "log"))}


def flags(
    channel_max: int = 64,
    blocks: int = 1,
    group_size: int = 16,
    gamma: float = 0.05,
    every: int = 4,
    ema_decay: float = 0.998,
):
    """Keywords of a small one; both penalties have weight gamma and act every so many steps."""
    numbers = {"channel_max": channel_max, "blocks": blocks, "group_size": group_size, "ema_decay": ema_decay}
    return numbers | {"penalties": (R1(gamma, every=every), R2(gamma, every=every))}


@register(extends=GAN, ranges=_RANGES, flags=flags)
def r3gan(
    image_shape,
    *,
    latent_dim=64,
    width=32,
    channel_max=768,
    blocks=2,
    group_size=16,
    objective=Relativistic(),
    penalties=None,
    prior=Normal(),
    learning_rate=2e-4,
    discriminator_learning_rate=None,
    ema_decay=0.998,
    **model,
):
    """R3GAN: Huang et al. 2024, pairs of real and fake, R1 and R2 at every step, and no other trick.

    The paper's networks have width=768 at 32 x 32, 384 at 64 x 64 and 96 at 256 x 256. Its rate, gamma and average
    follow cosines over 20 million images; here they stand still at their first values. On a CPU a gradient of a
    gradient at every step is most of the time: give penalties=(R1(g, every=4), R2(g, every=4)), or the ones without,
    (ApproximateR1(g), ApproximateR2(g)).

    Args:
        image_shape: (height, width, channels), a size of `tfgan_zoo.networks.r3gan.SIZES`; or (2,) for points.
        width: channels of the largest maps; twice as many for each halving, up to `channel_max`.
        blocks: residual blocks of each size.
        group_size: channels of a group, 16 in the paper.
        penalties: None for R1 and R2 of the paper's gamma at the nearest size.
    """
    classes = getattr(model.get("condition"), "num_classes", None)
    if len(image_shape) == 1:
        generator = mlp.generator(image_shape, latent_dim, width, num_classes=classes)
        discriminator = mlp.discriminator(image_shape, width, num_classes=classes)
    else:
        sizes = {"blocks": blocks, "group_size": group_size, "num_classes": classes}
        generator = r3gan_networks.generator(image_shape, latent_dim, width, channel_max, **sizes)
        discriminator = r3gan_networks.discriminator(image_shape, width, channel_max, **sizes)
    if penalties is None:
        gamma = _GAMMAS[min(_GAMMAS, key=lambda side: abs(side - image_shape[0]))]
        penalties = (R1(gamma), R2(gamma))
    return GAN(
        generator,
        discriminator,
        objective=objective,
        penalties=penalties,
        prior=prior,
        ema_decay=ema_decay,
        generator_optimizer=Adam(learning_rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8),
        discriminator_optimizer=Adam(
            discriminator_learning_rate or learning_rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8
        ),
        **{"name": "r3gan"} | model,
    )


@register(extends=r3gan)
def conditional_r3gan(image_shape, *, num_classes=10, **numbers):
    """R3GAN told the class: Huang et al. 2024, an embedding beside G's latent and against D's features.

    Args:
        image_shape: as for `r3gan`.
        num_classes: labels are integers in [0, num_classes).
    """
    return r3gan(image_shape, **{"condition": Classes(num_classes), "name": "conditional_r3gan"} | numbers)
