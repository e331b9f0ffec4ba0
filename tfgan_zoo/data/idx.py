"""Folders of idx files, the format of MNIST."""

import gzip
import math
import pathlib
import struct

import numpy as np

from tfgan_zoo.data import memory, memory_budget
from tfgan_zoo.data.source import Info, Source

_PREFIXES = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("t10k", "test")}
_UNSIGNED_BYTE = 8


def find(folder):
    """Dict of split to (image file, label file or None) in a folder; empty if it has no idx files.

    Args:
        folder: a directory. Files are named as MNIST's: train-images-idx3-ubyte, t10k-labels-idx1-ubyte, …,
            with or without .gz.
    """
    found = {}
    for split, prefixes in _PREFIXES.items():
        for prefix in prefixes:
            images = sorted(pathlib.Path(folder).glob(f"{prefix}-images?idx*-ubyte*"))
            labels = sorted(pathlib.Path(folder).glob(f"{prefix}-labels?idx1-ubyte*"))
            if images and split not in found:
                found[split] = (images[0], labels[0] if labels else None)
    return found


def from_folder(folder):
    """A source from a folder of idx files.

    Args:
        folder: a directory in which `find` finds some.

    Raises:
        ValueError: if a file is not idx of unsigned bytes, is cut short, or holds no images or no labels of them.
    """
    folder, files = pathlib.Path(folder), find(folder)
    shapes = {split: shape_of(images) for split, (images, _) in files.items()}
    shapes = {split: memory.image_shape(shape, np.dtype("uint8")) for split, shape in shapes.items()}
    tops = [memory.checked_labels(read(path), shapes[split][0]).max() for split, (_, path) in files.items() if path]
    names = tuple(map(str, range(max(tops) + 1))) if tops else None
    shape, counts = next(iter(shapes.values()))[1:], {split: found[0] for split, found in shapes.items()}
    info = Info(folder.name, shape, names and len(names), names, counts)

    def both(split):
        images, labels = files[split]
        memory_budget.check(shapes[split])
        return memory.checked(read(images), None if labels is None else read(labels))

    return Source(info, lambda split, wanted: memory.cut(split, info, wanted, both))


def shape_of(path):
    """The shape of the array in an idx file, from its header."""
    with _opened(path) as stream:
        return _shape(stream, path)


def read(path):
    """The uint8 array in an idx file.

    Args:
        path: the file, gzipped if it ends in .gz.

    Raises:
        ValueError: if it is not an idx file of unsigned bytes, or is cut short.
    """
    with _opened(path) as stream:
        shape = _shape(stream, path)
        try:
            content = stream.read(math.prod(shape))
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is damaged: {error}. Copy it again") from error
    if len(content) != math.prod(shape):
        raise ValueError(f"{path} is cut short: {len(content):,} of {math.prod(shape):,} bytes. Copy it again")
    return np.frombuffer(content, "uint8").reshape(shape)


def _opened(path):
    return gzip.open(path) if str(path).endswith(".gz") else open(path, "rb")


def _shape(stream, path):
    try:
        zero, kind, rank = struct.unpack(">HBB", stream.read(4))
        if zero != 0 or kind != _UNSIGNED_BYTE:
            raise ValueError("the first bytes are not 0 0 8")
        return struct.unpack(f">{rank}I", stream.read(4 * rank))
    except (struct.error, ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} is not an idx file of unsigned bytes: {error}") from error
