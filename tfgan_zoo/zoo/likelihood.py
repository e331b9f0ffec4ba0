"""Models with a likelihood: flows, autoregressive models, Boltzmann machines, density networks."""

from keras.optimizers import SGD, Adam

from tfgan_zoo.likelihoods import Bernoulli, DiscretizedLogisticMixture, Gaussian
from tfgan_zoo.models.autoregressive import ConditionalPixelCNN, PixelCNN
from tfgan_zoo.models.boltzmann import RBM
from tfgan_zoo.models.density import DensityNetwork
from tfgan_zoo.models.flow import NormalizingFlow
from tfgan_zoo.networks import boltzmann, density
from tfgan_zoo.networks import flow as flow_networks
from tfgan_zoo.networks import pixelcnn as pixelcnn_networks
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


@register(extends=PixelCNN, ranges={"learning_rate": (1e-4, 1e-2, "log"), "depth": [3, 5, 8]})
def pixelcnn(
    image_shape,
    *,
    width=32,
    depth=5,
    likelihood=DiscretizedLogisticMixture(5),
    learning_rate=1e-3,
    ema_decay=EMA_DECAY,
    **model,
):
    """Gated PixelCNN: van den Oord et al. 2016 (Conditional image generation), with PixelCNN++'s likelihood.

    The paper has a softmax over 256 levels (`likelihoods.Categorical()`), and `likelihoods.Bernoulli()` serves for
    black and white; the mixture of Salimans et al. 2017 has 15 parameters a value in place of 256.

    Args:
        image_shape: (height, width, channels).
        width: maps of each layer.
        depth: gated layers.
        likelihood: of a value.
    """
    return PixelCNN(
        _pixelcnn(image_shape, likelihood, width, depth),
        likelihood=likelihood,
        ema_decay=ema_decay,
        **{"name": "pixelcnn", "network_optimizer": Adam(learning_rate)} | model,
    )


@register(extends=ConditionalPixelCNN, ranges={"learning_rate": (1e-4, 1e-2, "log"), "depth": [3, 5, 8]})
def conditional_pixelcnn(
    image_shape,
    *,
    num_classes=10,
    width=32,
    depth=5,
    likelihood=DiscretizedLogisticMixture(5),
    learning_rate=1e-3,
    ema_decay=EMA_DECAY,
    **model,
):
    """Gated PixelCNN told a class, in every layer: van den Oord et al. 2016 (Conditional image generation), Sec. 2.3.

    Args:
        image_shape: (height, width, channels).
        width, depth, likelihood: as of `pixelcnn`.
    """
    return ConditionalPixelCNN(
        _pixelcnn(image_shape, likelihood, width, depth, num_classes),
        num_classes=num_classes,
        likelihood=likelihood,
        ema_decay=ema_decay,
        **{"name": "conditional_pixelcnn", "network_optimizer": Adam(learning_rate)} | model,
    )


def _pixelcnn(image_shape, likelihood, width, depth, num_classes=None):
    if len(image_shape) != 3:
        raise ValueError(f"image_shape={tuple(image_shape)}: a PixelCNN orders pixels; for points take 'realnvp'.")
    return pixelcnn_networks.gated(image_shape, likelihood.channels(1), width, depth, num_classes=num_classes)


@register(extends=RBM, ranges={"learning_rate": (1e-3, 1e-1, "log"), "k": [1, 3, 10], "width": [64, 256, 512]})
def rbm(
    image_shape,
    *,
    width=256,
    centred=True,
    likelihood=Bernoulli(),
    learning_rate=0.05,
    ema_decay=0.0,
    **model,
):
    """Restricted Boltzmann machine: Hinton 2002, centred (Melchior et al. 2016), chains persist (Tieleman 2008).

    `persistent=False` is contrastive divergence, CD-k.

    Args:
        image_shape: (height, width, channels); each value is a binary unit, grey ones are binarised anew at each visit.
        width: hidden units.
        centred: whether the gradient is taken around the units' means.
        likelihood: what binarises.
    """
    if len(image_shape) != 3:
        raise ValueError(f"image_shape={tuple(image_shape)}: an RBM has binary units; for points take 'realnvp'.")
    return RBM(
        boltzmann.restricted(image_shape, width, centred),
        likelihood=likelihood,
        centred=centred,
        ema_decay=ema_decay,
        **{"name": "rbm", "energy_optimizer": SGD(learning_rate)} | model,
    )


@register(extends=DensityNetwork, ranges={"learning_rate": (1e-4, 1e-2, "log"), "samples": [16, 64, 256]})
def density_network(
    image_shape,
    *,
    latent_dim=2,
    width=256,
    depth=2,
    likelihood=None,
    learning_rate=1e-3,
    ema_decay=EMA_DECAY,
    **model,
):
    """Density network: MacKay 1995, a decoder learned by averaging p(x | z) over draws of the prior.

    Args:
        image_shape: (height, width, channels), or (2,) for points.
        latent_dim: coordinates of a latent; the more, the fewer of the draws explain an image.
        width, depth: units and number of the hidden layers.
        likelihood: None for Bernoulli, and Gaussian for points.
    """
    likelihood = likelihood or (Gaussian() if len(image_shape) == 1 else Bernoulli())
    return DensityNetwork(
        density.decoder(image_shape, likelihood.channels(image_shape[-1]), latent_dim, width, depth),
        image_shape=image_shape,
        likelihood=likelihood,
        ema_decay=ema_decay,
        **{"name": "density_network", "decoder_optimizer": Adam(learning_rate)} | model,
    )
