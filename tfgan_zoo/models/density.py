"""Density networks: the likelihood as an average over draws of the prior, without an encoder."""

import math

import tensorflow as tf

from tfgan_zoo import errors, noise
from tfgan_zoo.models import checks
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.latent import FromLatents
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable

_TOGETHER = 64  # draws of the prior that are decoded at once


@serializable
class DensityNetwork(FromLatents, GenerativeModel):
    """log p(x) = log of the mean of p(x | z) over draws of the prior: MacKay 1995, Eq. 5 and 11.

    On average the estimate is below log p(x) and rises with the number of draws (Burda et al. 2016, Theorem 1). In many
    dimensions hardly a draw explains an image, and it fails: what an encoder is for.

    Args:
        decoder: functional model, latents (N, d) -> parameters (N, ..., likelihood.channels(c)).
        image_shape: (height, width, channels), or (2,) for points.
        likelihood: of an image given the parameters.
        prior: of latents.
        samples: draws of the prior in an update, one set for the whole batch; at least 1.
        evaluation_samples: draws of `log_prob`, at least 1.
        **model: keywords of `GenerativeModel`.

    Raises:
        ValueError: if a number of samples is none.
    """

    is_bound = True

    def __init__(
        self,
        decoder,
        *,
        image_shape,
        likelihood,
        prior=Normal(),  # noqa: B008
        samples=64,
        evaluation_samples=1024,
        **model,
    ):
        samples = errors.whole_number("samples", samples)
        evaluation_samples = errors.whole_number("evaluation_samples", evaluation_samples)
        super().__init__({"decoder": decoder}, image_shape=image_shape, **model)
        self.likelihood, self.prior = likelihood, prior
        self.samples, self.evaluation_samples = samples, evaluation_samples
        self.latent_dim = decoder.input_shape[-1]

    @property
    def likelihood_protocol(self):
        """How `log_prob` is to be read."""
        return {"samples": self.evaluation_samples} | dict(self.likelihood.protocol)

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        return ("nll",)

    def batch_losses(self, images, condition, training):
        """Nats per image, by new draws of the prior."""
        images = self.likelihood.observe(images, self.noise_seed("observe"))
        latents = self.prior.sample(self.samples, self.latent_dim, self.noise_seed("latents"))
        terms = self._pairs(images, self.decoder(latents, training=training))
        return {"nll": math.log(self.samples) - tf.reduce_mean(tf.reduce_logsumexp(terms, axis=1))}

    def _pairs(self, images, parameters):
        """log p(x | z) of each image under each latent, (N, K)."""
        rows, count = tf.shape(images)[0], tf.shape(parameters)[0]
        many = tf.repeat(tf.cast(images, tf.float32), count, axis=0)
        again = tf.tile(parameters, (rows, *[1] * (len(parameters.shape) - 1)))
        return tf.reshape(self.likelihood.log_prob(many, again), (rows, count))

    def check_images(self, images):
        """As for every model; and they are black and white, or made so."""
        super().check_images(images)
        checks.black_and_white(images, self.name, self.likelihood)

    # ---- verbs ------------------------------------------------------------------------------------------------

    def log_prob(self, images, seed=0, samples=None):
        """Log of the mean over draws of the prior: on average below log p of images, in nats.

        Args:
            images: (N, *image_shape).
            seed: integer; of the draws.
            samples: how many; None for `evaluation_samples`. Memory is that of 64.

        Returns:
            float32 (N,).
        """
        samples = self.evaluation_samples if samples is None else errors.whole_number("samples", samples)
        seed = tf.stack([tf.cast(seed, tf.int32), noise.purpose("log_prob")])
        images = self.likelihood.observe(tf.cast(images, tf.float32), noise.fold(seed, 0))
        latents = self.prior.sample(samples, self.latent_dim, noise.fold(seed, 1))

        def block(first, total):
            parameters = self.inference["decoder"](latents[first : first + _TOGETHER], training=False)
            terms = tf.reduce_logsumexp(self._pairs(images, parameters), axis=1)
            largest = tf.maximum(total, terms)
            return first + _TOGETHER, largest + tf.math.log(tf.exp(total - largest) + tf.exp(terms - largest))

        nothing = tf.fill(tf.shape(images)[:1], -1e30)
        total = tf.while_loop(lambda first, _: first < samples, block, (tf.constant(0), nothing))[1]
        return total - math.log(samples)

    def decode(self, codes):
        """Expected images (N, *image_shape) for latents (N, d)."""
        return self.likelihood.mean(self.inference["decoder"](codes, training=False))

    def draw(self, latents, condition=None):
        """The expected images of latents."""
        return self.decode(latents)

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        return super().get_config() | self.config_of(
            "likelihood", "prior", "samples", "evaluation_samples", "image_shape"
        )
