"""What an export says of itself in card.json, and whether its files are still the ones it speaks of.

A card comes with the directory, from whoever gave it: its form, its types and its paths are checked before a file is
opened that it names.
"""

import hashlib
import hmac
import json
import math
import pathlib

PUBLISHING = ".publishing"  # while an export takes another's place: its files in new/, the other's in old/
SIGNATURE = "card.sig"  # what `sign` writes
PAGES = ("README.md",)  # for people, who may write in them: what is served does not depend on them
_TEXT = (".config", ".html", ".js", ".md")  # whose ends of lines version control may change
_LARGEST = 16 << 20  # bytes of a card
_MOST_NUMBERS = 1 << 28  # of an image, or of what it starts from
_TRIES = 20  # of reading a directory in which exports follow each other


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
    if path.stat().st_size > _LARGEST:
        raise DamagedError(f"{path} is no card: it has more than {_LARGEST:,} bytes.")
    try:
        card = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once, parse_constant=_finite)
        sealed = seal(card) if isinstance(card, dict) else None
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged: it is not JSON. Export again.") from error
    if not isinstance(card, dict) or not {"model", "formats", "files", "seal"} <= card.keys():
        raise DamagedError(f"{path} is not the card of an export of this version: export again.")
    if card["seal"] != sealed:
        raise DamagedError(f"{path} is damaged: it was changed after it was written. Export again.")
    if fault := _fault(card):
        raise DamagedError(f"{path} is not the card of an export: {fault}.")
    return card


def seal(card):
    """SHA-256 over all that a card says, whatever the order and the spaces it is written with."""
    said = {name: value for name, value in card.items() if name != "seal"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def sign(directory, key):
    """Write card.sig, by which those who have the same key know that a card, and so every file, is from you.

    A hash tells damage; anybody can make one. HMAC-SHA256 (RFC 2104) over the card's seal takes the key.

    Args:
        directory: an export.
        key: bytes, at least 16 of them, that nobody else knows.

    Raises:
        ValueError: if the key is none.
        FileNotFoundError, DamagedError: as `read`.
    """
    (pathlib.Path(directory) / SIGNATURE).write_text(_signature(read(directory), key) + "\n", encoding="ascii")


def check_signature(directory, card, key):
    """Raise unless card.sig was written with a key; nothing is asked where the key is None.

    Raises:
        ValueError: if the key is none.
        DamagedError: if there is no card.sig, or one of another card or key.
    """
    if key is None:
        return
    wanted, path = _signature(card, key), pathlib.Path(directory) / SIGNATURE
    given = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else None
    if given is None or not hmac.compare_digest(given.encode(), wanted.encode()):
        told = "is missing" if given is None else "is of another card or another key"
        raise DamagedError(f"{path} {told}: take the export only from whom you trust.")


def _signature(card, key):
    if not isinstance(key, bytes) or len(key) < 16:
        raise ValueError("key: give at least 16 bytes, such as those of `openssl rand 32`.")
    return hmac.new(key, card["seal"].encode(), "sha256").hexdigest()


def steadily(directory, work):
    """What `work` makes of a card, by which all it has read belongs to one export.

    Where a newer export takes the directory over meanwhile, it is done again with the newer card.

    Args:
        directory: the export.
        work: function of a card.
    """
    moving = pathlib.Path(directory) / PUBLISHING
    for _ in range(_TRIES):
        was_moving, card = moving.exists(), read(directory)
        try:
            result = work(card)
        except Exception:
            if _is_still(directory, card) and was_moving == moving.exists():  # else its files have come to their places
                raise
        else:
            if _is_still(directory, card):
                return result
    raise DamagedError(f"{directory} is exported again and again: read it when that has ended.")


def _is_still(directory, card):
    try:
        return read(directory)["seal"] == card["seal"]
    except (OSError, DamagedError):
        return True


def check_files(directory, card, names=None):
    """Raise unless files are those that the card lists: in size, in SHA-256, and no others beside a SavedModel's.

    Args:
        directory: the export.
        card: its card.
        names: paths of files and folders in the export, such as "generator.tflite" or "1", which belong together; None
            for all.

    Returns:
        The folder in which those that were named lie: `directory`, unless a newer export is just taking its place.

    Raises:
        DamagedError: naming the file.
    """
    directory = pathlib.Path(directory)
    if names is None:
        together = [own(entry) for entry in card["formats"].values()]
        alone = set(card["files"]).difference(*(_listed(card, some) for some in together), PAGES)
        for some in [*together, *({name} for name in sorted(alone))]:
            check_files(directory, card, some)
        return directory
    wanted, first = _listed(card, names), None
    folders = [directory / PUBLISHING / side for side in ("new", "old")]
    for folder in [directory, *folders, directory]:  # at last, what lay in new/ a moment ago is in its place
        try:
            for name in sorted(wanted):
                _check_file(folder, name, card["files"][name])
            break
        except DamagedError as error:
            first = first or error
    else:
        raise first
    served = {entry["path"] for entry in card["formats"].values()}
    for top in served.intersection(name.split("/")[0] for name in wanted if "/" in name):
        for path in sorted((folder / top).rglob("*")):
            if path.relative_to(folder).as_posix() not in wanted and (path.is_symlink() or not path.is_dir()):
                raise DamagedError(f"{path} is not part of this export: remove it.")
    return folder


def own(entry):
    """The paths of a format's files and folders."""
    return {entry["path"], *entry.get("beside", ())}


def is_inside(name):
    """Whether a name is one of a file in a directory, on any system: nothing above, beside or before it."""
    if not isinstance(name, str) or not name.isprintable() or "\\" in name or ":" in name:
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))


