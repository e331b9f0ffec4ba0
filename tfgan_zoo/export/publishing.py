"""A directory that changes in one step, and in which no export is ever half there.

The step is the new card.json. Before it, the new files and second names of the old ones stand in a hidden folder, where
readers find what is not in its place (`tfgan_zoo_serving.card.check_files`); after it, the files move to their places.
So whoever reads at any moment, and whatever is killed at any moment, there is a whole export: the old or the new one.
"""

import contextlib
import errno
import filecmp
import os
import pathlib
import shutil
import tempfile

import tensorflow as tf

from tfgan_zoo import files
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving.card import PUBLISHING

PAGE = "demo"  # the only folder of an export that is not a version
_STAGING = ".exporting-"
_MAKER = "tfgan_zoo "  # begins what a card of ours says of who made it


def usable(directory, names=()):
    """The directory as a path, once it is clear that an export may go there.

    Args:
        directory: where the user wants the export.
        names: of files that it will write, as far as they are known.

    Returns:
        A `pathlib.Path`; nothing has been made yet.

    Raises:
        NotADirectoryError: if it is a file, or lies below one.
        FileExistsError: if it holds something that is not an export, or files that no export wrote as they are now.
    """
    directory = pathlib.Path(directory)
    if directory.is_dir():
        if (directory / PUBLISHING).is_dir():
            with _explained(directory), _locked(directory):
                _settle(directory)
        strangers = sorted(p.name for p in directory.iterdir() if not p.name.startswith(".") and p.name != "run")
        if strangers and not (directory / "card.json").is_file():
            shown = ", ".join(strangers[:3]) + (", …" if len(strangers) > 3 else "")
            raise FileExistsError(
                f"{directory} holds {shown} and no card.json, so it is not an export. Choose an empty or new directory."
            )
        _check_ours(directory, names)
        return directory
    first = next((path for path in (directory, *directory.parents) if os.path.lexists(path)), None)
    if first == directory and directory.is_dir():
        return usable(directory, names)  # another export has made it in between
    if first == directory:
        raise NotADirectoryError(f"{directory} is a file; an export is a directory. Choose another name.")
    if first is not None and not first.is_dir():
        raise NotADirectoryError(f"{directory} cannot be made because {first} is a file. Choose another directory.")
    return directory


def _check_ours(directory, names):
    """Raise unless the card there is one of an export, and the files it lists are those that the export wrote.

    Args:
        directory: where the export goes.
        names: of files that it will write.

    Returns:
        The card; None where there is none.
    """
    card = _card(directory)
    listed = {} if card is None else _beside_versions(card)
    for name in sorted({*listed, *names}):
        path = directory / name
        if name == "card.json" or not os.path.lexists(path):
            continue
        told = "was changed after it was exported" if name in listed else "is not of an export"
        if name not in listed or not path.is_file() or not cards.is_unchanged(path, listed[name]):
            raise FileExistsError(f"{path} {told}, and would be lost: move it away, or choose another directory.")
    return card


def _card(directory):
    try:
        card = cards.read(directory)
    except FileNotFoundError:
        return None
    except cards.DamagedError as error:
        raise FileExistsError(
            f"{directory} holds a card.json that is not as an export wrote it: move it away, or choose another place."
        ) from error
    if not str(card.get("made_by", "")).startswith(_MAKER):
        raise FileExistsError(f"{directory} is an export of something else. Choose an empty or new directory.")
    return card


def _beside_versions(card):
    """name -> size and SHA-256 of the files of an export that are not the SavedModel's."""
    return {name: entry for name, entry in card["files"].items() if not name.split("/")[0].isdecimal()}


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
                _settle(directory)
                _sweep(directory)
                stage = pathlib.Path(tempfile.mkdtemp(prefix=_STAGING, dir=directory))
                held = contextlib.ExitStack()
                held.enter_context(_locked(stage))  # says that its owner lives
            with held:  # let go of also where an interrupt ends the tidying up
                try:
                    (stage / "new").mkdir()
                    yield stage
                finally:
                    shutil.rmtree(stage, ignore_errors=True)
        finally:
            for path in made:  # the deepest first; one that holds something stays
                with contextlib.suppress(OSError):
                    path.rmdir()


