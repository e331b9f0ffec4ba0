"""Data that needs no file: scikit-learn's handwritten digits, drawn shapes, and toy densities in the plane."""

import functools

import numpy as np

from tfgan_zoo.data import memory, shape_pairs, shapes
from tfgan_zoo.data.source import Info, Source

POINTS = {"train": 50_000, "test": 10_000}


def digits():
    """The 1,797 handwritten digits of 8×8 pixels that come with scikit-learn.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (the test part).

    Returns:
        A `Source` with a fixed, stratified split into train (1,077), validation (360) and test (360).
    """
    counts = {"train": 1077, "validation": 360, "test": 360}
    info = Info("digits", (8, 8, 1), 10, tuple("0123456789"), counts)
    return Source(info, lambda split, wanted: memory.cut(split, info, wanted, _digits().get))


@functools.cache
def _digits():
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = np.round(pixels.reshape(-1, 8, 8, 1) * (255 / 16)).astype("uint8")  # stored as 0 to 16
    labels = labels.astype("int32")
    split = functools.partial(train_test_split, random_state=0)
    rest, test, rest_labels, test_labels = split(images, labels, test_size=360, stratify=labels)
    train, validation, train_labels, validation_labels = split(rest, rest_labels, test_size=360, stratify=rest_labels)
    parts = {
        "train": (train, train_labels),
        "validation": (validation, validation_labels),
        "test": (test, test_labels),
    }
    for arrays in parts.values():
        for array in arrays:
            array.flags.writeable = False  # kept for the life of the process
    return parts


def _ring():
    angles = 2 * np.pi * np.arange(8) / 8
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _grid():
    return np.array([(x, y) for x in range(-2, 3) for y in range(-2, 3)], "float64")


MIXTURES = {  # name: (centres of the modes, standard deviation of each)
    "gaussian": (np.array([[5.0, 5.0]]), 1.0),
    "ring8": (_ring(), 0.02),
    "grid25": (_grid(), 0.05),
}


def points(name):
    """A mixture of Gaussians in the plane, 50,000 training and 10,000 test points; the label is the mode.

    Source: gaussian: N((5, 5), I). ring8 and grid25: the toys of Metz et al. 2017 (Section 3.1) and
    Srivastava et al. 2017 (VEEGAN, Section 4.1), on radius 1 with σ = 0.02 and on the grid {−2, …, 2}² with σ = 0.05.

    Args:
        name: "gaussian", "ring8" or "grid25".
    """
    modes = len(MIXTURES[name][0])
    info = Info(name, (2,), modes, tuple(f"mode {mode}" for mode in range(modes)), dict(POINTS))
    return Source(info, lambda split, wanted: memory.cut(split, info, wanted, lambda part: _drawn(name, part)))


def _drawn(name, part):
    centres, deviation = MIXTURES[name]
    generator = np.random.default_rng([list(MIXTURES).index(name), list(POINTS).index(part)])
    labels = generator.integers(len(centres), size=POINTS[part])
    noise = generator.standard_normal((POINTS[part], 2))
    return (centres[labels] + deviation * noise).astype("float32"), labels.astype("int32")


SOURCES = {"digits": digits, "shapes": shapes.source} | shape_pairs.SOURCES
SOURCES |= {name: functools.partial(points, name) for name in MIXTURES}