def is_unchanged(path, entry):
    """Whether a file is the one that a card lists; in text the ends of lines do not count."""
    size = path.stat().st_size
    if size == entry["bytes"]:
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == entry["sha256"]:
                return True
    if path.suffix not in _TEXT or not entry["bytes"] < size <= 2 * entry["bytes"]:
        return False
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest() == entry["sha256"]


def first_line(error):
    """The first line of what an error says, for a sentence of one's own."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _listed(card, names):
    return {name for name in card["files"] if name.split("/")[0] in names or name in names}


def _check_file(directory, name, entry):
    path = directory / name
    try:
        if not path.is_file():
            raise FileNotFoundError
        if is_unchanged(path, entry):
            return
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise DamagedError(f"{path} is missing: copy the whole export again.") from error
    told = "its SHA-256 is not the card's"
    if size != entry["bytes"]:
        told = f"it has {size:,} bytes instead of {entry['bytes']:,}"
    raise DamagedError(f"{path} is damaged: {told}. Copy it again.")


# ---- the form of a card ----------------------------------------------------------------------------------------------


def _once(pairs):
    """An object of JSON, whose names must differ: two readers might take another of two alike."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _finite(name):
    raise ValueError(f"{name} is not JSON")


def _fault(card):
    """What is wrong with the form of a card, in half a sentence; None if nothing is."""
    sides = [card["model"], card["formats"], card["files"]]
    if not all(isinstance(side, dict) for side in sides):
        return "model, formats and files have to be objects"
    for name, entry in card["files"].items():
        if not is_inside(name):
            return f"it lists {name!r}, which lies outside of it or has no name that every system takes"
        if not isinstance(entry, dict) or not _is_count(entry.get("bytes"), 0) or not _is_hash(entry.get("sha256")):
            return f"it has no size and SHA-256 for {name}"
    faults = [_fault_of_format(name, entry, card["files"]) for name, entry in card["formats"].items()]
    return next(filter(None, [_fault_of_model(card["model"]), *faults]), None)


