"""Decoded images kept in a file, for data that memory does not hold."""

import contextlib
import shutil

import numpy as np

from tfgan_zoo import files
from tfgan_zoo.data import corrupt_files


def path_of(rows):
    """The directory in which rows are, or would be, kept decoded."""
    return corrupt_files.cache_path(rows)


def opened(rows, skip_corrupt=False, verbose=True):
    """The images of rows from disk, decoded there once; a source that changes is decoded anew.

    Args:
        rows: a `Rows`.
        skip_corrupt, verbose: as in `data.load`.

    Returns:
        (images uint8 (M, H, W, C), mapped from disk and read-only; labels as `rows` has them, or None), M the readable
        ones.

    Raises:
        ValueError: if some cannot be read and `skip_corrupt` is False.
        OSError: if the disk is full, or there is no permission to write.
    """
    path = path_of(rows)
    with _alone(path):
        if not path.exists():
            _fill(rows, path, verbose)
    state = files.read_json(path / "state.json")
    corrupt_files.raise_or_warn({int(row): why for row, why in state["corrupt"].items()}, rows, skip_corrupt)
    images = np.memmap(path / "images.raw", "uint8", mode="r", shape=(state["count"], *rows.shape[1:]))
    labels = np.fromfile(path / "labels.raw", rows.label_dtype).reshape(-1, *rows.label_shape)
    return images, labels if rows.labelled else None


def reader(images, labels):
    """What `opened` returned, as the `read` of `Rows`."""

    def read(rows):
        return np.array(images[rows]), np.zeros(len(rows), "int32") if labels is None else labels[rows]

    return read


def corrupt_among(rows, verbose=True):
    """Dict of row to reason for images that cannot be read; examined once, and then known until the source changes."""
    path = corrupt_files.cache_path(rows, ".examined.json")
    if not path.exists():
        files.write_json(path, {str(row): why for row, why in corrupt_files.examine(rows, verbose=verbose).items()})
    return {int(row): why for row, why in files.read_json(path).items()}


@contextlib.contextmanager
def _alone(path):
    """A block that one process at a time enters: of several workers the first decodes and the others wait."""
    import fcntl

    with files.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path.with_name(f"{path.name}.lock"), "w")  # noqa: SIM115  closed with the block, and with it the lock
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(rows, path, verbose):
    for rest in path.parent.glob(f".{path.name}.*"):  # of a process that was killed while writing
        shutil.rmtree(rest, ignore_errors=True)
    count = 0
    with files.atomic_write(path, directory=True) as temporary:
        # Written, not mapped: on a full disk a map kills the process where a write raises.
        with open(temporary / "images.raw", "wb") as images_file, open(temporary / "labels.raw", "wb") as labels_file:

            def keep(images, labels):
                nonlocal count
                images_file.write(np.ascontiguousarray(images).data)
                labels_file.write(np.ascontiguousarray(labels, rows.label_dtype).data)
                count += len(images)

            corrupt = corrupt_files.examine(rows, keep, verbose)
        files.write_json(temporary / "state.json", {"count": count, "corrupt": corrupt})
