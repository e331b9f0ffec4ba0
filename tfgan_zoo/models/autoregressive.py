"""Autoregressive models: p(x) as a product over pixels in order, each given those before it."""

import math

import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.conditions import Classes
from tfgan_zoo.models import checks
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.raster import Raster
from tfgan_zoo.serialization import serializable


@serializable
class PixelCNN(GenerativeModel):
    """Van den Oord et al. 2016: maximum likelihood, pixel by pixel from the top left.

    Sampling turns uniform fractions into pixels by the inverse of each one's distribution, in one graph: a layer that
    works a pixel at a time ("pixelcnn", as in `networks.pixelcnn.gated`) is asked for one pixel after another; any
    other network for the whole image once a pixel.

    Args:
        network: functional model, images (N, H, W, C) or [images, labels] -> (N, H, W, C, likelihood.channels(1)), the
            parameters of a value given all before it: in raster order, then by channel.
        likelihood: of a value, such as `likelihoods.Bernoulli()`.
        condition: of a network that takes it too, as `ConditionalPixelCNN` has.
        **model: keywords of `GenerativeModel`.

    Raises:
        ValueError: if the network gives other parameters, or holds batch normalisation.
    """

    is_bound = False
    draws_levels = True  # so that formats, which round otherwise, now and then draw a neighbouring one

    def __init__(self, network, *, likelihood, condition=None, **model):
        checks.autoregressive("network", network, likelihood)
        if condition is not None:
            checks.takes_labels("network", network)
        image_shape = tuple(network.inputs[0].shape[1:])
        super().__init__({"network": network}, image_shape=image_shape, condition=condition, **model)
        self.likelihood = likelihood

    @property
    def likelihood_protocol(self):
        """How `log_prob` is to be read."""
        return {"samples": 1} | dict(self.likelihood.protocol)

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        return ("nll",)

    def monitor_names(self):
        return ("bits_per_dim",)

    def batch_losses(self, images, condition, training):
        """Nats per image."""
        images = self.likelihood.observe(images, self.noise_seed("observe"))
        nll = -tf.reduce_mean(self._log_prob(self.network, images, condition, training))
        scale = math.log2(self.likelihood_protocol.get("data_scale") or 1)
        return {"nll": nll, "bits_per_dim": nll / (math.prod(self.image_shape) * math.log(2.0)) + scale}

    def _log_prob(self, network, images, condition=None, training=False):
        parameters = network(images if condition is None else [images, condition], training=training)
        return self.likelihood.log_prob(images[..., None], parameters)

    def check_images(self, images):
        """As for every model; and a binary one wants black and white."""
        super().check_images(images)
        checks.black_and_white(images, self.name, self.likelihood)

    # ---- verbs ------------------------------------------------------------------------------------------------

    def log_prob(self, images, seed=0):
        """log p(x) of images, exact; with classes, that of their even mixture.

        Args:
            images: (N, *image_shape) in [-1, 1].
            seed: integer; of what the likelihood draws to observe them.

        Returns:
            float32 (N,): nats per image.
        """
        seed = tf.stack([tf.cast(seed, tf.int32), noise.purpose("observe")])
        images, network = self.likelihood.observe(tf.cast(images, tf.float32), seed), self.inference["network"]
        if self.condition is None:
            return self._log_prob(network, images)
        told = [tf.fill(tf.shape(images)[:1], label) for label in range(self.num_classes)]
        each = tf.stack([self._log_prob(network, images, labels) for labels in told])
        return tf.reduce_logsumexp(each, axis=0) - math.log(self.num_classes)

    def start(self, rows, seed):
        return {"fractions": noise.uniform((rows, *self.image_shape), seed)}

    def draw(self, fractions, condition=None):
        """Images: pixel by pixel, each the quantile of its fraction."""
        return self._completed(fractions, condition)

    def complete(self, images, mask, labels=None, seed=0):
        """Images whose unknown pixels are drawn, each given all that stand before it in raster order.

        Van den Oord et al. 2016 (Pixel recurrent neural networks), Fig. 1 and 9.

        Args:
            images: (N, *image_shape) in [-1, 1].
            mask: 1 (or True) where a pixel is known: (H, W), (H, W, 1 or C), or one for each image.
            labels: as in `generate`.
            seed: integer >= 0.

        Returns:
            float32 array (N, *image_shape).

        Raises:
            ValueError: if the mask has another shape.
        """
        images, seed = tf.cast(images, tf.float32), checks.seed(seed)
        mask, shape = tf.cast(mask, tf.float32), self.image_shape
        mask = mask[..., None] if tuple(mask.shape) in (shape[:2], (len(images), *shape[:2])) else mask
        mask = mask[None] if len(mask.shape) == 3 else mask
        allowed = [(count, *shape[:2], channels) for count in (1, len(images)) for channels in (1, shape[-1])]
        if tuple(mask.shape) not in allowed:
            raise ValueError(
                f"mask is {tuple(mask.shape)}: give 1 for pixels that are known and 0 for those to draw, "
                f"{shape[:2]}, {shape}, or one for each of the {len(images)} images."
            )
        parts = []
        for first in range(0, len(images), noise.BLOCK):
            some = images[first : first + noise.BLOCK]
            known = tf.broadcast_to(mask if len(mask) == 1 else mask[first : first + noise.BLOCK], tf.shape(some))
            fractions = self.start(len(some), noise.block_seed(seed, first // noise.BLOCK))["fractions"]
            told = self.condition_for(len(images), labels, seed)
            told = None if told is None else told[first : first + noise.BLOCK]
            parts.append(self._complete(fractions, some, known, told))
        return tf.concat(parts, axis=0).numpy()

    def _complete(self, fractions, images, known, condition):
        functions = self.__dict__.setdefault("_draw_functions", {})
        if "complete" not in functions:
            functions["complete"] = tf.function(self._completed, reduce_retracing=True, autograph=False)
        return functions["complete"](fractions, condition, images, known)

    def _completed(self, fractions, condition=None, images=None, known=None):
        drawing = Raster(self.inference["network"], self.likelihood, self.num_classes)
        return drawing.values(fractions, condition, images, known)

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        return super().get_config() | self.config_of("likelihood")


@serializable
class ConditionalPixelCNN(PixelCNN):
    """A PixelCNN that is told the class of an image: van den Oord et al. 2016 (Conditional image generation), Sec. 2.3.

    Args:
        network: as of `PixelCNN`, of [images, labels].
        num_classes: labels are integers in [0, num_classes).
        **model: keywords of `PixelCNN`.

    Raises:
        ValueError: as of `PixelCNN`, or if the network takes no labels.
    """

    def __init__(self, network, *, num_classes, **model):
        super().__init__(network, condition=Classes(num_classes), **model)

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        return super().get_config() | {"num_classes": self.num_classes}
