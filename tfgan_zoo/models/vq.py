"""Autoencoders whose codes are integers: each vector of a map is replaced by the nearest of a codebook."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfgan_zoo import noise, runtime
from tfgan_zoo.errors import whole_number
from tfgan_zoo.likelihoods import Categorical
from tfgan_zoo.models import checks
from tfgan_zoo.models.autoencoder import EncoderDecoder
from tfgan_zoo.models.optimisation import training_call
from tfgan_zoo.models.raster import Raster
from tfgan_zoo.serialization import serializable

_SPREAD = 0.5  # standard deviation of codes at the start, near that of the encoder's vectors


@serializable
class VQVAE(EncoderDecoder):
    """VQ-VAE (van den Oord et al. 2017) with a codebook that follows the means of what it stands for.

    The encoder's gradient is that of the decoder's input (their Eq. 2, straight through) and of the commitment
    beta |z - sg e|^2 (Eq. 3); the codebook has none, but moves by averages (App. A.1): count and sum of the vectors of
    a code, whose ratio it is. They start at 1 and the code itself, so that a code which is not used does not move.

    `encode` gives integers. A prior, if it has one, learns their distribution beside it, a PixelCNN of the map (Sec.
    3.3) of which no gradient goes back, and generates them in order. Without one each place is drawn by itself, by how
    often its codes were used, which is patchwork.

    Args:
        encoder: functional Keras model, images -> maps of vectors (N, ..., embedding_dim).
        decoder: functional Keras model, such maps -> parameters of the likelihood.
        likelihood: one of `tz.likelihoods`.
        num_embeddings: codes in the book, >= 2.
        commitment_cost: beta.
        decay: of the averages, in [0, 1).
        code_prior: functional Keras model, maps (N, h, w, 1) of numbers spread over [-1, 1] -> logits (N, h, w, 1,
            num_embeddings), such as `networks.pixelcnn.gated(..., levels=num_embeddings)`; None for none.
        revive_below: a code whose average count has fallen below this becomes a vector of the batch; 0 for never.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, or a number is out of its range.
    """

    def __init__(
        self,
        encoder,
        decoder,
        *,
        likelihood,
        num_embeddings=512,
        commitment_cost=0.25,
        decay=0.99,
        revive_below=0.01,
        code_prior=None,
        **model,
    ):
        whole_number("num_embeddings", num_embeddings, at_least=2)
        if not (0 <= decay < 1 and commitment_cost >= 0 and 0 <= revive_below < 1):
            raise ValueError(
                f"decay={decay}, commitment_cost={commitment_cost}, revive_below={revive_below}: a decay in [0, 1), "
                "a cost >= 0, and a count in [0, 1)."
            )
        self.check_networks(encoder, decoder, likelihood)
        self.map_shape = tuple(encoder.output.shape[1:-1])
        size = encoder.output.shape[-1]
        book = np.asarray(keras.initializers.RandomNormal(stddev=_SPREAD)((num_embeddings, size)))
        used = np.full((math.prod(self.map_shape), num_embeddings), 1.0 / num_embeddings)
        state = {"codebook": book, "code_counts": np.ones(num_embeddings), "code_sums": book, "code_usage": used}
        networks = {} if code_prior is None else {"code_prior": code_prior}
        wanted = (*self.map_shape, 1, num_embeddings)
        if code_prior is not None and tuple(code_prior.output_shape[1:]) != wanted:
            raise ValueError(
                f"code_prior gives {tuple(code_prior.output.shape[1:])}: each place's logits are {wanted}."
            )
        averaged = ("encoder", "decoder", *networks)
        super().__init__(
            encoder, decoder, likelihood=likelihood, networks=networks, averaged=averaged, state=state, **model
        )
        self.has_prior = self.draws_levels = code_prior is not None
        self.num_embeddings, self.commitment_cost = int(num_embeddings), float(commitment_cost)
        self.decay, self.revive_below = float(decay), float(revive_below)

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """-log p(x|z), the commitment, and -log p(z) where there is a prior."""
        return ("reconstruction_loss", "commitment_loss", *(("prior_loss",) if self.has_prior else ()))

    def monitor_names(self):
        """How many codes a batch uses evenly, from 1 to num_embeddings; and how many are hardly used any more."""
        return ("perplexity", "dead_codes")

    def train_step(self, data):
        """One update of both networks; the codebook follows the vectors that were quantised."""
        images, condition = self.unpack(data)
        seen = {}

        def losses():
            seen["vectors"], seen["codes"], results = self.quantised_losses(images, condition, training=True)
            return results

        results = self.minimize(self._names, losses)
        with tf.control_dependencies([*results.values()]):  # quantised by the book as it was
            self.follow(seen["vectors"], seen["codes"])
        return self.end_step(results)

    def batch_losses(self, images, condition, training):
        """What both networks minimise, a dict name -> scalar."""
        return self.quantised_losses(images, condition, training)[2]

    def quantised_losses(self, images, condition, training):
        """The encoder's vectors, their codes, and van den Oord et al. 2017's Eq. 3 without its second term."""
        images = self.observed(images)
        vectors = self.bounded(ops.cast(self.passed("encoder", images, condition, training), "float32"))
        codes = self.nearest(vectors)
        chosen = ops.stop_gradient(self.vectors_of(codes))
        parameters = self.passed("decoder", straight_through(vectors, chosen), condition, training)
        distance = ops.sum((vectors - chosen) ** 2, axis=tuple(range(1, len(vectors.shape))))
        used = ops.mean(ops.one_hot(ops.reshape(codes, (-1,)), self.num_embeddings), axis=0)
        dead = ops.sum(ops.cast(self.state["code_counts"].value < 0.1, "float32"))
        results = {
            "reconstruction_loss": self.negative_log_likelihood(images, parameters),
            "commitment_loss": self.commitment_cost * ops.mean(distance),
            "perplexity": perplexity(runtime.mean(used)),
            "dead_codes": dead,
        }
        if self.has_prior:
            seen = self._spread(codes)
            logits = training_call(self.code_prior, seen) if training else self.code_prior(seen, training=False)
            results["prior_loss"] = -ops.mean(self.numbers.log_prob(seen[..., None], logits))
        return vectors, codes, results

    @property
    def numbers(self):
        """The likelihood of a code's number, spread over [-1, 1]."""
        return Categorical(self.num_embeddings)

    def _spread(self, codes):
        """Numbers (N, h, w, 1) in [-1, 1] of codes (N, h, w)."""
        return tf.cast(codes, tf.float32)[..., None] * (2.0 / (self.num_embeddings - 1)) - 1.0

    def bounded(self, vectors):
        """The encoder's vectors as they are quantised: as they are."""
        return vectors

    def nearest(self, vectors):
        """Numbers int32 (N, ...) of the codes nearest to vectors (N, ..., embedding_dim)."""
        book = tf.convert_to_tensor(self.state["codebook"].value)
        flat = tf.reshape(vectors, (-1, book.shape[-1]))
        distances = tf.reduce_sum(book**2, axis=1) - 2.0 * tf.matmul(flat, book, transpose_b=True)  # |z|^2 left out
        return tf.reshape(tf.argmin(distances, axis=1, output_type=tf.int32), (-1, *self.map_shape))

    def vectors_of(self, codes):
        """Vectors (N, ..., embedding_dim) of codes (N, ...)."""
        return tf.gather(tf.convert_to_tensor(self.state["codebook"].value), codes)

    def follow(self, vectors, codes):
        """Let the codebook follow the means of a batch's vectors (van den Oord et al. 2017, App. A.1, Eq. 6-8)."""
        size, replicas = self.num_embeddings, runtime.replicas()
        flat, numbers = tf.reshape(vectors, (-1, vectors.shape[-1])), tf.reshape(codes, (-1,))
        sums = replicas * runtime.mean(tf.math.unsorted_segment_sum(flat, numbers, size))
        counts = replicas * runtime.mean(tf.math.unsorted_segment_sum(tf.ones_like(flat[:, 0]), numbers, size))
        state = {name: tf.convert_to_tensor(variable.value) for name, variable in self.state.items()}
        counts = self.decay * state["code_counts"] + (1.0 - self.decay) * counts
        sums = self.decay * state["code_sums"] + (1.0 - self.decay) * sums
        if self.revive_below:
            counts, sums = self.revived(counts, sums, runtime.all_gather(flat))
        book = tf.where(counts[:, None] > 1e-20, sums / tf.maximum(counts, 1e-20)[:, None], state["codebook"])
        places = tf.reshape(codes, (-1, math.prod(self.map_shape)))
        used = runtime.mean(tf.reduce_mean(tf.one_hot(places, size), axis=0))
        used = self.decay * state["code_usage"] + (1.0 - self.decay) * used
        new = {"codebook": book, "code_counts": counts, "code_sums": sums, "code_usage": used}
        for name, value in new.items():
            self.state[name].assign(value)

    def revived(self, counts, sums, vectors):
        """Counts and sums in which unused codes are vectors of the batch, drawn from the step's noise."""
        drawn = noise.uniform((self.num_embeddings, 1), self.noise_seed("revive"))[:, 0]
        rows = tf.cast(drawn * tf.cast(tf.shape(vectors)[0], tf.float32), tf.int32)
        dead = counts < self.revive_below
        return tf.where(dead, 1.0, counts), tf.where(dead[:, None], tf.gather(vectors, rows), sums)

    # ---- the verbs --------------------------------------------------------------------------------------------

    def encode(self, images, condition=None):
        """Codes, int32 (N, ...), a map of integers in [0, num_embeddings)."""
        return self.nearest(self.bounded(tf.cast(self._answer("encoder", images, condition), tf.float32)))

    def decode(self, codes, condition=None):
        """The images (N, *image_shape) that are expected of maps of integers."""
        return super().decode(self.vectors_of(codes), condition)

    def start(self, rows, seed):
        """Uniform numbers (rows, ...), one for each position of the map."""
        return {"fractions": noise.uniform((rows, *self.map_shape), seed)}

    def draw(self, fractions, condition=None):
        """Images of codes drawn by the prior, one after another; without it, each place by how its codes were used."""
        if self.has_prior:
            values = Raster(self.inference["code_prior"], self.numbers).values(fractions[..., None])
            return self.decode(self._numbers_of(values[..., 0]), condition)
        reached = tf.cumsum(tf.convert_to_tensor(self.state["code_usage"].value), axis=1)
        reached = reached[:, :-1] / reached[:, -1:]
        places = tf.reshape(fractions, (-1, math.prod(self.map_shape), 1))
        codes = tf.reduce_sum(tf.cast(reached[None] <= places, tf.int32), axis=-1)
        return self.decode(tf.reshape(codes, (-1, *self.map_shape)), condition)

    def complete(self, images, mask, seed=0):
        """Images of which places of the map are kept and the rest is drawn by the prior, in raster order.

        Args:
            images: (N, *image_shape) in [-1, 1].
            mask: (h, w), 1 (or True) where a place of the map is known.
            seed: integer >= 0.

        Returns:
            float32 array (N, *image_shape).

        Raises:
            ValueError: if there is no prior, or the mask has another shape.
        """
        if not self.has_prior:
            raise ValueError("There is no prior to draw codes from: create the model with prior_width=.")
        mask = tf.cast(mask, tf.float32)
        if tuple(mask.shape) != self.map_shape:
            raise ValueError(
                f"mask is {tuple(mask.shape)}: give 1 for places of the map that are known, {self.map_shape}."
            )
        seen = self._spread(self.encode(images))
        known = tf.broadcast_to(mask[..., None], tf.shape(seen))
        fractions = self.start(len(seen), noise.block_seed(checks.seed(seed), 0))["fractions"][..., None]
        values = Raster(self.inference["code_prior"], self.numbers).values(fractions, images=seen, known=known)
        return np.asarray(self.decode(self._numbers_of(values[..., 0])))

    def _numbers_of(self, values):
        return tf.cast(tf.round((values + 1.0) * ((self.num_embeddings - 1) / 2.0)), tf.int32)

    def get_config(self):
        """As for every autoencoder, with the codebook's numbers."""
        names = ("num_embeddings", "commitment_cost", "decay", "revive_below")
        return super().get_config() | self.config_of(*names)


