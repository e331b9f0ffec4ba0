"""Likelihoods: what the output of a network says about an image, as the parameters of a distribution of its values.

A likelihood knows nothing of networks or models and holds no variables. A network has `channels(c)` output channels for
images of c channels: the parameters of one kind behind each other, for all channels of the image. Images are in
[-1, 1], whatever the likelihood counts in; points may lie anywhere, for `Gaussian`. All is computed in float32, also
under mixed precision: in bfloat16 the discretised logistic has no correct digit.
"""

import dataclasses
import math

from keras import ops

from tfgan_zoo import errors, noise
from tfgan_zoo.serialization import serializable

_LOWEST, _HIGHEST = -7.0, 7.0  # of log scales (Salimans et al. 2017, Sec. 2.1: the lowest)


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """What every likelihood is: `per_dimension`, `mean` and `quantile`; the rest follows.

    `kinds` is how many parameters a value of an image has; `output_activation` belongs at the network's end.
    """

    kinds = 1
    protocol = {"dequantisation": "none", "data_scale": 1}  # noqa: RUF012 of a record: what log_prob is a logarithm of

    @property
    def scored(self):
        """The likelihood that `log_prob` of a model is of: itself, unless it is none."""
        return self

    def channels(self, channels):
        """Output channels that a network needs for images of so many channels."""
        return self.kinds * channels

    def observe(self, images, seed):
        """The images that are learned from or scored: binarised or dequantised where the likelihood asks for it.

        Args:
            images: float32 (N, ...) in [-1, 1].
            seed: stateless seed, two integers.
        """
        return images

    def log_prob(self, images, parameters):
        """log p(x) of images, summed over their dimensions.

        Args:
            images: (N, ..., c) in [-1, 1].
            parameters: (N, ..., channels(c)), a network's output.

        Returns:
            float32 (N,): nats per image.

        Raises:
            ValueError: if the parameters do not fit the images, or an array of images is out of range.
        """
        values = self.per_dimension(images, parameters)
        return ops.sum(values, axis=tuple(range(1, len(values.shape))))

    def per_dimension(self, images, parameters):
        """log p of each value of the images by itself, of their shape; `log_prob` is the sum."""
        raise NotImplementedError(f"{type(self).__name__} defines no per_dimension(images, parameters).")

    def mean(self, parameters):
        """The images that are expected, (N, ..., c) in [-1, 1]."""
        raise NotImplementedError(f"{type(self).__name__} defines no mean(parameters).")

    def quantile(self, fractions, parameters):
        """The images below which the distribution has these fractions: its inverse, for sampling.

        Args:
            fractions: (N, ..., c) in [0, 1).
            parameters: (N, ..., channels(c)).
        """
        raise NotImplementedError(f"{type(self).__name__} defines no quantile(fractions, parameters).")

    def sample(self, parameters, seed):
        """Images drawn from the distribution; image i depends on (seed, i) alone.

        Args:
            parameters: (N, ..., channels(c)).
            seed: stateless seed, two integers.
        """
        return self.quantile(noise.uniform(self._image_shape(parameters), seed), parameters)

    def _image_shape(self, parameters):
        *rows, channels = ops.shape(parameters)
        if channels % self.kinds:
            raise ValueError(
                f"The parameters have {channels} channels: {type(self).__name__} takes a multiple of {self.kinds}."
            )
        return (*rows, channels // self.kinds)

    def _checked(self, images, parameters):
        """Both as float32."""
        channels, came = self.channels(images.shape[-1]), tuple(parameters.shape)
        if came[-1] != channels or came[1:-1] != tuple(images.shape[1:-1]):
            raise ValueError(
                f"The parameters have the shape {came}: {type(self).__name__} needs {channels} channels for images "
                f"{tuple(images.shape)}; give the network's last layer likelihood.channels(c) of them."
            )
        return self._in_range(images), ops.cast(parameters, "float32")

    def _in_range(self, images):
        if hasattr(images, "min") and images.size and not -1.001 < images.min() <= images.max() < 1.001:  # an array
            raise ValueError(
                f"Images run from {images.min():.4g} to {images.max():.4g}: {type(self).__name__} takes [-1, 1], and "
                "maps them to what it counts in by itself; leave them as tz.data gives them."
            )
        return ops.cast(images, "float32")

    def _split(self, parameters):
        self._image_shape(parameters)  # or it is said that there is no half of them
        return ops.split(ops.cast(parameters, "float32"), 2, axis=-1)


@serializable
@dataclasses.dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Black and white pixels: the network gives logits of white.

    Its log_prob of grey images is a cross-entropy, no likelihood; `observe` makes them black and white, anew for each
    seed, as Salakhutdinov & Murray 2008 and Burda et al. 2016 do.

    Args:
        binarise: whether `observe` does; False leaves images grey, for models that are no density of them.
    """

    binarise: bool = True

    @property
    def protocol(self):
        """Binary pixels are counted, so that a value is a probability."""
        said = "dynamic" if self.binarise else "none: cross-entropy of grey values, no likelihood"
        return {"dequantisation": "none", "data_scale": 1 if self.binarise else None, "binarisation": said}

    @property
    def scored(self):
        """That of binary images, also of a model that learned grey ones."""
        return Bernoulli()

    def observe(self, images, seed):
        if not self.binarise:
            return images
        return ops.where(_fractions(images, seed) < (ops.cast(images, "float32") + 1.0) / 2.0, 1.0, -1.0)

    def per_dimension(self, images, parameters):
        images, logits = self._checked(images, parameters)
        return (images + 1.0) / 2.0 * logits - ops.softplus(logits)  # log(sigmoid + 1e-7) is 104 nats off at 120

    def mean(self, parameters):
        return ops.tanh(ops.cast(parameters, "float32") / 2.0)  # 2 sigmoid(l) - 1

    def quantile(self, fractions, parameters):
        return ops.where(fractions < ops.sigmoid(ops.cast(parameters, "float32")), 1.0, -1.0)


@serializable
@dataclasses.dataclass(frozen=True)
class Gaussian(Likelihood):
    """A normal density of each value, with its constant; of images in [-1, 1], or of points.

    Args:
        scale: the standard deviation, > 0; None lets the network give log sigma behind the means: for each value, or
            from one weight for all.
        dequantise: whether `observe` fills the gaps between 256 levels with uniform noise, without which a density of
            images has no bound (Theis et al. 2016, Sec. 3.1).

    Raises:
        ValueError: if scale is no positive number.
    """

    scale: float | None = None
    dequantise: bool = False

    def __post_init__(self):
        if self.scale is not None and not 0 < self.scale < math.inf:
            raise ValueError(f"scale={self.scale}: give a standard deviation > 0, or None for the network to say it.")

    @property
    def kinds(self):
        """The mean, and log sigma where it is not given."""
        return 1 if self.scale else 2

    @property
    def protocol(self):
        """A density in units where 256 levels are 2 / 255 apart."""
        scale = 127.5 if self.dequantise else None
        return {"dequantisation": "uniform" if self.dequantise else "none", "data_scale": scale}

    def observe(self, images, seed):
        if not self.dequantise:
            return images
        return images + (_fractions(images, seed) - 0.5) * (2.0 / 255.0)

    def per_dimension(self, images, parameters):
        images, _ = self._checked(images, parameters)
        mean, log_scale = self._mean_and_log_scale(parameters)
        return -0.5 * ops.square((images - mean) * ops.exp(-log_scale)) - log_scale - 0.5 * math.log(2.0 * math.pi)

    def mean(self, parameters):
        return self._mean_and_log_scale(parameters)[0]

    def sample(self, parameters, seed):
        mean, log_scale = self._mean_and_log_scale(parameters)
        return mean + ops.exp(log_scale) * noise.normal(self._image_shape(parameters), seed)

    def quantile(self, fractions, parameters):
        mean, log_scale = self._mean_and_log_scale(parameters)
        return mean + ops.exp(log_scale) * math.sqrt(2.0) * ops.erfinv(2.0 * fractions - 1.0)

    def _mean_and_log_scale(self, parameters):
        if self.scale:
            return ops.cast(parameters, "float32"), math.log(self.scale)
        mean, log_scale = self._split(parameters)
        return mean, ops.clip(log_scale, _LOWEST, _HIGHEST)

    def _in_range(self, images):
        return ops.cast(images, "float32")  # a density is of any number, such as a point's


@serializable
@dataclasses.dataclass(frozen=True)
class DiscretizedLogistic(Likelihood):
    """A logistic distribution whose mass falls into 256 levels; the first and the last take the tails.

    Kingma et al. 2016, App. A; Salimans et al. 2017, Eq. 2. The mass of a level is taken as a product instead of a
    difference of sigmoids, which has no gradient in float16 where the difference rounds to zero. The network gives the
    location, in [-1, 1], and behind it the logarithm of the scale.
    """

    kinds = 2

    def per_dimension(self, images, parameters):
        images, _ = self._checked(images, parameters)
        location, log_scale = self._split(parameters)
        log_scale = ops.clip(log_scale, _LOWEST, _HIGHEST)
        inverse, centred = ops.exp(-log_scale), images - location
        upper, lower = (centred + 1.0 / 255.0) * inverse, (centred - 1.0 / 255.0) * inverse
        below, above = -ops.softplus(-upper), -ops.softplus(lower)
        inside = below + above + ops.log(-ops.expm1(-2.0 / 255.0 * inverse))
        return ops.where(images < -0.999, below, ops.where(images > 0.999, above, inside))

    def mean(self, parameters):
        """The expected value of the clipped logistic: 1 minus the integral of its distribution function."""
        location, log_scale = self._split(parameters)
        scale = ops.exp(ops.clip(log_scale, _LOWEST, _HIGHEST))
        return 1.0 - scale * (ops.softplus((1.0 - location) / scale) - ops.softplus((-1.0 - location) / scale))

    def quantile(self, fractions, parameters):
        location, log_scale = self._split(parameters)
        inside = ops.clip(fractions, 2.0**-25, 1.0 - 2.0**-24)  # 0 would be at -inf
        value = location + ops.exp(ops.clip(log_scale, _LOWEST, _HIGHEST)) * (ops.log(inside) - ops.log1p(-inside))
        return _to_levels(value, 256)


@serializable
@dataclasses.dataclass(frozen=True)
class Categorical(Likelihood):
    """A probability for each level that a value of an image may have, without any order among them.

    Van den Oord et al. 2016, Sec. 3.3. The network gives the logits of the levels of one channel behind each other,
    channel by channel: `channels(c) = c * levels`.

    Args:
        levels: how many there are between -1 and 1, at least 2; 256 are those of 8 bits. Images are rounded to them.

    Raises:
        ValueError: if levels is no number of them.
    """

    levels: int = 256

    def __post_init__(self):
        errors.whole_number("levels", self.levels, at_least=2)

    @property
    def kinds(self):
        """A logit a level."""
        return self.levels

    @property
    def protocol(self):
        """Of 256 levels; of fewer, it says so."""
        coarser = {} if self.levels == 256 else {"levels": self.levels}
        return {"dequantisation": "none", "data_scale": 1} | coarser

    def observe(self, images, seed):
        return _to_levels(images, self.levels)

    def per_dimension(self, images, parameters):
        images, _ = self._checked(images, parameters)
        index = ops.cast(ops.round((ops.clip(images, -1.0, 1.0) + 1.0) * ((self.levels - 1) / 2.0)), "int32")
        logits = self._logits(parameters)
        given = ops.sum(ops.one_hot(index, self.levels) * logits, axis=-1)  # a gather's gradient is a slow scatter
        return given - ops.logsumexp(logits, axis=-1)

    def mean(self, parameters):
        return ops.sum(ops.softmax(self._logits(parameters), axis=-1) * ops.linspace(-1.0, 1.0, self.levels), axis=-1)

    def quantile(self, fractions, parameters):
        reached = ops.cumsum(ops.softmax(self._logits(parameters), axis=-1), axis=-1)[..., :-1]
        index = ops.sum(ops.cast(reached <= ops.expand_dims(fractions, -1), "float32"), axis=-1)
        return index * (2.0 / (self.levels - 1)) - 1.0

    def _logits(self, parameters):
        return ops.reshape(ops.cast(parameters, "float32"), (*self._image_shape(parameters), self.levels))


def _fractions(images, seed):
    """A uniform number for each value of this replica's images."""
    rows, *rest = ops.shape(images)
    return noise.shared(lambda count: noise.uniform((count, *rest), seed), rows)


def _to_levels(images, levels):
    """Images whose values are the nearest of so many levels between -1 and 1."""
    half = (levels - 1) / 2.0
    return ops.round((ops.clip(ops.cast(images, "float32"), -1.0, 1.0) + 1.0) * half) / half - 1.0


@serializable
@dataclasses.dataclass(frozen=True)
class DiscretizedLogisticMixture(Likelihood):
    """A mixture of discretised logistic distributions over 256 levels.

    Salimans et al. 2017, Sec. 2.1. The network gives, each for all channels of an image and behind one another, logits
    of the components, their locations and the logarithms of their scales: channels(c) = 3 * components * c.

    Args:
        components: of the mixture, at least 1.

    Raises:
        ValueError: if components is no such number.
    """

    components: int = 5

    def __post_init__(self):
        errors.whole_number("components", self.components)

    @property
    def kinds(self):
        """Logit, location and log scale of each component."""
        return 3 * self.components

    def per_dimension(self, images, parameters):
        images, parameters = self._checked(images, parameters)
        log_weights, locations_and_scales = self._mixture(parameters)
        many = ops.tile(images, (*(1,) * (len(images.shape) - 1), self.components))
        log_p = DiscretizedLogistic().per_dimension(many, locations_and_scales)
        return ops.logsumexp(log_weights + ops.reshape(log_p, ops.shape(log_weights)), axis=-2)

    def mean(self, parameters):
        log_weights, locations_and_scales = self._mixture(parameters)
        means = DiscretizedLogistic().mean(locations_and_scales)
        return ops.sum(ops.exp(log_weights) * ops.reshape(means, ops.shape(log_weights)), axis=-2)

    def quantile(self, fractions, parameters):
        log_weights, locations_and_scales = self._mixture(parameters)
        locations, log_scales = ops.split(locations_and_scales, 2, axis=-1)
        edges = ops.expand_dims(ops.arange(255, dtype="float32") / 127.5 - 1.0 + 1.0 / 255.0, 0)
        inverse = ops.expand_dims(ops.exp(-ops.clip(log_scales, _LOWEST, _HIGHEST)), -1)
        below = ops.sigmoid((edges - ops.expand_dims(locations, -1)) * inverse)
        below = ops.reshape(below, (*ops.shape(log_weights), 255))
        reached = ops.sum(ops.expand_dims(ops.exp(log_weights), -1) * below, axis=-3)
        index = ops.sum(ops.cast(reached <= ops.expand_dims(fractions, -1), "float32"), axis=-1)
        return index / 127.5 - 1.0

    def _mixture(self, parameters):
        """Log-weights (..., components, c), and locations behind which the log scales stand (..., 2 components c)."""
        *rows, channels = self._image_shape(parameters)
        parameters = ops.cast(parameters, "float32")
        logits, locations, log_scales = ops.split(parameters, 3, axis=-1)
        log_weights = ops.log_softmax(ops.reshape(logits, (*rows, self.components, channels)), axis=-2)
        return log_weights, ops.concatenate([locations, log_scales], axis=-1)
