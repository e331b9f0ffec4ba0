"""Datasets that a command of ours prepares from a package, in the form and the place of TFDS' own."""

import dataclasses
import os
import pathlib
import re

from tfgan_zoo import files
from tfgan_zoo.data import catalogue
from tfgan_zoo.data.source import Source

COMMANDS = {  # name: (what prepares it, channels of its images where none are asked for)
    "emoji": ("python -m tfgan_zoo.data.emoji", 3),
    "emoji_flags": ("python -m tfgan_zoo.data.emoji --flags", 3),
    "emoji_tones": ("python -m tfgan_zoo.data.emoji --tones", 3),
    "mnist_10k": ("python -m tfgan_zoo.data.mnist_10k", 1),
}
VERSION = "1.0.0"
_FORMAT = "array_record"  # each record is reached by its number


def directory(name, data_dir=None):
    """Where a dataset is, or will be, prepared.

    Args:
        name: one of `COMMANDS`.
        data_dir: TFDS' data directory; None means its own default ($TFDS_DATA_DIR, else ~/tensorflow_datasets).
    """
    data_dir = data_dir or os.environ.get("TFDS_DATA_DIR") or pathlib.Path("~") / "tensorflow_datasets"
    return pathlib.Path(data_dir).expanduser() / name / VERSION


def find(name, data_dir=None):
    """The source of a name in `COMMANDS`.

    Raises:
        RuntimeError: if it is not prepared, with the command that does it.
    """
    path = directory(name, data_dir)
    command, channels = COMMANDS[name]
    if not catalogue.is_prepared(path):
        raise RuntimeError(f"{name} is not prepared in {path}. Run `{command}` first")
    base = catalogue.from_directory(path)
    info = dataclasses.replace(base.info, name=name, image_shape=(*base.info.image_shape[:2], channels))

    def rows(split, wanted):
        found = base.rows(split, dataclasses.replace(wanted, channels=wanted.channels or channels))
        return dataclasses.replace(found, name=f"{name}/{split}")

    return Source(info, rows=rows)


def write(name, out, shape, class_names, parts, description, encoding="png"):
    """Write images and labels as a prepared dataset, which appears whole or not at all.

    Args:
        name: of the dataset.
        out: directory to write, which is not there yet.
        shape: (height, width, channels).
        class_names: names of the classes.
        parts: dict of split to an iterable of (image uint8, label).
        description: a sentence.
        encoding: "png", or None to store the pixels as they are.

    Raises:
        OSError: if the disk is full, or there is no permission to write.
    """
    import tensorflow_datasets as tfds

    image = tfds.features.Image(shape=shape, encoding_format=encoding)
    features = {"image": image, "label": tfds.features.ClassLabel(names=list(class_names))}
    with files.atomic_write(out, directory=True) as temporary, catalogue.quiet():
        writer = writer_of(name, temporary, features, ("image", "label"), description)
        writer.initialize_splits(list(parts))
        for split, examples in parts.items():
            writer.add_examples({split: [{"image": image, "label": int(label)} for image, label in examples]})
        writer.close_all()


def writer_of(name, folder, features, supervised_keys, description, per_shard=2**20):
    """TFDS' writer of a dataset of records that are reached by their number.

    Args:
        name: of the dataset.
        folder: directory to write to.
        features: dict of name to feature.
        supervised_keys: (input, target), or None.
        description: a sentence.
        per_shard: records in a file, at most.
    """
    import tensorflow_datasets as tfds

    identity = tfds.core.dataset_info.DatasetIdentity(
        name=re.sub(r"\W+", "_", name).strip("_").lower() or "images",
        version=VERSION,
        data_dir=str(folder),
        module_name=__name__,
    )
    info = tfds.core.DatasetInfo(
        builder=identity,
        description=description,
        features=tfds.features.FeaturesDict(features),
        supervised_keys=supervised_keys,
        disable_shuffling=True,
    )
    return tfds.core.SequentialWriter(info, max_examples_per_shard=per_shard, file_format=_FORMAT)
