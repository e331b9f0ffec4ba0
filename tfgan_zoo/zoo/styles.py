"""From the GAN that grows to those whose generator is a mapping to styles and a synthesis from styles."""

from keras.optimizers import Adam

from tfgan_zoo.augmentations import ADA
from tfgan_zoo.conditions import Classes
from tfgan_zoo.models.growing import GrowingStyleGAN, ProgressiveGAN
from tfgan_zoo.models.style import StyleGAN
from tfgan_zoo.networks import growing
from tfgan_zoo.networks import stylegan2 as stylegan2_networks
from tfgan_zoo.objectives import NonSaturating, Wasserstein
from tfgan_zoo.penalties import R1, GradientPenalty, PathLength
from tfgan_zoo.priors import Normal
from tfgan_zoo.registry import Search, register
from tfgan_zoo.zoo.shared import GAN_RANGES

STYLE_RANGES = {
    "learning_rate": Search(wide=(2e-4, 1e-2, "log"), narrow=(1e-3, 5e-3, "log")),
    "style_mixing": Search(wide=[0.0, 0.5, 0.9], narrow=[0.0, 0.9]),
}


@register(extends=ProgressiveGAN, ranges=GAN_RANGES)
def progressive_gan(
    image_shape,
    *,
    latent_dim=128,
    width=16,
    channel_max=512,
    phase_steps=2000,
    group_size=4,
    objective=Wasserstein(drift=1e-3),
    penalties=(GradientPenalty(10.0),),
    prior=Normal(),
    learning_rate=1e-3,
    discriminator_learning_rate=None,
    ema_decay=0.999,
    **model,
):
    """Progressive growing of GANs: Karras et al. 2018, Table 2, WGAN-GP with one update of each network.

    The paper's networks at 1024 x 1024 are width=16, latent_dim=512. It shows 800,000 images in each phase, and begins
    Adam anew with each size; here its moments stay. With phase_steps=0 all sizes are trained at once.

    Args:
        image_shape: (height, width, channels), a size of `tfgan_zoo.networks.growing.SIZES`.
        width: channels of the largest maps; twice as many for each halving, up to `channel_max`.
        phase_steps: steps in which a size fades in, and as many in which it is there alone.
        group_size: images whose deviation D compares; 1 for none.
    """
    return ProgressiveGAN(
        growing.generator(image_shape, latent_dim, width, channel_max),
        growing.discriminator(image_shape, width, channel_max, group_size=group_size),
        phase_steps=phase_steps,
        objective=objective,
        penalties=penalties,
        prior=prior,
        ema_decay=ema_decay,
        generator_optimizer=lazy_adam(learning_rate, 1),
        discriminator_optimizer=lazy_adam(discriminator_learning_rate or learning_rate, 1),
        **{"name": "progressive_gan"} | model,
    )


@register(extends=GrowingStyleGAN, ranges=STYLE_RANGES)
def stylegan(
    image_shape,
    *,
    latent_dim=128,
    style_dim=128,
    depth=8,
    width=16,
    channel_max=512,
    phase_steps=2000,
    group_size=4,
    objective=NonSaturating(),
    penalties=None,
    style_mixing=0.9,
    prior=Normal(),
    learning_rate=1e-3,
    discriminator_learning_rate=None,
    ema_decay=0.998,
    **model,
):
    """StyleGAN: Karras et al. 2019, a mapping, noise and adaptive instance norm on the networks that grow.

    The paper's networks at 1024 x 1024 are width=16, latent_dim=512, style_dim=512; it begins at 8 x 8.

    Args:
        image_shape: (height, width, channels), a size of `tfgan_zoo.networks.growing.SIZES`.
        style_dim: coordinates of a style.
        depth: dense layers of the mapping.
        width, phase_steps, group_size: as for `progressive_gan`.
        penalties: of D; None for R1 with gamma = 1e-5 a pixel: 10 at 1024 x 1024.
    """
    mapping = stylegan2_networks.mapping(latent_dim, style_dim, depth)
    synthesis = growing.synthesis(image_shape, style_dim, width, channel_max)
    return GrowingStyleGAN(
        stylegan2_networks.generator(mapping, synthesis),
        growing.discriminator(image_shape, width, channel_max, blur=True, group_size=group_size),
        phase_steps=phase_steps,
        objective=objective,
        penalties=(R1(1e-5 * image_shape[0] * image_shape[1]),) if penalties is None else penalties,
        style_mixing=style_mixing,
        prior=prior,
        ema_decay=ema_decay,
        generator_optimizer=lazy_adam(learning_rate, 1),
        discriminator_optimizer=lazy_adam(discriminator_learning_rate or learning_rate, 1),
        **{"name": "stylegan"} | model,
    )


def flags_of_stylegan2(channel_max: int = 64, gamma: float | None = None, ema_decay: float = 0.998):
    """Keywords of a small one: channels of the smallest maps, R1's weight (None: by the size), the average's decay."""
    given = {"channel_max": channel_max, "ema_decay": ema_decay}
    return given if gamma is None else given | {"penalties": (R1(gamma, every=16),)}


