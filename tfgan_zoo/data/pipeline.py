"""From any source to a `tf.data.Dataset` that Keras can fit, evaluate and distribute."""

import logging
import os
import pathlib
import warnings

import numpy as np
import tensorflow as tf

from tfgan_zoo import errors, pixels
from tfgan_zoo.data import bundled, catalogue, corrupt_files, folders, idx, memory, order, planner, store
from tfgan_zoo.data.source import Wanted

log = logging.getLogger("tfgan_zoo")
_AHEAD = 2  # batches that are ready before the step asks


def find(source, data_dir=None):
    """The `Source` behind what the user wrote.

    Args:
        source: a name, a path, an array, or a pair (images, labels).
        data_dir: TFDS' data directory; None means its own default.

    Raises:
        ValueError: if it is nothing that is known.
        FileNotFoundError: if it is a path that is not there.
    """
    if isinstance(source, tuple | list) and len(source) == 2 and all(hasattr(part, "shape") for part in source):
        return memory.from_arrays(*source)
    if hasattr(source, "shape"):
        return memory.from_arrays(source)
    if not isinstance(source, str | os.PathLike):
        raise ValueError(
            f"source is a {type(source).__name__}. Give a name such as 'digits', a path, an array, or (images, labels)"
        )
    if isinstance(source, str) and source in bundled.SOURCES:
        return bundled.SOURCES[source]()
    if _looks_like_path(source):
        return _from_path(pathlib.Path(source).expanduser())
    builder = catalogue.find(source, data_dir)
    if builder is not None:
        return catalogue.from_builder(source, builder)
    if pathlib.Path(source).exists():
        return _from_path(pathlib.Path(source))
    if "/" in source and source.split("/")[0] not in catalogue.names():
        raise FileNotFoundError(f"There is no file or folder {source}. Check the path (now in {pathlib.Path.cwd()})")
    raise errors.unknown("data source", source, {*bundled.SOURCES, *catalogue.names()})


def _looks_like_path(source):
    text = os.fspath(source)
    return not isinstance(source, str) or text.startswith(("/", ".", "~")) or text.endswith((".npz", os.sep))


def _from_path(path):
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}. Check the path (now in {pathlib.Path.cwd()})")
    if path.is_dir() and catalogue.is_prepared(path):
        return catalogue.from_directory(path)
    if path.is_dir():
        return idx.from_folder(path) if idx.find(path) else folders.from_folder(path)
    if path.suffix == ".npz":
        return memory.from_npz(path)
    raise ValueError(f"{path} is a file, and of files only .npz is read. Give the folder of the pictures or idx files")


def info(source, data_dir=None):
    """Describe a source without reading its images.

    Args:
        source: as in `load`.
        data_dir: TFDS' data directory; None means its own default.

    Returns:
        An `Info`: name, image_shape, num_classes, class_names, and num_images per split.

    Raises:
        ValueError: if it is nothing that is known.
        FileNotFoundError: if it is a path that is not there.
    """
    return find(source, data_dir).info


def arrays(
    source,
    split="train",
    image_size=None,
    channels=None,
    data_dir=None,
    skip_corrupt=False,
    cache=None,
    verbose=True,
):
    """Read a source as it is stored: into memory, or mapped from a file of decoded images where they do not fit.

    Args:
        source, split, image_size, channels, data_dir, skip_corrupt, verbose: as in `load`.
        cache: "memory", "file", or None to let size decide.

    Returns:
        (images, labels). Images: uint8 (N, H, W, C) in 0 to 255; float32 in [-1, 1] if a float array was given;
        float32 (N, 2) for points. Labels: int32 (N,), or None. Arrays may be read-only: copy before writing.

    Raises:
        ValueError, FileNotFoundError, MemoryError, RuntimeError: as in `load`.
    """
    if cache == "none":
        raise ValueError("cache='none' has no array to return. Give 'memory', 'file' or None, or stream with load")
    found, wanted = find(source, data_dir), Wanted(image_size, channels, skip_corrupt)
    kept, rows = _planned(found, split, wanted, cache, verbose)
    return _read(found, split, wanted, "file" if kept == "file" else "memory", rows, verbose)


