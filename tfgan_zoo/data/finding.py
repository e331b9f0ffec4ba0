"""What a source is: a name, a path, an array, or something composed of these."""

import os
import pathlib

from tfgan_zoo import errors
from tfgan_zoo.data import bundled, catalogue, folders, idx, memory, prepared
from tfgan_zoo.data.attributes import WithAttributes
from tfgan_zoo.data.held_out import SHARE, HeldOut
from tfgan_zoo.data.pairs import Pairs, Unpaired


def find(source, data_dir=None):
    """The `Source` behind what the user wrote.

    Args:
        source: a name, a path, an array, a pair (images, labels), a `WithAttributes`, a `HeldOut` or a `Pairs`.
        data_dir: TFDS' data directory; None means its own default.

    Raises:
        ValueError: if it is nothing that is known.
        FileNotFoundError: if it is a path that is not there.
        RuntimeError: if it is a name that a command prepares, and has not been.
    """
    if isinstance(source, WithAttributes | HeldOut | Pairs):
        return source.resolve(find, data_dir)
    if isinstance(source, Unpaired):
        raise ValueError("Unpaired is two sources, which load, arrays and info take. Give one of them")
    if isinstance(source, tuple | list) and len(source) == 2 and all(hasattr(part, "shape") for part in source):
        return memory.from_arrays(*source)
    if hasattr(source, "shape"):
        return memory.from_arrays(source)
    if not isinstance(source, str | os.PathLike):
        raise ValueError(
            f"source is a {type(source).__name__}. Give a name such as 'digits', a path, an array, or (images, labels)"
        )
    if isinstance(source, str) and source in bundled.SOURCES:
        return bundled.SOURCES[source]()
    if isinstance(source, str) and source in prepared.COMMANDS:
        return prepared.find(source, data_dir)
    if _looks_like_path(source):
        return _from_path(pathlib.Path(source).expanduser())
    builder = catalogue.find(source, data_dir)
    if builder is not None:
        return catalogue.from_builder(source, builder)
    if pathlib.Path(source).exists():
        return _from_path(pathlib.Path(source))
    if "/" in source and source.split("/")[0] not in catalogue.names():
        raise FileNotFoundError(f"There is no file or folder {source}. Check the path (now in {pathlib.Path.cwd()})")
    raise errors.unknown("data source", source, {*bundled.SOURCES, *prepared.COMMANDS, *catalogue.names()})


def name_of(source):
    """The name that stands for fixed content, of a source or of what `HeldOut` holds; None for paths and arrays."""
    source = source.source if isinstance(source, HeldOut) else source
    if not isinstance(source, str):
        return None
    if source in bundled.SOURCES or source in prepared.COMMANDS:
        return source
    return None if _looks_like_path(source) or catalogue.find(source) is None else source


def with_test(source):
    """A source with a test split: itself, where it has one or needs none, or as `HeldOut`.

    Args:
        source: a name or a path; anything else comes back as it is.
    """
    if not isinstance(source, str | os.PathLike):
        return source
    info = find(source).info
    carved = not info.is_points and "test" not in info.num_images and info.num_images.get("train", 0) >= SHARE
    return HeldOut(source) if carved else source


def _looks_like_path(source):
    text = os.fspath(source)
    return not isinstance(source, str) or text.startswith(("/", ".", "~")) or text.endswith((".npz", os.sep))


def _from_path(path):
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}. Check the path (now in {pathlib.Path.cwd()})")
    if path.is_dir() and catalogue.is_prepared(path):
        return catalogue.from_directory(path)
    if path.is_dir():
        return idx.from_folder(path) if idx.find(path) else folders.from_folder(path)
    if path.suffix == ".npz":
        return memory.from_npz(path)
    raise ValueError(f"{path} is a file, and of files only .npz is read. Give the folder of the pictures or idx files")
