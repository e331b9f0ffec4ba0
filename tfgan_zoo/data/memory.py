"""Data that is in memory: NumPy arrays, and `.npz` files of them."""

import contextlib
import pathlib
import warnings
import zipfile

import numpy as np

from tfgan_zoo.data import corrupt_files, decoding, memory_budget, splits
from tfgan_zoo.data.source import Info, Source


def from_arrays(images, labels=None):
    """A source with one split, "train", from NumPy arrays.

    Args:
        images: uint8 (N, H, W, C) or (N, H, W), or float32 in [-1, 1] of the same shapes, or float32 (N, 2) points.
        labels: integers (N,), or None.

    Raises:
        ValueError: for another rank, dtype or range, for NaN, and for labels that do not match.
    """
    images, labels = checked(images, labels)
    names = None if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    info = Info("the array", images.shape[1:], names and len(names), names, {"train": len(images)})
    return Source(info, lambda split, wanted: cut(split, info, wanted, {"train": (images, labels)}.get))


def from_rows(rows, skip_corrupt=False, verbose=True):
    """All images of `Rows` in memory.

    Args:
        rows: a `Rows`.
        skip_corrupt, verbose: as in `data.load`.

    Returns:
        (uint8 images, labels or None), as `rows` has them.

    Raises:
        MemoryError: if they would not fit.
        ValueError: if some cannot be read and `skip_corrupt` is False.
    """
    memory_budget.check(rows.shape)
    if rows.read_all is not None:
        with contextlib.suppress(*corrupt_files.CORRUPT_RECORDS):  # which one it is, reading one by one tells
            return rows.read_all()
    images = np.empty(rows.shape, "uint8")
    labels, count = np.empty((rows.shape[0], *rows.label_shape), rows.label_dtype), 0

    def keep(some_images, some_labels):
        nonlocal count
        end = count + len(some_images)
        images[count:end], labels[count:end] = some_images, some_labels
        count = end

    corrupt_files.raise_or_warn(corrupt_files.examine(rows, keep, verbose), rows, skip_corrupt)
    return images[:count], labels[:count] if rows.labelled else None


def from_npz(path):
    """A source from an .npz file with `images` (and `labels`), or `x_train`, `y_train`, `x_test`, `y_test`.

    Args:
        path: the file.

    Raises:
        ValueError: if the file is no .npz or has none of these arrays.
    """
    path = pathlib.Path(path)
    try:
        headers = _npz_headers(path)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ValueError(
            f"{path} is no .npz file of numbers: {error}. Write it with numpy.savez(path, images=...)"
        ) from error
    pairs = {split: (f"x_{split}", f"y_{split}") for split in ("train", "validation", "test")}
    keys = {"train": ("images", "labels")} if "images" in headers else pairs
    keys = {split: pair for split, pair in keys.items() if pair[0] in headers}
    if not keys:
        found = ", ".join(map(repr, headers)) or "nothing"
        raise ValueError(f"{path} holds {found}. It needs 'images' (and 'labels'), or x_train, y_train, x_test, y_test")

    def read(name):
        images, labels = keys[name]
        memory_budget.check(*headers[images])
        with np.load(path, allow_pickle=False) as stored:
            return checked(stored[images], stored.get(labels))

    with np.load(path, allow_pickle=False) as stored:
        tops = [int(np.max(stored[labels])) for _, labels in keys.values() if labels in stored and stored[labels].size]
    names = tuple(map(str, range(max(tops) + 1))) if tops else None
    counts = {name: (headers[images][0] or (0,))[0] for name, (images, _) in keys.items()}
    shape = headers[next(iter(keys.values()))[0]][0][1:]
    shape = (*shape, 1) if len(shape) == 2 else shape
    info = Info(path.name, shape, names and len(names), names, counts)
    return Source(info, lambda split, wanted: cut(split, info, wanted, read))


