"""Diffusion models and flow matching."""

import keras
from keras.optimizers import Adam

from tfgan_zoo.conditions import Classes
from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.models.classifier_guidance import ClassifierGuided
from tfgan_zoo.models.consistency import Consistency
from tfgan_zoo.models.diffusion import Diffusion
from tfgan_zoo.models.flow_matching import FlowMatching
from tfgan_zoo.models.latent_diffusion import LatentDiffusion
from tfgan_zoo.networks import unet, vq
from tfgan_zoo.registry import Search, register
from tfgan_zoo.samplers import Sampling
from tfgan_zoo.schedules import Cosine, Epsilon, Linear, Preconditioned

RANGES = {
    "learning_rate": Search(wide=(1e-5, 1e-2, "log"), narrow=(3e-4, 3e-3, "log")),
    "min_snr": Search(wide=[None, 1.0, 5.0, 20.0], narrow=5.0),
    "ema_half_life": Search(wide=(1e3, 1e6, "log"), narrow=(1e4, 1e5, "log")),
    "label_dropout": Search(wide=(0.0, 0.5), narrow=0.1),
}


@register(extends=Diffusion, ranges=RANGES)
def ddpm(
    image_shape,
    *,
    width=128,
    dropout=0.1,
    schedule=Linear(),
    prediction=Epsilon(),
    sampling=Sampling("ddim", 50),
    learning_rate=2e-4,
    global_clipnorm=1.0,
    ema_decay=0.9999,
    even_times=False,
    **model,
):
    """Denoising diffusion probabilistic model: Ho et al. 2020, App. B, with its network for 32 x 32.

    The paper samples by `Sampling("ancestral", 1000)`, which takes 20 times as long as the 50 steps of DDIM (Song et
    al. 2021) that stand here; `model.with_sampling(sampler="ancestral", steps=1000)` is the paper's. Its network halves
    the side as often as the side is even, and at most 3 times; there is attention where 16 pixels or fewer are left.

    Args:
        image_shape: (height, width, channels), sides even; or (2,) for points.
        dropout: in each residual; 0.1 for CIFAR-10 in the paper, none for its larger images.
    """
    if len(image_shape) == 1:
        network = unet.dense(image_shape, width)
    else:
        levels = _levels(image_shape, 4)
        sides = [min(image_shape[:2]) // 2**level for level in range(levels)]
        attention = tuple(level for level in range(1, levels) if sides[level] in range(9, 17)) or (levels - 1,)
        network = unet.unet(
            image_shape,
            width,
            multipliers=(1, *[2] * (levels - 1)),
            blocks=2,
            up_blocks=3,
            attention=attention,
            dropout=dropout,
        )
    return Diffusion(
        network,
        schedule=schedule,
        prediction=prediction,
        sampling=sampling,
        ema_decay=ema_decay,
        even_times=even_times,
        **{"name": "ddpm"} | _adam(learning_rate, global_clipnorm) | model,
    )


@register(extends=Diffusion, ranges=RANGES)
def diffusion(
    image_shape,
    *,
    width=48,
    multipliers=(1, 2),
    blocks=1,
    schedule=Cosine(),
    prediction=Preconditioned(0.7),
    min_snr=5.0,
    sampling=Sampling("dpmpp_2m_sde", 20, rho=7.0),
    learning_rate=1e-3,
    global_clipnorm=1.0,
    ema_half_life=50_000,
    num_classes=None,
    **model,
):
    """Diffusion for a CPU: a small U-Net on 2 x 2 patches, EDM's preconditioning, min-SNR, 20 steps of an SDE's solver.

    Ho et al. 2020; Nichol & Dhariwal 2021; Karras et al. 2022; Hang et al. 2023; Lu et al. 2022.

    Args:
        image_shape: (height, width, channels), sides multiples of 4; or (2,) for points.
        num_classes: of the labels it is told; None without.
    """
    return Diffusion(
        _network(image_shape, width, multipliers, blocks, num_classes),
        schedule=schedule,
        prediction=prediction,
        min_snr=min_snr,
        sampling=sampling,
        ema_half_life=ema_half_life,
        condition=None if num_classes is None else Classes(num_classes),
        **{"name": "diffusion"} | _adam(learning_rate, global_clipnorm) | model,
    )


@register(extends=diffusion, ranges=RANGES)
def guided_diffusion(image_shape, *, num_classes=10, sampling=Sampling("dpmpp_2m_sde", 20, rho=7.0), **numbers):
    """`diffusion` that is told classes, with classifier-free guidance: Ho & Salimans 2022.

    Args:
        image_shape: (height, width, channels), sides multiples of 4; or (2,) for points.
        num_classes: of the labels.
    """
    return diffusion(
        image_shape, **{"num_classes": num_classes, "sampling": sampling, "name": "guided_diffusion"} | numbers
    )


@register(extends=ClassifierGuided, ranges=RANGES)
def classifier_guidance(
    image_shape,
    *,
    num_classes=10,
    width=48,
    classifier_width=32,
    multipliers=(1, 2),
    blocks=1,
    diffusion=None,
    schedule=Cosine(),
    prediction=Preconditioned(0.7),
    min_snr=5.0,
    sampling=Sampling("dpmpp_2m", 20, guidance_scale=1.0, rho=7.0),
    learning_rate=1e-3,
    global_clipnorm=1.0,
    ema_half_life=50_000,
    **model,
):
    """Classifier guidance: Dhariwal & Nichol 2021, on `diffusion` without labels and a classifier of its noisy images.

    Args:
        image_shape: (height, width, channels), sides multiples of 4; or (2,) for points.
        num_classes: of the labels.
        classifier_width: maps of the classifier's first level; of points it has 4 times as many units.
        diffusion: a trained unconditional model, such as `diffusion` makes, whose denoiser, schedule and prediction are
            taken over and stand still; None for a new one, which learns in the same `fit`.
    """
    given, taken = diffusion is not None, {}
    if given:
        _check_same(diffusion, image_shape, None)
        denoiser = _copy(diffusion.ema_network)
        schedule, prediction, taken = diffusion.schedule, diffusion.prediction, {"learn_denoiser": False}
    else:
        denoiser = _network(image_shape, width, multipliers, blocks, None)
    points = len(image_shape) == 1
    size = {} if points else {"multipliers": multipliers, "blocks": blocks, "patch": 2}
    classifier = unet.classifier(image_shape, classifier_width * (4 if points else 1), num_classes, **size)
    adam = {"classifier_optimizer": Adam(learning_rate, beta_2=0.99, global_clipnorm=global_clipnorm)}
    return ClassifierGuided(
        denoiser,
        classifier,
        schedule=schedule,
        prediction=prediction,
        min_snr=min_snr,
        sampling=sampling,
        ema_half_life=ema_half_life,
        condition=Classes(num_classes),
        **{"name": "classifier_guidance"} | taken | adam | _adam(learning_rate, global_clipnorm) | model,
    )


@register(extends=Consistency, ranges=RANGES)
def consistency(
    image_shape,
    *,
    width=48,
    multipliers=(1, 2),
    blocks=1,
    pretraining_steps=4000,
    stage_steps=500,
    stages=8,
    diffusion=None,
    schedule=Cosine(),
    prediction=Preconditioned(0.7),
    sampling=Sampling("consistency", 2),
    learning_rate=1e-3,
    global_clipnorm=1.0,
    ema_half_life=50_000,
    num_classes=None,
    **model,
):
    """Consistency model: Song et al. 2023, tuned as by Geng et al. 2024 on the network of `diffusion`; two steps.

    Args:
        image_shape: (height, width, channels), sides multiples of 4; or (2,) for points.
        pretraining_steps: of training as diffusion, before the first stage.
        diffusion: a trained model, such as `diffusion` makes, whose denoiser is where tuning begins, without
            pre-training; None for a new one.
        num_classes: of the labels it is told; None without.
    """
    denoiser = _network(image_shape, width, multipliers, blocks, num_classes)
    if diffusion is not None:
        _check_same(diffusion, image_shape, num_classes)
        denoiser = _copy(diffusion.ema_network)
        schedule, prediction, pretraining_steps = diffusion.schedule, diffusion.prediction, 0
    return Consistency(
        denoiser,
        pretraining_steps=pretraining_steps,
        stage_steps=stage_steps,
        stages=stages,
        schedule=schedule,
        prediction=prediction,
        sampling=sampling,
        ema_half_life=ema_half_life,
        condition=None if num_classes is None else Classes(num_classes),
        **{"name": "consistency"} | _adam(learning_rate, global_clipnorm) | model,
    )


@register(extends=FlowMatching, ranges=RANGES)
def flow_matching(
    image_shape,
    *,
    width=48,
    multipliers=(1, 2),
    blocks=1,
    sampling=Sampling("heun", 12),
    learning_rate=1e-3,
    global_clipnorm=1.0,
    ema_half_life=50_000,
    num_classes=None,
    **model,
):
    """Flow matching on straight lines: Lipman et al. 2023, Tong et al. 2024 (I-CFM), on the network of `diffusion`.

    Args:
        image_shape: (height, width, channels), sides multiples of 4; or (2,) for points.
        num_classes: of the labels it is told; None without.
    """
    return FlowMatching(
        _network(image_shape, width, multipliers, blocks, num_classes),
        sampling=sampling,
        ema_half_life=ema_half_life,
        condition=None if num_classes is None else Classes(num_classes),
        **{"name": "flow_matching"} | _adam(learning_rate, global_clipnorm) | model,
    )


@register(extends=LatentDiffusion, ranges=RANGES)
def latent_diffusion(
    image_shape,
    *,
    width=64,
    code_channels=4,
    autoencoder_width=32,
    multipliers=(1, 2),
    blocks=1,
    autoencoder=None,
    likelihood=Gaussian(0.1),
    schedule=Cosine(),
    prediction=Preconditioned(1.0),
    min_snr=5.0,
    sampling=Sampling("dpmpp_2m", 20, rho=7.0),
    learning_rate=1e-3,
    global_clipnorm=1.0,
    ema_half_life=50_000,
    num_classes=None,
    **model,
):
    """Latent diffusion: Rombach et al. 2022, in codes of a quarter of the image's side.

    Args:
        image_shape: (height, width, channels), sides that 4 divides; or (2,) for points.
        code_channels: of the codes.
        autoencoder_width: channels of the autoencoder's hidden layers.
        autoencoder: a trained latent diffusion whose encoder and decoder are taken over and stand still; None for new
            ones, which learn in the same `fit`.
        likelihood: whose parameters the decoder gives.
        num_classes: of the labels it is told; None without.
    """
    given, taken = autoencoder is not None, {}
    if given:
        _check_autoencoder(autoencoder, image_shape)
        taken = {"learn_codes": False, "likelihood": autoencoder.likelihood}
        encoder, decoder = (_copy(autoencoder.inference[name]) for name in ("encoder", "decoder"))
    else:
        made = (*image_shape[:-1], likelihood.channels(image_shape[-1]))
        encoder = vq.encoder(image_shape, code_channels, autoencoder_width, blocks=1)
        decoder = vq.decoder(made, code_channels, autoencoder_width, blocks=1)
    space = tuple(encoder.output_shape[1:])
    if len(space) == 3:
        network = unet.unet(
            space, width, multipliers=_bearable(space, multipliers), blocks=blocks, num_classes=num_classes
        )
    else:
        network = unet.dense(space, 4 * width, num_classes=num_classes)
    adam = Adam(learning_rate, beta_2=0.99)
    rest = {"name": "latent_diffusion", "encoder_optimizer": adam, "decoder_optimizer": adam, "likelihood": likelihood}
    return LatentDiffusion(
        network,
        encoder,
        decoder,
        schedule=schedule,
        prediction=prediction,
        min_snr=min_snr,
        sampling=sampling,
        ema_half_life=ema_half_life,
        condition=None if num_classes is None else Classes(num_classes),
        **rest | taken | _adam(learning_rate, global_clipnorm) | model,
    )


def _copy(network):
    """The network with its weights, to be trained without changing the other."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def _check_same(given, image_shape, num_classes):
    told = getattr(getattr(given, "condition", None), "num_classes", None)
    if not isinstance(given, Diffusion) or told != num_classes:
        labels = "without labels" if num_classes is None else f"of {num_classes} classes"
        raise ValueError(
            f"diffusion is {getattr(given, 'name', type(given).__name__)}: give a trained model of diffusion {labels}, "
            "such as tz.create('diffusion', ...) makes."
        )
    if given.image_shape != tuple(image_shape):
        raise ValueError(f"image_shape={tuple(image_shape)}, but diffusion is of images {given.image_shape}.")


def _check_autoencoder(given, image_shape):
    if not isinstance(given, LatentDiffusion):
        raise ValueError(
            f"autoencoder is {type(given).__name__}: give a trained latent diffusion, of which encoder and decoder are "
            "taken."
        )
    if given.image_shape != tuple(image_shape):
        raise ValueError(f"image_shape={tuple(image_shape)}, but autoencoder is of images {given.image_shape}.")


def _bearable(space, multipliers):
    """As many of the levels as the codes' sides halve evenly: one of 7 x 7."""
    return multipliers[-_levels(space, len(multipliers)) :]


def _network(image_shape, width, multipliers, blocks, num_classes):
    if len(image_shape) == 1:
        return unet.dense(image_shape, 4 * width, num_classes=num_classes)
    return unet.unet(image_shape, width, multipliers=multipliers, blocks=blocks, patch=2, num_classes=num_classes)


def _adam(learning_rate, global_clipnorm):
    return {"denoiser_optimizer": Adam(learning_rate, beta_2=0.99, global_clipnorm=global_clipnorm)}


def _levels(image_shape, most):
    """Levels of maps whose sides are whole: one more than the halvings that both sides bear."""
    halvings = 0
    while halvings < most - 1 and all(side % 2 ** (halvings + 1) == 0 for side in image_shape[:2]):
        halvings += 1
    return halvings + 1
