"""Augmentations: what is done to images before the discriminator sees them, real and generated alike.

Each is called as `augmentation(images, seed, step)` and returns images of the same shape, through which the generator
gets its gradient. An augmentation holds no variables; its noise comes from the seed, one draw for each example.
"""

import dataclasses

import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.serialization import serializable

_COLOUR, _TRANSLATION, _CUTOUT = range(3)  # a stream of noise for each, so that leaving one out moves no other


@serializable
@dataclasses.dataclass(frozen=True)
class InstanceNoise:
    """Normal noise on every pixel, which fades out as training goes on, so that both distributions overlap at first.

    Sønderby et al. 2017 ("instance noise"); Arjovsky & Bottou 2017, Sec. 3.

    Args:
        stddev: standard deviation at step 0, in units of the images' [-1, 1].
        steps: training steps over which it falls, on a straight line, to 0; None keeps it as it is.
    """

    stddev: float = 0.1
    steps: int | None = 10_000

    def __post_init__(self):
        if not self.stddev > 0:
            raise ValueError(f"stddev={self.stddev}: instance noise has a positive one; leave it out for none.")
        if self.steps is not None and (isinstance(self.steps, bool) or not self.steps >= 1):
            raise ValueError(f"steps={self.steps!r}: give at least 1 training step, or None for noise that stays.")

    def __call__(self, images, seed, step):
        """The images under noise.

        Args:
            images: (N, *image_shape), or points (N, 2).
            seed: stateless seed of two integers.
            step: training step, an integer scalar.

        Returns:
            float32 tensor of the shape of `images`; noise may leave [-1, 1].
        """
        images = tf.cast(images, tf.float32)
        drawn = noise.shared(lambda count: noise.normal((count, *images.shape[1:]), seed), tf.shape(images)[0])
        return images + self._stddev(step) * drawn

    def _stddev(self, step):
        if self.steps is None:
            return self.stddev
        return self.stddev * tf.maximum(1.0 - tf.cast(step, tf.float32) / self.steps, 0.0)


@serializable
@dataclasses.dataclass(frozen=True)
class DiffAugment:
    """Colour, translation and cutout, drawn for each image: with little data, D cannot learn it by heart.

    Zhao et al. 2020, Sec. 3.2, with the ranges of their code. In this order: brightness plus [-0.5, 0.5); saturation
    times [0, 2) around each pixel's mean over channels, so that it leaves single-channel images alone; contrast times
    [0.5, 1.5) around the image's mean; a shift by whole pixels, and a square, both filled with 0, which is grey.

    Args:
        colour: whether brightness, saturation and contrast change.
        translation: greatest shift as a share of height and of width, in [0, 1); 0 for none.
        cutout: side of the square as a share of height and of width, in [0, 1); 0 for none. Its centre falls anywhere
            in the image.
    """

    colour: bool = True
    translation: float = 0.125
    cutout: float = 0.5

    def __post_init__(self):
        if not isinstance(self.colour, bool):
            raise ValueError(f"colour={self.colour!r}: give True or False.")
        for name in ("translation", "cutout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: give a share of the image in [0, 1), 0 for none.")

    def __call__(self, images, seed, step=None):
        """The images, changed.

        Args:
            images: (N, height, width, channels) in [-1, 1].
            seed: stateless seed of two integers.
            step: training step; takes no part.

        Returns:
            float32 tensor of the shape of `images`; colours may leave [-1, 1].

        Raises:
            ValueError: if these are not images.
        """
        images = tf.cast(images, tf.float32)
        if images.shape.rank != 4:
            raise ValueError(
                f"DiffAugment got examples of shape {tuple(images.shape[1:])}, but it changes images (height, width, "
                "channels): leave it out, or use InstanceNoise, which takes points too."
            )
        if self.colour:
            images = _recolour(images, _uniform(images, noise.fold(seed, _COLOUR), 3))
        if self.translation:
            images = _translate(images, self.translation, _uniform(images, noise.fold(seed, _TRANSLATION), 2))
        if self.cutout:
            images = _cut_out(images, self.cutout, _uniform(images, noise.fold(seed, _CUTOUT), 2))
        return images


def _recolour(images, drawn):
    brightness, saturation, contrast = (number[:, None, None, None] for number in tf.unstack(drawn, axis=1))
    images += brightness - 0.5
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + 2.0 * saturation * (images - grey)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (0.5 + contrast) * (images - mean)


def _translate(images, share, drawn):
    for axis in (1, 2):
        size = images.shape[axis]
        most = int(size * share + 0.5)
        borders = [[0, 0]] * 4
        borders[axis] = [most, most]
        first = _below(2 * most + 1, drawn[:, axis - 1])  # where in the bordered image the shifted one begins
        images = tf.gather(tf.pad(images, borders), first[:, None] + tf.range(size), axis=axis, batch_dims=1)
    return images


def _cut_out(images, share, drawn):
    inside = 1.0
    for axis in (1, 2):
        size = images.shape[axis]
        side = int(size * share + 0.5)
        # an even side has its centre between two pixels, and so one place more
        first = _below(size + 1 - side % 2, drawn[:, axis - 1])[:, None] - side // 2
        along = tf.cast((tf.range(size) >= first) & (tf.range(size) < first + side), tf.float32)
        inside *= tf.expand_dims(along, 3 - axis)
    return images * (1.0 - inside)[..., None]


def _below(limit, uniform):
    """Integers from 0 to limit - 1, alike in probability, (N,) for uniform numbers (N,)."""
    return tf.cast(limit * uniform, tf.int32)


def _uniform(images, seed, width):
    return noise.shared(lambda count: noise.uniform((count, width), seed), tf.shape(images)[0])


@serializable
@dataclasses.dataclass(frozen=True)
class Masking:
    """Masking noise: a share of each image's values, drawn anew, is set to one value.

    Vincent et al. 2010, Sec. 3.3, for denoising autoencoders.

    Args:
        fraction: share of the values, in (0, 1).
        value: what they become; -1 is black, the 0 of the paper's images.
    """

    fraction: float = 0.25
    value: float = -1.0

    def __post_init__(self):
        if not 0.0 < self.fraction < 1.0:
            raise ValueError(f"fraction={self.fraction}: masking noise hides a share in (0, 1); leave it out for none.")

    def __call__(self, images, seed, step):
        """The images with holes; arguments as for every augmentation."""
        images = tf.cast(images, tf.float32)
        drawn = noise.shared(lambda count: noise.uniform((count, *images.shape[1:]), seed), tf.shape(images)[0])
        return tf.where(drawn < self.fraction, self.value, images)
