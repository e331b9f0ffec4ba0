"""What a source is: a name, a path, an array, or something composed of these."""

import os
import pathlib
import warnings
from collections.abc import Mapping

import tensorflow as tf

from tfgan_zoo import errors
from tfgan_zoo.data import bundled, catalogue, folders, idx, memory, prepared
from tfgan_zoo.data.attributes import WithAttributes
from tfgan_zoo.data.clusters import Clustered
from tfgan_zoo.data.held_out import SHARE, HeldOut
from tfgan_zoo.data.pairs import Pairs, Unpaired


def find(source, data_dir=None):
    """The `Source` behind what the user wrote.

    Args:
        source: a name, a path, an array, a pair (images, labels), a dict of them as TFDS' "image" and "label", a list
            of images of one shape, a `WithAttributes`, a `HeldOut`, a `Clustered` or a `Pairs`.
        data_dir: TFDS' data directory; None means its own default.

    Raises:
        ValueError: if it is nothing that is known.
        FileNotFoundError: if it is a path that is not there.
        RuntimeError: if it is a name that a command prepares, and has not been.
    """
    if isinstance(source, WithAttributes | HeldOut | Clustered | Pairs):
        return source.resolve(find, data_dir)
    if isinstance(source, Unpaired):
        raise ValueError("Unpaired is two sources, which load, arrays and info take. Give one of them")
    if not isinstance(source, str | os.PathLike):
        return memory.from_arrays(*_images_and_labels(source))
    if isinstance(source, str) and source in bundled.SOURCES:
        _warn_of_a_folder(source)
        return bundled.SOURCES[source]()
    if isinstance(source, str) and source in prepared.COMMANDS:
        _warn_of_a_folder(source)
        return prepared.find(source, data_dir)
    if _looks_like_path(source):
        return _from_path(pathlib.Path(source).expanduser())
    there = pathlib.Path(source).exists()
    try:
        builder = catalogue.find(source, data_dir)
    except ValueError as error:
        if not there:
            raise ValueError(
                f"{error} And there is no file or folder of this name (in {pathlib.Path.cwd()})"
            ) from error
        builder = None
    if builder is not None:
        _warn_of_a_folder(source)
        return catalogue.from_builder(source, builder)
    if there:
        return _from_path(pathlib.Path(source))
    if "/" in source and source.split("/")[0] not in catalogue.names():
        raise FileNotFoundError(f"There is no file or folder {source}. Check the path (now in {pathlib.Path.cwd()})")
    raise _unknown(source)


def _warn_of_a_folder(name):
    """Say that a data set's name wins over a folder that has it too."""
    if pathlib.Path(name).is_dir():
        warnings.warn(
            f"{name!r} is the data set of that name, and not the folder {pathlib.Path(name).absolute()}: "
            f"that is './{name}'.",
            stacklevel=3,
        )


def _unknown(name):
    """An error that names the nearest sources, if any are near: what is missing is as often a folder."""
    ours = (*bundled.SOURCES, *prepared.COMMANDS)
    near = errors.nearest(name, {*ours, *catalogue.names()}, cutoff=0.8)
    hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    known = "" if near else f"; names are {', '.join(ours)} and those of TFDS"
    return ValueError(
        f"Unknown data source {name!r}. {hint}No file or folder is called so either (in {pathlib.Path.cwd()}){known}"
    )


def _images_and_labels(source):
    """What `memory.from_arrays` takes, of arrays in any of the forms in which they come.

    Raises:
        ValueError: if there are no arrays.
    """
    if isinstance(source, tf.data.Dataset):
        raise ValueError(
            "source is a tf.data.Dataset, which is loaded already. model.fit takes it as it is: batches of float32 in "
            "[-1, 1]. Elsewhere give a name, a path, an array, or (images, labels)"
        )
    if isinstance(source, Mapping):
        for pair in (("image", "label"), ("images", "labels")):
            if pair[0] in source:
                return source[pair[0]], source.get(pair[1])
        raise ValueError(f"source is a dict of {', '.join(map(repr, source))}. It needs 'image' (and 'label'), arrays")
    if hasattr(source, "shape"):
        return (source,)
    if not isinstance(source, tuple | list) or not source or isinstance(source[0], str | os.PathLike | Mapping):
        of = f" of {type(source[0]).__name__}" if isinstance(source, tuple | list) and source else ""
        raise ValueError(
            f"source is a {type(source).__name__}{of}. "
            "Give a name such as 'digits', a path, an array, or (images, labels)"
        )
    if len(source) == 2 and isinstance(source[0], tuple):
        raise ValueError("source is a tuple of two tuples, such as Keras' datasets load. Give one of them, source[0]")
    if len(source) != 2:
        return (source,)
    ranks = [memory.array_of("source", part).ndim for part in source]
    return source if isinstance(source, tuple) or ranks[0] > ranks[1] else (source,)


def name_of(source):
    """The name that stands for fixed content, of a source or of what `HeldOut` holds; None for paths and arrays."""
    source = underlying(source)
    source = source.source if isinstance(source, HeldOut) else source
    if not isinstance(source, str):
        return None
    if source in bundled.SOURCES or source in prepared.COMMANDS:
        return source
    return None if _looks_like_path(source) or catalogue.find(source) is None else source


def underlying(source):
    """The source whose images these are, with its own labels: what `Clustered` holds; any other as it is."""
    return source.source if isinstance(source, Clustered) else source


def with_test(source):
    """A source with a test split: itself, where it has one or needs none, or as `HeldOut`.

    Args:
        source: a name or a path, or `Clustered` of one; anything else comes back as it is.
    """
    if isinstance(source, Clustered):
        return Clustered(with_test(source.source), source.num_clusters)
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
