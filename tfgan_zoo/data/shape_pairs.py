"""Shapes for models that go from image to image: pairs whose truth is known, and images with attributes."""

import functools
import hashlib

import numpy as np

from tfgan_zoo.data import decoding, shapes, splits
from tfgan_zoo.data.source import Info, Rows, Source

_NAMES = tuple(shapes.factors())
_SHAPES = shapes.factors()["shape"]
_OWN_HUE = (5, 0, 2, 1, 6)  # of a drop, heart, arrow, half disc, triangle: blue, red, green, orange, violet
_GREY = (0.299, 0.587, 0.114)  # ITU-R 601
_COLOURS = {"red": 0, "green": 2, "cyan": 4, "violet": 6}
_DARK, _LIGHT = 0, 3
ATTRIBUTES = (*_COLOURS, "dark")


def _column(indices, factor):
    return indices[:, _NAMES.index(factor)]


def _told_by_outline(indices):
    """Shapes on a light ground whose hue follows from what they are."""
    hue = np.array(_OWN_HUE)[_column(indices, "shape")]
    return (_column(indices, "hue") == hue) & (_column(indices, "background") == _LIGHT)


def _grey(indices, size):
    return np.repeat((shapes.render(indices, size) @ np.array(_GREY) + 0.5)[..., None], 3, axis=-1).astype("uint8")


def _changed(factor, before, after):
    """(which images there are, what shows their source): `before` becomes `after`, and nothing else changes."""

    def other(indices, size):
        sources = indices.copy()
        sources[:, _NAMES.index(factor)] = before
        return shapes.render(sources, size)

    return lambda indices: _column(indices, factor) == after, other


PAIRS = {  # name: (function of factors (N, 7) to whether a target is one of them, function of them to the sources)
    "edges2shapes": (_told_by_outline, shapes.outlines),
    "grey2shapes": (lambda indices: np.ones(len(indices), bool), _grey),
    "hearts2arrows": _changed("shape", _SHAPES.index("heart"), _SHAPES.index("arrow")),
    "red2blue": _changed("hue", 0, 5),
}


def pairs(name):
    """A source of pairs: outlines to coloured shapes, grey ones to colour, hearts to arrows, red shapes to blue ones.

    Of "edges2shapes" the outline tells all: each shape has a hue of its own, and the ground is light.

    Args:
        name: one of `PAIRS`.
    """
    among, sources_of = PAIRS[name]

    def images(indices, size):
        return np.stack([sources_of(indices, size), shapes.render(indices, size)], axis=1)

    return _source(name, among, images, is_pairs=True)


def attributes():
    """The source "shapes_attributes": shapes in four colours, on dark or light ground, which is what is told."""

    def among(indices):
        grounds = np.isin(_column(indices, "background"), (_DARK, _LIGHT))
        return grounds & np.isin(_column(indices, "hue"), [*_COLOURS.values()])

    def told(indices):
        colours = _column(indices, "hue")[:, None] == np.array([*_COLOURS.values()])
        return np.concatenate([colours, _column(indices, "background")[:, None] == _DARK], axis=1).astype("float32")

    return _source("shapes_attributes", among, shapes.render, told)


def _source(name, among, images_of, told=None, is_pairs=False):
    known = _factors_of(name, among)
    counts = {split: len(indices) for split, indices in known.items()}
    names = None if told is None else ATTRIBUTES
    info = Info(name, (32, 32, 3), None, None, counts, attribute_names=names, is_pairs=is_pairs)

    def rows(split, wanted):
        pieces = splits.pieces(split, counts, name)
        indices = np.concatenate([known[part][start:stop] for part, start, stop in pieces])
        size, channels = wanted.size or (32, 32), wanted.channels or 3
        images_of(indices[:1], size)  # which says what is wrong with a size

        def read(chosen):
            some = indices[np.asarray(chosen)]
            images = images_of(some, size)
            images = decoding.fit(images.reshape(-1, *images.shape[-3:]), wanted).reshape(*images.shape[:-1], channels)
            return images, np.zeros(len(some), "int32") if told is None else told(some)

        return Rows(
            f"{name}/{split}",
            (len(indices), *((2,) if is_pairs else ()), *size, channels),
            told is not None,
            read,
            headers=lambda row: ((*size, 3),) * (2 if is_pairs else 1),
            origin=lambda row: f"{name}/{split}, image {row}",
            fingerprint=lambda: hashlib.sha256(repr((name, str(split), wanted.key)).encode()).hexdigest(),
            encoded=False,
            attributes=None if told is None else len(names),
        )

    return Source(info, rows=rows)


def _factors_of(name, among):
    """Factors of a source's images, split -> (N, 7)."""
    if name not in _KNOWN:
        every = {split: shapes.factor_indices(split) for split in shapes.COUNTS}
        _KNOWN[name] = {split: indices[among(indices)] for split, indices in every.items()}
    return _KNOWN[name]


_KNOWN = {}  # for the life of the process
SOURCES = {name: functools.partial(pairs, name) for name in PAIRS} | {"shapes_attributes": attributes}
