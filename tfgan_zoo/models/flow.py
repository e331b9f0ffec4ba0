"""Normalising flows: an invertible network between images and normal latents, with an exact density."""

import math

import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.latent import FromLatents
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable

_LEVELS = 256


@serializable
class NormalizingFlow(FromLatents, GenerativeModel):
    """Density estimation by a change of variables: Dinh et al. 2017, Sec. 3.1 and 4.1.

    An image's level, 0 to 255, gets uniform noise and is divided by 256 (Theis et al. 2016, Sec. 3.1): y in [0, 1). The
    network sees logit(alpha + (1 - 2 alpha) y), whose log-derivative counts in the density. `log_prob` is that of y, so
    that bits per dimension add 8, once. Points are taken as they are.

    Args:
        flow: functional model (N, *image_shape) -> {"latents": (N, D), "log_det": (N,)}, whose layer "flow" has
            `inverse`, such as `networks.flow.realnvp`.
        image_shape: (height, width, channels), or (2,) for points.
        alpha: how far the logit keeps from 0 and 1, in (0, 0.5).
        **model: keywords of `GenerativeModel`.

    Raises:
        ValueError: if alpha leaves its range, or the network gives something else.
    """

    is_bound = False
    prior = Normal()

    def __init__(self, flow, *, image_shape, alpha=0.05, **model):
        if not 0.0 < alpha < 0.5:
            raise ValueError(f"alpha={alpha}: pixels are squeezed into (alpha, 1 - alpha), so give one in (0, 0.5).")
        if not isinstance(flow.output, dict) or set(flow.output) != {"latents", "log_det"}:
            raise ValueError(
                'flow must give {"latents": (N, D), "log_det": (N,)}: make it with networks.flow.realnvp(image_shape, '
                "width)."
            )
        super().__init__({"flow": flow}, image_shape=image_shape, **model)
        self.alpha = alpha
        self.latent_dim = math.prod(self.image_shape)

    @property
    def are_points(self):
        """Whether it models points in a plane, which have no levels."""
        return len(self.image_shape) == 1

    @property
    def likelihood_protocol(self):
        """How `log_prob` is to be read: a density of level / 256, or of points."""
        if self.are_points:
            return {"samples": 1, "dequantisation": "none"}
        return {"samples": 1, "dequantisation": "uniform", "data_scale": _LEVELS}

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        return ("nll",)

    def monitor_names(self):
        return () if self.are_points else ("bits_per_dim",)

    def batch_losses(self, images, condition, training):
        """Nats per image, with new noise below the levels."""
        rows, seed = tf.shape(images)[0], self.noise_seed("dequantise")
        fractions = noise.shared(lambda total: noise.uniform((total, *self.image_shape), seed), rows)
        nll = -tf.reduce_mean(self._log_density(self.flow, images, fractions, training))
        if self.are_points:
            return {"nll": nll}
        return {"nll": nll, "bits_per_dim": nll / (self.latent_dim * math.log(2.0)) + math.log2(_LEVELS)}

    def _log_density(self, flow, images, fractions, training=False):
        """log p (N,) of points, or of (level + fraction) / 256."""
        x, log_det = self._logits(images, fractions)
        found = flow(x, training=training)
        latents = tf.cast(found["latents"], tf.float32)
        base = -0.5 * tf.reduce_sum(latents**2, axis=-1) - 0.5 * self.latent_dim * math.log(2.0 * math.pi)
        return base + tf.cast(found["log_det"], tf.float32) + log_det

    def _logits(self, images, fractions):
        """What the network sees of images, and log |d logit / dy| (N,)."""
        images = tf.cast(images, tf.float32)
        if self.are_points:
            return images, 0.0
        y = ((images + 1.0) * 127.5 + fractions) / _LEVELS
        squeezed = self.alpha + (1.0 - 2.0 * self.alpha) * y
        x = tf.math.log(squeezed) - tf.math.log1p(-squeezed)
        slope = math.log(1.0 - 2.0 * self.alpha) - tf.math.log(squeezed) - tf.math.log1p(-squeezed)
        return x, tf.reduce_sum(slope, axis=(1, 2, 3))

    def _images(self, x):
        """Images whose levels, with a half of noise, have these logits."""
        if self.are_points:
            return x
        y = (tf.sigmoid(x) - self.alpha) / (1.0 - 2.0 * self.alpha)
        return tf.clip_by_value((y * _LEVELS - 0.5) / 127.5 - 1.0, -1.0, 1.0)

    # ---- verbs ------------------------------------------------------------------------------------------------

    def log_prob(self, images, seed=0):
        """Exact log-density of images, in nats.

        Args:
            images: (N, *image_shape) in [-1, 1].
            seed: integer; of the noise below the levels.

        Returns:
            float32 (N,): of (level + noise) / 256, or of points.
        """
        seed = tf.stack([tf.cast(seed, tf.int32), noise.purpose("dequantise")])
        fractions = noise.uniform((tf.shape(images)[0], *self.image_shape), seed)
        return self._log_density(self.inference["flow"], images, fractions)

    def encode(self, images):
        """Latents (N, D) of images, with half a level in place of noise; `decode` gives the images back."""
        x, _ = self._logits(images, 0.5)
        return tf.cast(self.inference["flow"](x, training=False)["latents"], tf.float32)

    def decode(self, codes):
        """Images (N, *image_shape) for latents (N, D); latents times a temperature below 1 give more typical ones."""
        return self._images(self.inference["flow"].get_layer("flow").inverse(tf.cast(codes, tf.float32)))

    def draw(self, latents, condition=None):
        return self.decode(latents)

    def endpoints(self):
        """Images at a temperature: latents are multiplied by it (Kingma & Dhariwal 2018, Sec. 6)."""
        names = (("num_images", tf.int32), ("seed", tf.int32), ("temperature", tf.float32))

        def sample_at_temperature(num_images, seed, temperature):
            return {"images": self.decode(temperature * self.draw_latents(num_images, seed))}

        specs = tuple(tf.TensorSpec((), dtype, name=name) for name, dtype in names)
        example = {name: dtype.as_numpy_dtype(value) for (name, dtype), value in zip(names, (2, 0, 0.7), strict=True)}
        return {"sample_at_temperature": (sample_at_temperature, specs, example)}

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        return super().get_config() | {"image_shape": list(self.image_shape), "alpha": self.alpha}
