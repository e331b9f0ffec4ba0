"""Restricted Boltzmann machines: contrastive divergence, chains that persist, and the partition function."""

import math

import numpy as np
import tensorflow as tf

from tfgan_zoo import errors, noise, runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.serialization import serializable

_EXACT = 20  # units of the smaller side whose states are all summed: 2 ** 20 of them
_AIS = {"chains": 128, "temperatures": 1000}  # of log_prob
_PACE = 0.01  # of the running means


@serializable
class RBM(GenerativeModel):
    """A restricted Boltzmann machine of binary units: Hinton 2002; persistent chains by Tieleman 2008.

    An update is a step on mean F(data) - mean F(samples) with the samples held fixed, which is the likelihood's
    gradient if they are the model's; so any optimizer works. Samples come from k steps of Gibbs sampling: from the data
    (CD-k), or from chains that go on between updates and are saved with the model (PCD).

    Args:
        energy: functional model images -> free energy (N,), whose layer "boltzmann" has the weights, as
            `networks.boltzmann.restricted` makes.
        likelihood: what makes images black and white, `likelihoods.Bernoulli()`.
        k: steps of Gibbs sampling in an update, at least 1.
        persistent: whether chains persist.
        chains: how many, at least 1.
        centred: whether offsets follow the units' means (Melchior et al. 2016).
        gibbs_steps: of `generate`, from random bits, at least 1.
        **model: keywords of `GenerativeModel`.

    Raises:
        ValueError: if a number is none of these, or it is centred and its energy has no offsets.
    """

    is_bound = False
    draws_levels = True  # black or white: formats, which round otherwise, now and then draw the other

    def __init__(
        self,
        energy,
        *,
        likelihood,
        k=1,
        persistent=True,
        chains=64,
        centred=True,
        gibbs_steps=200,
        **model,
    ):
        numbers = {"k": k, "chains": chains, "gibbs_steps": gibbs_steps}
        numbers = {name: errors.whole_number(name, value) for name, value in numbers.items()}
        super().__init__({"energy": energy}, image_shape=energy.inputs[0].shape[1:], **model)
        for name, value in numbers.items():
            setattr(self, name, value)
        self.likelihood, self.persistent, self.centred = likelihood, bool(persistent), bool(centred)
        self.size, self.units = math.prod(self.image_shape), energy.get_layer("boltzmann").units
        if self.centred and not energy.get_layer("boltzmann").centred:
            raise ValueError(
                "centred=True: this energy has no offsets; make it with networks.boltzmann.restricted(image_shape, "
                "units, centred=True), or give centred=False."
            )
        if self.persistent:
            self.chain = self.add_weight(
                name="chain", shape=(chains, self.size), trainable=False, aggregation="only_first_replica"
            )
            seed = tf.stack([self.seed, noise.purpose("chain")])
            self.chain.assign(tf.cast(noise.uniform((chains, self.size), seed) < 0.5, tf.float32))

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        return ("free_energy_difference",)

    def monitor_names(self):
        """The pseudo-log-likelihood by one random unit of each image (Marlin et al. 2010), in nats."""
        return ("pseudo_log_likelihood",)

    def train_step(self, data):
        """k steps of Gibbs sampling, one step downhill in the difference of free energies, and the chains are kept."""
        images, _ = self.unpack(data)
        images = self.likelihood.observe(images, self.noise_seed("observe"))
        layer = self.energy.get_layer("boltzmann")
        bits = self._bits(images)
        samples = self._negatives(bits, layer)
        results = self.minimize("energy", lambda: self._differences(bits, samples))
        if self.persistent:
            self.chain.assign(samples)
        pace = tf.where(self.step.value == 0, 1.0, _PACE)
        layer.visible_mean.assign_add(pace * (runtime.mean(tf.reduce_mean(bits, 0)) - layer.visible_mean))
        if self.centred:
            kernel, _, hidden = layer.parameters()
            hidden_mean = runtime.mean(tf.reduce_mean(tf.sigmoid(hidden + bits @ kernel), 0))
            layer.recentre(layer.visible_mean, hidden_mean, pace)
        return self.end_step(results)

    def test_step(self, data):
        """As training would see them, from the chains as they are; nothing changes."""
        images, _ = self.unpack(data)
        images = self.likelihood.observe(images, self.noise_seed("observe"))
        bits = self._bits(images)
        samples = self._negatives(bits, self.energy.get_layer("boltzmann"))
        return self.track(self._differences(bits, samples))

    def _negatives(self, bits, layer):
        """k steps from the persistent chains, which every replica takes alike, or from a batch's own bits."""
        seed = self.noise_seed("gibbs")
        if not self.persistent:
            return self.gibbs(bits, self.k, seed, layer)
        chain = tf.convert_to_tensor(self.chain)
        return _sampled(chain, *layer.parameters(), self.k, _by_seed(seed, lambda draw, rows: draw(rows)))

    def _differences(self, bits, samples):
        layer, count = self.energy.get_layer("boltzmann"), tf.shape(bits)[0]
        kernel, visible, hidden = layer.parameters()
        both = tf.concat([bits, samples], axis=0)  # one product with W for all that an update asks of it
        inputs = hidden + both @ kernel
        energies = layer.free_energy(both, inputs, visible)
        apart = tf.reduce_mean(energies[:count]) - tf.reduce_mean(energies[count:])
        seed = self.noise_seed("unit")
        drawn = noise.shared(lambda rows: noise.uniform((rows, 1), seed), count)[:, 0]
        units = tf.cast(drawn * self.size, tf.int32)
        change = layer.flipped(bits, inputs[:count], units, kernel, visible)
        return {
            "free_energy_difference": apart,
            "pseudo_log_likelihood": self.size * tf.reduce_mean(tf.math.log_sigmoid(change)),
        }

    def check_images(self, images):
        """As for every model; and they are black and white, or made so."""
        super().check_images(images)
        checks.black_and_white(images, self.name, self.likelihood)

    def _bits(self, images):
        return (tf.reshape(tf.cast(images, tf.float32), (-1, self.size)) + 1.0) / 2.0

    def _images(self, bits):
        return tf.reshape(2.0 * bits - 1.0, (-1, *self.image_shape))

    @property
    def layer(self):
        """The weights that answer."""
        return self.inference["energy"].get_layer("boltzmann")

    # ---- sampling ---------------------------------------------------------------------------------------------

    def gibbs(self, bits, steps, seed, layer=None):
        """Visible units after so many steps of Gibbs sampling.

        Args:
            bits: (N, D) in {0, 1}.
            steps: of hidden units given visible ones, and back.
            seed: stateless seed of two integers; draw t has fold(seed, t).
            layer: whose weights; None for those that answer.
        """
        return _sampled(bits, *(layer or self.layer).parameters(), steps, _by_seed(seed))

    def start(self, rows, seed):
        return {"fractions": noise.uniform((rows, *self.image_shape), seed)}

    def draw(self, fractions, condition=None):
        """Images after `gibbs_steps` from random bits; a row's first two fractions are the key of its noise."""
        fractions = tf.reshape(fractions, (-1, self.size))
        keys = noise.keys(fractions[:, :2])

        def drawn(logits, number):
            return tf.cast(noise.of_rows(keys, number, logits.shape[-1]) < tf.sigmoid(logits), tf.float32)

        bits = tf.cast(fractions < 0.5, tf.float32)
        return self._images(_sampled(bits, *self.layer.parameters(), self.gibbs_steps, drawn))

    # ---- verbs ------------------------------------------------------------------------------------------------

    def free_energy(self, images):
        """F (N,) of images of -1 and 1: p(v) = exp(-F(v)) / Z."""
        return self.inference["energy"](images, training=False)

    def encode(self, images):
        """Probabilities (N, units) of hidden units."""
        kernel, _, hidden = self.layer.parameters()
        return tf.sigmoid(hidden + self._bits(images) @ kernel)

    def decode(self, codes):
        """Expected images (N, *image_shape) for hidden units (N, units)."""
        kernel, visible, _ = self.layer.parameters()
        return self._images(tf.sigmoid(visible + tf.matmul(codes, kernel, transpose_b=True)))

    def reconstruct(self, images):
        """Expected images for the hidden units' probabilities."""
        return self.decode(self.encode(images))

    def log_prob(self, images, seed=0):
        """log p of images, observed as black and white; exact if a side has at most 20 units, else Z is AIS's.

        AIS is too low on average, and with it log Z: likelihoods flatter, and `log_partition(reverse=True)` says by how
        much they might.

        Args:
            images: (N, *image_shape) in [-1, 1].
            seed: integer; of the binarisation.
        """
        seed = tf.stack([tf.cast(seed, tf.int32), noise.purpose("observe")])
        images = self.likelihood.observe(tf.cast(images, tf.float32), seed)
        return -self.free_energy(images) - self._log_z()

    @property
    def likelihood_protocol(self):
        """How `log_prob` is to be read."""
        exact = min(self.size, self.units) <= _EXACT
        ais = {"kind": "estimate", "samples": _AIS["chains"], "temperatures": _AIS["temperatures"]}
        return ({"samples": 1} if exact else ais) | dict(self.likelihood.protocol)

    def _log_z(self):
        """log Z of the weights as they are, kept until they move; a constant inside a graph."""
        with tf.init_scope():
            kept = self.__dict__.setdefault("_kept_log_z", {})
            now = hash(tuple(np.asarray(weight).tobytes() for weight in self.layer.weights))
            if now not in kept:
                kept.clear()
                exact = min(self.size, self.units) <= _EXACT
                kept[now] = self.exact_log_partition() if exact else self.log_partition(**_AIS)[0]
            return kept[now]

    def exact_log_partition(self):
        """log Z, by summing over all states of the smaller side; a float.

        Raises:
            ValueError: if both sides have more than 20 units.
        """
        kernel, visible, hidden = (np.asarray(one, np.float64) for one in self.layer.parameters())
        if self.units > self.size:
            kernel, visible, hidden = kernel.T, hidden, visible
        if kernel.shape[1] > _EXACT:
            raise ValueError(
                f"{self.size} visible and {self.units} hidden units: 2 ** {kernel.shape[1]} states are too many to "
                f"sum, at most {_EXACT} units are not; use log_partition()."
            )
        total = -np.inf
        for first in range(0, 2 ** kernel.shape[1], 4096):
            states = np.arange(first, min(first + 4096, 2 ** kernel.shape[1]))[:, None]
            states = (states >> np.arange(kernel.shape[1]) & 1).astype(np.float64)
            terms = states @ hidden + np.logaddexp(0.0, visible + states @ kernel.T).sum(axis=1)
            total = np.logaddexp(total, np.logaddexp.reduce(terms))
        return float(total)

    def log_partition(self, chains=128, temperatures=1000, seed=0, reverse=False, burn_in=1000):
        """log Z by annealed importance sampling, from below on average; in reverse, from above.

        Neal 2001; Salakhutdinov & Murray 2008, Sec. 4: from independent units of the data's means to the model. In
        reverse it starts at samples of the model, from chains after `burn_in` steps of Gibbs sampling, and is an upper
        bound as far as those are samples. Memory does not grow with temperatures.

        Args:
            chains: at least 2.
            temperatures: steps between the two, at least 2.
            seed: integer >= 0.
            reverse: from the model to independent units.
            burn_in: steps of Gibbs sampling before the reverse way.

        Returns:
            (log Z, its standard error), floats.

        Raises:
            ValueError: if a number is too small.
        """
        errors.whole_number("chains", chains, 2)
        errors.whole_number("temperatures", temperatures, 2)
        seed = noise.fold(tf.stack([int(seed), noise.purpose("ais")]), int(reverse))
        mean = tf.clip_by_value(self.layer.visible_mean.value, 0.02, 0.98)
        base = tf.math.log(mean) - tf.math.log1p(-mean)
        if not reverse:
            bits = tf.cast(noise.uniform((chains, self.size), seed) < tf.sigmoid(base), tf.float32)
        else:
            bits = tf.convert_to_tensor(self.chain) if self.persistent else tf.zeros((1, self.size))
            bits = tf.tile(bits, (-(-chains // len(bits)), 1))[:chains]
            bits = _long(bits, *self.layer.parameters(), tf.constant(burn_in), noise.fold(seed, 1))
        weights = _annealed(bits, base, *self.layer.parameters(), tf.constant(temperatures), seed, tf.constant(reverse))
        weights = np.asarray(weights, np.float64)
        start = self.units * math.log(2.0) + float(tf.reduce_sum(tf.math.softplus(base)))
        ratio = np.logaddexp.reduce(weights) - math.log(chains)
        error = np.exp(weights - weights.max()).std(ddof=1) / np.exp(weights - weights.max()).mean() / math.sqrt(chains)
        return float(start + (-ratio if reverse else ratio)), float(error)

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        numbers = ("k", "persistent", "chains", "centred", "gibbs_steps")
        return super().get_config() | self.config_of("likelihood", *numbers)


def _sampled(bits, kernel, visible, hidden, steps, drawn):
    """Visible bits after so many steps; `drawn(logits, number)` draws units."""

    def step(at, bits):
        codes = drawn(hidden + bits @ kernel, 2 * at)
        return at + 1, drawn(visible + tf.matmul(codes, kernel, transpose_b=True), 2 * at + 1)

    if isinstance(steps, int) and steps == 1:  # an update of CD-1 or PCD, at the price of no loop
        return step(0, bits)[1]
    return tf.while_loop(lambda at, _: at < steps, step, (tf.constant(0), bits))[1]


def _by_seed(seed, shared=noise.shared):
    def drawn(logits, number):
        own, width = noise.fold(seed, number), logits.shape[-1]
        fractions = shared(lambda rows: noise.uniform((rows, width), own), tf.shape(logits)[0])
        return tf.cast(fractions < tf.sigmoid(logits), tf.float32)

    return drawn


@tf.function(autograph=False)
def _long(bits, kernel, visible, hidden, steps, seed):
    return _sampled(bits, kernel, visible, hidden, steps, _by_seed(seed))


@tf.function(autograph=False)
def _annealed(bits, base, kernel, visible, hidden, temperatures, seed, reverse):
    """Log-weights (chains,) of annealed importance sampling between independent units and the model."""

    def unnormalised(bits, beta):
        at_visible = (1.0 - beta) * base + beta * visible
        inside = tf.math.softplus(beta * (hidden + bits @ kernel))
        return tf.linalg.matvec(bits, at_visible) + tf.reduce_sum(inside, axis=1)

    drawn = _by_seed(seed)

    def beta_at(step):
        share = tf.cast(step, tf.float32) / tf.cast(temperatures, tf.float32)
        return tf.where(reverse, 1.0 - share, share)

    def step(at, bits, weights):
        beta, before = beta_at(at), beta_at(at - 1)
        weights += unnormalised(bits, beta) - unnormalised(bits, before)
        codes = drawn(beta * (hidden + bits @ kernel), 2 * at)
        logits = (1.0 - beta) * base + beta * (visible + tf.matmul(codes, kernel, transpose_b=True))
        return at + 1, drawn(logits, 2 * at + 1), weights

    state = (tf.constant(1), bits, tf.zeros_like(bits[:, 0]))
    return tf.while_loop(lambda at, *_: at <= temperatures, step, state)[2]
