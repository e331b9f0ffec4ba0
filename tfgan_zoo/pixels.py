"""The one rule between stored pixels (uint8) and the zoo's images (float32 in [-1, 1])."""

from keras import ops


def from_uint8(pixels):
    """Images float32 in [-1, 1] from uint8 pixels: 0 becomes -1 and 255 becomes 1."""
    return ops.cast(pixels, "float32") / 127.5 - 1.0


def to_uint8(images):
    """Pixels uint8 from images in [-1, 1]: clip(round((x + 1) * 127.5), 0, 255)."""
    return ops.cast(ops.clip(ops.round((ops.cast(images, "float32") + 1.0) * 127.5), 0, 255), "uint8")