def load(
    source,
    split="train",
    image_size=None,
    channels=None,
    batch_size=64,
    shuffle=True,
    seed=0,
    data_dir=None,
    drop_remainder=True,
    skip_corrupt=False,
    cache=None,
    verbose=True,
):
    """Load images, or points, as batches for `model.fit`.

    The order is a pure function of (seed, epoch, step), the same from memory, from a file and from where the images
    lie; the epoch is the one `set_epoch` chose last before an iterator begins. For scoring, give
    `shuffle=False, drop_remainder=False`: every image once, in stored order.

    Args:
        source: "digits"; "gaussian", "ring8" or "grid25" (points); a TFDS name such as "fashion_mnist" or "cifar10";
            a folder of pictures, of class folders, of idx files, or of what `write` wrote; an .npz file; an array of
            images, or (images, labels), uint8 or float32 in [-1, 1].
        split: such as "train", "test", "train[:10000]", "train[-5000:]" or "train[10%:20%]".
        image_size: side in pixels: images are cropped at the centre to a square, then resized with an antialiased
            Lanczos filter. None keeps the size, which must then be the same for all.
        channels: 1, 3 or 4 converts; transparent pixels are laid over white, grey is ITU-R 601 luma. None keeps them.
        batch_size: images per batch.
        shuffle: a new order every epoch; False gives the stored order.
        seed: int that, with the epoch, fixes the order.
        data_dir: TFDS' data directory; None means its own default.
        drop_remainder: leave out the last, smaller batch of an epoch.
        skip_corrupt: leave unreadable pictures out and say how many, instead of raising; both name a list of them.
        cache: where decoded images of a folder or a TFDS dataset are kept: "memory"; "file", decoded once for this and
            later processes, beneath $TFGAN_ZOO_CACHE; "none", each decoded anew whenever its turn comes. None takes
            the first of these that can hold them, and says so.
        verbose: True says where images are kept if not in memory, and shows progress of long reading.

    Returns:
        `tf.data.Dataset` of (images float32 (N, H, W, C) in [-1, 1], labels int32 (N,)), or of images alone when
        the source has no labels. Points are float32 (N, 2) with no range. Its cardinality is known.

    Raises:
        ValueError: for an argument, a split, an array or a file that is not allowed, in one sentence.
        FileNotFoundError: for a path that is not there.
        MemoryError: if the images would not fit into memory.
        RuntimeError: if a TFDS dataset is not prepared and cannot be downloaded.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r} is not a number of images. Give a positive int such as 64")
    wanted = Wanted(image_size, channels, skip_corrupt)
    found = find(source, data_dir)
    kept, rows = _planned(found, split, wanted, cache, verbose)
    if kept == "none":
        shape, labelled, read = _streamed(rows, skip_corrupt, verbose)
    else:
        images, labels = _read(found, split, wanted, kept, rows, verbose)
        shape, labelled = images.shape, labels is not None
    _check_batches(f"{found.info.name}/{split}", shape[0], batch_size, drop_remainder)
    rest = (int(batch_size), shuffle, seed, drop_remainder)
    if kept == "memory":
        return batched(images, labels, *rest)
    if kept == "file":
        read = store.reader(images, labels)
    return streamed(shape, labelled, read, *rest)


def shape_of(dataset):
    """The image_shape of the images in a dataset that `load` made, for `tz.create`: a tuple, without the batch."""
    spec = dataset.element_spec
    return tuple((spec[0] if isinstance(spec, tuple) else spec).shape[1:])


def batched(images, labels, batch_size, shuffle, seed, drop_remainder):
    """The dataset over arrays in memory.

    Args:
        images: uint8 or float32 (N, H, W, C), or float32 (N, 2).
        labels: int32 (N,), or None.
        batch_size, shuffle, seed, drop_remainder: as in `load`.
    """
    # Held as eager tensors, which functions capture by reference: in the dataset's graph they would be copied into it.
    with tf.device("CPU:0"):
        held = tf.convert_to_tensor(images)
        named = None if labels is None else tf.convert_to_tensor(labels)

    def gather(rows):
        return tf.gather(held, rows), None if named is None else tf.gather(named, rows)

    return _dataset(gather, len(images), batch_size, shuffle, seed, drop_remainder)


def streamed(shape, labelled, read, batch_size, shuffle, seed, drop_remainder):
    """The dataset over images that are read whenever their turn comes.

    Args:
        shape: (N, H, W, C).
        labelled: whether there are labels.
        read: function of an int64 array of rows, as that of `Rows`.
        batch_size, shuffle, seed, drop_remainder: as in `load`.
    """

    def gather(rows):
        images, labels = tf.numpy_function(read, [rows], (tf.uint8, tf.int32))
        images, labels = tf.ensure_shape(images, (rows.shape[0], *shape[1:])), tf.ensure_shape(labels, rows.shape)
        return images, labels if labelled else None

    return _dataset(gather, shape[0], batch_size, shuffle, seed, drop_remainder)


def _dataset(gather, count, batch_size, shuffle, seed, drop_remainder):
    def batch(epoch, step):
        rows = order.rows(seed, epoch, step, count, batch_size, shuffle)
        if drop_remainder:
            rows = tf.ensure_shape(rows, (batch_size,))
        values, labels = gather(rows)
        values = pixels.from_uint8(values) if values.dtype == tf.uint8 else values
        return values if labels is None else (values, labels)

    steps = order.steps(count // batch_size if drop_remainder else -(-count // batch_size))
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # its thread sleeps on, for seconds, after the end of a `take`
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return steps.map(batch, num_parallel_calls=os.cpu_count()).prefetch(_AHEAD).with_options(options)


def _planned(found, split, wanted, cache, verbose):
    """Where the images are to be kept, and their `Rows` unless they are in memory by their nature."""
    wanted.check()
    if found.info.is_points and (wanted.image_size or wanted.channels):
        raise ValueError(f"{found.info.name} is points: image_size and channels do not apply. Leave them out")
    if found.rows is None:
        if cache not in (None, "memory"):
            raise ValueError(f"cache={cache!r} does not apply: {found.info.name} is in memory. Leave it out")
        return "memory", None
    rows = found.rows(split, wanted)
    plan = planner.choose(rows, cache)
    if verbose:
        plan.say()
    return plan.cache, rows


def _read(found, split, wanted, kept, rows, verbose):
    if rows is None:
        images, labels = found.read(split, wanted)
    elif kept == "file":
        images, labels = store.opened(rows, wanted.skip_corrupt, verbose)
    else:
        images, labels = memory.from_rows(rows, wanted.skip_corrupt, verbose)
    _check_enough(f"{found.info.name}/{split}", len(images))
    return images, labels


def _streamed(rows, skip_corrupt, verbose):
    """Shape, whether there are labels, and the reading function of the images that can be read, when none are kept."""
    corrupt = store.corrupt_among(rows, verbose) if rows.encoded else {}
    corrupt_files.raise_or_warn(corrupt, rows, skip_corrupt)
    _check_enough(rows.name, rows.shape[0] - len(corrupt))
    if not corrupt:
        return rows.shape, rows.labelled, rows.read
    good = np.setdiff1d(np.arange(rows.shape[0]), list(corrupt))
    return (len(good), *rows.shape[1:]), rows.labelled, lambda wanted: rows.read(good[wanted])


def _check_enough(name, count):
    if count < 2:
        raise ValueError(f"{name} has {count} image. Give at least two")


def _check_batches(name, count, batch_size, drop_remainder):
    if not drop_remainder:
        return
    if batch_size > count:
        raise ValueError(
            f"batch_size={batch_size}, but {name} has {count:,} images. Give batch_size={count} or less, "
            "or drop_remainder=False"
        )
    left = count % batch_size
    sentence = f"{name}: each epoch leaves out {left:,} of {count:,} images, the rest of batches of {batch_size}"
    if left > count / 10:
        warnings.warn(f"{sentence}. A batch_size that divides {count:,} leaves none", stacklevel=3)
    elif left:
        log.info(sentence)
