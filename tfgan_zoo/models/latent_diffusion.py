"""Diffusion in the codes of an autoencoder, a map much smaller than the image."""

import tensorflow as tf

from tfgan_zoo import noise, runtime
from tfgan_zoo.models.denoising import Denoising
from tfgan_zoo.models.optimisation import training_call
from tfgan_zoo.serialization import serializable

_PACE = 0.01  # of the codes' running moments


@serializable
class LatentDiffusion(Denoising):
    """An autoencoder, and diffusion of what it makes of images: Rombach et al. 2022, Sec. 3.

    Both learn in one `fit`: the autoencoder from the images, the denoiser from its codes, of which no gradient goes
    back. Codes are brought to mean 0 and standard deviation 1, channel by channel, by moments that are part of the
    model. The decoder learns from codes with a little noise, so that it bears those that the sampler ends with; the
    paper's slight KL does the same. An autoencoder that has been trained before stands still, with `learn_codes=False`.

    Args:
        denoiser: as for `Denoising`, of codes.
        encoder: functional Keras model, images (N, *image_shape) -> codes (N, *space).
        decoder: functional Keras model, codes -> parameters of the likelihood.
        likelihood: of images given their codes, such as `likelihoods.Gaussian(0.1)`.
        code_noise: standard deviation of the decoder's noise while it learns, of codes whose own is 1; at least 0.
        learn_codes: False trains the denoiser alone.
        **denoising: as for `Denoising`.

    Raises:
        ValueError: if the networks do not fit each other.
    """

    def __init__(self, denoiser, encoder, decoder, *, likelihood, code_noise=0.1, learn_codes=True, **denoising):
        image_shape, space = tuple(encoder.inputs[0].shape[1:]), tuple(denoiser.output_shape[1:])
        made = (*image_shape[:-1], likelihood.channels(image_shape[-1]))
        for name, network, gives in (("encoder", encoder, space), ("decoder", decoder, made)):
            self._must_be(
                tuple(network.output_shape[1:]) == gives,
                f"{name} gives {tuple(network.output_shape[1:])}: the other networks and {likelihood} need {gives}.",
            )
        self._must_be(code_noise >= 0, f"code_noise={code_noise!r}: give a standard deviation, at least 0.")
        moments = {"code_mean": [0.0] * space[-1], "code_stddev": [1.0] * space[-1]}
        super().__init__(
            denoiser,
            networks={"encoder": encoder, "decoder": decoder},
            image_shape=image_shape,
            state=moments,
            **denoising,
        )
        self.likelihood, self.code_noise, self.learn_codes = likelihood, code_noise, bool(learn_codes)

    @property
    def learners(self):
        """Names of the networks that a step updates."""
        return self._names if self.learn_codes else ("denoiser",)

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """The denoiser's weighted squared error, and what images lose in their codes."""
        return ("denoising_loss", *(("reconstruction_loss",) if self.learn_codes else ()))

    def batch_losses(self, images, condition, training):
        """The autoencoder's loss, and the denoiser's on the codes.

        Args:
            images: (N, *image_shape) float32.
            condition: labels (N,), or None.
            training: False when nothing is to change.
        """
        learn = training and self.learn_codes
        raw = tf.cast(
            training_call(self.encoder, images) if learn else self.encoder(images, training=False), tf.float32
        )
        mean, stddev = self._moments(raw) if training else self._kept()
        losses = super().batch_losses(tf.stop_gradient((raw - mean) / stddev), condition, training)
        if not self.learn_codes:
            return losses
        eps = noise.shared(lambda rows: noise.normal((rows, *self.space), self.noise_seed("codes")), tf.shape(raw)[0])
        seen = raw + self.code_noise * stddev * eps
        parameters = training_call(self.decoder, seen) if learn else self.decoder(seen, training=False)
        return losses | {"reconstruction_loss": -tf.reduce_mean(self.likelihood.log_prob(images, parameters))}

    def _moments(self, raw):
        """The codes' mean and standard deviation by channel, which follow a batch; of a still encoder, the first's."""
        axes = list(range(len(self.space)))
        mean = runtime.mean(tf.reduce_mean(tf.stop_gradient(raw), axes))
        square = runtime.mean(tf.reduce_mean(tf.square(tf.stop_gradient(raw) - mean), axes))
        rate = tf.maximum(_PACE if self.learn_codes else 0.0, tf.cast(self.step.value == 0, tf.float32))
        kept = self._kept()
        moments = [old + rate * (new - old) for old, new in zip(kept, (mean, tf.sqrt(square + 1e-8)), strict=True)]
        for name, value in zip(("code_mean", "code_stddev"), moments, strict=True):
            self.state[name].assign(value)
        return moments

    def _kept(self):
        return [tf.convert_to_tensor(self.state[name].value) for name in ("code_mean", "code_stddev")]

    # ---- verbs ------------------------------------------------------------------------------------------------

    def encode(self, images):
        """Codes (N, *space) of images, with mean 0 and standard deviation 1 over the data."""
        mean, stddev = self._kept()
        raw = self.inference["encoder"](tf.cast(images, tf.float32), training=False)
        return (tf.cast(raw, tf.float32) - mean) / stddev

    def decode(self, codes):
        """The images (N, *image_shape) that are expected of codes."""
        mean, stddev = self._kept()
        images = self.likelihood.mean(self.inference["decoder"](mean + stddev * codes, training=False))
        return images if len(self.image_shape) == 1 else tf.clip_by_value(images, -1.0, 1.0)

    def reconstruct(self, images):
        """Images as they come back from their codes."""
        return self.decode(self.encode(images))

    def finished(self, x):
        """Images of the codes that a sampler ends with."""
        return self.decode(x)

    @property
    def _clips(self):
        return False  # codes have no bounds

    def get_config(self):
        """As for `Denoising`, with the autoencoder's own."""
        return super().get_config() | self.config_of("code_noise", "learn_codes", "likelihood")
