"""Coloured shapes drawn on demand: every combination of seven named factors, at any size.

In the spirit of dSprites (Matthey et al. 2017) and 3D Shapes (Burgess and Kim 2018), where the true factors of every
image are known. No shape here looks the same after a turn, so that no two images do.
"""

import colorsys
import functools
import hashlib
import numbers

import numpy as np

from tfgan_zoo.data import decoding, splits
from tfgan_zoo.data.source import Info, Rows, Source

COUNTS = {"train": 49_152, "validation": 6_144, "test": 6_144}
SIZES = (16, 256)  # pixels of a side, the least and the most
_FACTORS = {
    "shape": ("drop", "heart", "arrow", "half disc", "triangle"),
    "hue": (0, 45, 90, 135, 180, 225, 270, 315),  # degrees
    "size": (0.3, 0.4, 0.5),  # radius of the circle around the shape, in halves of the image's shorter side
    "x": (-0.45, -0.15, 0.15, 0.45),  # of the centre: -1 is the left edge, 1 the right one
    "y": (-0.45, -0.15, 0.15, 0.45),  # -1 is the upper edge, 1 the lower one
    "rotation": (0, 45, 90, 135, 180, 225, 270, 315),  # degrees, clockwise
    "background": (20, 90, 165, 235),  # grey levels
}
_LEVELS = tuple(map(len, _FACTORS.values()))
_SATURATION, _VALUE = 0.85, 0.9


def factors():
    """The factors and their values.

    Returns:
        Dict of name to tuple of values, in the order of the columns of `factor_indices`: shape (its name), hue
        (degrees), size (radius in halves of the shorter side), x, y (-1 to 1, right and down), rotation (degrees,
        clockwise), background (grey level).
    """
    return dict(_FACTORS)


def factor_indices(split="train"):
    """Which value each factor has in each image of a split, in stored order.

    Args:
        split: as in `load`, such as "train[:100]".

    Returns:
        int32 (N, 7): columns as in `factors()`; column 0 is the label.

    Raises:
        ValueError: if the split is not there.

    Example:

    >>> from tfgan_zoo import data
    >>> indices = data.shapes.factor_indices("test[:1]").repeat(8, axis=0)
    >>> indices[:, 1] = range(8)  # one image in eight hues
    >>> data.shapes.render(indices, image_size=64).shape
    (8, 64, 64, 3)
    """
    return np.stack(np.unravel_index(_numbers(split), _LEVELS), axis=1).astype("int32")


def render(indices, image_size=32):
    """Draw images, antialiased.

    Args:
        indices: integers (N, 7), as `factor_indices` returns them.
        image_size: side in pixels, or (height, width).

    Returns:
        uint8 (N, height, width, 3).

    Raises:
        ValueError: for indices that are out of range, or a size below 16 or above 256.
    """
    height, width = _checked(indices, image_size)
    indices = np.asarray(indices)
    paper = np.array(_FACTORS["background"], "float32")[indices[:, 6], None]
    ink = _colours()[indices[:, 1]]
    cover = np.clip(0.5 - _distances(indices, height, width), 0, 1)[..., None]
    images = paper[:, None, None] + (ink - paper)[:, None, None] * cover
    return (images + 0.5).astype("uint8")


def outlines(indices, image_size=32):
    """Draw the outlines of images alone, black on white, antialiased; arguments and result as of `render`."""
    height, width = _checked(indices, image_size)
    ink = np.clip(1.0 - np.abs(_distances(np.asarray(indices), height, width)), 0, 1)
    return np.repeat((255.5 * (1.0 - ink))[..., None], 3, axis=-1).astype("uint8")


def _checked(indices, image_size):
    """(height, width), once it is known that images of these factors can be drawn."""
    indices = np.asarray(indices)
    if indices.ndim != 2 or indices.shape[1] != len(_FACTORS) or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(
            f"indices is {indices.dtype} of shape {indices.shape}. It must be integers (N, {len(_FACTORS)})"
        )
    if ((indices < 0) | (indices >= _LEVELS)).any():
        raise ValueError(f"indices is out of range: the factors have {', '.join(map(str, _LEVELS))} values")
    height, width = (image_size,) * 2 if isinstance(image_size, numbers.Integral) else image_size
    if not all(SIZES[0] <= side <= SIZES[1] for side in (height, width)):
        raise ValueError(f"image_size={image_size!r}: shapes are drawn with sides of {SIZES[0]} to {SIZES[1]} pixels")
    return height, width


