"""Exports by name: those of a clone, of the wheel, of a cache, or fetched from where one says.

A collection is a directory with `index.json`, which holds the SHA-256 of every export's card; a card has those of its
files. So whatever is fetched, from a disk or from the network, is known to be what was published.
"""

import difflib
import fnmatch
import functools
import hashlib
import importlib.util
import json
import os
import pathlib
import shutil
import tempfile
import urllib.parse

from tfgan_zoo_serving import card as cards

INDEX = "index.json"
ELSEWHERE = "TFGAN_ZOO_EXPORTED"  # a directory, or the URL of one, that holds exports and is asked first
_SECONDS = 20  # without an answer


def list_exported(pattern="*") -> list[str]:
    """Names of the trained generators that `load_exported` finds by name, sorted.

    Args:
        pattern: such as "*fashion_mnist"; the default matches all.

    Returns:
        List of names: those that are here, and those that are fetched when they are asked for.
    """
    return sorted(fnmatch.filter(known(), pattern))


def known():
    """What is said of every export, name -> {"card": sha256, "bytes", "model", "data", ...}, without reading any."""
    rows = {}
    for place in (*reversed(_directories()), *([_elsewhere()] if _elsewhere() else [])):
        rows |= _index(place)
    return rows


def find(name):
    """The directory of an export.

    Args:
        name: a directory, which is given back as it is; or a name of `list_exported()`.

    Returns:
        Its path; what is not on this machine is fetched into the cache, whole or not at all.

    Raises:
        FileNotFoundError: if it is neither, naming the nearest; or if it has to be fetched and cannot be.
        DamagedError: if what was fetched is not what was published.
    """
    path = pathlib.Path(name)
    if path.exists() or len(path.parts) != 1:
        return path
    for place in (*_directories(), _cache()):
        if place and (place / path / "card.json").is_file():
            return place / path
    rows = known()
    if path.name not in rows:
        near = difflib.get_close_matches(path.name, rows, n=3, cutoff=0.5)
        all_of_them = ", ".join(sorted(rows)) or "none"
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {all_of_them}."
        raise FileNotFoundError(f"{path.name!r} is neither a directory nor the name of an export. {hint}")
    return _fetched(path.name, rows[path.name])


def row(card, digest, size):
    """What an index says of an export.

    Args:
        card: its card.
        digest: SHA-256 of its card.json.
        size: bytes of all its files.
    """
    about, model = card.get("about") or {}, card["model"]
    said = {"model": about.get("model", model["name"]), "data": about.get("data"), "image_shape": model["image_shape"]}
    return {"card": digest, "bytes": size, "entry": model["name"], **said, "num_classes": model["num_classes"]}


def _directories():
    """Directories of exports that may be on this machine, the first to be asked first."""
    places = []
    if chosen := os.environ.get(ELSEWHERE):
        places += [] if _is_url(chosen) else [pathlib.Path(chosen).expanduser()]
    clone = pathlib.Path(__file__).resolve().parent.parent / "exported"
    places += [clone] if (clone / INDEX).is_file() else []
    spec = importlib.util.find_spec("tfgan_zoo_exported")
    places += [pathlib.Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return list(dict.fromkeys(places))


def _elsewhere():
    chosen = os.environ.get(ELSEWHERE, "")
    return chosen if _is_url(chosen) else None


def _is_url(text):
    return urllib.parse.urlsplit(text).scheme in ("http", "https", "file")


def _cache():
    root = os.environ.get("TFGAN_ZOO_CACHE") or pathlib.Path.home() / ".cache" / "tfgan_zoo"
    return pathlib.Path(root) / "exported"


def _index(place):
    """name -> row of a collection; empty rows for exports that its index does not know, or where it has none."""
    if isinstance(place, str):
        return _remote_index(place)
    there = {path.parent.name: {} for path in place.glob("*/card.json")}
    if not (place / INDEX).is_file():
        return there
    try:
        return there | json.loads((place / INDEX).read_text(encoding="utf-8"))
    except ValueError as error:
        raise cards.DamagedError(f"{place / INDEX} is damaged: it is not JSON. Copy it again.") from error


@functools.cache
def _remote_index(url):
    try:
        return json.loads(_read(f"{url.rstrip('/')}/{INDEX}"))
    except ValueError as error:
        raise cards.DamagedError(f"{url} has an {INDEX} that is not JSON.") from error


def _read(url):
    import urllib.error  # which take longer to import than all the rest here
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            return answer.read()
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise FileNotFoundError(f"{url} cannot be read ({reason}): set {ELSEWHERE} to where the exports are.") from None


def _fetched(name, row):
    """The export's directory in the cache, once all of it is there and is what the index says."""
    url = _elsewhere()
    if url is None:
        raise FileNotFoundError(
            f"{name} is not on this machine: set the environment variable {ELSEWHERE} to a directory or to a URL that "
            "has it, such as exported/ of a clone."
        )
    card = _read(f"{url.rstrip('/')}/{name}/card.json")
    if hashlib.sha256(card).hexdigest() != row.get("card"):
        raise cards.DamagedError(f"{url} has another {name} than its {INDEX} says: it is not what was published.")
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    staging = pathlib.Path(tempfile.mkdtemp(prefix=f".{name}.", dir=cache))
    try:
        (staging / "card.json").write_bytes(card)
        read = cards.read(staging)
        for file in read["files"]:
            path = staging / file
            if not path.resolve().is_relative_to(staging.resolve()):
                raise cards.DamagedError(f"The card of {name} lists {file}, which lies outside of it.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_read(f"{url.rstrip('/')}/{name}/{urllib.parse.quote(file)}"))
        cards.check_files(staging, read)
        os.replace(staging, cache / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return cache / name
