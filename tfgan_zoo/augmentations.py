"""Augmentations: what is done to images before the discriminator sees them, real and generated alike.

Each is called as `augmentation(images, seed, step)` and returns images of the same shape, through which the generator
gets its gradient. An augmentation holds no variables; its noise comes from the seed, one draw for each example.

One with a state says how it begins, `initial_state()`, and how it goes on, `next_state(state, sign, images, step)`; the
model keeps it, and hands it over at every call, `augmentation(images, seed, step, state)`.
"""

import dataclasses
import math

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
    most = [int(size * share + 0.5) for size in images.shape[1:3]]
    bordered = tf.pad(images, [[0, 0], *([border, border] for border in most), [0, 0]])
    first = [_below(2 * most[axis] + 1, drawn[:, axis]) for axis in (0, 1)]  # where in it the shifted one begins
    rows, columns = (one[:, None] + tf.range(size) for one, size in zip(first, images.shape[1:3], strict=True))
    return _pixels(bordered, rows[:, :, None], columns[:, None])


def _pixels(images, rows, columns):
    """Pixels (N, ..., C) of images at rows and columns (N, ...), int32.

    By one number for each pixel of the batch. The gradient of a gather with batch dimensions transposes, in a penalty
    that is lazy by an order that XLA does not know in time; and that of a plain gather is sparse.
    """
    _, height, width, channels = images.shape
    places = rows * width + columns
    first = tf.reshape(tf.range(tf.shape(images)[0]) * (height * width), (-1, *[1] * (len(places.shape) - 1)))
    return tf.gather_nd(tf.reshape(images, (-1, channels)), (first + places)[..., None])


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


