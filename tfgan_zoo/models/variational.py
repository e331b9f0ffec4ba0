"""Variational autoencoders: a posterior over codes instead of a code, and a bound on the likelihood of images."""

import math

import tensorflow as tf
from keras import ops

from tfgan_zoo import noise, runtime
from tfgan_zoo.errors import whole_number
from tfgan_zoo.models.autoencoder import NormalCodes
from tfgan_zoo.serialization import serializable

_LOWEST, _HIGHEST = -30.0, 20.0  # of log variances: their exponentials stay finite in float32
_ACTIVE = 0.01  # variance of a mean over images, above which a unit says something (Burda et al. 2016, Sec. 5.2)


class GaussianPosterior(NormalCodes):
    """An encoder that gives the mean and the variance of a normal over codes, in place of a code."""

    numbers_of_code = 2

    def posterior(self, images, condition, training):
        """Means and log variances (N, latent_dim) of q(z|x), from the networks that are trained."""
        return halves(self.passed("encoder", images, condition, training))

    def encode(self, images, condition=None):
        """Posterior means (N, latent_dim) of images (N, *image_shape)."""
        return halves(self._answer("encoder", images, condition))[0]

    def active_units(self, images, condition=None, batch_size=500):
        """How many coordinates of a code say something of images: whose mean has a variance above 0.01.

        Burda et al. 2016, Sec. 5.2.

        Args:
            images: (N, *image_shape), some hundreds at least.
            condition: of the images, for a conditional model.
            batch_size: images in a pass.
        """
        rows = range(0, len(images), batch_size)
        told = [None if condition is None else condition[at : at + batch_size] for at in rows]
        codes = [self.encode(images[at : at + batch_size], one) for at, one in zip(rows, told, strict=True)]
        return int(ops.sum(ops.var(ops.concatenate(codes), axis=0) > _ACTIVE))

    def drawn_codes(self, posterior):
        """A code for each image of a batch, from q(z|x) by this step's noise."""
        mean, log_variance = posterior
        return mean + ops.exp(log_variance / 2.0) * self.normal_rows(tf.shape(mean)[0], mean.shape[1:], "codes")


