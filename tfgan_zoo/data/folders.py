"""Folders of pictures, of class folders of pictures, and of pairs of pictures."""

import collections
import dataclasses
import functools
import hashlib
import os
import pathlib
import re
import warnings

import numpy as np

from tfgan_zoo.data import corrupt_files, decoding, splits
from tfgan_zoo.data.source import Info, Rows, Source

_NO_PICTURES = {"BUFR", "EPS", "FITS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}  # measurements, drawings, films, captions
_SPLITS = {  # split: what its folder may be called, as "Training", "test_set" or "val-images" too
    "train": re.compile(r"train(ing)?[\W_]*(set|images?|data)?", re.IGNORECASE),
    "validation": re.compile(r"(val(id(ation)?)?|dev)[\W_]*(set|images?|data)?", re.IGNORECASE),
    "test": re.compile(r"test(ing)?[\W_]*(set|images?|data)?", re.IGNORECASE),
}
_HIDDEN = {"__macosx", "@eadir", "thumbs.db", "desktop.ini"}  # copies and notes that systems leave, beside .names
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
    In a split, pictures lie side by side (no labels) or in one sub-folder per class, sorted by name, 2 before 10.
    Hidden files are no part of it; a warning names other files that are left out. Of films, the first picture counts.

    Args:
        folder: the directory.

    Raises:
        ValueError: if it holds no pictures, or pictures both beside and inside class folders, or if splits and classes
            cannot be told apart.
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
    classes = sorted({name for part in files.values() for name in part.classes}, key=_by_number)
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
    parts = _splits_of([part for part in _folders(folder) if part.name.endswith(letter)], letter)
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


def matched(source, target, alone=None):
    """A source of pairs from two folders, matched by the path of each file within them, without its suffix.

    Args:
        source, target: the directories, with splits as in `from_folder`.
        alone: list that takes a sentence for each split with files that have no partner, which are then left out; None
            raises it.

    Raises:
        ValueError: if they have different splits, or files without a partner; or as `from_folder`.
    """
    source, target = pathlib.Path(source), pathlib.Path(target)
    files, others = (_files_of(folder, _parts(folder)) for folder in (source, target))
    if set(files) != set(others):
        raise ValueError(
            f"{source} has the splits {', '.join(files)}, but {target} has {', '.join(others)}. Give both the same"
        )
    files = {split: _match(part, others[split], alone) for split, part in files.items()}
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


def _match(part, other, alone):
    mine, theirs = (_by_stem(files) for files in (part, other))
    missing = {other.folder: [name for name in mine if name not in theirs]}
    missing |= {part.folder: [name for name in theirs if name not in mine]}
    lacking = " and ".join(f"{folder} has no {_some(names)}" for folder, names in missing.items() if names)
    if lacking:
        sentence = (
            f"{sum(map(len, missing.values())):,} pictures of {part.folder} and {other.folder} have no partner of the "
            f"same name: {lacking}. Remove them, or add theirs"
        )
        if alone is None:
            raise ValueError(sentence)
        alone.append(sentence)
    both = [name for name in mine if name in theirs]
    paths, targets = (tuple(found[name] for name in both) for found in (mine, theirs))
    return Files(part.folder, paths, ("",) * len(both), targets)


def _by_stem(part):
    found = {}
    for path in part.paths:
        name = path.relative_to(part.folder).with_suffix("").as_posix()
        if name in found:
            raise ValueError(f"{found[name]} and {path} differ by their suffix only. Keep one, to be matched by name")
        found[name] = path
    return found


def _parts(folder):
    """Dict of split to its directory.

    Raises:
        ValueError: if some of its pictures are in folders named as splits and others are not.
    """
    holding = [part for part in _folders(folder) if any(map(_is_picture, _files_below(part)))]
    parts = _splits_of(holding)
    if not parts:
        domains = [part.name for part in holding if _splits_of([part], "A") or _splits_of([part], "B")]
        if len(domains) > 1:
            raise ValueError(
                f"{folder} holds two domains, {_some(domains)}, and no classes. Give tz.data.Unpaired({str(folder)!r})"
            )
        return {"train": folder}
    others = [part.name for part in holding if part not in parts.values()]
    others += [path.name for path in _visible(folder) if _is_picture(path)]
    if others:
        named = _some([part.name for part in parts.values()])
        raise ValueError(
            f"{folder} holds {named}, named as a split, beside {_some(others)}. If all are classes, move them into "
            f"{folder / 'train'}; else move {_some(others)} into the splits"
        )
    return parts


def _is_split(name):
    return any(pattern.fullmatch(name) for pattern in _SPLITS.values())


def _splits_of(folders, ending=""):
    """Dict of split to its directory, of those directories whose names are a split's, followed by the ending.

    Raises:
        ValueError: if two are the same split.
    """
    parts = {}
    for split, pattern in _SPLITS.items():
        found = [part for part in folders if pattern.fullmatch(part.name.removesuffix(ending).rstrip("_- "))]
        if len(found) > 1:
            raise ValueError(
                f"{found[0].parent} holds {_some([part.name for part in found])}, which are both the split {split!r}. "
                "Put their pictures into one"
            )
        if found:
            parts[split] = found[0]
    return parts


def _files_of(folder, parts):
    files = {split: _files(part) for split, part in parts.items()}
    files = {split: part for split, part in files.items() if part.paths}
    if not files:
        place = min(parts.values()) if len(parts) == 1 else folder
        raise ValueError(
            f"{place} holds no pictures. Put picture files such as .png or .jpg, or folders of them, there"
        )
    return files


def _files(folder):
    paths = sorted(_files_below(folder))
    pictures = [path for path in paths if _is_picture(path)]
    beside = [path for path in pictures if path.parent == folder]
    if beside and len(beside) < len(pictures):
        raise ValueError(
            f"{folder} holds {len(beside):,} pictures beside its class folders ({beside[0].name}, …). "
            "Put every picture into a class folder, or none"
        )
    if len(pictures) < len(paths):
        others = [str(path.relative_to(folder)) for path in paths if not _is_picture(path)]
        warnings.warn(
            f"{folder}: left out {len(others):,} of {len(paths):,} files, no pictures that are read: {_some(others)}",
            stacklevel=2,
        )
    if beside:
        return Files(folder, tuple(beside), ("",) * len(beside))
    if len(tops := {path.relative_to(folder).parts[0] for path in pictures}) == 1 and _is_split(name := min(tops)):
        raise ValueError(
            f"{folder} holds only {name}, named as a split and no class. Move what it holds up to {folder}"
        )
    inside = sorted(((_class_of(path, folder), path) for path in pictures), key=lambda pair: _by_number(pair[0]))
    return Files(folder, tuple(path for _, path in inside), tuple(name for name, _ in inside))


def _class_of(path, folder):
    """The name of the class folder that a picture lies in.

    Raises:
        ValueError: if there are splits within classes.
    """
    name, *below = path.relative_to(folder).parts[:-1]
    if below and _is_split(below[0]):
        raise ValueError(
            f"{folder / name} holds {below[0]}, named as a split, where a class is expected. Give {folder / name}, or "
            f"put classes into splits: {below[0]}/{name}"
        )
    return name


def _by_number(name):
    """A key that sorts 2 before 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)], name


def _visible(folder):
    """What lies in a folder, sorted, without hidden copies."""
    return [path for path in sorted(folder.iterdir()) if not _is_hidden(path.name)]


def _folders(folder):
    return [path for path in _visible(folder) if path.is_dir()]


def _files_below(folder):
    """Iterate over all files below a folder, without hidden copies; links are followed, but not back to where they are.

    Raises:
        OSError: if a folder may not be read.
    """

    def refuse(error):
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        here = pathlib.Path(place)
        folders[:] = [name for name in folders if not _is_hidden(name) and not _leads_back(here / name)]
        yield from (here / name for name in names if not _is_hidden(name))


def _leads_back(path):
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _is_hidden(name):
    return name.startswith(".") or name.lower() in _HIDDEN


def _is_picture(path):
    return path.suffix.lower() in _suffixes() and path.is_file()


@functools.cache
def _suffixes():
    """The endings of the picture files that Pillow reads."""
    from PIL import Image

    known = Image.registered_extensions()
    return frozenset(suffix for suffix, kind in known.items() if kind in Image.OPEN and kind not in _NO_PICTURES)


def _some(names):
    """The first five of some names."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


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

    def headers(row):
        found = [decoding.header(path) for path in chosen[row][1]]
        return [(height, width // 2, channels) for height, width, channels in found * 2] if halved else found

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
        headers=headers,
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
