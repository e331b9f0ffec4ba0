"""From any source to a `tf.data.Dataset` that Keras can fit, evaluate and distribute."""

import dataclasses
import hashlib
import itertools
import logging
import numbers
import os
import warnings
import weakref
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgan_zoo import pixels
from tfgan_zoo.data import corrupt_files, memory, order, pairs, planner, store
from tfgan_zoo.data.augmenting import Augmentation
from tfgan_zoo.data.finding import find, name_of, underlying
from tfgan_zoo.data.held_out import HeldOut
from tfgan_zoo.data.pairs import Unpaired
from tfgan_zoo.data.source import Info, Wanted

log = logging.getLogger("tfgan_zoo")
_AHEAD = 2  # batches that are ready before the step asks


_OURS = weakref.WeakSet()  # what `load` gave


def info(source, data_dir=None) -> Info:
    """Describe a source without reading its images.

    Args:
        source: as in `load`.
        data_dir: TFDS' data directory; None means its own default.

    Returns:
        An `Info`: name, image_shape, num_classes, class_names, attribute_names, is_pairs, and num_images per split (of
        `Unpaired` those of the larger domain).

    Raises:
        ValueError: if it is nothing that is known.
        FileNotFoundError: if it is a path that is not there.
    """
    if isinstance(source, Unpaired):
        return pairs.info_of_both(source.resolve_both(find, data_dir))
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
    *,
    resize="crop",
    background=255,
) -> tuple:
    """Read a source as it is stored: into memory, or mapped from a file of decoded images where they do not fit.

    Args:
        source, split, image_size, channels, data_dir, skip_corrupt, verbose, resize, background: as in `load`.
        cache: "memory", "file", or None to let size decide.

    Returns:
        (images, labels). Images: uint8 (N, H, W, C) in 0 to 255; float32 in [-1, 1] if a float array was given;
        float32 (N, 2) for points. Labels: int32 (N,), float32 (N, A) of `WithAttributes`, or None. Of `Pairs`
        (sources, targets); of `Unpaired` (images of a, images of b). Arrays may be read-only: copy before writing.

    Raises:
        ValueError, FileNotFoundError, MemoryError, RuntimeError: as in `load`.
    """
    if cache == "none":
        raise ValueError("cache='none' has no array to return. Give 'memory', 'file' or None, or stream with load")
    wanted = Wanted(image_size, channels, skip_corrupt, resize, background)
    if isinstance(source, Unpaired):
        both = source.resolve_both(find, data_dir)
        return tuple(_array_of(found, split, wanted, cache, verbose)[0] for found in both)
    found = find(source, data_dir)
    images, labels = _array_of(found, split, wanted, cache, verbose)
    return (images[:, 0], images[:, 1]) if found.info.is_pairs else (images, labels)


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
    *,
    resize="crop",
    background=255,
    crop_from=None,
    flip=False,
) -> tf.data.Dataset:
    """Load images, or points, as batches for `model.fit`.

    The order, and every random crop and flip, is a pure function of (seed, epoch, step), the same from memory, from a
    file and from where the images lie; the epoch is the one `set_epoch` chose last before an iterator begins. For
    scoring, give `shuffle=False, drop_remainder=False`: every image once, in stored order.

    Args:
        source: "digits" or "shapes"; pairs of shapes, "edges2shapes", "grey2shapes", "hearts2arrows" or "red2blue", or
            with "shapes_attributes"; "gaussian", "ring8" or "grid25" (points); "emoji", "emoji_by_tone",
            "noto2twemoji" (pairs) or "mnist_10k", once prepared; a
            TFDS name such as "fashion_mnist" or "cifar10"; a folder of pictures, of class folders, of idx files, or of
            what `write` wrote; an .npz file; an array of images, a list of them, (images, labels), or a dict of "image"
            and "label", uint8 or float32 in [-1, 1]; or `WithAttributes`, `HeldOut`, `Clustered`, `Pairs` or `Unpaired`
            of these.
        split: such as "train", "test", "train[:10000]", "train[-5000:]" or "train[10%:20%]".
        image_size: side of square images in pixels, or (height, width), to which images are brought with an antialiased
            Lanczos filter as `resize` says. None keeps the size, which must then be the same for all.
        channels: 1, 3 or 4 converts; transparent pixels are laid over the background, grey is ITU-R 601 luma. None
            keeps them.
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
        resize: how images of other proportions come to `image_size`: "crop" cuts away what is too high or too wide,
            alike on both sides; "squash" stretches; "pad" shows all of it between bars of the background's colour.
        background: what transparent pixels are laid over and bars are filled with: a grey level or (red, green, blue),
            0 to 255.
        crop_from: size, as `image_size`, that images are brought to before a window of `image_size` is cut out of each
            at a random place; None cuts none.
        flip: mirror images left and right at random. Both images of a pair are cropped and flipped alike.

    Returns:
        `tf.data.Dataset` of (images float32 (N, H, W, C) in [-1, 1], labels int32 (N,)), or of images alone when
        the source has no labels. Points are float32 (N, 2) with no range. In place of labels `WithAttributes` has
        attributes float32 (N, A). `Pairs` gives (sources, targets), `Unpaired` (images of a, images of b). Its
        cardinality is known.

    Raises:
        ValueError: for an argument, a split, an array or a file that is not allowed, in one sentence.
        FileNotFoundError: for a path that is not there.
        MemoryError: if the images would not fit into memory.
        RuntimeError: if a dataset is not prepared and cannot be downloaded.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, numbers.Integral) or batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r} is not a number of images. Give a positive int such as 64")
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or abs(seed) >= 2**63:
        raise ValueError(f"seed={seed!r} does not fix an order. Give an int such as 0")
    wanted = Wanted(image_size, channels, skip_corrupt, resize, background)
    wanted.check()
    augment = _augmentation(wanted, crop_from, flip)
    wanted = dataclasses.replace(wanted, image_size=crop_from or image_size)
    two = isinstance(source, Unpaired)
    sources = source.resolve_both(find, data_dir) if two else (find(source, data_dir),)
    parts = [_kept(found, split, wanted, cache, verbose) for found in sources]
    if augment and any(len(part.shape) < 4 for part in parts):
        raise ValueError(f"{parts[0].name} is points: crop_from and flip do not apply. Leave them out")
    largest = max(parts, key=lambda part: part.shape[0])
    _check_batches(largest.name, largest.shape[0], batch_size, drop_remainder)
    dataset = _dataset(parts, augment, largest.shape[0], int(batch_size), shuffle, int(seed), drop_remainder)
    _OURS.add(dataset)
    return dataset


def fingerprint(source):
    """A hexadecimal string for a source: another one when its training images have changed, or lie elsewhere.

    Args:
        source: as in `load`, and not `Unpaired`. Of `HeldOut` and `Clustered` it is that of what they hold.

    Raises:
        ValueError, FileNotFoundError: if it is nothing that is known.
    """
    source = underlying(source)
    if (name := name_of(source)) is not None:
        return hashlib.sha256(f"name {name}".encode()).hexdigest()
    found = find(source.source if isinstance(source, HeldOut) else source)
    if found.rows is not None:
        return found.rows("train", Wanted(image_size=8, channels=3)).fingerprint()
    images, labels = found.read("train", Wanted())
    digest = hashlib.sha256(f"{images.shape} {images.dtype}".encode() + np.ascontiguousarray(images).tobytes())
    digest.update(b"" if labels is None else np.ascontiguousarray(labels).tobytes())
    return digest.hexdigest()


def is_ours(dataset):
    """Whether a dataset comes from `load` as it is, so that its images are known to be in [-1, 1]."""
    return dataset in _OURS


def shape_of(dataset):
    """The image_shape of the images in a dataset that `load` made, for `tz.create`: a tuple, without the batch."""
    spec = dataset.element_spec
    return tuple((spec[0] if isinstance(spec, tuple) else spec).shape[1:])


@dataclasses.dataclass(frozen=True)
class Kept:
    """The images of a split, wherever they are kept.

    Args:
        name: of source and split, for messages.
        shape: (N, H, W, C); (N, 2) for points, (N, 2, H, W, C) for pairs.
        gather: function of an int64 tensor of rows that returns (values, labels or None) as tensors.
        is_pairs: whether each is two images.
    """

    name: str
    shape: tuple
    gather: Callable
    is_pairs: bool


def _kept(found, split, wanted, cache, verbose):
    name = f"{found.info.name}/{split}"
    kept, rows = _planned(found, split, wanted, cache, verbose)
    if kept == "none":
        count, read = _streamed(rows, wanted.skip_corrupt, verbose)
    else:
        images, labels = _read(found, split, wanted, kept, rows, verbose)
        if kept == "memory":
            return Kept(name, images.shape, _from_memory(images, labels), found.info.is_pairs)
        count, read = len(images), store.reader(images, labels)
    shape = (count, *rows.shape[1:])
    return Kept(name, shape, _from_reader(rows, read), found.info.is_pairs)


def _from_memory(images, labels):
    """The `gather` of arrays."""
    # Held as eager tensors, which functions capture by reference: in the dataset's graph they would be copied into it.
    with tf.device("CPU:0"):
        held = tf.convert_to_tensor(images)
        named = None if labels is None else tf.convert_to_tensor(labels)
    return lambda rows: (tf.gather(held, rows), None if named is None else tf.gather(named, rows))


def _from_reader(about, read):
    """The `gather` of images that are read whenever their turn comes, by a function as `Rows.read`."""

    def gather(rows):
        images, labels = tf.numpy_function(read, [rows], (tf.uint8, about.label_dtype))
        images = tf.ensure_shape(images, (rows.shape[0], *about.shape[1:]))
        return images, tf.ensure_shape(labels, (rows.shape[0], *about.label_shape)) if about.labelled else None

    return gather


def _dataset(parts, augment, length, batch_size, shuffle, seed, drop_remainder):
    """Batches of one `Kept`, or of two that go round side by side."""

    def batch_of(part, stream, epoch, step):
        rows = order.rows_going_round(seed, epoch, step, part.shape[0], batch_size, shuffle, length, stream)
        if drop_remainder:
            rows = tf.ensure_shape(rows, (batch_size,))
        values, labels = part.gather(rows)
        values = augment(values, seed, epoch, step, stream) if augment else values
        values = pixels.from_uint8(values) if values.dtype == tf.uint8 else values
        if part.is_pairs:
            return values[:, 0], values[:, 1]
        return values if labels is None else (values, labels)

    def batch(epoch, step):
        if len(parts) == 1:
            return batch_of(parts[0], 0, epoch, step)
        batches = [batch_of(part, stream, epoch, step) for stream, part in enumerate(parts)]
        return tuple(one[0] if isinstance(one, tuple) else one for one in batches)

    steps = order.steps(length // batch_size if drop_remainder else -(-length // batch_size))
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # its thread sleeps on, for seconds, after the end of a `take`
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return steps.map(batch, num_parallel_calls=os.cpu_count()).prefetch(_AHEAD).with_options(options)


def _augmentation(wanted, crop_from, flip):
    if crop_from is None:
        return Augmentation(flip=bool(flip))
    before = Wanted(crop_from)
    if wanted.size is None:
        raise ValueError(f"crop_from={crop_from!r} needs image_size, the size of the window that is cut out")
    try:
        before.check()
    except ValueError as error:
        raise ValueError(str(error).replace("image_size", "crop_from", 1)) from None
    if any(large < small for large, small in zip(before.size, wanted.size, strict=True)):
        raise ValueError(f"crop_from={crop_from!r} is smaller than image_size={wanted.image_size!r}. Give a larger one")
    return Augmentation(wanted.size, bool(flip))


def _array_of(found, split, wanted, cache, verbose):
    kept, rows = _planned(found, split, wanted, cache, verbose)
    return _read(found, split, wanted, "file" if kept == "file" else "memory", rows, verbose)


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
    """How many images can be read, and the function that reads them, when none are kept."""
    corrupt = store.corrupt_among(rows, verbose) if rows.encoded else {}
    corrupt_files.raise_or_warn(corrupt, rows, skip_corrupt)
    _check_enough(rows.name, rows.shape[0] - len(corrupt))
    if not corrupt:
        return rows.shape[0], rows.read
    good = np.setdiff1d(np.arange(rows.shape[0]), list(corrupt))
    return len(good), lambda wanted: rows.read(good[wanted])


def _check_enough(name, count):
    if count < 2:
        raise ValueError(f"{name} has {count} image. Give at least two")


def _check_batches(name, count, batch_size, drop_remainder):
    if not drop_remainder:
        if batch_size > 1 and count % batch_size == 1:
            better = next(size for size in itertools.count(batch_size + 1) if count % size != 1)
            warnings.warn(
                f"{name}: the last of the batches of {batch_size} holds 1 image, and batch statistics need two: "
                f"where they count, give batch_size={better}, or drop_remainder=True",
                stacklevel=3,
            )
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
