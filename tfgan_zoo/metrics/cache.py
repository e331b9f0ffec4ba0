"""What was computed once about real images is kept: in this process, and on disk for the next one."""

import collections
import hashlib
import json
import warnings

import numpy as np

from tfgan_zoo import files

KEPT_IN_MEMORY = 2**30  # bytes
_recent = collections.OrderedDict()


def directory():
    """Where the cache lies: $TFGAN_ZOO_CACHE, or ~/.cache/tfgan_zoo."""
    return files.cache_directory()


def fetch(key, build):
    """The arrays of a key: from memory, from disk, or built and then kept in both.

    A file on disk begins with the SHA-256 of the rest. One that was cut short or changed is built again, and a
    disk that cannot be written costs a warning, not the evaluation.

    Args:
        key: a JSON-able dict that says everything the arrays depend on.
        build: a function without arguments that returns a dict of NumPy arrays.

    Returns:
        The dict of arrays.
    """
    path = path_of(key)
    if path in _recent:
        _recent.move_to_end(path)
        return _recent[path]
    arrays = _read(path)
    if arrays is None:
        arrays = build()
        try:
            _write(path, arrays)
        except OSError as error:
            warnings.warn(f"Nothing was cached: {error}", stacklevel=2)
    _recent[path] = arrays
    while len(_recent) > 1 and sum(map(_bytes, _recent.values())) > KEPT_IN_MEMORY:
        _recent.popitem(last=False)
    return arrays


def forget():
    """Empty the part of the cache that is in memory."""
    _recent.clear()


def path_of(key):
    """The file of a key."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return directory() / "metrics" / f"{digest[:32]}.arrays"


def _bytes(arrays):
    return sum(array.nbytes for array in arrays.values())


def _write(path, arrays):
    with files.atomic_write(path) as temporary, open(temporary, "w+b") as file:
        file.write(bytes(hashlib.sha256().digest_size))
        np.savez(file, **arrays)
        file.seek(hashlib.sha256().digest_size)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        file.write(digest)


def _read(path):
    """The arrays in a file; None if it is not there or not as it was written."""
    try:
        with open(path, "rb") as file:
            digest = file.read(hashlib.sha256().digest_size)
            if hashlib.file_digest(file, "sha256").digest() != digest:
                return None
            file.seek(len(digest))
            with np.load(file, allow_pickle=False) as stored:
                return dict(stored)
    except OSError:
        return None
