"""What a search learns from, chooses by, and is told at its end: three parts of the data that share no image."""

import dataclasses
import hashlib
import os
import warnings

import numpy as np

from tfgan_zoo import data, metrics, pixels, registry

LARGEST = 10_000  # images carved for validation, where nobody says how many
SHARE = 5  # one in so many, at most


@dataclasses.dataclass(frozen=True)
class Material:
    """Three disjoint parts of a source, in memory.

    Args:
        source: what `read` was given.
        info: of the source.
        train, validation, test: (images, labels or None), as `data.arrays` gives them; test is None where it is the
            source's own and read when it is needed.
        extractor: for the metrics; None for points.
        told: what a record says of the three.
    """

    source: object
    info: data.Info
    train: tuple
    validation: tuple
    test: tuple | None
    extractor: object
    told: dict

    @property
    def image_shape(self):
        """Of the images that a model makes."""
        return self.train[0].shape[1:]

    def keywords(self, name):
        """What the data says to a zoo entry: the number of classes, if it asks.

        Raises:
            ValueError: if the entry needs classes and there are none.
        """
        if "num_classes" not in registry.keywords(name):
            return {}
        if (self.info.num_classes or 0) < 2:
            raise ValueError(
                f"{self.info.name} has no classes, but {name!r} is told one with every image: take another."
            )
        return {"num_classes": self.info.num_classes}

    def batches(self, batch_size, seed):
        """The training part as `data.load` gives it."""
        images, labels = self.train
        with warnings.catch_warnings():  # how many images an epoch leaves out follows from the trial's own numbers
            warnings.simplefilter("ignore", UserWarning)
            source = images if labels is None else (images, labels)
            return data.load(source, batch_size=batch_size, seed=seed)

    def judge(self, model):
        """The record of a model against the validation part: the same images and latents for every trial."""
        return self._evaluate(model, self.validation)

    def confirm(self, model):
        """The record of a model against the test part; for one model, at the end."""
        if self.test is None:
            return metrics.evaluate(model, self.source, extractor=self.extractor, verbose=False)
        return self._evaluate(model, self.test)

    def _evaluate(self, model, part):
        reference = part[0] if part[1] is None else part
        return metrics.evaluate(model, reference, extractor=self.extractor, floor=False, verbose=False)

    def diversity(self, images):
        """Mean distance of two generated images over that of two validation images; about 1 for a good model, 0 for one
        that has collapsed."""
        rows = np.random.default_rng(0).permutation(len(self.validation[0]))[: len(images)]
        real = self.validation[0][rows]
        real = np.asarray(pixels.from_uint8(real)) if real.dtype == np.uint8 else real
        return _distance(images) / max(_distance(real), 1e-12)


def read(source, split="train", validation=None, image_size=None, extractor=None):
    """The three parts of a source. What is not there already is carved from `split` by a fixed permutation.

    Args:
        source: as in `data.load`.
        split: what may be trained and chosen on, such as "train" or "train[:15000]"; never the test split.
        validation: images carved from it to choose by; None for the source's own "validation" split or, without one, a
            fifth of it, at most 10,000. A source without a test split gives as many again for that.
        image_size: side that all images are brought to; None keeps theirs.
        extractor: for the metrics, as in `tz.evaluate`; None for the classifier that is shipped for the source.

    Returns:
        A `Material`.

    Raises:
        ValueError: if the split is the test split, or too few images would be left.
    """
    if any(part.split("[")[0].strip() in ("test", "validation") for part in str(split).split("+")):
        raise ValueError(f"split={split!r}: a search learns and chooses on training images, and is tested on the rest.")
    images, labels = data.arrays(source, split, image_size=image_size)
    info = data.info(source)  # now that TFDS has prepared it, if it had to
    if extractor is None and not info.is_points:
        extractor = metrics.classifier_for(info.name)
    own = "validation" if validation is None and "validation" in info.num_images else None
    count = 0 if own else _count(validation, len(images))
    carved = 0 if "test" in info.num_images else max(count, _count(None, len(images)))
    if len(images) - count - carved < 2:
        raise ValueError(
            f"validation={validation} images of {len(images):,} leave nothing to train on: carve fewer, or widen split."
        )
    rows = np.random.default_rng(0).permutation(len(images))  # a folder's images are sorted by class

    def part(rows):
        rows = np.sort(rows)
        return images[rows], None if labels is None else labels[rows]

    left = len(images) - count - carved
    if carved:
        test = part(rows[left + count :])
    else:  # read when it is needed, at the size that its other scores have
        test = None if image_size is None else data.arrays(source, "test", image_size=image_size)
    train = (images, labels) if left == len(images) else part(rows[:left])
    chosen = data.arrays(source, own, image_size=image_size) if own else part(rows[left : left + count])
    told = {
        "data": str(source) if isinstance(source, str | os.PathLike) else _hash(images),
        "train": f"{left} of {split}",
        "validation": own or f"{count} of {split}",
        "test": f"{carved} of {split}" if carved else "test",
        "image_shape": list(images.shape[1:]),
    }
    return Material(source, info, train, chosen, test, extractor, told)


def _count(validation, available):
    if validation is None:
        return min(LARGEST, available // SHARE)
    if isinstance(validation, bool) or not isinstance(validation, int) or validation < 1:
        raise ValueError(f"validation={validation!r}: give a number of images such as 5000, or None.")
    return validation


def _distance(images):
    """Mean Euclidean distance of the two images of a pair."""
    flat = np.reshape(images, (len(images), -1)).astype(np.float64)
    half = len(flat) // 2
    return float(np.linalg.norm(flat[:half] - flat[half : 2 * half], axis=1).mean())


def _hash(images):
    return "sha256 " + hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()[:16]