@register(flags=flags_of_stylegan2, extends=StyleGAN, ranges=STYLE_RANGES)
def stylegan2(
    image_shape,
    *,
    latent_dim=128,
    style_dim=128,
    depth=8,
    width=32,
    channel_max=512,
    residual=True,
    group_size=4,
    objective=NonSaturating(),
    penalties=None,
    path_length=PathLength(),
    style_mixing=0.9,
    prior=Normal(),
    learning_rate=2e-3,
    discriminator_learning_rate=None,
    ema_decay=0.998,
    **model,
):
    """StyleGAN2: Karras et al. 2020, configuration E/F in small: skips in G, a residual D, path length, lazy R1.

    The paper's F at 1024 x 1024 is width=32, latent_dim=512, style_dim=512; at 256 x 256 width=128. Adam's numbers are
    the paper's after App. B: with a penalty every k updates the rate is times c = k / (k + 1), and beta_2 to the power
    of c. Here penalties join the update of their step instead of taking one of their own.

    Args:
        image_shape: (height, width, channels), a size of `tfgan_zoo.networks.stylegan2.SIZES`.
        style_dim: coordinates of a style.
        depth: dense layers of the mapping.
        width: channels of the largest maps; twice as many for each halving, up to `channel_max`.
        residual: whether D has skips; the authors' network for CIFAR-10 has none.
        group_size: images whose deviation D compares; 1 for none.
        penalties: of D; None for R1 every 16 updates with gamma = 1e-5 a pixel: 10 at 1024 x 1024, 0.01 at 32 x 32.
        ema_decay: a half-life of 20,000 images at a batch of 64.
    """
    classes = getattr(model.get("condition"), "num_classes", None)
    mapping = stylegan2_networks.mapping(latent_dim, style_dim, depth, num_classes=classes)
    synthesis = stylegan2_networks.synthesis(image_shape, style_dim, width, channel_max)
    penalties = (R1(1e-5 * image_shape[0] * image_shape[1], every=16),) if penalties is None else penalties
    every = max([getattr(one, "every", 1) for one in penalties], default=1)
    return StyleGAN(
        stylegan2_networks.generator(mapping, synthesis),
        stylegan2_networks.discriminator(
            image_shape, width, channel_max, num_classes=classes, depth=depth, residual=residual, group_size=group_size
        ),
        objective=objective,
        penalties=penalties,
        path_length=path_length,
        style_mixing=style_mixing,
        prior=prior,
        ema_decay=ema_decay,
        generator_optimizer=lazy_adam(learning_rate, path_length.every if path_length else 1),
        discriminator_optimizer=lazy_adam(discriminator_learning_rate or learning_rate, every),
        **{"name": "stylegan2"} | model,
    )


def lazy_adam(learning_rate, every):
    """Adam (0, 0.99) beside a penalty every so many updates, by Karras et al. 2020, App. B."""
    share = every / (every + 1) if every > 1 else 1.0
    return Adam(learning_rate * share, beta_1=0.0, beta_2=0.99**share, epsilon=1e-8)


def flags_of_ada(
    channel_max: int = 64,
    gamma: float | None = None,
    style_mixing: float = 0.9,
    path_length: bool = True,
    target: float = 0.6,
    kimg: float = 100.0,
    ema_decay: float = 0.998,
):
    """Keywords of a small one.

    Channels of the smallest maps; R1's weight (None: by the size); the share of images with two latents' styles, and
    the path length penalty (for scores the paper has neither on CIFAR-10); r's target, and thousands of images in which
    p may rise from 0 to 1; the average's decay.
    """
    given = flags_of_stylegan2(channel_max, gamma, ema_decay) | {"style_mixing": style_mixing}
    given |= {"augmentations": (ADA(target=target, kimg=kimg),)}
    return given if path_length else given | {"path_length": None}


@register(extends=stylegan2, flags=flags_of_ada)
def stylegan2_ada(image_shape, *, depth=2, augmentations=(ADA(),), learning_rate=2.5e-3, **numbers):
    """StyleGAN2 with adaptive augmentation: Karras et al. 2020 (NeurIPS), for few images; their "auto" numbers.

    Their network for CIFAR-10 is residual=False, path_length=None, style_mixing=0.0 and width=512.

    Args:
        image_shape: as for `stylegan2`.
    """
    own = {"depth": depth, "augmentations": augmentations, "learning_rate": learning_rate, "name": "stylegan2_ada"}
    return stylegan2(image_shape, **own | numbers)


@register(extends=stylegan2_ada)
def conditional_stylegan2_ada(image_shape, *, num_classes=10, **numbers):
    """StyleGAN2 with adaptive augmentation, told the class: Karras et al. 2020 (NeurIPS), App. D.1.

    Args:
        image_shape: as for `stylegan2`.
        num_classes: labels are integers in [0, num_classes).
    """
    own = {"condition": Classes(num_classes), "name": "conditional_stylegan2_ada"}
    return stylegan2_ada(image_shape, **own | numbers)
