"""The real images that others are scored against, and what is known of them, worked out once and kept."""

import dataclasses
import functools
import hashlib
import pathlib
import re

import numpy as np

from tfgan_zoo import data, pixels
from tfgan_zoo.metrics import cache, features
from tfgan_zoo.metrics.distances import neighbour_distances
from tfgan_zoo.metrics.frechet import Moments, frechet_from_moments

FORMAT = 2  # raise it when what is kept about real images changes


@dataclasses.dataclass(frozen=True)
class Reference:
    """A data source, seen through an extractor.

    Args:
        source: as in `data.arrays`.
        extractor: an `Extractor`; None where nobody looks at features.
        batch_size: images per forward pass.
        verbose: True shows progress.
        size_of: (height, width, channels) of the generated images, to which images of one's own, and any of mixed
            sizes, are brought, as they are for training; None where that is not known. Others keep theirs.
        skip_corrupt: as in `data.load`.
    """

    source: object
    extractor: features.Extractor | None
    batch_size: int
    verbose: bool
    size_of: tuple | None = None
    skip_corrupt: bool = False

    @functools.cached_property
    def info(self):
        """What `data.info` says of the source."""
        return data.info(self.source)

    @property
    def has_splits(self):
        """Arrays given by hand are one heap, without a test split and without other images for a floor."""
        described = data.Clustered | data.HeldOut | data.Pairs | data.Unpaired | data.WithAttributes
        return isinstance(self.source, str | pathlib.Path | described)

    @property
    def is_two(self):
        """Whether each example is two images, or from two domains: a source, and what it is to become."""
        return self.info.is_pairs or isinstance(self.source, data.Unpaired)

    @functools.cached_property
    def image_shape(self):
        """(height, width, channels) that images are read at, RGBA laid over white; (2,) of points."""
        own = tuple(self.info.image_shape)
        if self.info.is_points:
            return own
        if self.has_splits and self.size_of is not None and (self._name is None or None in own):
            return self.size_of
        return (*own[:2], 3) if own[2] == 4 else own

    def size(self, split):
        """How many images a split has; of a slice like "test[:500]" that shows only when it is read."""
        known = split in self.info.num_images and not self.skip_corrupt
        return self.info.num_images[split] if known else len(self._read(split)[0])

    def other_split(self, split):
        """A split that shares no image with this one, training images first; None if there is none."""
        used = {re.split(r"\[", part)[0].strip() for part in split.split("+")}
        names = ("train", "test", "validation") if self.has_splits else ()
        return next((name for name in names if name in self.info.num_images and name not in used), None)

    def images(self, split, count, image_shape=None):
        """`count` images of a split and their labels. Which of them depends on the split alone, never on a seed.

        Of two images, those that the others are to become.

        Args:
            split: of the source.
            count: how many; all, if there are fewer.
            image_shape: (height, width, channels) to read them at; None for the reference's.

        Returns:
            (images as stored: uint8, or float32 in [-1, 1]; what stands beside them: labels int32 (N,), or None).
        """
        images, labels = self._read(split, image_shape)
        images, labels = (labels, None) if self.is_two else (images, labels)
        rows = _some(images, count)
        return images[rows], None if labels is None else labels[rows]

    def sources(self, split, count, image_shape=None):
        """What is to be translated: of two images the first, in the order of `images`; or the images themselves.

        Args:
            split, count, image_shape: as in `images`.
        """
        images, _ = self._read(split, image_shape)
        return images[_some(images, count)]

    def histogram(self, split, count):
        """The share of each label among `count` images of a split, (C,); empty without labels."""
        if self.extractor is None:
            return self._histogram(self.images(split, count)[1])
        return self.features(split, count)["histogram"]

    def _histogram(self, labels):
        of_classes = labels is not None and labels.ndim == 1
        known = labels[labels >= 0] if of_classes else np.zeros(0, np.int32)  # -1 stands for no label
        share = np.bincount(known, minlength=self.info.num_classes or 0) / max(len(known), 1)
        return share if known.size else np.zeros(0)

    def features(self, split, count):
        """What an extractor sees in `count` images of a split, through the cache.

        Returns:
            {"features": (N, d), "histogram": the share of each label, "preprocessing": what was done, in words}.
        """

        def build():
            images, labels = self.images(split, count)
            cut = (images[start : start + self.batch_size] for start in range(0, len(images), self.batch_size))
            batches = (batch if batch.dtype != np.uint8 else np.asarray(pixels.from_uint8(batch)) for batch in cut)
            title = f"{self.info.name}/{split}"
            return {
                "features": features.collect(self.extractor, batches, len(images), title, self.verbose)["features"],
                "histogram": self._histogram(labels),
                "preprocessing": self.extractor.preprocessing(images.shape[1:]),
            }

        return self.kept("features", build, (split,), count=count)

    def moments(self, split, count):
        """`Moments` of these features, through the cache."""

        def build():
            return dataclasses.asdict(Moments.of(self.features(split, count)["features"]))

        return Moments(**self.kept("moments", build, (split,), count=count))

    def distance_to(self, moments, split, count):
        """Fréchet distance from these features to others, known by their `Moments`."""
        mine = self.moments(split, count)
        return frechet_from_moments(mine.mean, mine.covariance, moments.mean, moments.covariance)

    def floor(self, split, count, other, other_count):
        """Fréchet distance between real images of two splits, through the cache."""

        def build():
            others = Moments.of(self.features(other, other_count)["features"])
            return {"distance": self.distance_to(others, split, count)}

        kept = self.kept("floor", build, (split, other), count=count, other_count=other_count)
        return float(kept["distance"])

    def neighbour_distances(self, split, count, k):
        """What `distances.neighbour_distances` gives for these features, (N, k), through the cache."""

        def build():
            return {"squared": neighbour_distances(self.features(split, count)["features"], k)}

        return self.kept("neighbours", build, (split,), count=count, k=k)["squared"]

    def kept(self, what, build, splits, **decided):
        """Arrays that depend on real images, through the cache.

        Args:
            what: what they are.
            build: a function without arguments that returns a dict of arrays or numbers.
            splits: of the source, those whose images they depend on.
            **decided: what else they depend on, as JSON can hold it.
        """
        key = {
            "format": FORMAT,
            "what": what,
            "reference": [self._identity(split) for split in splits],
            "splits": list(splits),
            "shape": list(self.image_shape),
            "extractor": self._fingerprint,
        }
        return cache.fetch(key | decided, lambda: {name: np.asarray(value) for name, value in build().items()})

    def content(self, split):
        """Hex SHA-256 of the images of a split as they are read; None where a name stands for them."""
        if self._name is not None:
            return None
        digest = hashlib.sha256()
        for images in self._read(split)[: 1 + self.is_two]:
            digest.update(np.ascontiguousarray(images))
        return digest.hexdigest()

    def _identity(self, split):
        """A name that stands for fixed content, or else a hash of the content; and what its labels are."""
        clusters = {"clusters": self.source.num_clusters} if isinstance(self.source, data.Clustered) else {}
        if self._name is None:
            return {"content": self.content(split)} | clusters
        held_out = {"held_out": True} if isinstance(data.underlying(self.source), data.HeldOut) else {}
        return {"name": self._name} | held_out | clusters

    @functools.cached_property
    def _name(self):
        return data.name_of(self.source)

    def _read(self, split, image_shape=None):
        """`data.arrays`, once: a folder of pictures takes long to decode."""
        shape = image_shape or self.image_shape
        key = split, tuple(shape)
        if key not in self._held:
            wanted = {"skip_corrupt": True} if self.skip_corrupt else {}
            if tuple(shape) != tuple(self.info.image_shape):
                wanted |= {"channels": shape[2]} | ({} if None in shape else {"image_size": tuple(shape[:2])})
            self._held[key] = data.arrays(self.source, split, **wanted)
        return self._held[key]

    @functools.cached_property
    def _held(self):
        return {}

    @functools.cached_property
    def _fingerprint(self):
        return None if self.extractor is None else features.fingerprint(self.extractor)


def _some(images, count):
    """Rows of `count` images, which depend on how many there are alone."""
    return np.sort(np.random.default_rng(0).permutation(len(images))[:count])
