"""Autoencoders that draw pixel by pixel: a code says what is global, and a PixelCNN the rest, pixels in their order."""

import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversarial_autoencoder import AdversarialAutoencoder
from tfgan_zoo.models.raster import Raster
from tfgan_zoo.models.variational import VAE
from tfgan_zoo.serialization import serializable


class PixelDecoder:
    """What p(x|z) is where a PixelCNN is told what a decoder makes of z: a product over pixels, each given all before.

    Images start from latents and from a uniform number for each value, which the value's quantile is drawn by.
    """

    draws_levels = True  # so that formats, which round otherwise, now and then draw a neighbouring one

    @classmethod
    def check_decoded(cls, shape, decoder, likelihood):
        """The likelihood's parameters are the PixelCNN's, and it is what reads what the decoder gives."""

    @staticmethod
    def with_pixelcnn(encoder, decoder, pixelcnn, likelihood):
        """Keywords of the model for its third network, once that is known to fit the others."""
        checks.autoregressive("pixelcnn", pixelcnn, likelihood)
        read, seen = tuple(pixelcnn.inputs[0].shape[1:]), tuple(encoder.inputs[0].shape[1:])
        if read != seen:
            raise ValueError(f"pixelcnn reads images {read}, but encoder {seen}: give both the same shape.")
        told = tuple(pixelcnn.inputs[1].shape[1:]) if len(pixelcnn.inputs) == 2 else None
        made = tuple(decoder.output.shape[1:])
        if told != made:
            raise ValueError(
                f"decoder gives {made}, but pixelcnn is told {'nothing' if told is None else told}: make it by "
                f"networks.pixelcnn.gated(..., told={made})."
            )
        return {"networks": {"pixelcnn": pixelcnn}, "averaged": ("encoder", "decoder", "pixelcnn")}

    def log_likelihood(self, images, codes, condition, answer):
        """log p(x|z) (N,), exact."""
        images = tf.convert_to_tensor(
            images
        )  # in an eager step they are an array, which Keras does not mix with tensors
        parameters = answer("pixelcnn", images, answer("decoder", codes, condition))
        return self.likelihood.log_prob(images[..., None], parameters)

    def check_images(self, images):
        """As for every model; and a binary one wants black and white."""
        super().check_images(images)
        checks.black_and_white(images, self.name, self.likelihood)

    def _answer(self, name, tensor, condition):
        if name == "pixelcnn":  # which is told what the decoder says, and never what images are told
            return self.inference[name]([tf.cast(tensor, tf.float32), condition], training=False)
        return super()._answer(name, tensor, condition)

    # ---- verbs ------------------------------------------------------------------------------------------------

    def start(self, rows, seed):
        """Latents, and a uniform number for each value of an image."""
        own = noise.fold(seed, noise.purpose("fractions"))
        return super().start(rows, seed) | {"fractions": noise.uniform((rows, *self.image_shape), own)}

    def draw(self, latents, fractions=None, condition=None):
        """Images of latents, pixel by pixel, each the quantile of its fraction.

        Args:
            latents: (N, latent_dim).
            fractions: (N, *image_shape) in [0, 1); None for the same for all, so that images of different latents
                differ by these alone.
            condition: (N, ...) or None.

        Returns:
            float32 (N, *image_shape).
        """
        if fractions is None:
            same = self.start(1, noise.block_seed(0, 0))["fractions"]
            fractions = tf.tile(same, [tf.shape(latents)[0], 1, 1, 1])
        told = self._answer("decoder", latents, condition)
        return Raster(self.inference["pixelcnn"], self.likelihood).values(fractions, told)

    def decode(self, codes, condition=None):
        """Images (N, *image_shape) of codes, each pixel the median of what it may be given those before it."""
        rows = tf.shape(codes)[0]
        return self.draw(codes, tf.fill((rows, *self.image_shape), 0.5), condition)


@serializable
class PixelVAE(PixelDecoder, VAE):
    """A VAE with an autoregressive decoder, of one level of codes: Gulrajani et al. 2017, Sec. 3.1.

    The bound is a VAE's, with log p(x|z) that of a PixelCNN which is told, in every layer, the maps that a decoder
    makes of z. What pixels tell of the next, the code need not say: the further the PixelCNN sees, the less it is left,
    and one that sees all may leave it nothing; "kl" shows it while it trains.

    Args:
        encoder: functional Keras model, images [and condition] -> (N, 2 latent_dim): means, then log variances.
        decoder: functional Keras model, codes (N, latent_dim) [and condition] -> what the PixelCNN is told, maps
            (N, height, width, d) or numbers (N, d).
        pixelcnn: functional Keras model, [images, those] -> (N, *image_shape, likelihood.channels(1)), such as
            `networks.pixelcnn.gated(..., told=(height, width, d))`.
        likelihood: of a value, one of `tz.likelihoods`.
        **model: as for `VAE`: beta, warmup_steps, num_samples.

    Raises:
        ValueError: if the networks do not fit each other, or a number is out of its range.
    """

    rows_at_once = 250  # a PixelCNN keeps maps of an image's size in every layer

    def __init__(self, encoder, decoder, pixelcnn, *, likelihood, **model):
        third = self.with_pixelcnn(encoder, decoder, pixelcnn, likelihood)
        super().__init__(encoder, decoder, likelihood=likelihood, **third, **model)


@serializable
class PixelGANAutoencoder(PixelDecoder, AdversarialAutoencoder):
    """An adversarial autoencoder with an autoregressive decoder: Makhzani & Frey 2017, Sec. 2.

    The reconstruction's phase moves encoder, decoder and PixelCNN; the game over codes is that of
    `AdversarialAutoencoder`. Which of an image the code holds, and which the PixelCNN, the prior decides.

    Args:
        encoder: functional Keras model, images [and condition] -> codes (N, latent_dim).
        decoder, pixelcnn: as for `PixelVAE`.
        discriminator: functional Keras model, codes -> logits (N, 1).
        likelihood: of a value, one of `tz.likelihoods`.
        objective: of the game over codes, one of `tz.objectives`.
        **model: as for `AdversarialAutoencoder`: prior, adversarial_weight.

    Raises:
        ValueError: if the networks do not fit each other, or the weight is not positive.
    """

    reconstructing = ("encoder", "decoder", "pixelcnn")

    def __init__(self, encoder, decoder, pixelcnn, discriminator, *, likelihood, objective, **model):
        third = self.with_pixelcnn(encoder, decoder, pixelcnn, likelihood)
        super().__init__(encoder, decoder, discriminator, likelihood=likelihood, objective=objective, **third, **model)