@serializable
@dataclasses.dataclass(frozen=True)
class ADA:
    """Adaptive augmentation: each change is made with a probability p that rises while D knows the data by heart.

    Karras et al. 2020 ("Training GANs with limited data"), Sec. 2 and 3, App. B. In this order: a mirrored image,
    quarter turns and whole-pixel shifts ("blit"); scale, rotation, stretch, rotation, shift ("geometry"); brightness,
    contrast, inverted lightness, hue and saturation ("colour"; single channels have no hue, a fourth channel, opacity,
    keeps its values). All of the geometry is one bilinear sample with reflected borders; the paper's filter against
    aliasing is left out, which matters above 64 x 64. At p = 0 images are as they came, to the bit.

    p follows r = E sign D(x), the share of real images that D calls real, less the others: every so many updates it
    moves towards `target` by what `kimg` says, within [0, limit]. The model keeps p, saves it and logs it.

    Args:
        target: of r; None holds p where it is.
        kimg: thousands of images in which p would rise from 0 to 1; 500, or 100 for transfer.
        p: probability at the start.
        limit: of p; beyond 0.8 generators learn the changes themselves.
        every: updates between two moves of p.
        blit, geometry, colour: which groups of changes are made.
    """

    target: float | None = 0.6
    kimg: float = 500.0
    p: float = 0.0
    limit: float = 0.8
    every: int = 4
    blit: bool = True
    geometry: bool = True
    colour: bool = True

    differentiated = True  # penalties take D's gradient at the images themselves, through the changes

    def __post_init__(self):
        if self.target is not None and not -1.0 < self.target < 1.0:
            raise ValueError(f"target={self.target}: r lies in (-1, 1); 0.6 is usual, and None holds p.")
        if not 0.0 <= self.p <= self.limit <= 1.0:
            raise ValueError(f"p={self.p}, limit={self.limit}: give 0 <= p <= limit <= 1; a limit of 0.8 is usual.")
        if not self.kimg > 0 or isinstance(self.every, bool) or not self.every >= 1:
            raise ValueError(f"kimg={self.kimg}, every={self.every}: give a positive number of each.")

    def initial_state(self):
        """p, and the sum of signs since it moved last."""
        return {"ada_p": self.p, "ada_signs": 0.0}

    def next_state(self, state, sign, images, step):
        """The state after an update of D.

        Args:
            state: dict name -> scalar.
            sign: mean sign of D's logits of real images in this update.
            images: of the update, on all replicas.
            step: number of the training step, from 0.
        """
        p, signs = state["ada_p"], state["ada_signs"] + sign / self.every
        if self.target is None:
            return {"ada_p": p, "ada_signs": 0.0 * signs}
        moves = step % self.every == self.every - 1
        way = tf.sign(signs - self.target) * tf.cast(images, tf.float32) * self.every / (1000.0 * self.kimg)
        moved = tf.clip_by_value(p + way, 0.0, self.limit)
        return {"ada_p": tf.where(moves, moved, p), "ada_signs": tf.where(moves, 0.0, signs)}

    def __call__(self, images, seed, step, state):
        """The images, some of them changed.

        Args:
            images: (N, height, width, channels) in [-1, 1], 1, 3 or 4 channels.
            seed: stateless seed of two integers.
            step: training step; takes no part.
            state: dict with "ada_p", the probability of each change.

        Returns:
            float32 tensor of the shape of `images`; colours may leave [-1, 1].

        Raises:
            ValueError: if these are not images.
        """
        images = tf.cast(images, tf.float32)
        if images.shape.rank != 4:
            raise ValueError(
                f"ADA got examples of shape {tuple(images.shape[1:])}, but it changes images (height, width, "
                "channels): leave it out, or use InstanceNoise, which takes points too."
            )
        draws = [_Changes(images, noise.fold(seed, group), tf.cast(state["ada_p"], tf.float32)) for group in range(3)]
        if self.blit or self.geometry:
            images = _sampled(images, self._geometry(*draws[:2], images.shape[1], images.shape[2]))
        return _coloured(images, *self._colour(draws[2])) if self.colour else images

    def _geometry(self, draw, draw_more, height, width):
        """(N, 3, 3): where each pixel of the changed image comes from, in pixels around the centre, (x, y, 1)."""
        back = _matrix([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], draw.count)
        if self.blit:
            mirrored = draw.gated(tf.floor(2.0 * draw.uniform()), 0.0)
            back @= _matrix([[1.0 - 2.0 * mirrored, 0.0, 0.0], [0.0, 1.0, 0.0]], draw.count)
            turns = draw.gated(tf.floor(4.0 * draw.uniform()), 0.0)
            sine = tf.where(turns == 1.0, 1.0, tf.where(turns == 3.0, -1.0, 0.0))  # exact, unlike sin(pi)
            back @= _turn(sine, tf.where(turns == 0.0, 1.0, tf.where(turns == 2.0, -1.0, 0.0)), draw.count)
            for right, down in ((0.25 * width, 0.0), (0.0, 0.25 * height)):
                share = draw.gated(draw.uniform() - 0.5, 0.0)
                back @= _shift(tf.round(share * right), tf.round(share * down), draw.count)
        if self.geometry:
            draw = draw_more
            size = draw.gated(2.0 ** (0.2 * draw.normal()), 1.0)
            back @= _matrix([[1.0 / size, 0.0, 0.0], [0.0, 1.0 / size, 0.0]], draw.count)
            back @= draw.rotation()
            stretch = draw.gated(2.0 ** (0.2 * draw.normal()), 1.0)
            back @= _matrix([[1.0 / stretch, 0.0, 0.0], [0.0, stretch, 0.0]], draw.count)
            back @= draw.rotation()
            shifts = (draw.gated(0.125 * side * draw.normal(), 0.0) for side in (width, height))
            back @= _shift(*shifts, draw.count)
        return back

    def _colour(self, draw):
        """(N, 3, 3) and (N, 3): what colours are multiplied by, and what is added."""
        one, luma = tf.eye(3), tf.fill((3, 3), 1.0 / 3.0)  # the projection on the grey axis
        brightness = draw.gated(0.2 * draw.normal(), 0.0)
        contrast = draw.gated(2.0 ** (0.5 * draw.normal()), 1.0)
        matrix, added = contrast[:, None, None] * one, (contrast * brightness)[:, None] * tf.ones((1, 3))
        inverted = draw.gated(tf.floor(2.0 * draw.uniform()), 0.0)[:, None, None]
        angle = draw.gated(math.pi * (2.0 * draw.uniform() - 1.0), 0.0)[:, None, None]
        across = tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / 3.0**0.5  # v x
        hue = tf.cos(angle) * (one - luma) + tf.sin(angle) * across + luma
        strength = draw.gated(2.0 ** draw.normal(), 1.0)[:, None, None]
        for change in (one - 2.0 * inverted * luma, hue, luma + strength * (one - luma)):
            matrix, added = change @ matrix, tf.linalg.matvec(change, added)
        return matrix, added


