"""What a model of diffusion can say of p(x): the variational bound, of images' levels or of points."""

import functools
import math

import numpy as np
import tensorflow as tf

from tfgan_zoo import noise as draws
from tfgan_zoo.models import checks

_LEVELS = 1000  # of schedules that have no number of their own
_SAMPLES = 64  # of the sum over levels, for each image
_STEP = 2.0 / 255.0  # between two values of 8 bits
_REACH = 12  # standard deviations of the last noise, beyond which no level is counted
_SPREAD = 0.5  # of pixels, about: says only how samples are dealt out to the levels


class Bounded:
    """The verb `log_prob` of `Diffusion`.

    The generative model is that of ancestral sampling through all levels (Ho et al. 2020, Eq. 5), the images of a model
    that clips clipped, and the last noise taken away by rounding (Kingma et al. 2021, Eq. 8).
    """

    is_bound = True

    @property
    def likelihood_protocol(self):
        """Of what `log_prob` is a bound, and by how many terms of its sum."""
        levels = {} if len(self.space) == 1 else {"data_scale": 1}
        return {"samples": _SAMPLES, "dequantisation": "none"} | levels

    def log_prob(self, images, seed=0, num_samples=None):
        """A lower bound of log p(x) whose sum over levels is estimated without bias; with labels, that for none.

        Ho et al. 2020, Eq. 5; Kingma et al. 2021, Eq. 13: half of each rise of the signal-to-noise ratio times the
        squared error of the denoiser, behind it what the coarsest level tells of the image and before it what the
        finest leaves open. Each image's terms are drawn at levels of its own, evenly spread over the logarithm of what
        a Gaussian image would lose there, and weighted by how often that is.

        Args:
            images: (N, *image_shape) in [-1, 1], taken at the nearest of 256 levels; or points.
            seed: integer; of noise and levels.
            num_samples: terms of the sum for each image; None for 64. More makes the estimate steadier, not higher.

        Returns:
            float32 (N,): nats per image, of a probability; of a density for points.
        """
        samples = _SAMPLES if num_samples is None else checks.count("num_samples", num_samples)
        if not tf.executing_eagerly():
            return self._bound(images, seed, samples)
        functions = self.__dict__.setdefault("_draw_functions", {})
        if ("bound", samples) not in functions:
            specs = [tf.TensorSpec((None, *self.space)), tf.TensorSpec((), tf.int32)]
            bound = functools.partial(self._bound, samples=samples)
            functions["bound", samples] = tf.function(bound, input_signature=specs, autograph=False)
        return functions["bound", samples](tf.cast(images, tf.float32), tf.cast(seed, tf.int32))

    def _bound(self, images, seed, samples):
        images, are_points = tf.cast(images, tf.float32), len(self.space) == 1
        if not are_points:
            images = tf.round((tf.clip_by_value(images, -1.0, 1.0) + 1.0) / _STEP) * _STEP - 1.0
        seed = tf.stack([tf.cast(seed, tf.int32), draws.purpose("log_prob")])
        levels = self.schedule.levels(self.schedule.num_steps if self.schedule.is_discrete else _LEVELS)
        snr = (levels.signal[:-1] / levels.noise[:-1]) ** 2  # float64 (T,), rising
        first = 0.5 * snr[0] * self._summed(images**2)  # of where sampling starts from where images end in noise
        return -first - self._between(images, levels, snr, samples, seed) + self._last(images, levels, seed, are_points)

    def _between(self, images, levels, snr, samples, seed):
        """The sum over levels, (N,)."""
        rises = 0.5 * np.diff(snr)
        share = np.diff(np.log1p(snr * _SPREAD**2))
        share = 0.9 * share / share.sum() + 0.1 / len(share)
        reached = tf.constant(np.cumsum(share)[:-1], tf.float32)
        weights = tf.constant(rises / share / samples, tf.float32)
        tables = [tf.constant(one[:-1], tf.float32) for one in (levels.times, levels.signal[:-1], levels.noise[:-1])]
        rows, shape = tf.shape(images)[0], (-1, *[1] * len(self.space))

        def add(index, total):
            here = draws.fold(seed, index)
            fractions = draws.uniform((rows,), draws.fold(here, 0))
            place = (tf.cast(index, tf.float32) + fractions[:, None]) / samples
            at = tf.reduce_sum(tf.cast(reached <= place, tf.int32), axis=1)
            time, signal, noise = (tf.gather(table, at) for table in tables)
            eps = draws.normal((rows, *self.space), draws.fold(here, 1))
            clean = self.denoise(tf.reshape(signal, shape) * images + tf.reshape(noise, shape) * eps, time)
            clean = tf.clip_by_value(clean, -1.0, 1.0) if self._clips else clean
            return index + 1, total + tf.gather(weights, at) * self._summed((images - clean) ** 2)

        first = (tf.constant(0), tf.zeros_like(images[(..., *[0] * len(self.space))]))
        return tf.while_loop(lambda index, _: index < samples, add, first, parallel_iterations=1)[1]

    def _last(self, images, levels, seed, are_points):
        """log p(x | z) (N,) at the finest level: z less its noise, rounded."""
        ratio = float(levels.noise[-2] / levels.signal[-2])
        eps = draws.normal((tf.shape(images)[0], *self.space), draws.fold(seed, -1))
        if are_points:
            return self._summed(-0.5 * eps**2 - math.log(ratio) - 0.5 * math.log(2.0 * math.pi))
        reach = min(255, math.ceil(_REACH * ratio / _STEP))
        offsets = tf.constant(np.arange(-reach, reach + 1) * _STEP, tf.float32)
        others = images[..., None] + offsets
        there = (others > -1.0 - 0.5 * _STEP) & (others < 1.0 + 0.5 * _STEP)
        logits = tf.where(there, -0.5 * tf.square(eps[..., None] - offsets / ratio), -np.inf)
        return self._summed(-0.5 * eps**2 - tf.reduce_logsumexp(logits, axis=-1))

    def _summed(self, values):
        return tf.reduce_sum(values, axis=list(range(1, 1 + len(self.space))))
