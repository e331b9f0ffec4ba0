"""What an export says of itself in card.json, and whether its files are still the ones it speaks of."""

import hashlib
import json
import pathlib


class DamagedError(ValueError):
    """A file of an export is missing, cut short, changed or a stranger's."""


def read(directory):
    """The card of an export, once it is known to be as it was written.

    Args:
        directory: the export.

    Returns:
        The dict in card.json.

    Raises:
        FileNotFoundError: if there is no directory, or no card.json in it.
        DamagedError: if the card is not one, or not what was written.
    """
    path = pathlib.Path(directory) / "card.json"
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a directory: give one that tz.export wrote.")
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent} has no card.json, so it is not an export: give one tz.export wrote.")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedError(f"{path} is damaged: it is not JSON. Export again.") from error
    if not isinstance(card, dict) or not {"model", "formats", "files", "seal"} <= card.keys():
        raise DamagedError(f"{path} is not the card of an export of this version: export again.")
    if seal(card) != card["seal"]:
        raise DamagedError(f"{path} is damaged: it was changed after it was written. Export again.")
    return card


def seal(card):
    """SHA-256 over all that a card says, whatever the order and the spaces it is written with."""
    said = {name: value for name, value in card.items() if name != "seal"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def check_files(directory, card, names=None):
    """Raise unless files are those that the card lists: in size, in SHA-256, and no others beside a SavedModel's.

    Args:
        directory: the export.
        card: its card.
        names: paths of files and folders in the export, such as "generator.tflite" or "1"; None for all.

    Raises:
        DamagedError: naming the file.
    """
    directory = pathlib.Path(directory)
    wanted = {name for name in card["files"] if names is None or name.split("/")[0] in names or name in names}
    for name in sorted(wanted):
        _check_file(directory, name, card["files"][name])
    served = {entry["path"] for entry in card["formats"].values()}
    folders = {name.split("/")[0] for name in wanted if "/" in name} & served
    there = {path.relative_to(directory).as_posix() for f in folders for path in (directory / f).rglob("*")}
    strangers = sorted(name for name in there - wanted if not (directory / name).is_dir())
    if strangers:
        raise DamagedError(f"{directory / strangers[0]} is not part of this export: remove it.")


def _check_file(directory, name, entry):
    path = directory / name
    if pathlib.PurePosixPath(name).is_absolute() or ".." in pathlib.PurePosixPath(name).parts:
        raise DamagedError(f"The card of {directory} lists {name}, which lies outside of it.")
    if not path.is_file():
        raise DamagedError(f"{path} is missing: copy the whole export again.")
    size = path.stat().st_size
    if size != entry["bytes"]:
        raise DamagedError(f"{path} is damaged: it has {size:,} bytes instead of {entry['bytes']:,}. Copy it again.")
    with open(path, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
            raise DamagedError(f"{path} is damaged: its SHA-256 is not the card's. Copy it again.")
