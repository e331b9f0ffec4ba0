"""Random crops and flips of a batch, by numbers that (seed, epoch, step) choose."""

import dataclasses

import tensorflow as tf

from tfgan_zoo import noise

_PURPOSE = 0x61756700  # tells these draws from others of the same seed


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What is done to the images of a batch, each by a draw of its own; both images of a pair alike.

    Args:
        crop: (height, width) of a window at a random place; None keeps the whole images.
        flip: mirror left and right with probability 1/2.
    """

    crop: tuple | None = None
    flip: bool = False

    def __bool__(self):
        return self.flip or self.crop is not None

    def __call__(self, images, seed, epoch, step, stream=0):
        """The images of a batch, cropped and flipped.

        Args:
            images: (N, H, W, C), or (N, 2, H, W, C) of pairs, any dtype.
            seed: int.
            epoch, step: int64 scalars.
            stream: int that tells apart several sources in the same step.

        Returns:
            (N, h, w, C) or (N, 2, h, w, C), the dtype unchanged.
        """
        key = tf.constant([seed, _PURPOSE + stream], tf.int64)
        for number in (epoch, step):
            key = noise.fold(key, number)
        draws = noise.uniform((tf.shape(images)[0], 3), key)
        height, width = images.shape[-3:-1]
        axis = len(images.shape) - 3  # of rows
        if self.crop is not None:
            high, wide = self.crop
            images = tf.gather(images, _window(draws[:, 0], height, high), axis=axis, batch_dims=1)
        columns = _window(draws[:, 1], width, width if self.crop is None else wide)
        if self.flip:
            columns = tf.where(draws[:, 2:] < 0.5, columns[:, ::-1], columns)
        return tf.gather(images, columns, axis=axis + 1, batch_dims=1)


def _window(draws, size, window):
    """int32 (N, window): the rows, or columns, of windows that begin anywhere from 0 to size - window."""
    starts = tf.cast(draws * float(size - window + 1), tf.int32)
    return starts[:, None] + tf.range(window)
