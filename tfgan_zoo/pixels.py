"""The one rule between stored pixels (uint8) and the zoo's images (float32 in [-1, 1])."""

import numpy as np
from keras import ops


def from_uint8(pixels):
    """Images float32 in [-1, 1] from uint8 pixels: 0 becomes -1 and 255 becomes 1."""
    return ops.cast(pixels, "float32") / 127.5 - 1.0


def to_uint8(images):
    """Pixels uint8 from images in [-1, 1]: clip(round((x + 1) * 127.5), 0, 255)."""
    return ops.cast(ops.clip(ops.round((ops.cast(images, "float32") + 1.0) * 127.5), 0, 255), "uint8")


def shown(images):
    """Pixels uint8 of an array that a user wants to see: floats in [-1, 1], integers from 0 to 255, True for white.

    Raises:
        ValueError: for integers that are no pixels.
    """
    images = np.asarray(images)
    if images.dtype == bool:
        return images.astype(np.uint8) * 255
    if images.dtype.kind not in "iu":
        return np.asarray(to_uint8(images))
    if images.size and (images.min() < 0 or images.max() > 255):
        raise ValueError(
            f"images is {images.dtype} with values from {images.min()} to {images.max()}: give integers from 0 to 255, "
            "or floats in [-1, 1]."
        )
    return images.astype(np.uint8)
