"""Models with a likelihood: flows, autoregressive models, Boltzmann machines, density networks."""

from keras.optimizers import Adam

from tfgan_zoo.models.flow import NormalizingFlow
from tfgan_zoo.networks import flow as flow_networks
from tfgan_zoo.registry import register
from tfgan_zoo.zoo.shared import EMA_DECAY


@register(extends=NormalizingFlow, ranges={"learning_rate": (1e-4, 1e-2, "log"), "couplings": [1, 2, 4]})
def realnvp(
    image_shape,
    *,
    width=32,
    depth=1,
    couplings=None,
    scales=2,
    alpha=0.05,
    learning_rate=1e-3,
    ema_decay=EMA_DECAY,
    **model,
):
    """RealNVP: Dinh et al. 2017, for one CPU: the paper has 64 maps, 8 residual blocks, and weight normalisation.

    Args:
        image_shape: (height, width, channels), sides divisible by 2 ** scales; or (2,) for points.
        width: maps (units) of the hidden layers in each coupling's network.
        depth: its residual blocks.
        couplings: of either kind (checkerboard, channel) in each scale; None for 2, and 8 for points.
        scales: how often images are squeezed.
    """
    couplings = (8 if len(image_shape) == 1 else 2) if couplings is None else couplings
    return NormalizingFlow(
        flow_networks.realnvp(image_shape, width, depth, couplings, scales),
        image_shape=image_shape,
        alpha=alpha,
        ema_decay=ema_decay,
        **{"name": "realnvp", "flow_optimizer": Adam(learning_rate)} | model,
    )
