"""Folders of pictures, and folders of class folders of pictures."""

import collections
import dataclasses
import functools
import hashlib
import pathlib

import numpy as np

from tfgan_zoo.data import corrupt_files, decoding, splits
from tfgan_zoo.data.source import Info, Rows, Source

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}
_SAMPLE = 100  # headers that decide how many channels a folder has


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
    return Source(info, rows=lambda split, wanted: _rows(split, wanted, info, files))


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
    except corrupt_files.UNREADABLE:
        return None


def _rows(split, wanted, info, files):
    wanted = dataclasses.replace(wanted, channels=wanted.channels or info.image_shape[2])
    paths, classes = [], []
    for name, start, stop in splits.pieces(split, info.num_images, info.name):
        paths += files[name].paths[start:stop]
        classes += files[name].classes[start:stop]
    number = {name: index for index, name in enumerate(info.class_names or ("",))}
    labels = np.array([number[name] for name in classes], "int32")
    height, width = _one_size(paths, wanted, info)

    def read(rows):
        images = np.empty((len(rows), height, width, wanted.channels), "uint8")
        for image, picture in zip(
            images, corrupt_files.threads().map(lambda row: decoding.decode(paths[row], wanted), rows), strict=True
        ):
            if picture.shape != image.shape:  # one that a header promised, or that was replaced since
                raise ValueError(f"it is {picture.shape[0]}×{picture.shape[1]}, not {height}×{width}")
            image[...] = picture
        return images, labels[np.asarray(rows)]

    @functools.cache
    def fingerprint():
        digest = hashlib.sha256(repr((wanted.image_size, wanted.channels, info.class_names)).encode())
        for path in paths:
            about = path.stat()
            digest.update(f"{path.absolute()}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    return Rows(
        f"{info.name}/{split}",
        (len(paths), height, width, wanted.channels),
        info.class_names is not None,
        read,
        header=lambda row: decoding.header(paths[row]),
        origin=lambda row: str(paths[row]),
        fingerprint=fingerprint,
    )


def _one_size(paths, wanted, info):
    if wanted.image_size is not None:
        return wanted.image_size, wanted.image_size
    sizes = collections.Counter(found[:2] for found in corrupt_files.threads().map(_header, paths) if found is not None)
    if len(sizes) > 1:
        shown = ", ".join(f"{height}×{width} ({count:,})" for (height, width), count in sizes.most_common(5))
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise ValueError(f"{info.name} has pictures of different sizes: {shown}{more}. Give one, such as image_size=64")
    return next(iter(sizes), (1, 1))  # no header can be read: whoever reads on will be told so
