"""Folders of pictures, of class folders of pictures, and of pairs of pictures."""

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
    """The pictures of one split.

    Args:
        folder: where the split begins.
        paths: of each picture.
        classes: the class folder of each; "" without classes.
        targets: in pairs of two files, the path of the target of each; empty otherwise.
    """

    folder: pathlib.Path
    paths: tuple
    classes: tuple
    targets: tuple = ()


def from_folder(folder):
    """A source from a folder.

    Sub-folders train, validation (or val) and test are the splits if they are there, else all is "train".
    In a split, pictures lie side by side (no labels) or in one sub-folder per class, sorted by name.

    Args:
        folder: the directory.

    Raises:
        ValueError: if it holds no pictures, or pictures both beside and inside class folders.
    """
    return from_parts(pathlib.Path(folder), _parts(pathlib.Path(folder)))


def from_parts(folder, parts):
    """A source from folders of pictures, each a split.

    Args:
        folder: the directory above them, for messages.
        parts: dict of split to directory.

    Raises:
        ValueError: as `from_folder`.
    """
    files = _files_of(folder, parts)
    classes = sorted({name for part in files.values() for name in part.classes})
    unlabelled = [split for split, part in files.items() if "" in part.classes]
    if unlabelled and classes != [""]:
        raise ValueError(
            f"{folder} has class folders, but not in {', '.join(unlabelled)}. Give every split its classes"
        )
    names = None if classes == [""] else tuple(classes)
    counts = {split: len(part.paths) for split, part in files.items()}
    shape = _shape([path for part in files.values() for path in part.paths])
    info = Info(folder.name, shape, names and len(names), names, counts)
    return Source(info, rows=lambda split, wanted: _rows(split, wanted, info, files))


def domains(folder, letter):
    """A source from those sub-folders trainA, testA, … of a folder whose names end in a letter; None without trainA.

    Source: the layout of Zhu et al. 2017 (CycleGAN), whose two domains are trainA and trainB.

    Args:
        folder: the directory.
        letter: "A" or "B".
    """
    folder = pathlib.Path(folder)
    named = {folder / f"{name}{letter}": split for name, split in _SPLITS.items()}
    parts = {split: part for part, split in named.items() if part.is_dir()}
    return from_parts(folder, parts) if "train" in parts else None