@serializable
class FSQVAE(VQVAE):
    """VQ-VAE without a book to learn: each coordinate of a vector is rounded to a few levels (Mentzer et al. 2024).

    The codes are all combinations of levels, none of which can die, and nothing commits the encoder to them.

    Args:
        encoder, decoder, likelihood: as for `VQVAE`, of vectors with a coordinate for each number of levels.
        levels: of each coordinate, >= 2; (8, 5, 5, 5) makes 1,000 codes, (8, 6, 5) 240.
        **model: as for `VQVAE`: code_prior, decay (of how often codes are used).

    Raises:
        ValueError: if the levels do not fit the networks.
    """

    def __init__(self, encoder, decoder, *, likelihood, levels=(8, 5, 5, 5), **model):
        levels = tuple(whole_number("levels", one, at_least=2) for one in levels)
        if encoder.output.shape[-1] != len(levels):
            raise ValueError(
                f"levels={levels} are of {len(levels)} coordinates, but the encoder gives {encoder.output.shape[-1]}."
            )
        fixed = {"num_embeddings": math.prod(levels), "commitment_cost": 0.0, "revive_below": 0.0}
        super().__init__(encoder, decoder, likelihood=likelihood, **fixed, **model)
        self.levels = levels
        grid = np.stack(np.unravel_index(np.arange(self.num_embeddings), levels), axis=-1)
        half = np.array(levels) // 2
        self.state["codebook"].assign((grid - half) / half)

    def bounded(self, vectors):
        """Coordinates in about [-1, 1], of which each is near one of its levels: their Sec. 3.1 and App. A.1."""
        levels = np.array(self.levels, "float32")
        reach, offset = (levels - 1.0) * 1.001 / 2.0, np.where(levels % 2 == 0, 0.5, 0.0)
        inside = ops.tanh(vectors + np.arctanh(offset / reach).astype("float32")) * reach - offset.astype("float32")
        return inside / (levels // 2)

    def nearest(self, vectors):
        """Numbers int32 (N, ...) of the codes that bounded vectors are rounded to."""
        half = np.array(self.levels, "float32") // 2
        digits = ops.cast(ops.round(vectors * half) + half, "int32")
        places = np.cumprod([1, *self.levels[:0:-1]])[::-1].astype("int32")
        return tf.reduce_sum(digits * places, axis=-1)

    def follow(self, vectors, codes):
        """How often codes are used; the book stands."""
        used = tf.one_hot(tf.reshape(codes, (-1, math.prod(self.map_shape))), self.num_embeddings)
        usage = self.state["code_usage"]
        usage.assign(usage.value + (1.0 - self.decay) * (runtime.mean(tf.reduce_mean(used, axis=0)) - usage.value))

    def get_config(self):
        """As for `VQVAE`, with levels in place of what is learned of a book."""
        config = super().get_config() | {"levels": list(self.levels)}
        return {key: config[key] for key in config if key not in ("num_embeddings", "commitment_cost", "revive_below")}


def straight_through(vectors, chosen):
    """The chosen vectors, with the gradient of a copy: van den Oord et al. 2017, Sec. 3.2."""
    return vectors + ops.stop_gradient(chosen - vectors)


def perplexity(shares):
    """exp of the entropy of shares (K,): K if all are used alike, 1 if one is."""
    return ops.exp(-ops.sum(shares * ops.log(shares + 1e-10)))
