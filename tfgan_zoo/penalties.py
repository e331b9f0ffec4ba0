"""Penalties: terms of the discriminator's loss that need its gradient with respect to images.

Each is called as `penalty(critic, real, fake, seed)`, where `critic` maps images to logits (N, 1) with labels bound,
and returns a scalar. A penalty holds no variables; its noise comes from the seed, one draw for each example.
"""

import dataclasses
import numbers

import keras
import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.serialization import serializable

_TINY = 1e-12  # under the root: the norm's own derivative at a zero gradient is infinite


@dataclasses.dataclass(frozen=True)
class Penalty:
    """What every penalty is: a weight, an interval, and the name it is logged under.

    Args:
        weight: factor lambda.
        every: updates of the discriminator's batch between two uses; the weight is multiplied by it, so that the mean
            effect is the same (Karras et al. 2020, Sec. 2.2, "lazy regularisation").
    """

    name = "penalty"  # of the class, not a field

    weight: float = 10.0
    every: int = 1

    def __post_init__(self):
        if not self.weight > 0:
            raise ValueError(
                f"weight={self.weight}: a penalty has a positive weight; leave it out of penalties for none."
            )
        if isinstance(self.every, bool) or not isinstance(self.every, numbers.Integral) or self.every < 1:
            raise ValueError(f"every={self.every!r}: give a whole number of steps, at least 1.")

    def check(self, discriminator):
        """Raise ValueError if the penalty makes no sense for this network; most take any."""

    def __call__(self, critic, real, fake, seed=None):
        """The term, a float32 scalar.

        Args:
            critic: function images -> logits (N, 1).
            real, fake: images (N, *image_shape) in [-1, 1], or points.
            seed: stateless seed of two integers, for penalties that draw; None draws otherwise each time.
        """
        if seed is None:
            seed = tf.random.uniform((2,), maxval=tf.int32.max, dtype=tf.int32)
        return self.weight * self.term(critic, tf.cast(real, tf.float32), tf.cast(fake, tf.float32), seed)

    def term(self, critic, real, fake, seed):
        """The term without its weight."""
        raise TypeError(f"{type(self).__name__} defines no term.")


@serializable
@dataclasses.dataclass(frozen=True)
class GradientPenalty(Penalty):
    """Slope 1 on straight lines between real and generated images: E (|grad D| - 1)^2.

    Gulrajani et al. 2017, Eq. 3 and Algorithm 1; one uniform number for each example. One-sided, slopes below the
    target cost nothing (their Sec. 4; Petzka et al. 2018). The critic must treat examples one by one: batch
    normalisation is refused (their Sec. 4). Minibatch layers are accepted, and then mix the examples' gradients.

    Args:
        weight: lambda, 10 in the paper.
        every: as for every penalty.
        target: the slope asked for. Another than 1 is subtracted, (|grad D| - target)^2; the code of Karras et al. 2018
            (750) and TF-GAN divide by it, (|grad D| / target - 1)^2, which is this with weight / target^2.
        one_sided: True penalises only slopes above the target.
    """

    name = "gradient_penalty"
    target: float = 1.0
    one_sided: bool = False

    def check(self, discriminator):
        if any(isinstance(layer, keras.layers.BatchNormalization) for layer in _layers(discriminator)):
            raise ValueError(
                "GradientPenalty bounds the slope at each image, but the discriminator has BatchNormalization, which "
                "mixes images of a batch: use keras.layers.LayerNormalization there (Gulrajani et al. 2017, Sec. 4)."
            )

    def term(self, critic, real, fake, seed):
        mix = _one_each(real, seed)
        return _slope_term(critic, fake + mix * (real - fake), self.target, self.one_sided)


@serializable
@dataclasses.dataclass(frozen=True)
class DRAGAN(Penalty):
    """Slope 1 around the data only: E (|grad D(x + noise)| - 1)^2.

    Kodali et al. 2017, Eq. 2 in the form of their code: x moves by a random share of half a standard deviation of the
    batch times uniform noise. The generated images take no part.

    Args:
        weight: lambda, 10 in the paper.
        every: as for every penalty.
        target: the slope asked for.
        normal: standard deviation of normal noise, the paper's delta ~ N(0, cI), instead; None for the code's form.
    """

    name = "dragan"
    target: float = 1.0
    normal: float | None = None

    def term(self, critic, real, fake, seed):
        which = tf.random.experimental.stateless_fold_in(seed, 1, alg="philox")
        if self.normal is not None:
            moved = real + self.normal * _like(noise.normal, real, which)
        else:
            step = 0.5 * _global_std(real) * _like(noise.uniform, real, which)
            moved = real + _one_each(real, seed) * step
        return _slope_term(critic, moved, self.target, one_sided=False)