@serializable
class VAE(GaussianPosterior):
    """A variational autoencoder (Kingma & Welling 2014): what it minimises is a bound on -log p(x).

    log p(x) >= E_q(z|x) log p(x|z) - beta KL(q(z|x) || p(z)), with one z an image, beta = 1, and the KL of normals as
    in their App. B. Codes are posterior means. What is logged is in nats an image: "negative_elbo" has beta = 1
    whatever beta is, and "active_units" counts in the batch.

    Args:
        encoder: functional Keras model, images [and condition] -> (N, 2 latent_dim): means, then log variances.
        decoder: functional Keras model, codes (N, latent_dim) [and condition] -> parameters of the likelihood.
        likelihood: one of `tz.likelihoods`.
        beta: weight of the KL (Higgins et al. 2017).
        warmup_steps: steps in which the weight rises from 0 to beta on a straight line (Bowman et al. 2016); it is
            `state["beta"]`, saved with the model.
        num_samples: of an image's codes, with which `log_prob` estimates its bound where it is told no other number.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, or a number is out of its range.
    """

    is_bound = True
    rows_at_once = 2000  # decoded when `log_prob` estimates

    def __init__(self, encoder, decoder, *, likelihood, beta=1.0, warmup_steps=0, num_samples=100, **model):
        if not beta >= 0:
            raise ValueError(f"beta={beta}: the weight of the KL is not negative; 1 for a bound on the likelihood.")
        warmup_steps = whole_number("warmup_steps", warmup_steps, at_least=0)
        num_samples = whole_number("num_samples", num_samples)
        state = {"beta": 0.0 if warmup_steps else float(beta)} | model.pop("state", {})
        super().__init__(encoder, decoder, likelihood=likelihood, state=state, **model)
        self.beta, self.warmup_steps, self.num_samples = float(beta), warmup_steps, num_samples

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """-E log p(x|z), and beta KL."""
        return ("reconstruction_loss", "kl_loss")

    def monitor_names(self):
        """The bound itself, the KL without its weight, that weight, and how many units say something."""
        return ("negative_elbo", "kl", "beta", "active_units")

    def batch_losses(self, images, condition, training):
        """Kingma & Welling 2014, Eq. 7 and 10, with one sample."""
        images = self.observed(images)
        mean, log_variance = self.posterior(images, condition, training)
        codes = self.drawn_codes((mean, log_variance))
        reconstruction = -ops.mean(self.log_likelihood(images, codes, condition, self.passing(training)))
        return {"reconstruction_loss": reconstruction} | self.kl_and_monitors(mean, log_variance, reconstruction)

    def kl_and_monitors(self, mean, log_variance, reconstruction):
        """The KL's loss, and what is shown beside it."""
        kl, beta = ops.mean(kl_divergence(mean, log_variance)), tf.identity(self.state["beta"].value)
        active = ops.var(runtime.all_gather(mean), axis=0) > _ACTIVE
        return {
            "kl_loss": beta * kl,
            "negative_elbo": reconstruction + kl,
            "kl": kl,
            "beta": beta,
            "active_units": ops.sum(ops.cast(active, "float32")),
        }

    def update_state(self, results):
        """Let beta rise."""
        if self.warmup_steps:
            beta = self.state["beta"]
            beta.assign(ops.minimum(self.beta, beta.value + self.beta / self.warmup_steps))
        return super().update_state(results)

    # ---- the verbs --------------------------------------------------------------------------------------------

    @property
    def likelihood_protocol(self):
        """Of what `log_prob` is a bound, and by how many samples."""
        return {"samples": self.num_samples} | self.likelihood.scored.protocol

    def log_prob(self, images, seed=0, num_samples=None, condition=None):
        """A bound on log p(x) that tightens with more samples: log 1/k sum p(x, z) / q(z|x), z from q.

        Burda et al. 2016, Eq. 8. Memory does not grow with k. Binary and dequantised likelihoods see images as `seed`
        makes them.

        Args:
            images: (N, *image_shape) in [-1, 1].
            seed: integer.
            num_samples: k; None for the model's own. 5,000 is what the literature reports.
            condition: what each image is told, for a conditional model; None takes the mean of p(x|y) over all
                classes, which is p(x) if they are equally frequent.

        Returns:
            float32 (N,), nats an image.

        Raises:
            ValueError: if num_samples is no number >= 1, or images do not fit.
        """
        count = whole_number("num_samples", self.num_samples if num_samples is None else num_samples)
        if tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(f"images are {tuple(images.shape[1:])}, but {self.name} knows {self.image_shape}.")
        images = tf.cast(images, tf.float32)
        told = () if condition is None else (self.condition.as_tensor(condition),)
        bound = self._bound if self.condition is None or told else self._bound_over_classes
        if not tf.executing_eagerly():
            return bound(images, _seed(seed, 0), count, *told)
        specs = [tf.TensorSpec((None, *self.image_shape), tf.float32), tf.TensorSpec((2,), tf.int32)]
        specs += [tf.TensorSpec((), tf.int32)] + [tf.TensorSpec((None, *one.shape[1:]), one.dtype) for one in told]
        functions = self.__dict__.setdefault("_draw_functions", {})
        name = bound.__name__
        if name not in functions:
            functions[name] = tf.function(bound, input_signature=specs, autograph=False)
        parts = [
            functions[name](
                images[at : at + noise.BLOCK],
                _seed(seed, at // noise.BLOCK),
                tf.constant(count),
                *(one[at : at + noise.BLOCK] for one in told),
            )
            for at in range(0, len(images), noise.BLOCK)
        ]
        return tf.concat(parts, axis=0)

    def _bound_over_classes(self, images, seed, num_samples):
        """log of the mean of p(x|y), each by its bound, over all classes y."""
        rows, classes = tf.shape(images)[0], self.condition.num_classes

        def of(label):
            return self._bound(images, seed, num_samples, tf.fill((rows,), label))

        each = tf.map_fn(of, tf.range(classes), fn_output_signature=tf.TensorSpec((None,), tf.float32))
        return ops.logsumexp(each, axis=0) - math.log(classes)

    def _bound(self, images, seed, num_samples, condition=None):
        images = self.likelihood.scored.observe(images, noise.fold(seed, 0))
        posterior = halves(self._answer("encoder", images, condition))
        rows = tf.shape(images)[0]
        chunk = tf.maximum(1, self.rows_at_once // rows)

        def add(done, total):
            count = tf.minimum(chunk, num_samples - done)
            drawn = noise.normal((count, rows, self.latent_dim), noise.fold(seed, 1 + done))
            codes = posterior[0] + ops.exp(posterior[1] / 2.0) * drawn
            weights = self.log_weights(images, codes, posterior, condition, self._answer)
            return done + count, ops.logaddexp(total, ops.logsumexp(weights, axis=0))

        shapes = tf.TensorShape(()), tf.TensorShape((None,))
        start = tf.constant(0), tf.fill((rows,), -float("inf"))
        _, total = tf.while_loop(
            lambda done, _: done < num_samples, add, start, shape_invariants=shapes, parallel_iterations=1
        )
        return total - ops.log(tf.cast(num_samples, tf.float32))

    def log_weights(self, images, codes, posterior, condition, answer, beta=1.0):
        """log p(x|z) + beta (log p(z) - log q(z|x)) of several codes an image.

        Args:
            images: (N, *image_shape), as observed.
            codes: (k, N, latent_dim).
            posterior: means and log variances (N, latent_dim) of q.
            condition: (N, ...) or None.
            answer: as of `log_likelihood`.
            beta: of the warm-up.

        Returns:
            float32 (k, N).
        """
        mean, log_variance = posterior
        count = tf.shape(codes)[0]
        given = tf.reshape(codes, (-1, self.latent_dim)), _repeated(condition, count)
        reconstruction = self.log_likelihood(_repeated(images, count), *given, answer)
        standard = (codes - mean) * ops.exp(-log_variance / 2.0)
        prior_over_posterior = ops.sum(standard**2 - codes**2 + log_variance, axis=-1) / 2.0
        return tf.reshape(reconstruction, (count, -1)) + beta * prior_over_posterior

    def get_config(self):
        """As for every autoencoder, with beta and its warm-up."""
        return super().get_config() | self.config_of("beta", "warmup_steps", "num_samples")


@serializable
class IWAE(VAE):
    """The importance weighted autoencoder (Burda et al. 2016): a tighter bound, of k samples an image.

    log p(x) >= E log 1/k sum p(x, z_i) / q(z_i|x), their Eq. 8.

    Args:
        encoder, decoder, likelihood: as for `VAE`.
        k: samples of an image's code in a step, >= 1; 1 is a VAE whose KL is estimated.
        doubly_reparameterized: whether the encoder follows the estimator of Tucker et al. 2019 (Eq. 8), the same on
            average, whose noise does not drown the signal as k grows.
        **model: as for `VAE`.

    Raises:
        ValueError: if k is no number >= 1.
    """

    def __init__(self, encoder, decoder, *, likelihood, k=50, doubly_reparameterized=False, **model):
        k = whole_number("k", k)
        super().__init__(encoder, decoder, likelihood=likelihood, **model)
        self.k, self.doubly_reparameterized = k, bool(doubly_reparameterized)

    def loss_names(self):
        """Minus the bound."""
        return ("bound_loss",)

    def monitor_names(self):
        """The bound of one sample, the weight of the prior in a warm-up, and how many units say something."""
        return ("negative_elbo", "beta", "active_units")

    def batch_losses(self, images, condition, training):
        """Minus Eq. 8, with its gradient (Eq. 14), or that of Tucker et al. 2019 for the encoder."""
        images = self.observed(images)
        mean, log_variance = posterior = self.posterior(images, condition, training)
        drawn = self.normal_rows(tf.shape(images)[0], (self.k, self.latent_dim), "codes")
        codes = mean + ops.exp(log_variance / 2.0) * ops.transpose(drawn, (1, 0, 2))
        weights = {}
        if self.doubly_reparameterized:
            posterior = tuple(map(ops.stop_gradient, posterior))
            codes = _weighted_gradient(codes, lambda: weights["normalised"][..., None])
        beta = tf.identity(self.state["beta"].value)
        log_weights = self.log_weights(images, codes, posterior, condition, self.passing(training), beta)
        loss = math.log(self.k) - ops.mean(ops.logsumexp(log_weights, axis=0))
        if self.doubly_reparameterized:
            weights["normalised"] = ops.stop_gradient(ops.softmax(log_weights, axis=0))
            weighted = -ops.mean(ops.sum(weights["normalised"] * log_weights, axis=0))
            loss = weighted + ops.stop_gradient(loss - weighted)
        active = ops.sum(ops.cast(ops.var(runtime.all_gather(mean), axis=0) > _ACTIVE, "float32"))
        return {
            "bound_loss": loss,
            "negative_elbo": -ops.mean(log_weights),
            "beta": beta,
            "active_units": active,
        }

    def get_config(self):
        """As for a VAE, with k and the estimator."""
        return super().get_config() | {"k": self.k, "doubly_reparameterized": self.doubly_reparameterized}


def _weighted_gradient(tensor, weights):
    """The tensor, whose gradient is multiplied by what `weights()` is once the forward pass is over."""

    @tf.custom_gradient
    def identity(tensor):
        return tf.identity(tensor), lambda upstream: upstream * weights()

    return identity(tensor)


def halves(outputs):
    """Means and log variances of an encoder's outputs (N, 2 d), float32, the latter within bounds."""
    mean, log_variance = ops.split(ops.cast(outputs, "float32"), 2, axis=-1)
    return mean, ops.clip(log_variance, _LOWEST, _HIGHEST)


def kl_divergence(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, 1)), summed over coordinates: (N,) nats. Kingma & Welling 2014, App. B."""
    return ops.sum(mean**2 + ops.exp(log_variance) - log_variance - 1.0, axis=-1) / 2.0


def _repeated(rows, count):
    """Rows (N, ...) so many times behind each other."""
    if rows is None:
        return None
    return tf.tile(rows, tf.concat([[count], tf.ones((rows.shape.rank - 1,), tf.int32)], axis=0))


def _seed(seed, block):
    return noise.fold(tf.stack([tf.cast(seed, tf.int32), noise.purpose("log_prob")]), block)
