"""A test split for a source that has none: images held out of its training split by a fixed permutation."""

import dataclasses
import hashlib

import numpy as np

from tfgan_zoo.data import splits
from tfgan_zoo.data.source import Source

LARGEST = 10_000  # images held out, at most
SHARE = 5  # one in so many


def count_of(images):
    """How many of so many images are held out: a fifth, at most 10,000."""
    return min(LARGEST, images // SHARE)


def order(images):
    """The fixed permutation of range(images), whose last are held out: a folder's images are sorted by class."""
    return np.random.default_rng(0).permutation(images)


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """A source without a test split, with one: a fifth of its training split, at most 10,000, by a fixed permutation.

    "train" is then the rest. `tz.evaluate`, runs and searches hold out the same images, so that a model which was
    trained on `tz.data.load(HeldOut("photographs/"))` has not seen those that it is scored against.

    Args:
        source: as in `load`, with images in "train".
    """

    source: object

    def resolve(self, find, data_dir=None):
        """The `Source` that this describes.

        Args:
            find: function of (source, data_dir) that returns a `Source`.
            data_dir: as in `load`.

        Raises:
            ValueError: if it has a test split, no training split, or too few images to hold any out.
        """
        base = find(self.source, data_dir)
        counts = base.info.num_images
        if "test" in counts or "train" not in counts:
            raise ValueError(
                f"{base.info.name} has the splits {', '.join(counts)}, and HeldOut is for sources with 'train' and "
                "without 'test'. Give the source as it is"
            )
        held = count_of(counts["train"])
        if not held:
            raise ValueError(f"{base.info.name} has {counts['train']} images, too few to hold any out. Give at least 5")
        rows = order(counts["train"])
        parts = {name: np.arange(count) for name, count in counts.items()}
        parts |= {"train": np.sort(rows[:-held]), "test": np.sort(rows[-held:])}
        starts = dict(zip(counts, np.cumsum([0, *counts.values()]), strict=False))
        placed = {name: part + starts["train" if name == "test" else name] for name, part in parts.items()}
        info = dataclasses.replace(base.info, num_images={name: len(part) for name, part in placed.items()})
        everything = "+".join(counts)

        def chosen(split):
            pieces = splits.pieces(split, info.num_images, info.name)
            return np.concatenate([placed[name][start:stop] for name, start, stop in pieces])

        if base.rows is not None:
            return Source(info, rows=lambda split, wanted: _some(base.rows(everything, wanted), chosen(split), split))

        def read(split, wanted):
            images, labels = base.read(everything, wanted)
            return images[chosen(split)], None if labels is None else labels[chosen(split)]

        return Source(info, read)


def _some(rows, chosen, split):
    """Those of `Rows` that are chosen, in that order."""
    name = f"{rows.name.rsplit('/', 1)[0]}/{split}"

    def fingerprint():
        return hashlib.sha256(rows.fingerprint().encode() + chosen.tobytes()).hexdigest()

    return dataclasses.replace(
        rows,
        name=name,
        shape=(len(chosen), *rows.shape[1:]),
        read=lambda wanted: rows.read(chosen[np.asarray(wanted)]),
        headers=lambda row: rows.headers(chosen[row]),
        origin=lambda row: rows.origin(chosen[row]),
        fingerprint=fingerprint,
        read_all=None,
        file_name=None if rows.file_name is None else lambda row: rows.file_name(chosen[row]),
    )
