"""Datasets that a command of ours prepares from a package, in the form and the place of TFDS' own."""

import dataclasses
import hashlib
import os
import pathlib
import re

import numpy as np

from tfgan_zoo import files
from tfgan_zoo.data import catalogue, decoding
from tfgan_zoo.data.source import Info, Source, Wanted

COMMANDS = {  # name: (what prepares it, channels of its images where none are asked for)
    "emoji": ("python -m tfgan_zoo.data.emoji", 3),
    "emoji_flags": ("python -m tfgan_zoo.data.emoji --flags", 3),
    "emoji_tones": ("python -m tfgan_zoo.data.emoji --tones", 3),
    "emoji_by_tone": ("python -m tfgan_zoo.data.emoji_pairs", 3),
    "mnist_10k": ("python -m tfgan_zoo.data.mnist_10k", 1),
    "noto2twemoji": ("python -m tfgan_zoo.data.emoji_pairs", 3),
}
PAIRS = {"noto2twemoji"}  # whose pictures show two, side by side
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
    height, width = base.info.image_shape[:2]
    if name in PAIRS:
        info = Info(name, (height, width // 2, channels), None, None, base.info.num_images, is_pairs=True)
        return Source(info, rows=lambda split, wanted: _halved(name, base, split, wanted, info.image_shape))
    info = dataclasses.replace(base.info, name=name, image_shape=(height, width, channels))

    def rows(split, wanted):
        found = base.rows(split, dataclasses.replace(wanted, channels=wanted.channels or channels))
        return dataclasses.replace(found, name=f"{name}/{split}")

    return Source(info, rows=rows)


def _halved(name, base, split, wanted, image_shape):
    """The `Rows` of pairs, from those of pictures that show two, side by side."""
    channels = wanted.channels or image_shape[2]
    both = base.rows(split, Wanted(channels=channels, background=wanted.background, skip_corrupt=wanted.skip_corrupt))
    size = wanted.size or image_shape[:2]

    def read(chosen):
        images, labels = both.read(chosen)
        halves = np.stack(np.split(images, 2, axis=2), axis=1).reshape(-1, *image_shape[:2], channels)
        fitted = decoding.fit(halves, dataclasses.replace(wanted, channels=channels))
        return fitted.reshape(len(images), 2, *size, channels), np.zeros_like(labels)

    return dataclasses.replace(
        both,
        name=f"{name}/{split}",
        shape=(both.shape[0], 2, *size, channels),
        labelled=False,
        read=read,
        read_all=None,
        headers=lambda row: ((*image_shape[:2], both.headers(row)[0][2]),) * 2,
        fingerprint=lambda: hashlib.sha256(f"{both.fingerprint()} {wanted.key}".encode()).hexdigest(),
    )


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
