"""What a search learns from, chooses by, and is scored on at its end: three parts of the data that share no image."""

import dataclasses
import hashlib
import os
import warnings

import numpy as np

from tfgan_zoo import data, errors, metrics, pixels
from tfgan_zoo.data import held_out


@dataclasses.dataclass(frozen=True)
class DataSplits:
    """Three disjoint parts of a source, in memory.

    Args:
        source: what `read` was given.
        info: of the source.
        train, validation, test: (images, labels or None), as `data.arrays` gives them; test is None where it is the
            source's own and read when it is needed.
        extractor: for the metrics; None for points.
        description: what a record says of the three.
        metrics: what is scored, as in `tz.evaluate`.
    """

    source: object
    info: data.Info
    train: tuple
    validation: tuple
    test: tuple | None
    extractor: object
    description: dict
    metrics: tuple | None = None

    @property
    def image_shape(self):
        """Of the images that a model makes."""
        return self.train[0].shape[1:]

    def batches(self, batch_size, seed):
        """The training part as `data.load` gives it."""
        images, labels = self.train
        with warnings.catch_warnings():  # how many images an epoch leaves out follows from the trial's own numbers
            warnings.simplefilter("ignore", UserWarning)
            source = images if labels is None else (images, labels)
            return data.load(source, batch_size=batch_size, seed=seed)

    def score(self, model):
        """The record of a model against the validation part: the same images and noise for every trial."""
        return self._evaluate(model, self.validation, floor=False)

    def score_on_test(self, model):
        """The record of a model against the test part; for one model, at the end."""
        if self.test is None:
            return self._evaluate(model, self.source, floor=True)
        return self._evaluate(model, self.test, floor=False)

    def _evaluate(self, model, reference, floor):
        if isinstance(reference, tuple) and reference[1] is None:
            reference = reference[0]
        return metrics.evaluate(
            model, reference, metrics=self.metrics, extractor=self.extractor, floor=floor, verbose=False
        )

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
        extractor: for the metrics, as in `tz.evaluate`; None for the classifier that is shipped for the source, or what
            `metrics.train_extractor` kept for it.

    Returns:
        A `DataSplits`.

    Raises:
        ValueError: if the split is the test split, or too few images would be left.
    """
    if any(part.split("[")[0].strip() in ("test", "validation") for part in str(split).split("+")):
        raise ValueError(f"split={split!r}: a search learns and chooses on training images, and is tested on the rest.")
    images, labels = data.arrays(source, split, image_size=image_size)
    info = data.info(source)  # now that TFDS has prepared it, if it had to
    if not info.is_points:
        extractor = metrics.extractor_for(source, extractor)
    usual = held_out.count_of(len(images))
    own = "validation" if validation is None and "validation" in info.num_images else None
    carved = usual if validation is None else errors.whole_number("validation", validation)
    count, tested = 0 if own else carved, 0 if "test" in info.num_images else max(0 if own else carved, usual)
    left = len(images) - count - tested
    if left < 2:
        raise ValueError(
            f"validation={validation} images of {len(images):,} leave nothing to train on: carve fewer, or widen split."
        )
    rows = held_out.order(len(images))

    def part(rows):
        rows = np.sort(rows)
        return images[rows], None if labels is None else labels[rows]

    if tested:
        test = part(rows[left + count :])
    else:  # read when it is needed, at the size that its other scores have
        test = None if image_size is None else data.arrays(source, "test", image_size=image_size)
    return DataSplits(
        source,
        info,
        (images, labels) if left == len(images) else part(rows[:left]),
        data.arrays(source, own, image_size=image_size) if own else part(rows[left : left + count]),
        test,
        extractor,
        {
            "data": str(source) if isinstance(source, str | os.PathLike) else _hash(images),
            "train": f"{left} of {split}",
            "validation": own or f"{count} of {split}",
            "test": f"{tested} of {split}" if tested else "test",
            "image_shape": list(images.shape[1:]),
        },
    )


def _distance(images):
    """Mean Euclidean distance of the two images of a pair."""
    flat = np.reshape(images, (len(images), -1)).astype(np.float64)
    half = len(flat) // 2
    return float(np.linalg.norm(flat[:half] - flat[half : 2 * half], axis=1).mean())


def _hash(images):
    return "sha256 " + hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()[:16]
