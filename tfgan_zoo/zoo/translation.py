"""Image to image: from pairs, from two domains, by attributes."""

from keras.optimizers import Adam

from tfgan_zoo.conditions import Attributes, Classes
from tfgan_zoo.models.cyclegan import CycleGAN
from tfgan_zoo.models.pix2pix import Pix2Pix
from tfgan_zoo.models.stargan import StarGAN
from tfgan_zoo.networks import translation
from tfgan_zoo.objectives import LeastSquares, NonSaturating, Wasserstein
from tfgan_zoo.penalties import GradientPenalty
from tfgan_zoo.registry import Search, register
from tfgan_zoo.zoo.shared import adam

RANGES = {
    "learning_rate": Search(wide=(1e-5, 1e-2, "log"), narrow=(1e-4, 1e-3, "log")),
    "beta_1": Search(wide=(0.0, 0.9), narrow=0.5),
    "l1_weight": Search(wide=(1.0, 1e3, "log"), narrow=(10.0, 200.0, "log")),
    "cycle_weight": Search(wide=(1.0, 100.0, "log"), narrow=(5.0, 20.0, "log")),
    "identity_weight": Search(wide=[0.0, 0.1, 0.5], narrow=0.5),
    "reconstruction_weight": Search(wide=(1.0, 100.0, "log"), narrow=10.0),
}


@register(extends=Pix2Pix, ranges=RANGES)
def pix2pix(
    image_shape,
    *,
    source_channels=None,
    width=64,
    depth=None,
    dropout=0.5,
    objective=NonSaturating(),
    learning_rate=2e-4,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=0.0,
    **model,
):
    """pix2pix: Isola et al. 2017. A U-Net and a discriminator of patches, on pairs; one pair an update in the paper.

    Args:
        image_shape: (height, width, channels) of sources and images, sides 8 or more.
        source_channels: of the sources; None for as many as the images have.
        depth: halvings of the U-Net; None for as many as leave one pixel, but at most 8.
    """
    source_shape = (*image_shape[:-1], source_channels or image_shape[-1])
    return Pix2Pix(
        translation.unet(source_shape, image_shape[-1], width, depth=depth, dropout=dropout),
        translation.patches(image_shape, width, source_shape=source_shape),
        objective=objective,
        dropout=dropout,
        ema_decay=ema_decay,
        **{"name": "pix2pix"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )


@register(extends=CycleGAN, ranges=RANGES)
def cyclegan(
    image_shape,
    *,
    source_channels=None,
    width=64,
    blocks=None,
    objective=LeastSquares(),
    learning_rate=2e-4,
    beta_1=0.5,
    ema_decay=0.0,
    **model,
):
    """CycleGAN: Zhu et al. 2017. Two domains without pairs; one image of each an update in the paper.

    Args:
        image_shape: (height, width, channels), sides multiples of 4, 8 or more.
        source_channels: of domain A; None for as many as B has.
        blocks: of the generators; None for 9 from 256 pixels on, and 6 below, as in the paper.
    """
    source_shape = (*image_shape[:-1], source_channels or image_shape[-1])
    blocks = (9 if min(image_shape) >= 256 else 6) if blocks is None else blocks
    names = ("generator", "inverse", "discriminator", "inverse_discriminator")
    optimizers = {f"{name}_optimizer": Adam(learning_rate, beta_1=beta_1) for name in names}
    return CycleGAN(
        translation.resnet(source_shape, image_shape[-1], width, blocks),
        translation.resnet(image_shape, source_shape[-1], width, blocks),
        translation.patches(image_shape, width, affine=False),
        translation.patches(source_shape, width, affine=False),
        objective=objective,
        ema_decay=ema_decay,
        **{"name": "cyclegan"} | optimizers | model,
    )


@register(extends=StarGAN, ranges=RANGES | {"identity_weight": Search(wide=[0.0, 1.0, 10.0], narrow=10.0)})
def stargan(
    image_shape,
    *,
    num_classes=10,
    attribute_names=None,
    exclusive=(),
    width=64,
    blocks=6,
    objective=Wasserstein(),
    penalties=(GradientPenalty(10.0),),
    n_critic=5,
    learning_rate=1e-4,
    discriminator_learning_rate=None,
    beta_1=0.5,
    ema_decay=0.0,
    **model,
):
    """StarGAN: Choi et al. 2018. One generator that is told attributes, or a class; 16 images an update in the paper.

    Args:
        image_shape: (height, width, channels), sides multiples of 4, 8 or more.
        num_classes: of the labels, where there are no attributes.
        attribute_names: of the attributes that an image is told, in the order of their columns; None for classes.
        exclusive: groups of attributes of which an image has one.
    """
    condition = Classes(num_classes) if attribute_names is None else Attributes(attribute_names, exclusive)
    told = num_classes if attribute_names is None else len(condition.names)
    return StarGAN(
        translation.told(image_shape, width, blocks, told, classes=attribute_names is None),
        translation.domains(image_shape, width, told),
        condition=condition,
        objective=objective,
        penalties=penalties,
        n_critic=n_critic,
        ema_decay=ema_decay,
        **{"name": "stargan"} | adam(learning_rate, discriminator_learning_rate, beta_1) | model,
    )
