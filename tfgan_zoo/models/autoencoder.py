"""Autoencoders: an encoder and a decoder that learn together to give images back."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfgan_zoo import noise, runtime
from tfgan_zoo.errors import whole_number
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import with_condition
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.latent import FromLatents
from tfgan_zoo.models.optimisation import training_call
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable


class EncoderDecoder(GenerativeModel):
    """What all autoencoders share: two networks, a likelihood between them and the images, and the verbs.

    Args:
        encoder: functional Keras model, images [and condition] -> numbers about a code (N, d).
        decoder: functional Keras model, codes (N, ...) [and condition] -> parameters of the likelihood.
        likelihood: how those stand for images, one of `tz.likelihoods`.
        networks: dict of further networks that are trained, such as a discriminator.
        averaged: names of the networks that answer; None for the two.
        **model: as for `GenerativeModel`: condition, ema_decay, state, optimizers, seed.

    Raises:
        ValueError: if the networks and the likelihood do not fit each other.
    """

    numbers_of_code = 1  # that the encoder gives for each coordinate of a code: 2 for mean and log variance

    def __init__(self, encoder, decoder, *, likelihood, networks=None, averaged=None, **model):
        self.check_networks(encoder, decoder, likelihood)
        networks = {"encoder": encoder, "decoder": decoder} | (networks or {})
        averaged = ("encoder", "decoder") if averaged is None else averaged
        super().__init__(networks, image_shape=encoder.inputs[0].shape[1:], averaged=averaged, **model)
        self.likelihood = likelihood
        for name in ("encoder", "decoder") if self.condition is not None else ():
            checks.takes_labels(name, networks[name])

    @classmethod
    def check_networks(cls, encoder, decoder, likelihood):
        """Raise unless codes and parameters have the shapes that the other side takes."""
        for name, network in (("encoder", encoder), ("decoder", decoder)):
            if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
                raise ValueError(
                    f"{name} is {type(network).__name__}: give a functional model, such as one of networks.autoencoder."
                )
        if not hasattr(likelihood, "per_dimension") or isinstance(likelihood, type):
            raise ValueError(
                f"likelihood={likelihood!r}: give one of tz.likelihoods, such as tz.likelihoods.Bernoulli()."
            )
        codes, read = encoder.output.shape[1:], tuple(decoder.inputs[0].shape[1:])
        wanted = (*read[:-1], cls.numbers_of_code * read[-1])
        if tuple(codes) != wanted:
            raise ValueError(
                f"encoder gives {tuple(codes)} numbers an image, but a decoder of codes {read} needs {wanted}: "
                f"{cls.numbers_of_code} for each coordinate of a code."
            )
        cls.check_decoded(encoder.inputs[0].shape[1:], decoder, likelihood)

    @classmethod
    def check_decoded(cls, shape, decoder, likelihood):
        """Raise unless the decoder gives the likelihood's parameters of images of this shape."""
        wanted = (*shape[:-1], likelihood.channels(shape[-1]))
        if tuple(decoder.output.shape[1:]) != wanted:
            raise ValueError(
                f"decoder gives {tuple(decoder.output.shape[1:])}, but {type(likelihood).__name__} of images {shape} "
                f"needs {wanted}: end it with likelihood.channels({shape[-1]}) channels."
            )

    # ---- learning ---------------------------------------------------------------------------------------------

    def observed(self, images, purpose="observe"):
        """A batch as this step sees it: binarised or dequantised, where the likelihood asks for it."""
        return self.likelihood.observe(images, self.noise_seed(purpose))

    def passed(self, name, tensor, condition, training):
        """Outputs of a network for a tensor [and its condition]."""
        network = self.networks[name]
        inputs = with_condition(network, tensor, condition)
        return training_call(network, inputs) if training else network(inputs, training=False)

    def log_likelihood(self, images, codes, condition, answer):
        """log p(x|z) (N,) of images, as observed, given their codes, in nats.

        Args:
            images: (N, *image_shape).
            codes: (N, ...).
            condition: (N, ...) or None.
            answer: function (name of a network, tensor, condition) -> what the network says, such as `_answer`.
        """
        return self.likelihood.log_prob(images, answer("decoder", codes, condition))

    def passing(self, training):
        """`passed`, as `log_likelihood` takes it."""
        return lambda name, tensor, condition: self.passed(name, tensor, condition, training)

    def negative_log_likelihood(self, images, parameters):
        """Mean over images, of sums over dimensions, in nats."""
        return -ops.mean(self.likelihood.log_prob(images, parameters))

    def normal_rows(self, rows, shape, purpose):
        """Standard normal numbers of this step (rows, *shape), this replica's rows."""
        return noise.shared(lambda total: noise.normal((total, *shape), self.noise_seed(purpose)), rows)

    # ---- the verbs --------------------------------------------------------------------------------------------

    def encode(self, images, condition=None):
        """Codes (N, latent_dim) of images (N, *image_shape)."""
        return self._answer("encoder", images, condition)

    def decode(self, codes, condition=None):
        """The images (N, *image_shape) that are expected of codes."""
        images = self.likelihood.mean(self._answer("decoder", codes, condition))
        return images if len(self.image_shape) == 1 else ops.clip(images, -1.0, 1.0)

    def reconstruct(self, images, condition=None):
        """Images as they come back from their codes."""
        return self.decode(self.encode(images, condition), condition)

    def call(self, inputs, training=False):
        """Reconstructions."""
        return self.reconstruct(*inputs) if isinstance(inputs, (list, tuple)) else self.reconstruct(inputs)

    def _answer(self, name, tensor, condition):
        tensor = tf.cast(tensor, tf.float32)
        if self.condition is not None:
            if condition is None:
                raise ValueError(
                    f"{self.name} is told {self.condition.name} of every image: give them, such as "
                    f"encode(images, {self.condition.name})."
                )
            condition = self.condition.as_tensor(condition)
        network = self.inference[name]
        return network(with_condition(network, tensor, condition), training=False)

    # ---- Keras' contract --------------------------------------------------------------------------------------

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        names = ("likelihood",) if self.condition is None else ("likelihood", "condition")
        return super().get_config() | self.config_of(*names)


