"""Two images an example: pairs of a source and its target, and two domains that nobody has paired."""

import dataclasses
import hashlib
import os
import pathlib
import re

import numpy as np

from tfgan_zoo.data import catalogue, folders
from tfgan_zoo.data.source import Info, Rows, Source, rows_of


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images of one size: `load` gives (sources, targets), cropped and flipped alike.

    Args:
        source: a folder of pictures that show two, side by side; a source that is pairs itself, such as "edges2shapes";
            or, with `target`, a folder or any other source.
        target: a folder whose files have the names of those in `source`, whatever their suffix; or any other source
            with as many images, which are then paired by their order. None if `source` holds both halves.
        reverse: exchange sources and targets.
    """

    source: object
    target: object = None
    reverse: bool = False

    def resolve(self, find, data_dir=None, alone=None):
        """The `Source` that this describes.

        Args:
            find: function of (source, data_dir) that returns a `Source`.
            data_dir: as in `load`.
            alone: as in `folders.matched`.

        Raises:
            FileNotFoundError: if a folder is not there.
            ValueError: if images have no partner.
        """
        if self.target is None:
            found = find(self.source, data_dir)  # which says what is wrong with a path
            if found.info.is_pairs:
                return _reversed(found) if self.reverse else found
            if not _is_folder(self.source):
                raise ValueError(
                    f"Pairs({self.source!r}) has no target. Give one, or a folder of pictures showing two side by side"
                )
            found = folders.side_by_side(_path(self.source))
        else:
            sides = [find(side, data_dir) for side in (self.source, self.target)]
            if _is_folder(self.source) and _is_folder(self.target):
                found = folders.matched(_path(self.source), _path(self.target), alone)
            else:
                found = _by_order(*sides)
        return _reversed(found) if self.reverse else found


@dataclasses.dataclass(frozen=True, eq=False)
class Unpaired:
    """Two domains without pairs: `load` gives (images of a, images of b), each shuffled in an order of its own.

    An epoch has the images of the larger domain once; the smaller one goes round, in a new order each time.

    Args:
        a: any source; or a folder with sub-folders trainA and trainB (testA and testB), or a TFDS dataset with such
            splits ("cycle_gan/horse2zebra"), if `b` is None; or pairs, whose sources are a and whose targets are b.
        b: any source, or None.
    """

    a: object
    b: object = None

    def resolve_both(self, find, data_dir=None):
        """The two `Source`s that this describes.

        Args:
            find: function of (source, data_dir) that returns a `Source`.
            data_dir: as in `load`.

        Raises:
            ValueError: if `b` is None and `a` does not hold both domains.
        """
        if self.b is not None:
            return find(self.a, data_dir), find(self.b, data_dir)
        if _is_folder(self.a):
            both = [folders.domains(_path(self.a), letter) for letter in "AB"]
        else:
            base = find(self.a, data_dir)
            both = [_side(base, 0), _side(base, 1)] if base.info.is_pairs else [_domain(base, x) for x in "AB"]
        if None in both:
            raise ValueError(f"Unpaired({self.a!r}) needs two domains: give b, or a source with trainA and trainB")
        return tuple(both)


def info_of_both(sources):
    """The `Info` of two domains: what they are, and for each split how many images the larger one has."""
    one, two = (source.info for source in sources)
    counts = {
        split: max(count, two.num_images[split]) for split, count in one.num_images.items() if split in two.num_images
    }
    return Info(f"{one.name} and {two.name}", one.image_shape, None, None, counts)


def _path(source):
    return pathlib.Path(source).expanduser()


def _is_folder(source):
    """Whether a source is a folder of pictures, whose files have names."""
    if not isinstance(source, str | os.PathLike) or not _path(source).is_dir():
        return False
    return not catalogue.is_prepared(_path(source))


def _domain(base, letter):
    """Those splits of a source whose names end in a letter, under the names without it."""
    counts = {split[:-1]: count for split, count in base.info.num_images.items() if split.endswith(letter)}
    unknown = base.rows is not None and not base.info.num_images  # of a TFDS dataset that is not prepared yet
    if "train" not in counts and not unknown:
        return None
    info = dataclasses.replace(base.info, name=f"{base.info.name}, {letter}", num_images=counts)
    return Source(
        info, rows=lambda split, wanted: base.rows(re.sub(r"\b([A-Za-z_]\w*)", rf"\g<1>{letter}", split), wanted)
    )


def _side(found, side):
    """The sources (0) or the targets (1) of pairs as a source of its own."""
    name = f"{found.info.name}, {'AB'[side]}"

    def rows(split, wanted):
        both = found.rows(split, wanted)

        def read(chosen):
            images, labels = both.read(chosen)
            return images[:, side], labels

        shape = (both.shape[0], *both.shape[2:])
        return dataclasses.replace(
            both,
            name=f"{name}/{split}",
            shape=shape,
            read=read,
            headers=lambda row: (both.headers(row)[side],),
            fingerprint=lambda: _digest("AB"[side], both.fingerprint()),
        )

    return Source(dataclasses.replace(found.info, name=name, is_pairs=False), rows=rows)


def _by_order(one, two):
    """A source of pairs from two sources with as many images in each split."""
    counts = one.info.num_images
    if counts != two.info.num_images:
        raise ValueError(
            f"{one.info.name} has {counts} images, but {two.info.name} has {two.info.num_images}. Pairs need as many"
        )
    sizes = {source.info.image_shape[:2] for source in (one, two)}
    shape = (*(sizes.pop() if len(sizes) == 1 else (None, None)), max(s.info.image_shape[-1] for s in (one, two)))
    info = Info(f"{one.info.name} and {two.info.name}", shape, None, None, counts, is_pairs=True)

    def rows(split, wanted):
        wanted = dataclasses.replace(wanted, channels=wanted.channels or shape[2])
        both = [rows_of(source, split, wanted) for source in (one, two)]
        if both[0].shape != both[1].shape:
            raise ValueError(
                f"{info.name} have images of shapes {both[0].shape[1:]} and {both[1].shape[1:]}. Give image_size"
            )

        def read(chosen):
            return np.stack([side.read(chosen)[0] for side in both], axis=1), np.zeros(len(chosen), "int32")

        return Rows(
            f"{info.name}/{split}",
            (both[0].shape[0], 2, *both[0].shape[1:]),
            False,
            read,
            headers=lambda row: (*both[0].headers(row), *both[1].headers(row)),
            origin=lambda row: " and ".join(side.origin(row) for side in both),
            fingerprint=lambda: _digest(*(side.fingerprint() for side in both)),
            encoded=any(side.encoded for side in both),
        )

    return Source(info, rows=rows)


def _digest(*parts):
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _reversed(found):
    def rows(split, wanted):
        forward = found.rows(split, wanted)

        def read(chosen):
            images, labels = forward.read(chosen)
            return images[:, ::-1], labels

        return dataclasses.replace(
            forward,
            read=read,
            headers=lambda row: forward.headers(row)[::-1],
            fingerprint=lambda: _digest("reversed", forward.fingerprint()),
        )

    return Source(found.info, rows=rows)
