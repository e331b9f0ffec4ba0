"""Files that are either whole or not there."""

import contextlib
import errno
import json
import os
import pathlib
import shutil
import tempfile

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_DIRECTORY = {errno.ENOTDIR, errno.EEXIST}


@contextlib.contextmanager
def atomic_write(target, directory=False):
    """A temporary path beside `target` that takes its name when the block ends well, and vanishes when it does not.

    Args:
        target: the path to write; a file there is replaced in one step, a directory must not be there yet.
        directory: True to be given an empty directory instead of a path for a file.

    Raises:
        OSError: with one sentence, when there is no room or no permission to write.
    """
    target = pathlib.Path(target)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        holder = pathlib.Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            temporary = holder / target.name
            if directory:
                temporary.mkdir()
            yield temporary
            os.replace(temporary, target)
        finally:
            shutil.rmtree(holder, ignore_errors=True)


@contextlib.contextmanager
def explained(target):
    """Turn the operating system's word for a full or forbidden disk into a sentence about `target`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise OSError(
                error.errno, f"The disk is full: {target} was not written. Free some space and run again"
            ) from error
        if error.errno in _NO_PERMISSION:
            raise OSError(
                error.errno, f"{target} cannot be written: no permission. Choose another directory"
            ) from error
        if error.errno in _NO_DIRECTORY:
            raise OSError(
                error.errno, f"{target} cannot be written: a file is in the place of a directory. Choose another"
            ) from error
        raise


def cache_directory():
    """Where the zoo keeps what it can make again: $TFGAN_ZOO_CACHE, or ~/.cache/tfgan_zoo."""
    return pathlib.Path(os.environ.get("TFGAN_ZOO_CACHE") or pathlib.Path.home() / ".cache" / "tfgan_zoo")


def directory(path):
    """`path` as a directory that can be written to, made if it is not there; for the start of long work.

    Raises:
        OSError: with one sentence, when there is no room, no permission, or a file in its place.
    """
    path = pathlib.Path(path)
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=".writable.", dir=path).cleanup()
    return path


def write_json(target, value, readable=True):
    """Write `value` as JSON, whole or not at all: indented for readers, or without a blank, a third of the bytes."""
    layout = {"indent": 2} if readable else {"separators": (",", ":")}
    with atomic_write(target) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, **layout) + "\n", encoding="utf-8")


def read_json(path):
    """The value in a JSON file."""
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
