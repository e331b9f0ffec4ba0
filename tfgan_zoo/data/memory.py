"""Data that is in memory: NumPy arrays, and `.npz` files of them."""

import contextlib
import pathlib
import warnings
import zipfile
import zlib

import numpy as np

from tfgan_zoo.data import corrupt_files, decoding, memory_budget, splits
from tfgan_zoo.data.source import Info, Source

_SLACK = 1e-3  # how far beyond [-1, 1] round-off may carry a pixel
_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError)  # of an archive
_MOST_CLASSES = 10**6  # above, labels are names or serial numbers


def from_arrays(images, labels=None):
    """A source with one split, "train", from NumPy arrays.

    Args:
        images: uint8 (N, H, W, C) or (N, H, W), or float32 in [-1, 1] of the same shapes, clipped where round-off
            leads beyond; or float32 (N, 2) points.
        labels: class indices (N,), or None.

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
        ValueError: if the file is no .npz or has none of these arrays, or none that can be images and labels.
    """
    path = pathlib.Path(path)
    try:
        headers = _npz_headers(path)
    except _DAMAGE as error:
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
        shape, dtype = headers[images]
        memory_budget.check(shape, dtype.itemsize)
        return checked(_stored(path, images), _stored(path, labels) if labels in headers else None)

    shapes = {name: image_shape(*headers[images]) for name, (images, _) in keys.items()}
    tops = [
        checked_labels(_stored(path, labels), shapes[name][0]).max()
        for name, (_, labels) in keys.items()
        if labels in headers
    ]
    names = tuple(map(str, range(max(tops) + 1))) if tops else None
    counts = {name: shape[0] for name, shape in shapes.items()}
    info = Info(path.name, next(iter(shapes.values()))[1:], names and len(names), names, counts)
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
    images = array_of("images", images)
    shape = image_shape(images.shape, images.dtype)
    if np.issubdtype(images.dtype, np.floating):
        images = _checked_floats(images)
    elif images.dtype != np.uint8:
        raise ValueError(
            f"images has dtype {images.dtype}. Allowed are uint8 in 0 to 255 and float32 in [-1, 1]{_advice(images)}"
        )
    elif images.max() == 1:
        warnings.warn("images is uint8 with no value above 1, all but black. If 1 is white, give x * 255", stacklevel=2)
    return images.reshape(shape), None if labels is None else checked_labels(labels, len(images))


def array_of(name, values):
    """A NumPy array of what a user gave: an array, a tensor, or lists of numbers.

    Args:
        name: of the argument, for the sentence.
        values: what came.

    Raises:
        ValueError: if its parts are of different shapes, or if it is nothing that has numbers.
    """
    try:
        return np.asarray(values)
    except Exception as error:  # of lists whose parts differ, and of whatever a library calls an array
        raise ValueError(f"{name} is a {type(values).__name__} that makes no array: {error}. Give one array") from error


def image_shape(shape, dtype):
    """The shape (N, H, W, C), or (N, 2) of points, of an array as it will be.

    Args:
        shape, dtype: of the array as it came.

    Raises:
        ValueError: for a shape that no images have.
    """
    if 0 in shape:
        raise ValueError(f"images has shape {shape}: there is nothing in it. Give at least two images")
    if len(shape) == 2 and shape[1] == 2 and np.issubdtype(dtype, np.floating):
        return shape
    full = (*shape, 1) if len(shape) == 3 else shape
    if len(full) != 4 or full[3] not in (1, 3, 4):
        raise ValueError(
            f"images has shape {shape}. Allowed are (N, H, W, C) with C of 1, 3 or 4, (N, H, W) for grey, "
            "and (N, 2) float32 for points; channels-first images need images.transpose(0, 2, 3, 1)"
        )
    return full


def _advice(images):
    """How images of another dtype become uint8 without a loss, if that is known."""
    if images.dtype == bool:
        return ". True is white in images.astype('uint8') * 255"
    if images.dtype.kind not in "iu":
        return ""
    low, high = images.min(), images.max()
    came = f"; these run from {low} to {high}"
    if low >= 0 and 1 < high <= 255:
        return f"{came}, and images.astype('uint8') keeps them"
    return f"{came}: scale them so that black is -1 and white is 1, as images / white * 2 - 1 does if black is 0"


def _checked_floats(images):
    with np.errstate(over="ignore"):
        values = images.astype("float32", copy=False)
    bad = np.count_nonzero(~np.isfinite(values))
    if bad:
        raise ValueError(f"images has {bad:,} values that are NaN, infinite or too large. Remove or repair them first")
    if images.ndim == 2:  # points have no range
        return values
    low, high = float(values.min()), float(values.max())
    if low < -1.0 - _SLACK or high > 1.0 + _SLACK:
        pixels = low >= 0.0 and 2.0 < high <= 255.0
        advice = "Pixels from 0 to 255: images / 127.5 - 1" if pixels else "Rescale them"
        raise ValueError(f"images is float with values from {low:g} to {high:g}, and [-1, 1] is allowed. {advice}")
    if low >= 0.0:
        warnings.warn(
            f"images is float with values from {low:g} to {high:g}, none below 0. The zoo's images are in [-1, 1]: "
            "if yours are in [0, 1], give x * 2 - 1",
            stacklevel=2,
        )
    return values if low >= -1.0 and high <= 1.0 else np.clip(values, -1.0, 1.0)


def checked_labels(labels, count):
    """Labels as int32 (N,), or a sentence about what is wrong with them.

    Args:
        labels: class indices: integers, whole floats or booleans, (N,) or (N, 1).
        count: how many images there are.

    Raises:
        ValueError: for another rank, dtype, length or range.
    """
    labels = array_of("labels", labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"labels has shape {labels.shape}. It must be (N,) class indices; one-hot: labels.argmax(1)")
    if len(labels) != count:
        raise ValueError(f"labels has {len(labels):,} entries, but there are {count:,} images. They must be as many")
    numbered = "np.unique(labels, return_inverse=True)[1] numbers what is there"
    if labels.dtype.kind not in "biuf" or not (labels == np.round(labels)).all():
        raise ValueError(
            f"labels has dtype {labels.dtype} and is not whole. It must hold class indices 0, 1, 2, …; {numbered}"
        )
    if labels.min() < -1:
        raise ValueError(f"labels goes down to {labels.min()}. Class indices begin at 0; -1 stands for no label")
    if labels.max() < 0:
        raise ValueError("labels is -1 throughout, which stands for no label. Leave labels out")
    if labels.max() >= _MOST_CLASSES:
        raise ValueError(f"labels goes up to {labels.max()}, and class indices count classes from 0; {numbered}")
    return labels.astype("int32")


def _npz_headers(path):
    """Dict of array name to (shape, dtype), without reading the arrays."""
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            with archive.open(member) as stream:
                version = np.lib.format.read_magic(stream)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(stream)
            if dtype.hasobject:
                raise ValueError(f"{member} holds Python objects")
            headers[member.removesuffix(".npy")] = (shape, dtype)
    return headers


def _stored(path, name):
    """An array in an .npz file.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored[name]
    except _DAMAGE as error:
        raise ValueError(f"{path} is damaged at {name!r}: {error}. Write or copy it again") from error
