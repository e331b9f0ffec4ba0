"""Decoded images written into shards, by TFDS, for machines that read them faster than they could decode them."""

import pathlib
import re
import shutil

import numpy as np

from tfgan_zoo import files
from tfgan_zoo.data import corrupt_files, pipeline
from tfgan_zoo.data.source import Rows, Wanted

_SHARD_BYTES = 2**28
_FORMAT = "array_record"  # each record is reached by its number


def write(
    source,
    out,
    image_size=None,
    channels=None,
    data_dir=None,
    skip_corrupt=False,
    shard_bytes=_SHARD_BYTES,
    verbose=True,
):
    """Write all splits of a source as a TFDS dataset of decoded pixels, which `load(out)` reads back the same.

    The directory appears whole or not at all; what a killed process left is removed by the next.

    Args:
        source, image_size, channels, data_dir, skip_corrupt: as in `load`.
        out: directory to write, new or empty.
        shard_bytes: pixels in a shard, about.
        verbose: True shows progress.

    Returns:
        The path of the directory.

    Raises:
        ValueError: if `out` holds files, if the source is points or floats, if its splits differ in shape, or if
            images cannot be read and `skip_corrupt` is False.
        OSError: if the disk is full, or there is no permission to write.

    Example:

    >>> import tempfile, tfgan_zoo as tz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = tz.data.write("digits", f"{folder}/digits_16", image_size=16)
    ...     tz.data.info(out).image_shape, tz.data.info(out).num_images
    ((16, 16, 1), {'train': 1077, 'validation': 360, 'test': 360})
    """
    wanted = Wanted(image_size, channels, skip_corrupt)
    wanted.check()
    out = pathlib.Path(out).expanduser()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"out={out} is there already. Give a new or an empty directory")
    found = pipeline.find(source, data_dir)
    parts = {split: rows_of(found, split, wanted) for split in splits_of(found)}
    shapes = {split: rows.shape[1:] for split, rows in parts.items()}
    if len(set(shapes.values())) > 1:
        sizes = ", ".join(f"{split} {shape}" for split, shape in shapes.items())
        raise ValueError(f"{found.info.name} has splits of different shapes: {sizes}. Give image_size and channels")
    for rest in out.parent.glob(f".{out.name}.*"):  # of a process that was killed while writing
        shutil.rmtree(rest, ignore_errors=True)
    with files.whole(out, directory=True) as temporary:
        _fill(temporary, found.info, parts, skip_corrupt, shard_bytes, verbose)
    return out


def splits_of(found):
    """Names of the splits of a source; a TFDS dataset that is not prepared yet is prepared.

    Args:
        found: a `Source`.
    """
    if not found.info.num_images and found.rows is not None:
        found.rows("train", Wanted(image_size=1))
    return tuple(found.info.num_images) or ("train",)


def rows_of(found, split, wanted):
    """The `Rows` of any source, also of one that is in memory by its nature.

    Args:
        found: a `Source`.
        split: such as "train".
        wanted: a `Wanted`.

    Raises:
        ValueError: if it is points, or images that are not uint8.
    """
    if found.rows is not None:
        return found.rows(split, wanted)
    name = f"{found.info.name}/{split}"
    images, labels = found.read(split, wanted)
    if images.dtype != np.uint8:
        raise ValueError(
            f"{name} is {images.dtype} of shape {images.shape}: only images of uint8 pixels can be written"
        )
    told = np.zeros(len(images), "int32") if labels is None else labels
    return Rows(
        name,
        images.shape,
        labels is not None,
        read=lambda rows: (images[np.asarray(rows)], told[np.asarray(rows)]),
        header=lambda row: found.info.image_shape,
        origin=lambda row: f"{name}, image {row}",
        fingerprint=lambda: "0" * 16,
        encoded=False,
    )


def _fill(folder, info, parts, skip_corrupt, shard_bytes, verbose):
    import tensorflow_datasets as tfds

    shape = next(iter(parts.values())).shape[1:]
    labelled = all(rows.labelled for rows in parts.values())
    features = {"image": tfds.features.Tensor(shape=shape, dtype=np.uint8, encoding="bytes")}
    if labelled:
        features["label"] = tfds.features.ClassLabel(names=list(info.class_names))
    name = re.sub(r"\W+", "_", info.name).strip("_").lower() or "images"
    about = tfds.core.DatasetInfo(
        builder=tfds.core.dataset_info.DatasetIdentity(
            name=name, version="1.0.0", data_dir=str(folder), module_name=__name__
        ),
        description=f"{info.name}, decoded to {shape[0]} x {shape[1]} x {shape[2]} pixels of uint8.",
        features=tfds.features.FeaturesDict(features),
        supervised_keys=("image", "label") if labelled else None,
        disable_shuffling=True,
    )
    per_shard = max(1, shard_bytes // int(np.prod(shape)))
    writer = tfds.core.SequentialWriter(about, max_examples_per_shard=per_shard, file_format=_FORMAT)
    writer.initialize_splits(list(parts))
    for split, rows in parts.items():

        def keep(images, labels, split=split):
            pairs = zip(images, labels, strict=True)
            examples = [{"image": image} | ({"label": int(label)} if labelled else {}) for image, label in pairs]
            writer.add_examples({split: examples})

        corrupt_files.raise_or_warn(corrupt_files.examine(rows, keep, verbose), rows, skip_corrupt)
    writer.close_all()
