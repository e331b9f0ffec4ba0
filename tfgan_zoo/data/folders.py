"""Folders of pictures, and folders of class folders of pictures."""

import collections
import concurrent.futures
import dataclasses
import pathlib
import warnings

import numpy as np

from tfgan_zoo.data import decoding, room, splits
from tfgan_zoo.data.source import Info, Source

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}
_SAMPLE = 100  # headers that decide how many channels a folder has
_UNREADABLE = (OSError, SyntaxError, ValueError)  # Pillow raises SyntaxError for a broken PNG


@dataclasses.dataclass(frozen=True)
class Files:
    """The pictures of one split: their paths, and the class folder of each ("" without classes)."""

    paths: tuple
    classes: tuple


def from_folder(folder):
    """A source from a folder.

    Sub-folders train, validation (or val) and test are the splits if they are there, else all is "train".
    In a split, pictures lie side by side (no labels) or in one sub-folder per class, sorted by name.

    Args:
        folder: the directory.

    Raises:
        ValueError: if it holds no pictures, or pictures both beside and inside class folders.
    """
    folder = pathlib.Path(folder)
    parts = {_SPLITS[part.name]: part for part in sorted(folder.iterdir()) if part.is_dir() and part.name in _SPLITS}
    parts = {split: parts[split] for split in ("train", "validation", "test") if split in parts} or {"train": folder}
    files = {split: _files(part) for split, part in parts.items()}
    files = {split: found for split, found in files.items() if found.paths}
    if not files:
        raise ValueError(
            f"{folder} holds no pictures. Put {', '.join(sorted(SUFFIXES))} files, or folders of them, there"
        )
    classes = sorted({name for found in files.values() for name in found.classes})
    unlabelled = [split for split, found in files.items() if "" in found.classes]
    if unlabelled and classes != [""]:
        raise ValueError(
            f"{folder} has class folders, but not in {', '.join(unlabelled)}. Give every split its classes"
        )
    names = None if classes == [""] else tuple(classes)
    counts = {split: len(found.paths) for split, found in files.items()}
    shape = _shape([path for found in files.values() for path in found.paths])
    info = Info(folder.name, shape, names and len(names), names, counts)
    return Source(info, lambda split, wanted: _read(split, wanted, info, files))


def _files(folder):
    beside = [path for path in sorted(folder.iterdir()) if _is_picture(path)]
    inside = [
        (path, part.name)
        for part in sorted(folder.iterdir())
        if part.is_dir() and not part.name.startswith(".")
        for path in sorted(part.rglob("*"))
        if _is_picture(path)
    ]
    if beside and inside:
        raise ValueError(
            f"{folder} holds {len(beside):,} pictures beside its class folders ({beside[0].name}, …). "
            "Put every picture into a class folder, or none"
        )
    found = [(path, "") for path in beside] or inside
    return Files(tuple(path for path, _ in found), tuple(name for _, name in found))


def _is_picture(path):
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _shape(paths):
    """The most frequent number of channels, and the size if there is one, seen in up to 100 headers."""
    headers = [found for found in map(_header, paths[:: max(1, len(paths) // _SAMPLE)]) if found is not None]
    if not headers:
        return (None, None, 3)
    channels = collections.Counter(found[2] for found in headers).most_common(1)[0][0]
    sizes = {found[:2] for found in headers}
    return (*(sizes.pop() if len(sizes) == 1 else (None, None)), channels)


def _header(path):
    try:
        return decoding.header(path)
    except _UNREADABLE:
        return None


def _read(split, wanted, info, files):
    wanted = dataclasses.replace(wanted, channels=wanted.channels or info.image_shape[2])
    paths, classes = [], []
    for name, start, stop in splits.pieces(split, info.num_images, info.name):
        paths += files[name].paths[start:stop]
        classes += files[name].classes[start:stop]
    with concurrent.futures.ThreadPoolExecutor() as pool:  # Pillow decodes without holding the interpreter
        height, width = _one_size(pool, paths, wanted, info)
        shape = (len(paths), height, width, wanted.channels)
        room.check(shape)
        images = np.empty(shape, "uint8")
        read = list(pool.map(lambda job: _decode_into(images, *job, wanted), enumerate(paths)))
    corrupt = [path for path, good in zip(paths, read, strict=True) if not good]
    _answer_for(corrupt, len(paths), wanted.skip_corrupt)
    labels = None if info.class_names is None else np.array([info.class_names.index(name) for name in classes], "int32")
    if corrupt:
        images, labels = images[np.array(read)], None if labels is None else labels[np.array(read)]
    return images, labels


def _one_size(pool, paths, wanted, info):
    if wanted.image_size is not None:
        return wanted.image_size, wanted.image_size
    sizes = collections.Counter(found[:2] for found in pool.map(_header, paths) if found is not None)
    if len(sizes) > 1:
        shown = ", ".join(f"{height}×{width} ({count:,})" for (height, width), count in sizes.most_common(5))
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise ValueError(f"{info.name} has pictures of different sizes: {shown}{more}. Give one, such as image_size=64")
    if not sizes:
        _answer_for(paths, len(paths), skip=False)
    return next(iter(sizes))


def _decode_into(images, index, path, wanted):
    try:
        images[index] = decoding.decode(path, wanted)
    except _UNREADABLE:
        return False
    return True


def _answer_for(corrupt, count, skip):
    if not corrupt:
        return
    shown = ", ".join(str(path) for path in corrupt[:5]) + (", …" if len(corrupt) > 5 else "")
    if len(corrupt) == count:
        raise ValueError(f"None of the {count:,} pictures can be read: {shown}. Check where they come from")
    if not skip:
        raise ValueError(
            f"{len(corrupt):,} of {count:,} pictures cannot be read: {shown}. "
            "Repair or remove them, or load the others with skip_corrupt=True"
        )
    warnings.warn(f"Left out {len(corrupt):,} of {count:,} pictures that cannot be read: {shown}", stacklevel=2)