def _fault_of_format(name, entry, listed):
    if not isinstance(entry, dict) or not is_inside(entry.get("path")):
        return f"the path of the format {name!r} is none inside of it"
    path, beside = entry["path"], entry.get("beside", [])
    folder = name == "saved_model"
    known = any(file.startswith(f"{path}/") for file in listed) if folder else path in listed
    if "/" in path or not known or not isinstance(beside, list) or not all(one in listed for one in map(str, beside)):
        return f"it has no SHA-256 for what the format {name!r} reads"
    parity = entry.get("parity")
    if not isinstance(entry.get("exact", True), bool) or not isinstance(parity, dict):
        return f"it does not say how exact the format {name!r} is"
    if not _is_number(parity.get("max_abs_diff")) or parity["max_abs_diff"] < 0:
        return f"it does not say how exact the format {name!r} is"
    if folder and not _are_signatures(entry.get("signatures")):
        return f"it does not say what the format {name!r} answers"
    if folder and not _is_count(entry.get("max_images", 2), 1):
        return f"it does not say how many images the format {name!r} makes at a time"
    return None


def _fault_of_model(model):
    if not isinstance(model.get("name"), str):
        return "the model has no name"
    if not _is_shape(model.get("image_shape")) or not model["image_shape"]:
        return "the model's image_shape is no list of sizes"
    for key in ("latent_dim", "num_classes"):
        if key not in model or (model[key] is not None and not _is_count(model[key], 1)):
            return f"the model's {key} is no number of them"
    if not isinstance(model.get("seeded"), bool) or not isinstance(model.get("draws_levels", False), bool):
        return "it does not say how the model draws"
    names = model.get("class_names", [])
    if "class_names" in model and not (isinstance(names, list) and len(names) == len(set(map(str, names)))):
        return "the model's class_names are no list of names"
    if names and (len(names) != model["num_classes"] or not all(isinstance(one, str) for one in names)):
        return "the model's class_names are none of its classes"
    names = model.get("attribute_names", [])
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        return "the model's attribute_names are no list of names"
    groups = model.get("attribute_groups", [])
    if not isinstance(groups, list) or not all(isinstance(g, list) and all(n in names for n in g) for g in groups):
        return "the model's attribute_groups are no groups of attribute_names"
    start = model.get("start", {"latents": [model["latent_dim"]]})
    if not isinstance(start, dict) or not start or not all(map(_is_shape, start.values())):
        return "it does not say what the model's images start from"
    if model["seeded"] and not _is_prior(model.get("prior"), next(iter(start.values()))):
        return "it does not say what the model's latents are drawn from"
    return None


def _is_prior(prior, shape):
    if not isinstance(prior, dict):
        return False
    if prior.get("class") == "Normal":
        return _is_number(prior.get("stddev")) and prior["stddev"] > 0
    if prior.get("class") == "Uniform":
        return all(_is_number(prior.get(side)) for side in ("low", "high")) and prior["low"] < prior["high"]
    if prior.get("class") != "Codes" or len(shape) != 1:
        return False
    values, noise = prior.get("categorical"), prior.get("noise")
    if not isinstance(values, list) or not all(_is_count(one, 2) for one in values):
        return False
    if not _is_count(prior.get("continuous"), 0) or sum(values) + prior["continuous"] > shape[0]:
        return False
    return isinstance(noise, dict) and noise.get("class") != "Codes" and _is_prior(noise, shape)


def _are_signatures(signatures):
    if not isinstance(signatures, dict) or "serving_default" not in signatures:
        return False
    return all(
        isinstance(one, dict) and isinstance(one.get("inputs"), dict) and isinstance(one.get("outputs"), dict)
        for one in signatures.values()
    )


def _is_shape(shape):
    if not isinstance(shape, list) or len(shape) > 8 or not all(_is_count(size, 1) for size in shape):
        return False
    return math.prod(shape) <= _MOST_NUMBERS


def _is_count(number, least):
    return type(number) is int and least <= number < 2**63


def _is_number(number):
    return type(number) in (int, float) and abs(number) < 1e30


def _is_hash(text):
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")