class NormalCodes(FromLatents, EncoderDecoder):
    """An autoencoder whose codes are vectors (N, latent_dim) with a standard normal prior, which it generates from."""

    prior = Normal()

    @property
    def latent_dim(self):
        """Coordinates of a code."""
        return self.decoder.inputs[0].shape[-1]

    def draw(self, latents, condition=None):
        """Images of latents."""
        return self.decode(latents, condition)


@serializable
class Autoencoder(NormalCodes):
    """Images through a narrow code and back (Rumelhart et al. 1986; Hinton & Salakhutdinov 2006).

    It knows no distribution of codes. To generate all the same, it draws from a normal with the mean and covariance of
    the codes it has seen in training (Ghosh et al. 2020, Sec. 4, with one component).

    Args:
        encoder, decoder, likelihood: as for `EncoderDecoder`; -log likelihood is what is minimised.
        corruption: what is done to images on their way in, while the clean ones are to come out (Vincent et al. 2010):
            augmentations such as `tz.augmentations.InstanceNoise(0.5, steps=None)` or `Masking(0.25)`.
        penalties: terms on the codes, `tz.penalties.SparseCodes()` or `Contractive()`.
        **model: as for `GenerativeModel`.
    """

    def __init__(self, encoder, decoder, *, likelihood, corruption=(), penalties=(), **model):
        self.check_networks(encoder, decoder, likelihood)
        size = encoder.output.shape[-1]
        moments = {"code_mean": np.zeros(size), "code_covariance": np.eye(size), "code_factor": np.eye(size)}
        super().__init__(encoder, decoder, likelihood=likelihood, state=moments, **model)
        self.corruption, self.penalties = tuple(corruption), tuple(penalties)
        for given, one in (("corruption", "augmentations.Masking(0.25)"), ("penalties", "penalties.SparseCodes()")):
            for value in getattr(self, given):
                if not callable(value) or isinstance(value, type):
                    raise ValueError(f"{given} holds {value!r}: give such as tz.{one}, with parentheses.")

    def loss_names(self):
        """The reconstruction's and the penalties' losses."""
        return ("reconstruction_loss", *(penalty.name for penalty in self.penalties))

    def train_step(self, data):
        """One update of both networks; the moments of codes follow."""
        images, condition = self.unpack(data)
        seen = {}

        def losses():
            seen["codes"], results = self.codes_and_losses(images, condition, training=True)
            return results

        results = self.minimize(("encoder", "decoder"), losses)
        self.follow_codes(seen["codes"])
        return self.end_step(results)

    def batch_losses(self, images, condition, training):
        """What both networks minimise, a dict name -> scalar."""
        return self.codes_and_losses(images, condition, training)[1]

    def codes_and_losses(self, images, condition, training):
        """Codes of the corrupted images, and the losses of giving the clean ones back."""
        images = self.observed(images)
        codes = self.passed("encoder", self.corrupted(images), condition, training)
        parameters = self.passed("decoder", codes, condition, training)
        losses = {"reconstruction_loss": self.negative_log_likelihood(images, parameters)}
        for penalty in self.penalties:

            def encode(images):
                network = self.encoder
                return network(with_condition(network, images, condition), training=training)

            losses[penalty.name] = penalty(encode, images, codes, seed=self.noise_seed(penalty.name))
        return codes, losses

    def corrupted(self, images):
        """What the encoder sees of a batch while it trains."""
        for number, corrupt in enumerate(self.corruption):
            images = corrupt(images, self.noise_seed(f"corrupt {number}"), self.step.value)
        return images

    def follow_codes(self, codes):
        """Let the mean and the covariance of codes follow a batch: all of the first, then a hundredth of each."""
        codes = runtime.all_gather(ops.cast(codes, "float32"))
        rate = ops.maximum(0.01, 1.0 / (1.0 + ops.cast(self.step, "float32")))
        mean, covariance = (self.state[name].value for name in ("code_mean", "code_covariance"))
        mean = mean + rate * (ops.mean(codes, axis=0) - mean)
        centred = codes - mean
        batch = ops.matmul(ops.transpose(centred), centred) / ops.cast(ops.shape(codes)[0], "float32")
        covariance = covariance + rate * (batch - covariance)
        ridge = 1e-4 * ops.trace(covariance) / self.latent_dim + 1e-8
        factor = ops.cholesky(covariance + ridge * ops.eye(self.latent_dim))
        for name, value in (("code_mean", mean), ("code_covariance", covariance), ("code_factor", factor)):
            self.state[name].assign(value)

    def draw(self, latents, condition=None):
        """Images of latents, standard normal ones, once these have the mean and covariance of codes."""
        mean, factor = self.state["code_mean"], self.state["code_factor"]
        return self.decode(mean + ops.matmul(latents, ops.transpose(factor)), condition)

    def get_config(self):
        """As for every autoencoder, with corruption and penalties."""
        return super().get_config() | self.config_of("corruption", "penalties")


def latent_dim(given):
    """The number of a code's coordinates, checked before networks are built."""
    return whole_number("latent_dim", given)