@serializable
@dataclasses.dataclass(frozen=True)
class R1(Penalty):
    """No slope at the real images: E |grad D(x)|^2 / 2.

    Mescheder et al. 2018, Eq. 9; `weight` is their gamma, 10.
    """

    name = "r1"

    def term(self, critic, real, fake, seed):
        return tf.reduce_mean(_squared_slopes(critic, real)) / 2


@serializable
@dataclasses.dataclass(frozen=True)
class R2(Penalty):
    """No slope at the generated images: E |grad D(G(z))|^2 / 2.

    Mescheder et al. 2018, Eq. 10.
    """

    name = "r2"

    def term(self, critic, real, fake, seed):
        return tf.reduce_mean(_squared_slopes(critic, fake)) / 2


@serializable
@dataclasses.dataclass(frozen=True)
class ApproximateR1(Penalty):
    """R1 without a gradient of a gradient: E (D(x + sigma e) - D(x))^2 / (2 sigma^2), with e ~ N(0, I).

    Lin et al. 2025 (APT), Sec. 3.2: to first order in sigma it is R1 on average, for two passes through D. `weight` is
    R1's gamma.

    Args:
        weight: gamma.
        every: as for every penalty.
        stddev: sigma, > 0; 0.01 in the paper, for images in [-1, 1].
    """

    name = "r1"
    stddev: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        if not self.stddev > 0:
            raise ValueError(f"stddev={self.stddev}: images are moved by a positive one, such as 0.01.")

    def term(self, critic, real, fake, seed):
        moved = self.at(real, fake)
        step = self.stddev * _like(noise.normal, moved, seed)
        both = tf.cast(critic(tf.concat([moved, moved + step], axis=0)), tf.float32)
        before, after = tf.split(both, 2)
        rise = tf.reduce_sum(after - before, axis=list(range(1, both.shape.rank)))
        return tf.reduce_mean(rise**2) / (2 * self.stddev**2)

    @staticmethod
    def at(real, fake):
        """The images at which D is held."""
        return real


@serializable
@dataclasses.dataclass(frozen=True)
class ApproximateR2(ApproximateR1):
    """R2 without a gradient of a gradient, as `ApproximateR1` is R1."""

    name = "r2"

    @staticmethod
    def at(real, fake):
        """The images at which D is held."""
        return fake


