"""Attributes beside images: from a table beside a folder, from an array, or from a dataset that keeps them itself."""

import csv
import dataclasses
import hashlib
import math
import os
import pathlib

import numpy as np

from tfgan_zoo.data import memory, splits
from tfgan_zoo.data.catalogue import checked_names
from tfgan_zoo.data.source import Source

_TRUE_FALSE = {"true": 1.0, "false": 0.0}


@dataclasses.dataclass(frozen=True, eq=False)
class WithAttributes:
    """A source whose images come with attributes in place of labels: `load` gives (images, float32 (N, A)).

    Args:
        source: as in `load`: a folder of pictures if `table` is a file, arrays if it is an array, or a TFDS dataset
            with a feature "attributes", such as "celeb_a".
        table: a .csv file whose first column names the pictures and whose first line names the attributes; a file like
            CelebA's list_attr_celeba.txt; an array (N, A) in the order of the images; or None, for TFDS.
            Where all values are -1 or 1, they become 0 and 1.
        names: which attributes, in which order; None for all, as the table has them, or of TFDS by the alphabet.
    """

    source: object
    table: object = None
    names: tuple | None = None

    def resolve(self, find, data_dir=None):
        """The `Source` that this describes.

        Args:
            find: function of (source, data_dir) that returns a `Source`.
            data_dir: as in `load`.

        Raises:
            ValueError: if there is no table where one is needed, if it cannot be read, or lacks a picture.
        """
        base = find(self.source, data_dir)
        if self.table is None:
            if base.with_attributes is None:
                raise ValueError(
                    f"{base.info.name} keeps no attributes of its own. Give table=, a .csv file whose first column "
                    "names the pictures, or CelebA's list_attr_celeba.txt"
                )
            return base.with_attributes(self.names)
        if not isinstance(self.table, str | os.PathLike):
            return self._from_array(base)
        names, values = read_table(self.table)
        chosen = checked_names(self.names, names, self.table)
        columns = [names.index(name) for name in chosen]
        info = dataclasses.replace(base.info, num_classes=None, class_names=None, attribute_names=chosen)
        return Source(info, rows=lambda split, wanted: self._rows(base, split, wanted, values, columns))

    def _rows(self, base, split, wanted, values, columns):
        rows = base.rows(split, wanted) if base.rows is not None else None
        if rows is None or rows.file_name is None:
            raise ValueError(f"{base.info.name} is no folder of pictures, whose names a table could hold")
        names = [rows.file_name(row) for row in range(rows.shape[0])]
        keys = [name if name in values else name.rsplit("/", 1)[-1] for name in names]
        missing = [name for name, key in zip(names, keys, strict=True) if key not in values]
        if missing:
            raise ValueError(
                f"{self.table} has no line for {len(missing):,} of {len(names):,} pictures of {rows.name}: "
                f"{', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}. Add them, or remove the pictures"
            )
        labels = np.array([values[key][columns] for key in keys], "float32")

        def read(chosen):
            return rows.read(chosen)[0], labels[np.asarray(chosen)]

        return dataclasses.replace(
            rows,
            labelled=True,
            read=read,
            attributes=len(columns),
            fingerprint=lambda: hashlib.sha256(rows.fingerprint().encode() + labels.tobytes()).hexdigest(),
        )

    def _from_array(self, base):
        if base.read is None:
            raise ValueError(f"table is an array, but {base.info.name} is none. Give an array of images, or a file")
        values = memory.array_of("table", self.table)
        if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            raise ValueError(
                f"table is {values.dtype}, and not finite numbers throughout. Give numbers such as 0 and 1"
            )
        values = zero_to_one(values.astype("float32"))
        counts = base.info.num_images
        if values.ndim != 2 or list(counts) != ["train"] or len(values) != counts["train"]:
            raise ValueError(
                f"table has shape {values.shape}, but {base.info.name} has "
                f"{' and '.join(f'{count:,} {split}' for split, count in counts.items())} images. "
                "An array of attributes is (N, A) for an array of N images"
            )
        known = tuple(map(str, range(values.shape[1]))) if self.names is None else tuple(self.names)
        if len(known) != values.shape[1]:
            raise ValueError(
                f"names has {len(known)} entries for {values.shape[1]} columns of table. Name every column"
            )
        info = dataclasses.replace(base.info, num_classes=None, class_names=None, attribute_names=known)

        def read(split, wanted):
            images, _ = base.read(split, wanted)
            parts = [values[start:stop] for _, start, stop in splits.pieces(split, counts, info.name)]
            return images, np.concatenate(parts)

        return Source(info, read)


def read_table(path):
    """The names of the attributes in a table, and the values of each picture.

    Args:
        path: a .csv file, or one like CelebA's list_attr_celeba.txt: the number of pictures, the names of the
            attributes, and a line for each picture: its name and values, between blanks.

    Returns:
        (names, dict of picture to float32 (A,)).

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if a line has too few or too many values, or one that is no number.
    """
    path = pathlib.Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f"There is no table {path}. Check the path (now in {pathlib.Path.cwd()})")
    with open(path, newline="", encoding="utf-8-sig") as file:
        if path.suffix.lower() == ".csv":
            lines = [line for line in csv.reader(file) if line]
            header = lines[0][1:] if lines else []
        else:
            lines = [line.split() for line in file if line.strip()]
            lines = lines[1:] if lines and len(lines[0]) == 1 else lines  # the number of pictures
            header = lines[0] if lines else []
            if len(lines) > 1 and len(header) == len(lines[1]):  # a name above the pictures, too
                header = header[1:]
    if not header or len(lines) < 2:
        raise ValueError(f"{path} holds no attributes. Its first line names them, and each other line is a picture's")
    names, values = tuple(header), {}
    for line in lines[1:]:
        if len(line) != len(names) + 1:
            raise ValueError(
                f"{path}: {line[0]} has {len(line) - 1} values for {len(names)} attributes. Repair the line"
            )
        values[line[0]] = np.array([_number(text, path, line[0]) for text in line[1:]], "float32")
    together = zero_to_one(np.stack(list(values.values())))
    return names, dict(zip(values, together, strict=True))


def zero_to_one(values):
    """Values in which every one is -1 or 1 as 0 and 1; others as they are."""
    signs = np.isin(values, (-1.0, 1.0)).all()
    return (values + 1.0) / 2.0 if signs else values


def _number(text, path, picture):
    word = text.strip().lower()
    try:
        value = _TRUE_FALSE[word] if word in _TRUE_FALSE else float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path}: {picture} has the value {text!r}, which is no number. Give 0 or 1")
    return value