def publish(stage, directory, versioned, finish, keep=None):
    """Let what lies in `stage` take the place of what is in `directory`; one export at a time.

    Args:
        stage: a staging directory whose folder `new` holds the new files.
        directory: the export.
        versioned: the directory that becomes directory/<next free number>, or None.
        finish: function of the version's number (or None), and of those of all versions that exports of ours have
            left there; writes the last files into `new`.
        keep: how many of these stay, the newest of them; None for all.

    Returns:
        What `finish` returns.

    Raises:
        FileExistsError: if a file there is none of an export, and would be lost.
    """
    with _locked(directory):
        before = _card(directory)
        version = _next_version(directory) if versioned else None
        versions = _own_versions(directory, before) + ([version] if versioned else [])
        staying = versions[-keep:] if versioned and keep else versions
        result = finish(version, staying)
        arriving = _files(stage / "new")
        _check_ours(directory, arriving)
        both = stage / "both"
        (both / "old").mkdir(parents=True)
        listed = {} if before is None else _beside_versions(before)
        standing = [name for name in dict.fromkeys([*listed, *arriving]) if (directory / name).is_file()]
        for name in standing:
            _second_name(directory / name, both / "old" / name)
        os.rename(stage / "new", both / "new")
        os.rename(both, directory / PUBLISHING)
        leaving = set(versions).difference(staying)
        move = _Move(directory, stage / "moving", arriving, standing, versioned, directory / str(version), leaving)
        try:
            move.forward()
        except BaseException:
            move.back()
            raise
        finally:
            os.rename(directory / PUBLISHING, both)
            for folder in {name.split("/")[0] for name in (*arriving, *standing) if "/" in name}:
                with contextlib.suppress(OSError):  # one that holds something stays
                    (directory / folder).rmdir()
    return result


class _Move:
    """The way of an export from the hidden folder to its places, the card first; and back, the card first."""

    def __init__(self, directory, moving, arriving, standing, versioned, place, leaving):
        self.directory, self.moving, self.both = directory, moving, directory / PUBLISHING
        self.arriving = sorted(arriving, key=lambda name: (name != "card.json", name))
        self.standing = sorted(standing, key=lambda name: (name != "card.json", name))
        self.versioned, self.place, self.leaving = versioned, place, sorted(map(str, leaving))

    def forward(self):
        if self.versioned:
            if os.path.lexists(self.place):
                raise FileExistsError(f"{self.place} appeared while exporting. Run again.")
            os.rename(self.versioned, self.place)  # which no card speaks of yet
        self._put(self.arriving, "new")
        self._remove(set(self.standing).difference(self.arriving))
        for name in self.leaving:
            os.rename(self.directory / name, self.both / name)  # in one step; the hidden folder takes it along

    def back(self):
        for name in self.leaving:
            if (self.both / name).exists():
                os.rename(self.both / name, self.directory / name)
        if "card.json" not in self.standing:
            self._remove(["card.json"])
        self._put(self.standing, "old")
        self._remove(set(self.arriving).difference(self.standing))
        if self.versioned and not self.versioned.exists():
            os.rename(self.place, self.versioned)

    def _put(self, names, side):
        for name in names:
            _put(self.both / side / name, self.directory / name, self.moving)

    def _remove(self, names):
        for name in names:
            (self.directory / name).unlink(missing_ok=True)


def _settle(directory):
    """Bring to its end what a killed export has left: the files of the card that is there, and no others."""
    both = directory / PUBLISHING
    if not both.is_dir():
        return
    card = _card(directory)
    listed = {} if card is None else card["files"]
    for name, entry in listed.items():
        sides = [both / side / name for side in ("new", "old")]
        if not _is(directory / name, entry):
            for path in [path for path in sides if _is(path, entry)][:1]:
                _put(path, directory / name, both / "moving")
    for side in ("new", "old"):
        for name in _files(both / side):
            path = directory / name
            if name not in (*listed, "card.json") and path.is_file() and filecmp.cmp(path, both / side / name, False):
                path.unlink()
    spoken_of = {number for side in ("new", "old") for number in _versions_of(both / side / "card.json")}
    for number in spoken_of.difference([] if card is None else _own_versions(directory, card)):
        shutil.rmtree(directory / str(number), ignore_errors=True)  # had arrived too early, or was about to leave
    shutil.rmtree(both, ignore_errors=True)


def _versions_of(path):
    """The numbers in a card that a killed export has left."""
    try:
        return {number for number in files.read_json(path)["versions"] if type(number) is int}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _is(path, entry):
    return path.is_file() and cards.is_unchanged(path, entry)


def _files(directory):
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def _second_name(path, spare):
    """Give a file a second name; where links do not exist, a copy."""
    spare.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, spare)
    except OSError:
        shutil.copy2(path, spare)


def _put(path, place, moving):
    """Give a file another place in one step, without taking it from where it is."""
    place.parent.mkdir(parents=True, exist_ok=True)
    moving.unlink(missing_ok=True)
    _second_name(path, moving)
    os.replace(moving, place)
    moving.unlink(missing_ok=True)  # POSIX leaves both where they are two names of one file


def _own_versions(directory, card):
    """The numbers of the versions that exports of ours have left there: no other directory is ours to remove."""
    if card is None:
        return []
    numbers = card.get("versions", [card.get("version")])
    return sorted(number for number in numbers if number is not None and (directory / str(number)).is_dir())


def _next_version(directory):
    return 1 + max((int(path.name) for path in directory.iterdir() if path.name.isdecimal()), default=0)


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
