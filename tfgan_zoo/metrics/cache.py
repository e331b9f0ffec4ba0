"""What was computed once about real images is kept: in this process, and on disk for the next one."""

import collections
import hashlib
import io
import json
import warnings

import numpy as np

from tfgan_zoo import files

KEPT_IN_MEMORY = 8
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
    while len(_recent) > KEPT_IN_MEMORY:
        _recent.popitem(last=False)
    return arrays


def forget():
    """Empty the part of the cache that is in memory."""
    _recent.clear()


def path_of(key):
    """The file of a key."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return directory() / "metrics" / f"{digest[:32]}.arrays"


def _write(path, arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    body = buffer.getvalue()
    with files.whole(path) as temporary:
        temporary.write_bytes(hashlib.sha256(body).digest() + body)


def _read(path):
    """The arrays in a file; None if it is not there or not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != digest:
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        return dict(stored)