def cut(split, info, wanted, read):
    """The slices of whole splits that `split` names, fitted.

    Args:
        split: what the user asked for.
        info: the source's `Info`.
        wanted: a `Wanted`.
        read: function of a split's name that gives all its (images, labels or None).
    """
    images, labels = [], []
    for name, start, stop in splits.pieces(split, info.num_images, info.name):
        all_images, all_labels = read(name)
        images.append(all_images[start:stop] if info.is_points else decoding.fit(all_images[start:stop], wanted))
        labels.append(None if all_labels is None else all_labels[start:stop])
    return joined(images), None if any(part is None for part in labels) else joined(labels)


def joined(parts):
    """One array from a list of them, without a copy when there is one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def checked(images, labels=None):
    """The images and labels in the zoo's form, or a sentence about what is wrong with them.

    Args:
        images: as in `from_arrays`.
        labels: as in `from_arrays`.

    Returns:
        (uint8 or float32 (N, H, W, C), or float32 (N, 2); int32 (N,) or None).

    Raises:
        ValueError: see `from_arrays`.
    """
    images = np.asarray(images)
    if images.size == 0:
        raise ValueError(f"images has shape {images.shape}: there is nothing in it. Give at least two images")
    if np.issubdtype(images.dtype, np.floating):
        images = _checked_floats(images.astype("float32", copy=False))
    elif images.dtype != np.uint8:
        raise ValueError(
            f"images has dtype {images.dtype}. Allowed are uint8 in 0 to 255 (try images.astype('uint8')) "
            "and float32 in [-1, 1]"
        )
    if images.ndim == 3:
        images = images[..., None]
    points = images.ndim == 2 and images.shape[1] == 2 and images.dtype == np.float32
    if not points and (images.ndim != 4 or images.shape[3] not in (1, 3, 4)):
        raise ValueError(
            f"images has shape {images.shape}. Allowed are (N, H, W, C) with C of 1, 3 or 4, (N, H, W) for grey, "
            "and (N, 2) float32 for points; channels-first images need images.transpose(0, 2, 3, 1)"
        )
    return images, None if labels is None else _checked_labels(np.asarray(labels), len(images))


def _checked_floats(images):
    if not np.isfinite(images).all():
        bad = int(np.count_nonzero(~np.isfinite(images)))
        raise ValueError(f"images has {bad:,} values that are NaN or infinite. Remove or repair them first")
    if images.ndim == 2:  # points have no range
        return images
    low, high = float(images.min()), float(images.max())
    if low < -1.0 or high > 1.0:
        raise ValueError(
            f"images is float with values from {low:g} to {high:g}, and [-1, 1] is allowed. "
            "Pixels from 0 to 255 are given as images.astype('uint8')"
        )
    if low >= 0.0:
        warnings.warn(
            f"images is float with values from {low:g} to {high:g}, none below 0. The zoo's images are in [-1, 1]: "
            "if yours are in [0, 1], give x * 2 - 1",
            stacklevel=2,
        )
    return images


def _checked_labels(labels, count):
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"labels has shape {labels.shape}. It must be (N,) class indices; one-hot: labels.argmax(1)")
    if len(labels) != count:
        raise ValueError(f"labels has {len(labels):,} entries, but there are {count:,} images. They must be as many")
    if not np.issubdtype(labels.dtype, np.integer) and not _is_whole(labels):
        raise ValueError(f"labels has dtype {labels.dtype} and is not whole. It must hold class indices 0, 1, 2, …")
    if labels.min() < -1:
        raise ValueError(f"labels goes down to {labels.min()}. Class indices begin at 0; -1 stands for no label")
    return labels.astype("int32")


def _is_whole(labels):
    return np.issubdtype(labels.dtype, np.floating) and bool((labels == np.round(labels)).all())


def _npz_headers(path):
    """Dict of array name to (shape, bytes a value takes), without reading the arrays."""
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            with archive.open(member) as stream:
                version = np.lib.format.read_magic(stream)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(stream)
            if dtype.hasobject:
                raise ValueError(f"{member} holds Python objects")
            headers[member.removesuffix(".npy")] = (shape, dtype.itemsize)
    return headers
