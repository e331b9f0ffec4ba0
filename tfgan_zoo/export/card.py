"""The card: what was exported, from what, and how well it scores, as programs read it. `readme` says it to people."""

import collections.abc
import dataclasses
import datetime
import hashlib
import math
import pathlib
import platform
import re

import numpy as np

from tfgan_zoo import files
from tfgan_zoo.export import interop, litert, parity, serving
from tfgan_zoo.export.publishing import PAGE
from tfgan_zoo.export.readme import readme
from tfgan_zoo.version import __version__
from tfgan_zoo_serving import draws
from tfgan_zoo_serving.card import SIGNATURE, seal
from tfgan_zoo_serving.verification import ROUNDING

FILES = {
    *(variant.file for variant in litert.VARIANTS.values()),
    *(name for names in interop.FILES.values() for name in names),
    *serving.CONFIGS,
    parity.REFERENCE,
    *("generator.keras", "samples.png", "card.json", "README.md", "model.json", "state.npz"),
}  # that an export may write
OWN_NAMES = FILES | {"run", PAGE, SIGNATURE}


def checked(name, value):
    """`value` as a plain dict that JSON can hold, or None.

    Args:
        name: "scores" or "about".
        value: what the user gave.

    Raises:
        TypeError: if it is not a dict.
        ValueError: if a record of scores has no "scores".
    """
    if value is None:
        return None
    if not isinstance(value, collections.abc.Mapping):
        raise TypeError(f"{name} is a {type(value).__name__}; give a dict or None.")
    if name == "scores" and not isinstance(value.get("scores"), collections.abc.Mapping):
        raise ValueError('scores has no "scores" inside; give a whole record: {"scores": ..., "protocol": ...}.')
    return _plain(value)


def facts(model, reference):
    """What a card says of a model.

    Args:
        model: the model.
        reference: the `parity.Reference` drawn from it.

    Returns:
        Dict; "start" is what images start from, name -> shape of one; "seeded" says whether NumPy draws it too, so that
        a seed means the same in every format; "one_pass" whether an image is one pass through the only network.
    """
    networks = [*model.inference.values()]
    described = _plain(
        {
            "name": model.name,
            "class": type(model).__name__,
            "image_shape": list(model.image_shape),
            "start": {name: list(rows.shape[1:]) for name, rows in reference.start.items()},
            "latent_dim": getattr(model, "latent_dim", None),
            "num_classes": getattr(model.condition, "num_classes", None),
            **({"attribute_groups": model.condition.exclusive} if getattr(model.condition, "exclusive", ()) else {}),
            **_names(model.condition),
            **({"translates": True} if callable(getattr(model, "translate", None)) else {}),
            "prior": _prior(getattr(model, "prior", None)),
            "parameters": sum(network.count_params() for network in networks),
            "one_pass": len(networks) == 1 and _is_drawn_by(networks[0], reference),
        }
    )
    described |= {"draws_levels": True} if reference.steps else {}
    return described | _seeded(described, reference)


def _names(condition):
    names = getattr(condition, "names", None)
    return {} if names is None else {"attribute_names" if condition.name == "attributes" else "class_names": names}


def _is_drawn_by(network, reference):
    inputs = [*reference.inputs(2).values()]
    if [tuple(one.shape[1:]) for one in inputs] != [tuple(one.shape[1:]) for one in network.inputs]:
        return False  # such as a flow, whose network goes the other way
    images = network(inputs if len(inputs) > 1 else inputs[0], training=False)
    images = None if isinstance(images, dict) else np.asarray(images, np.float32)
    wanted = reference.images[:2]
    same = images is not None and images.shape == wanted.shape
    return same and parity.difference(images, wanted) < parity.TOLERANCE * max(1.0, float(np.abs(wanted).max()))


def _seeded(described, reference):
    """Whether NumPy draws what the images start from, and the prior by which it does."""
    rows, *others = reference.start.values()
    names = [*reference.start][1:]
    if all(map(_is_drawn_beside, names, others)):
        guesses = [
            described["prior"],
            {"class": "Normal", "stddev": 1.0},
            {"class": "Uniform", "low": 0.0, "high": 1.0},
        ]
        for prior in guesses[:1] if described["prior"] else guesses[1:]:
            try:
                drawn = draws.rows(prior, len(rows), rows.shape[1:], parity.SEED)
            except ValueError:  # a prior of one's own
                continue
            if np.abs(drawn - rows).max() <= ROUNDING:
                return {"prior": prior, "seeded": True}
    return {"seeded": False}


def _is_drawn_beside(name, rows):
    return np.abs(draws.beside(name, len(rows), rows.shape[1:], parity.SEED) - rows).max() <= ROUNDING


def write(new, facts, made, versioned, version, versions, scores, about, pictures):
    """Write README.md and card.json beside the files they describe.

    Args:
        new: directory of the files that were written.
        facts: what `facts` says of the model they came from.
        made: format -> its entry, without sizes.
        versioned: directory of the SavedModel, or None.
        version: its number, or None.
        versions: the numbers of all versions that will stand there.
        scores: record of an evaluation, or None.
        about: dict, or None.
        pictures: caption -> file name.

    Returns:
        The card.
    """
    paths = sorted(path for path in new.rglob("*") if path.is_file())
    listed = {path.relative_to(new).as_posix(): measured(path) for path in paths}
    if versioned:
        served = sorted(path for path in versioned.rglob("*") if path.is_file())
        listed |= {f"{version}/{path.relative_to(versioned).as_posix()}": measured(path) for path in served}
        made["saved_model"]["path"] = str(version)
    for entry in made.values():
        own = {entry["path"], *entry.get("beside", ())}
        entry["bytes"] = sum(file["bytes"] for name, file in listed.items() if name.split("/")[0] in own)
    card = {
        "name": slug(facts["name"]),
        "version": version,
        "versions": versions,
        "made_by": f"tfgan_zoo {__version__}",
        "made_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "made_with": _versions(made),
        "model": facts,
        "formats": made,
        "scores": (scores or {}).get("scores"),
        "protocol": (scores or {}).get("protocol"),
        "about": about or {},
        "pictures": {"Samples, seed 0": "samples.png", **pictures},
        "files": listed,
    }
    card = _plain(card)
    (new / "README.md").write_text(readme(card), encoding="utf-8")
    card["files"]["README.md"] = measured(new / "README.md")
    card["seal"] = seal(card)
    files.write_json(new / "card.json", card)
    return card


def measured(path):
    """Size in bytes and sha256 of a file."""
    with open(path, "rb") as file:
        return {"bytes": pathlib.Path(path).stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _prior(prior):
    """A prior as a dict: its class, and its fields, which may be priors."""
    if not dataclasses.is_dataclass(prior):
        return None if prior is None else {"class": type(prior).__name__}
    fields = {field.name: getattr(prior, field.name) for field in dataclasses.fields(prior)}
    fields = {key: _prior(value) if dataclasses.is_dataclass(value) else value for key, value in fields.items()}
    return {"class": type(prior).__name__, **fields}


def _versions(made):
    import importlib.metadata

    packages = ["tensorflow", "keras", "ai-edge-litert"]
    packages += ["tf2onnx", "onnxruntime"] if "onnx" in made else []
    packages += ["openvino"] if "openvino" in made else []
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}}


def slug(name):
    """A name as directories and servers like it: lower case, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "generator"


def _plain(value):
    """NumPy numbers, tuples, paths and the like as JSON knows them; what is not a finite number becomes None."""
    if isinstance(value, collections.abc.Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
