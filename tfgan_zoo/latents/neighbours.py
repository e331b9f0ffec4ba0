"""Are samples copies? The data's images that are nearest to them, in pixels or in features."""

import typing

import numpy as np

from tfgan_zoo import data as sources
from tfgan_zoo import pixels
from tfgan_zoo.latents import drawing
from tfgan_zoo.metrics import features

_BATCH = 256


class Neighbours(typing.NamedTuple):
    """The result of `nearest`.

    Args:
        samples: (N, *image_shape) float32.
        images: (N, k, *image_shape) float32: each sample's neighbours, the nearest first.
        rows: (N, k) int: where they stand in the split.
        distances: (N, k) float64: Euclidean, in pixels of [-1, 1] or in features.
    """

    samples: np.ndarray
    images: np.ndarray
    rows: np.ndarray
    distances: np.ndarray


def nearest(
    model_or_images, data, num_images=8, neighbours=5, extractor=None, split="train", labels=None, seed=0, to=None
):
    """The training images that are nearest to samples, by Euclidean distance.

    Source: Goodfellow et al. 2014, Fig. 2, whose rightmost column shows them, "to demonstrate that the model has not
    memorized the training set". A near copy may be far in pixels (Theis et al. 2016, Sec. 3.3): look in features too.

    Args:
        model_or_images: any generative model; or images (N, *image_shape), float32 in [-1, 1] or uint8.
        data: what it was trained on: a data source such as "digits", or an array, as in `tz.data.arrays`.
        num_images: samples; of an array, its first.
        neighbours: k, images beside each.
        extractor: network whose features are compared, a keras.Model or `tz.metrics.Extractor`, such as
            `tz.metrics.classifier_for("digits")`; None for pixels.
        split: of the data.
        labels: (num_images,) for a conditional model; None draws them from the seed.
        seed: of the samples.
        to: the PNG to write, or None: a row a sample, its neighbours to the right, its least distance to the left.

    Returns:
        A `Neighbours`.

    Raises:
        ValueError: if there are fewer images than asked for, or data and extractor do not fit the samples.
    """
    from sklearn.neighbors import NearestNeighbors

    count, neighbours = drawing.count_of("num_images", num_images), drawing.count_of("neighbours", neighbours)
    extractor = None if extractor is None else features.extractor_of(extractor)
    samples = _samples(model_or_images, count, labels, seed)
    if samples.ndim == 2 and extractor is not None:
        raise ValueError("extractor was given, but points are their own features: leave it out.")
    as_stored = samples.ndim == 2 or sources.info(data).image_shape[:2] == samples.shape[1:3]
    side, channels = None if as_stored else samples.shape[1], None if samples.ndim == 2 else samples.shape[3]
    stored, _ = sources.arrays(data, split, image_size=side, channels=channels)
    if stored.shape[1:] != samples.shape[1:]:
        raise ValueError(
            f"samples are {samples.shape[1:]}, but the data is {stored.shape[1:]}: give those of one shape."
        )
    if len(stored) < neighbours:
        raise ValueError(f"neighbours={neighbours}, but the split {split!r} has {len(stored)} images: ask for fewer.")
    index = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(_rows(stored, extractor))
    distances, rows = index.kneighbors(_rows(samples, extractor))
    images = _floats(stored[rows.ravel()]).reshape(*rows.shape, *stored.shape[1:])
    shown = np.concatenate([samples[:, None], images], axis=1).reshape(-1, *samples.shape[1:])
    ranks = ["sample", *(f"nearest {rank}" if rank > 1 else "nearest" for rank in range(1, neighbours + 1))]
    where = "pixels" if extractor is None else f"features of {extractor.name}"
    titles = [f"{distance:.2f}" for distance in distances[:, 0]]
    drawing.save(shown, to, 1 + neighbours, titles, ranks, f"left: distance to the nearest, in {where}")
    return Neighbours(samples, images, rows, distances)


def _samples(source, count, labels, seed):
    if hasattr(source, "generate"):
        return source.generate(count, labels=labels, seed=seed)
    if labels is not None:
        raise ValueError("labels tell a model what to generate; images that are there already take none.")
    source = np.asarray(source)
    if source.ndim not in (2, 4) or len(source) < count:
        raise ValueError(
            f"images has shape {source.shape}, and num_images={count}: give (N, height, width, channels), or points "
            "(N, 2), with N at least as many."
        )
    return _floats(source[:count])


def _rows(images, extractor):
    """What is compared, a row an image: pixels, or an extractor's features."""
    parts = []
    for start in range(0, len(images), _BATCH):
        batch = _floats(images[start : start + _BATCH])
        parts.append(batch.reshape(len(batch), -1) if extractor is None else extractor(batch)["features"])
    return np.concatenate(parts)


def _floats(images):
    is_pixels = np.issubdtype(images.dtype, np.integer) or images.dtype == bool
    return np.asarray(pixels.from_uint8(pixels.shown(images)) if is_pixels else images, "float32")
