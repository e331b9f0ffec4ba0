"""Decoded images written into shards, by TFDS, for machines that read them faster than they could decode them."""

import pathlib
import shutil

import numpy as np

from tfgan_zoo import files
from tfgan_zoo.data import catalogue, corrupt_files, finding, prepared
from tfgan_zoo.data.source import Wanted, rows_of

_SHARD_BYTES = 2**28


def write(
    source,
    out,
    image_size=None,
    channels=None,
    data_dir=None,
    skip_corrupt=False,
    shard_bytes=_SHARD_BYTES,
    verbose=True,
    *,
    resize="crop",
    background=255,
):
    """Write all splits of a source as a TFDS dataset of decoded pixels, which `load(out)` reads back the same.

    The directory appears whole or not at all; what a killed process left is removed by the next.

    Args:
        source, image_size, channels, data_dir, skip_corrupt, resize, background: as in `load`. Attributes are written
            too; `load(WithAttributes(out))` reads them.
        out: directory to write, new or empty.
        shard_bytes: pixels in a shard, about.
        verbose: True shows progress.

    Returns:
        The path of the directory.

    Raises:
        ValueError: if `out` holds files, if the source is points, floats or pairs, if its splits differ in shape, or if
            images cannot be read and `skip_corrupt` is False.
        OSError: if the disk is full, or there is no permission to write.

    Example:

    >>> import tempfile, tfgan_zoo as tz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = tz.data.write("digits", f"{folder}/digits_16", image_size=16)
    ...     tz.data.info(out).image_shape, tz.data.info(out).num_images
    ((16, 16, 1), {'train': 1077, 'validation': 360, 'test': 360})
    """
    wanted = Wanted(image_size, channels, skip_corrupt, resize, background)
    wanted.check()
    out = pathlib.Path(out).expanduser()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"out={out} is there already. Give a new or an empty directory")
    found = finding.find(source, data_dir)
    if found.info.is_pairs:
        raise ValueError(f"{found.info.name} are pairs: only single images can be written. Write the two sources apart")
    parts = {split: rows_of(found, split, wanted) for split in splits_of(found)}
    shapes = {split: rows.shape[1:] for split, rows in parts.items()}
    if len(set(shapes.values())) > 1:
        sizes = ", ".join(f"{split} {shape}" for split, shape in shapes.items())
        raise ValueError(f"{found.info.name} has splits of different shapes: {sizes}. Give image_size and channels")
    for rest in out.parent.glob(f".{out.name}.*"):  # of a process that was killed while writing
        shutil.rmtree(rest, ignore_errors=True)
    with files.atomic_write(out, directory=True) as temporary:
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


def _fill(folder, info, parts, skip_corrupt, shard_bytes, verbose):
    import tensorflow_datasets as tfds

    shape = next(iter(parts.values())).shape[1:]
    features = {"image": tfds.features.Tensor(shape=shape, dtype=np.uint8, encoding="bytes")}
    named = info.attribute_names
    labelled = named is None and all(rows.labelled for rows in parts.values())
    if labelled:
        features["label"] = tfds.features.ClassLabel(names=list(info.class_names))
    if named is not None:
        features[catalogue.ATTRIBUTES] = {name: tfds.features.Scalar(np.float32) for name in named}

    def example(image, label):
        if named is not None:
            return {"image": image, catalogue.ATTRIBUTES: dict(zip(named, label, strict=True))}
        return {"image": image, "label": int(label)} if labelled else {"image": image}

    writer = prepared.writer_of(
        info.name,
        folder,
        features,
        ("image", "label") if labelled else None,
        f"{info.name}, decoded to {shape[0]} x {shape[1]} x {shape[2]} pixels of uint8.",
        max(1, shard_bytes // int(np.prod(shape))),
    )
    writer.initialize_splits(list(parts))
    for split, rows in parts.items():

        def keep(images, labels, split=split):
            writer.add_examples({split: [example(*both) for both in zip(images, labels, strict=True)]})

        corrupt_files.raise_or_warn(corrupt_files.examine(rows, keep, verbose), rows, skip_corrupt)
    writer.close_all()
