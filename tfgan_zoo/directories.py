"""Directories that long work fills and goes on with: whose they are, by which numbers, and one writer at a time."""

import os
import pathlib

from tfgan_zoo import files

_LOCK = ".lock"
_HELD = {}  # directory -> the open file that holds it


def check_ours(argument, directory, marks, kind):
    """Refuse a directory that somebody else has filled.

    Args:
        argument: its name, for the sentence.
        directory: may be missing, empty, or one that such work has filled.
        marks: paths within it; where one of them is, it is ours.
        kind: what it is of, such as "run".

    Returns:
        Whether there is such work already.

    Raises:
        ValueError: in one sentence.
    """
    directory = pathlib.Path(directory)
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{argument}={directory} is a file: give a directory.")
    ours = any((directory / mark).exists() for mark in marks)
    if directory.exists() and any(directory.iterdir()) and not ours:
        raise ValueError(
            f"{argument}={directory} holds files that are not a {kind}'s: give a new or an empty directory."
        )
    return ours


def check_same(path, config, prolonged, sentence):
    """Refuse to go on with other numbers.

    Args:
        path: of the JSON that holds the numbers it began with; may be missing.
        config: dict of the numbers now; one that is None is as good as missing.
        prolonged: names of those that may have changed.
        sentence: with {} for the changes.

    Raises:
        ValueError: the sentence.
    """
    before = files.read_json(path) if path.exists() else config
    names = sorted(name for name in before.keys() | config.keys() if before.get(name) != config.get(name))
    if names := [name for name in names if name not in prolonged]:
        raise ValueError(
            sentence.format(", ".join(f"{name}={before.get(name)!r} became {config.get(name)!r}" for name in names))
        )


def hold(directory):
    """Be a directory's one writer until `release`; the operating system lets go of it when the process dies.

    Raises:
        RuntimeError: if another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    directory = files.directory(directory).resolve()
    path = directory / _LOCK
    while not (directory in _HELD and _is(path, _HELD[directory])):  # another may have removed it in between
        release(directory)
        file = _HELD[directory] = open(path, "w")  # noqa: SIM115  closed by release
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            release(directory)
            raise RuntimeError(
                f"{directory} is being written by another process: wait for its end, or give another directory."
            ) from None
        except OSError:  # a network disk without locks
            return


def release(directory):
    """Let go of a directory that this process holds."""
    if file := _HELD.pop(pathlib.Path(directory).resolve(), None):
        file.close()


def _is(path, file):
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
