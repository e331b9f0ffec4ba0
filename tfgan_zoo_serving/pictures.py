"""A grid of images as a PNG file (ISO/IEC 15948), written by NumPy and zlib."""

import math
import struct
import zlib

import numpy as np

_KINDS = {1: 0, 3: 2, 4: 6}  # channels -> colour type: grey, RGB, RGBA


def grid(images, columns=None):
    """Images side by side, as pixels.

    Args:
        images: floats (N, height, width, channels) in [-1, 1], or uint8.
        columns: images in a row; None for about a square.

    Returns:
        uint8 array (rows * height, columns * width, channels); what no image fills is black.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        images = np.clip(np.rint((images + np.float32(1)) * np.float32(127.5)), 0, 255).astype(np.uint8)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    room = np.zeros((rows * columns, height, width, channels), np.uint8)
    room[:count] = images
    return (
        room.reshape(rows, columns, height, width, channels)
        .swapaxes(1, 2)
        .reshape(rows * height, columns * width, channels)
    )


def png(pixels):
    """The bytes of a PNG file.

    Args:
        pixels: uint8 (height, width, channels) with 1, 3 or 4 channels.

    Raises:
        ValueError: if it has another number of channels.
    """
    height, width, channels = pixels.shape
    if channels not in _KINDS:
        raise ValueError(f"A picture of {channels} channels cannot be shown: it has to have 1, 3 or 4.")
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)  # each unfiltered
    header = struct.pack(">2I5B", width, height, 8, _KINDS[channels], 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(lines.tobytes(), 9), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts.items())


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