def source():
    """The source "shapes": 61,440 images, split by a fixed permutation; the label is the shape."""
    info = Info("shapes", (32, 32, 3), len(_FACTORS["shape"]), _FACTORS["shape"], dict(COUNTS))
    return Source(info, rows=_rows)


def _rows(split, wanted):
    numbers, name = _numbers(split), f"shapes/{split}"
    indices = factor_indices(split)
    size = wanted.size or (32, 32)
    if not all(SIZES[0] <= side <= SIZES[1] for side in size):
        raise ValueError(
            f"image_size={wanted.image_size!r}: shapes are drawn with sides of {SIZES[0]} to {SIZES[1]} pixels"
        )

    def read(rows):
        chosen = indices[np.asarray(rows)]
        return decoding.fit(render(chosen, size), wanted), chosen[:, 0]

    return Rows(
        name,
        (len(numbers), *size, wanted.channels or 3),
        True,
        read,
        headers=lambda row: ((*size, 3),),
        origin=lambda row: f"{name}, image {row}",
        fingerprint=lambda: hashlib.sha256(repr((str(split), wanted.key, _FACTORS)).encode()).hexdigest(),
        encoded=False,
    )


def _numbers(split):
    """The numbers of a split's images among all combinations, of which the last factor changes fastest."""
    begins = dict(zip(COUNTS, np.cumsum([0, *COUNTS.values()]), strict=False))
    parts = [
        _order()[begins[name] + start : begins[name] + stop]
        for name, start, stop in splits.pieces(split, COUNTS, "shapes")
    ]
    return np.concatenate(parts)


@functools.cache
def _order():
    return splits.permutation(int(np.prod(_LEVELS)))


@functools.cache
def _colours():
    colours = [colorsys.hsv_to_rgb(hue / 360, _SATURATION, _VALUE) for hue in _FACTORS["hue"]]
    return np.array(colours, "float32") * 255


def _distances(indices, height, width):
    """float32 (N, height, width): distance of each pixel to the shape's outline in pixels, negative inside."""
    half = min(height, width) / 2
    radius, x, y, turn = (np.array(_FACTORS[name], "float32") for name in ("size", "x", "y", "rotation"))
    radius = radius[indices[:, 2], None, None] * np.float32(half)
    across = np.arange(width, dtype="float32") + 0.5 - (1 + x[indices[:, 3], None]) * np.float32(width / 2)
    down = np.arange(height, dtype="float32") + 0.5 - (1 + y[indices[:, 4], None]) * np.float32(height / 2)
    across, down = across[:, None, :] / radius, down[:, :, None] / radius
    angle = np.deg2rad(turn)[indices[:, 5], None, None]
    sine, cosine = np.sin(angle), np.cos(angle)
    right, up = np.abs(cosine * across + sine * down), sine * across - cosine * down  # shapes are mirror images
    found = np.empty(right.shape, "float32")
    for number, name in enumerate(_FACTORS["shape"]):
        chosen = indices[:, 0] == number
        found[chosen] = _DISTANCES[name](right[chosen], up[chosen]) * radius[chosen]
    return found


# Distances to the outlines, negative inside, of shapes in the unit circle; `right` is never negative. Where edges meet
# they are bounds of the distance (a maximum of half planes), which is all that an edge of one pixel needs.


def _drop(right, up):
    disc = np.hypot(right, up + 0.35) - 0.6
    return np.minimum(disc, np.maximum(0.8958 * right + 0.4444 * (up - 1), -0.083 - up))


def _heart(right, up):
    disc = np.hypot(right - 0.42, up - 0.35) - 0.5
    between = np.maximum(right - 0.42, np.maximum(up - 0.5, -0.3 - up))  # where discs and tip meet
    return np.minimum(np.minimum(disc, between), np.maximum(0.773 * right - 0.634 * (up + 0.95), up - 0.1))


def _arrow(right, up):
    head = np.maximum(0.7474 * right + 0.6644 * (up - 1), 0.1 - up)
    return np.minimum(head, np.maximum(right - 0.28, np.maximum(-0.95 - up, up - 0.15)))


def _half_disc(right, up):
    return np.maximum(np.hypot(right, up - 0.4) - 0.92, up - 0.4)


def _triangle(right, up):
    return np.maximum(0.9487 * right + 0.3162 * (up - 1), -0.8 - up)


_DISTANCES = {"drop": _drop, "heart": _heart, "arrow": _arrow, "half disc": _half_disc, "triangle": _triangle}