class _Changes:
    """Numbers for each image, one draw for all of the batch, and which changes it gets."""

    def __init__(self, images, seed, p):
        self.p, self.count = p, tf.shape(images)[0]
        self._uniform = iter(tf.unstack(_uniform(images, noise.fold(seed, 0), 8), axis=1))
        normal = noise.shared(lambda count: noise.normal((count, 4), noise.fold(seed, 1)), self.count)
        self._normal = iter(tf.unstack(normal, axis=1))

    def uniform(self):
        return next(self._uniform)

    def normal(self):
        return next(self._normal)

    def gated(self, value, neutral, p=None):
        """A change's number with probability p, else the one that changes nothing."""
        return tf.where(self.uniform() < (self.p if p is None else p), value, neutral)

    def rotation(self):
        """One of two: that either turns an image has probability p."""
        angle = self.gated(math.pi * (2.0 * self.uniform() - 1.0), 0.0, 1.0 - tf.sqrt(1.0 - self.p))
        return _turn(tf.sin(angle), tf.cos(angle), self.count)


def _turn(sine, cosine, count):
    return _matrix([[cosine, -sine, 0.0], [sine, cosine, 0.0]], count)


def _shift(right, down, count):
    return _matrix([[1.0, 0.0, -right], [0.0, 1.0, -down]], count)


def _matrix(rows, count):
    """(N, 3, 3) of two rows of numbers or (N,) tensors, above [0, 0, 1]."""
    filled = [[tf.broadcast_to(tf.cast(one, tf.float32), (count,)) for one in row] for row in [*rows, [0.0, 0.0, 1.0]]]
    return tf.stack([tf.stack(row, axis=-1) for row in filled], axis=1)


def _sampled(images, back):
    """Images whose pixels come from where `back` says, between four neighbours, with reflected borders.

    By gathers: their derivatives of every order are true ones, which those of TensorFlow's projective transform are
    not.
    """
    _, height, width, _ = images.shape
    x, y = (tf.range(size, dtype=tf.float32) - (size - 1) / 2.0 for size in (width, height))
    places = tf.stack([tf.tile(x, [height]), tf.repeat(y, width), tf.ones(height * width)])  # (3, H W)
    at = tf.matmul(back[:, :2], tf.broadcast_to(places, (tf.shape(images)[0], 3, height * width)))
    x, x_next, x_share = _neighbours(at[:, 0] + (width - 1) / 2.0, width)
    y, y_next, y_share = _neighbours(at[:, 1] + (height - 1) / 2.0, height)
    above = _pixels(images, y, x) * (1.0 - x_share) + _pixels(images, y, x_next) * x_share
    below = _pixels(images, y_next, x) * (1.0 - x_share) + _pixels(images, y_next, x_next) * x_share
    return tf.reshape(above * (1.0 - y_share) + below * y_share, tf.shape(images))


def _neighbours(at, size):
    """Indices of the pixels before and behind a place, (N, P), and how far it is between them, (N, P, 1)."""
    last = size - 1.0
    inside = last - tf.abs(tf.math.floormod(at, 2.0 * last) - last) if size > 1 else 0.0 * at
    first = tf.floor(inside)
    before = tf.cast(first, tf.int32)
    return before, tf.minimum(before + 1, size - 1), (inside - first)[..., None]


def _coloured(images, matrix, added):
    """Colours after their matrix; of grey images after the mean of its rows."""
    if images.shape[-1] == 1:
        return (
            images * tf.reduce_mean(tf.reduce_sum(matrix, 2), 1)[:, None, None, None]
            + tf.reduce_mean(added, 1)[:, None, None, None]
        )
    colours, rest = images[..., :3], images[..., 3:]
    changed = tf.einsum("nhwc,ndc->nhwd", colours, matrix) + added[:, None, None]
    return tf.concat([changed, rest], axis=-1)