@serializable
@dataclasses.dataclass(frozen=True)
class PathLength:
    """A step in style space moves the image by one length, wherever it starts: E (|J' y| - a)^2.

    Karras et al. 2020, Eq. 4 and App. B, a penalty of the generator: y is a normal image over sqrt(pixels), J the
    synthesis' derivative by the styles, a the moving mean of the lengths. Where every layer has a style, squares of
    lengths are averaged over layers. Called as penalty(synthesis, styles, mean, seed).

    Args:
        weight: factor, 2 in the authors' code.
        every: the generator's updates between two uses, as for every penalty; 4 in the authors' code, 8 in the text.
        decay: how much of a batch enters the mean, in (0, 1].
        share: of the batch on which it is taken, in (0, 1]; a half in the paper.
    """

    name = "path_length"

    weight: float = 2.0
    every: int = 4
    decay: float = 0.01
    share: float = 0.5

    def __post_init__(self):
        Penalty.__post_init__(self)
        for name in ("decay", "share"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"{name}={getattr(self, name)}: give a share in (0, 1].")

    def initial_state(self):
        """The mean length so far, which the model keeps."""
        return {"path_length_mean": 0.0}

    def __call__(self, synthesis, styles, mean, seed):
        """The term, by the mean of lengths so far, and that mean with this batch's.

        Args:
            synthesis: function styles -> images (N, *image_shape).
            styles: (N, style_dim), or (N, layers, style_dim).
            mean: of lengths so far, a scalar.
            seed: stateless seed of two integers.

        Returns:
            Two float32 scalars.
        """
        lengths = self.lengths(synthesis, styles, seed)
        after = mean + self.decay * (tf.stop_gradient(tf.reduce_mean(lengths)) - mean)
        return self.weight * tf.reduce_mean((lengths - mean) ** 2), after  # replicas agree on the mean so far

    def lengths(self, synthesis, styles, seed):
        """|J' y| of each example, (N,)."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(styles)
            images = tf.cast(synthesis(styles), tf.float32)
            pixels = images.shape[1] * images.shape[2] if images.shape.rank == 4 else 1
            total = tf.reduce_sum(images * _like(noise.normal, images, seed)) / pixels**0.5
        squares = tf.reduce_sum(tf.cast(tape.gradient(total, styles), tf.float32) ** 2, axis=-1)
        squares = tf.reduce_mean(squares, axis=1) if squares.shape.rank == 2 else squares
        return tf.sqrt(squares + _TINY)


@serializable
@dataclasses.dataclass(frozen=True)
class ZeroCentered(Penalty):
    """No slope on straight lines between real and generated images: E |grad D|^2.

    Thanh-Tung et al. 2019, Eq. 5.
    """

    name = "zero_centered"

    def term(self, critic, real, fake, seed):
        mix = _one_each(real, seed)
        return tf.reduce_mean(_squared_slopes(critic, fake + mix * (real - fake)))


def gradient_norms(model, images):
    """The slopes |grad D| that a penalty would see: in training mode, D's state at rest.

    Args:
        model: an unconditional GAN.
        images: (N, *image_shape) in [-1, 1], or points.

    Returns:
        float32 array (N,).
    """
    squared = _squared_slopes(
        lambda batch: model.adversary.discriminate(batch, advance=())[model.objective.head],
        tf.convert_to_tensor(images, tf.float32),
    )
    return tf.sqrt(squared).numpy()


def _squared_slopes(critic, images):
    """|grad D|^2 at each image, (N,)."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = tf.cast(critic(images), tf.float32)
    gradients = tape.gradient(logits, images)
    return tf.reduce_sum(gradients**2, axis=list(range(1, images.shape.rank)))


def _slope_term(critic, images, target, one_sided):
    excess = tf.sqrt(_squared_slopes(critic, images) + _TINY) - target
    return tf.reduce_mean((tf.nn.relu(excess) if one_sided else excess) ** 2)


def _one_each(images, seed):
    """One uniform number for each example, shaped to multiply images."""
    ones = [1] * (images.shape.rank - 1)
    drawn = noise.shared(lambda count: noise.uniform((count, 1), seed), tf.shape(images)[0])
    return tf.reshape(drawn, (-1, *ones))


def _like(draw, images, seed):
    return noise.shared(lambda count: draw((count, *images.shape[1:]), seed), tf.shape(images)[0])


def _global_std(images):
    """Standard deviation over all pixels of the whole batch, all replicas together."""
    moments = tf.stack([tf.reduce_mean(images), tf.reduce_mean(images**2)])
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        moments = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, moments)
    return tf.sqrt(tf.maximum(moments[1] - moments[0] ** 2, 0.0))


def _layers(model):
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else (layer,)


@serializable
@dataclasses.dataclass(frozen=True)
class SparseCodes(Penalty):
    """A code has few values that are not zero: E sum |h|; called as penalty(encode, images, codes, seed).

    Olshausen & Field 1996; Goodfellow et al. 2016, Sec. 14.2.1.

    Args:
        weight: factor lambda.
    """

    name = "sparsity"

    weight: float = 1e-3

    def term(self, critic, real, fake, seed):
        return tf.reduce_mean(tf.reduce_sum(tf.abs(fake), axis=tuple(range(1, fake.shape.rank))))


@serializable
@dataclasses.dataclass(frozen=True)
class Contractive(Penalty):
    """A code hardly moves with its image: E |dh/dx|^2, Frobenius; called as penalty(encode, images, codes, seed).

    Rifai et al. 2011, Eq. 4. The squared norm is that of v' dh/dx for one normal v an image, which is right on average
    (Hutchinson 1990) and costs one gradient instead of one for each coordinate of the code.

    Args:
        weight: factor lambda.
    """

    name = "contraction"

    weight: float = 0.1

    def term(self, critic, real, fake, seed):
        shape = fake.shape[1:]
        direction = noise.shared(lambda count: noise.normal((count, *shape), seed), tf.shape(real)[0])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(real)
            along = tf.reduce_sum(tf.cast(critic(real), tf.float32) * direction)
        return tf.reduce_mean(tf.reduce_sum(tape.gradient(along, real) ** 2, axis=tuple(range(1, real.shape.rank))))