def side_by_side(folder):
    """A source of pairs from a folder of pictures that show two: the left half and the right half.

    Source: the layout of Isola et al. 2017 (pix2pix).

    Args:
        folder: the directory, with splits as in `from_folder`.

    Raises:
        ValueError: as `from_folder`.
    """
    folder = pathlib.Path(folder)
    files = _files_of(folder, _parts(folder))
    height, width, channels = _shape([path for part in files.values() for path in part.paths])
    counts = {split: len(part.paths) for split, part in files.items()}
    info = Info(folder.name, (height, width and width // 2, channels), None, None, counts, is_pairs=True)
    return Source(info, rows=lambda split, wanted: _rows(split, wanted, info, files, halved=True))


def matched(source, target):
    """A source of pairs from two folders, matched by the path of each file within them, without its suffix.

    Args:
        source, target: the directories, with splits as in `from_folder`.

    Raises:
        ValueError: if they have different splits, or files without a partner; or as `from_folder`.
    """
    source, target = pathlib.Path(source), pathlib.Path(target)
    files, others = (_files_of(folder, _parts(folder)) for folder in (source, target))
    if set(files) != set(others):
        raise ValueError(
            f"{source} has the splits {', '.join(files)}, but {target} has {', '.join(others)}. Give both the same"
        )
    files = {split: _match(part, others[split]) for split, part in files.items()}
    shapes = [_shape([path for part in files.values() for path in paths(part)]) for paths in (_paths, _targets)]
    size = shapes[0][:2] if shapes[0][:2] == shapes[1][:2] else (None, None)
    counts = {split: len(part.paths) for split, part in files.items()}
    shape = (*size, max(shape[2] for shape in shapes))
    info = Info(f"{source.name} and {target.name}", shape, None, None, counts, is_pairs=True)
    return Source(info, rows=lambda split, wanted: _rows(split, wanted, info, files))


def _paths(part):
    return part.paths


def _targets(part):
    return part.targets


def _match(part, other):
    mine, theirs = (_by_stem(files) for files in (part, other))
    alone = [(name, other.folder) for name in mine if name not in theirs]
    alone += [(name, part.folder) for name in theirs if name not in mine]
    if alone:
        name, folder = alone[0]
        raise ValueError(
            f"{len(alone):,} pictures of {part.folder} and {other.folder} have no partner of the same name: "
            f"{folder} has no {name}. Remove them, or add theirs"
        )
    return Files(part.folder, tuple(mine.values()), ("",) * len(mine), tuple(theirs[name] for name in mine))


def _by_stem(part):
    found = {}
    for path in part.paths:
        name = path.relative_to(part.folder).with_suffix("").as_posix()
        if name in found:
            raise ValueError(f"{found[name]} and {path} differ by their suffix only. Keep one, to be matched by name")
        found[name] = path
    return found


def _parts(folder):
    """Dict of split to its directory."""
    parts = {_SPLITS[part.name]: part for part in sorted(folder.iterdir()) if part.is_dir() and part.name in _SPLITS}
    return {split: parts[split] for split in ("train", "validation", "test") if split in parts} or {"train": folder}


def _files_of(folder, parts):
    files = {split: _files(part) for split, part in parts.items()}
    files = {split: part for split, part in files.items() if part.paths}
    if not files:
        raise ValueError(
            f"{folder} holds no pictures. Put {', '.join(sorted(SUFFIXES))} files, or folders of them, there"
        )
    return files


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
    pictures = [(path, "") for path in beside] or inside
    return Files(folder, tuple(path for path, _ in pictures), tuple(name for _, name in pictures))


def _is_picture(path):
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _shape(paths):
    """The most frequent number of channels, and the size if there is one, seen in up to 100 headers."""
    headers = [header for header in map(_header, paths[:: max(1, len(paths) // _SAMPLE)]) if header is not None]
    if not headers:
        return (None, None, 3)
    channels = collections.Counter(header[2] for header in headers).most_common(1)[0][0]
    sizes = {header[:2] for header in headers}
    return (*(sizes.pop() if len(sizes) == 1 else (None, None)), channels)


def _header(path):
    try:
        return decoding.header(path)
    except corrupt_files.UNREADABLE:
        return None


def _halves(path, wanted):
    """The left and the right half of a picture file, uint8 (2, H, W, C)."""
    pixels = decoding.decode(path, dataclasses.replace(wanted, image_size=None))
    width = pixels.shape[1]
    if width % 2:
        raise ValueError(f"its width of {width} is odd, and two pictures side by side have the same")
    return decoding.fit(np.stack([pixels[:, : width // 2], pixels[:, width // 2 :]]), wanted)


def _rows(split, wanted, info, files, halved=False):
    """The `Rows` of picture files: of one image each, of two halves (`_halves`), or of two files.

    Args:
        split, wanted: as in `Source.rows`.
        info: the source's `Info`.
        files: dict of split to `Files`.
        halved: whether each file shows two images side by side.
    """
    wanted = dataclasses.replace(wanted, channels=wanted.channels or info.image_shape[2])
    chosen, classes = [], []  # chosen: for each row, where its split begins and the files it is made of
    for name, start, stop in splits.pieces(split, info.num_images, info.name):
        part = files[name]
        pairs = zip(part.paths, part.targets, strict=True) if part.targets else zip(part.paths)
        chosen += [(part.folder, paths) for paths in list(pairs)[start:stop]]
        classes += part.classes[start:stop]
    number = {name: index for index, name in enumerate(info.class_names or ("",))}
    labels = np.array([number[name] for name in classes], "int32")
    height, width = _one_size([path for _, paths in chosen for path in paths], wanted, info, halved)
    shape = (*((2,) if info.is_pairs else ()), height, width, wanted.channels)

    def one(row):
        decode = _halves if halved else decoding.decode
        images = [decode(path, wanted) for path in chosen[row][1]]
        return np.stack(images) if len(images) > 1 else images[0]

    def read(rows):
        images = np.empty((len(rows), *shape), "uint8")
        for image, picture in zip(images, corrupt_files.threads().map(one, rows), strict=True):
            if picture.shape != image.shape:  # one that a header promised, or that was replaced since
                raise ValueError(f"it is {picture.shape[-3]}×{picture.shape[-2]}, not {height}×{width}")
            image[...] = picture
        return images, labels[np.asarray(rows)]

    @functools.cache
    def fingerprint():
        digest = hashlib.sha256(repr((wanted.key, info.class_names, halved)).encode())
        for path in (path for _, paths in chosen for path in paths):
            about = path.stat()
            digest.update(f"{path.absolute()}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    return Rows(
        f"{info.name}/{split}",
        (len(chosen), *shape),
        info.class_names is not None,
        read,
        header=lambda row: decoding.header(chosen[row][1][0]),
        origin=lambda row: " and ".join(map(str, chosen[row][1])),
        fingerprint=fingerprint,
        file_name=lambda row: chosen[row][1][0].relative_to(chosen[row][0]).as_posix(),
    )


def _one_size(paths, wanted, info, halved):
    if wanted.size is not None:
        return wanted.size
    headers = corrupt_files.threads().map(_header, paths)
    sizes = collections.Counter(
        (header[0], header[1] // 2) if halved else header[:2] for header in headers if header is not None
    )
    if len(sizes) > 1:
        shown = ", ".join(f"{height}×{width} ({count:,})" for (height, width), count in sizes.most_common(5))
        more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
        raise ValueError(f"{info.name} has pictures of different sizes: {shown}{more}. Give one, such as image_size=64")
    return next(iter(sizes), (1, 1))  # no header can be read: whoever reads on will get the reason
