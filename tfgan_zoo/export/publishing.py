"""A directory that changes in one step: everything new is in its place, or nothing has moved."""

import contextlib
import errno
import os
import pathlib
import shutil
import tempfile

import tensorflow as tf

from tfgan_zoo import files

PAGE = "demo"  # the only folder of an export that is not a version
_STAGING = ".exporting-"


def usable(directory):
    """The directory as a path, once it is clear that an export may go there.

    Args:
        directory: where the user wants the export.

    Returns:
        A `pathlib.Path`; nothing has been made yet.

    Raises:
        NotADirectoryError: if it is a file, or lies below one.
        FileExistsError: if it holds something that is not an export.
    """
    directory = pathlib.Path(directory)
    if directory.is_dir():
        strangers = sorted(p.name for p in directory.iterdir() if not p.name.startswith(".") and p.name != "run")
        if strangers and not (directory / "card.json").is_file():
            shown = ", ".join(strangers[:3]) + (", …" if len(strangers) > 3 else "")
            raise FileExistsError(
                f"{directory} holds {shown} and no card.json, so it is not an export. Choose an empty or new directory."
            )
        return directory
    first = next((path for path in (directory, *directory.parents) if os.path.lexists(path)), None)
    if first == directory and directory.is_dir():
        return usable(directory)  # another export has made it in between
    if first == directory:
        raise NotADirectoryError(f"{directory} is a file; an export is a directory. Choose another name.")
    if first is not None and not first.is_dir():
        raise NotADirectoryError(f"{directory} cannot be made because {first} is a file. Choose another directory.")
    return directory


@contextlib.contextmanager
def staging(directory):
    """A hidden directory inside `directory` with an empty folder `new`; when the block ends, it goes with all it holds.

    It lies inside rather than beside, so that it is on the same disk even where `directory` is a mounted volume.

    Args:
        directory: the export; it is made if need be, and removed again if it stays empty.

    Raises:
        OSError: with one sentence, when there is no space or no permission to write.
    """
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    with _explained(directory):
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with _locked(directory):
                _sweep(directory)
                stage = pathlib.Path(tempfile.mkdtemp(prefix=_STAGING, dir=directory))
                held = contextlib.ExitStack()
                held.enter_context(_locked(stage))  # says that its owner lives
            try:
                (stage / "new").mkdir()
                yield stage
            finally:
                shutil.rmtree(stage, ignore_errors=True)
                held.close()
        finally:
            for path in made:  # the deepest first; one that holds something stays
                with contextlib.suppress(OSError):
                    path.rmdir()


def publish(stage, directory, versioned, finish, keep=None):
    """Move what lies in `stage` into `directory`, with the next free version number; one export at a time.

    Args:
        stage: a staging directory whose folder `new` holds the new files.
        directory: the export.
        versioned: the directory that becomes directory/<number>, or None.
        finish: function of the version number (or None) that writes the last files into `new`.
        keep: how many versions stay, the newest of them; None for all.

    Returns:
        What `finish` returns.
    """
    new, old = stage / "new", stage / "old"
    with _locked(directory):
        version = _next_version(directory) if versioned else None
        result = finish(version)
        old.mkdir()
        arriving = [path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file()]
        arriving.sort(key=lambda name: (name != "card.json", name))
        standing = {name for name in {*_described(directory), *arriving} if (directory / name).is_file()}
        folders = sorted({name.split("/")[0] for name in {*standing, *arriving} if "/" in name})
        for name in folders:
            (old / name).mkdir()
            (directory / name).mkdir(exist_ok=True)
        for name in standing:
            _keep(directory / name, old / name)
        place = directory / str(version)
        try:
            for name in arriving:
                os.replace(new / name, directory / name)
            for name in standing.difference(arriving):
                (directory / name).unlink()
            if versioned:
                if os.path.lexists(place):
                    raise FileExistsError(f"{place} appeared while exporting. Run again.")
                os.rename(versioned, place)
        except BaseException:
            if versioned and not versioned.exists():
                os.rename(place, versioned)
            for name in arriving:
                if name not in standing:
                    (directory / name).unlink(missing_ok=True)
            for name in standing:
                os.replace(old / name, directory / name)
            raise
        finally:
            for name in folders:  # one that holds something stays
                with contextlib.suppress(OSError):
                    (directory / name).rmdir()
        if versioned and keep:
            for path in _versions(directory)[:-keep]:
                os.rename(path, old / path.name)  # in one step; the staging directory takes it along
    return result


def _keep(path, spare):
    """Give a file a second name, so that it can be put back; where links do not exist, a copy."""
    try:
        os.link(path, spare)
    except OSError:
        shutil.copy2(path, spare)


def _described(directory):
    """Names that the export in `directory` says are its own, beside its versions: they leave when a new one arrives."""
    try:
        listed = files.read_json(directory / "card.json")["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    split = {name: name.removeprefix(f"{PAGE}/") for name in listed}
    return {name for name, last in split.items() if "/" not in last and last not in ("", ".", "..")}


def _next_version(directory):
    return 1 + max((int(path.name) for path in _versions(directory)), default=0)


def _versions(directory):
    return sorted((path for path in directory.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))


@contextlib.contextmanager
def _locked(directory):
    """Hold a directory for this process; the operating system lets go of it when the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows: a lost race is still refused, in publish
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a network disk without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(directory):
    """Remove the staging directories of exports that were killed: nobody holds them."""
    try:
        import fcntl
    except ImportError:
        return
    for stage in directory.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError):
            handle = os.open(stage, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(stage, ignore_errors=True)
            finally:
                os.close(handle)


@contextlib.contextmanager
def _explained(directory):
    """Like `files.explained`, also for writers in C++, whose errors are not OSErrors."""
    with files.explained(directory):
        try:
            yield
        except (tf.errors.OpError, RuntimeError, OSError) as error:
            message = str(error)
            if getattr(error, "errno", None) is None:
                for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                    if os.strerror(number) in message:
                        raise OSError(number, os.strerror(number)) from error
            raise
