"""Score records: plain dicts with the numbers, and with everything needed to get the same numbers again."""

import datetime
import hashlib
import pathlib
import subprocess

import numpy as np

from tfgan_zoo import errors, files

FLOOR = "_floor"


def save(record, path):
    """Write a record as JSON, whole or not at all."""
    files.write_json(path, record)


def load(path):
    """Read a record that `save` wrote."""
    return files.read_json(path)


def score(record, name):
    """One number of a record, by its key or by the part of the key before the count of images.

    Args:
        record: what `evaluate` returned.
        name: a key such as "fd_classifier_10000", or its beginning "fd_classifier": then of keys that say more, such as
            "fd_classifier_10000_in_2", the one that they add to.

    Returns:
        The value under the key.

    Raises:
        ValueError: no key, or more than one, begins like that.
    """
    scores = record["scores"]
    if name in scores:
        return scores[name]
    matches = [key for key in scores if key.startswith(f"{name}_") and not key.endswith(FLOOR)]
    if not matches:
        raise errors.unknown("score", name, [key for key in scores if not key.endswith(FLOOR)])
    shortest = min(matches, key=len)
    if not all(f"{key}_".startswith(f"{shortest}_") for key in matches):
        raise ValueError(f"{name!r} could be {' or '.join(matches)}: write one of them in full.")
    return scores[shortest]


def fingerprint(model):
    """SHA-256 of the weights that answer in a model, by which a record knows whose it is; None for what has none."""
    networks = getattr(model, "inference", None)
    if not isinstance(networks, dict):
        return None
    digest = hashlib.sha256()
    for name in sorted(networks):
        for weights in networks[name].get_weights():
            digest.update(np.ascontiguousarray(weights, np.float32).tobytes())
    return digest.hexdigest()


def check_model(record, model):
    """Raise unless a record is of this model, or does not say of which.

    Args:
        record: what `evaluate` returned, or a dict alike.
        model: the model that it is to describe.

    Raises:
        ValueError: if it was made from another model, or from this one with other weights.
    """
    scored, here = record.get("model"), fingerprint(model)
    if not scored or here is None or scored["weights"] == here:
        return
    shape = "x".join(map(str, scored["image_shape"]))
    raise ValueError(
        f"The record is of another model ({scored['name']}, {shape}), or of this one before it was trained on: score "
        f"{model.name} again, tz.evaluate(model, ...), and give that record."
    )


def show(record):
    """Print a record as a table, each distance beside its floor: what real images score against real images."""
    import rich.console
    import rich.table

    scores, protocol, deviations = record["scores"], record["protocol"], record.get("deviations", {})
    table = rich.table.Table(title=f"{protocol['num_generated']:,} images against {_reference(protocol)}")
    for column, side in (("score", "left"), ("value", "right"), ("floor", "right")):
        table.add_column(column, justify=side)
    for name, value in scores.items():
        if isinstance(value, int | float) and not name.endswith(FLOOR):
            floor = scores.get(name + FLOOR)
            spread = f" ± {deviations[name]:.2g}" if name in deviations else ""
            table.add_row(name, f"{value:.4g}{spread}", "" if floor is None else f"{floor:.4g}")
    console = rich.console.Console()
    console.print(table)
    if "class_histogram" in scores:
        console.print("classes: " + " ".join(f"{share:.1%}" for share in scores["class_histogram"]))


def now():
    """The time as ISO 8601 in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def commit():
    """The git commit of the package's own checkout, with "+" if files differ from it; None outside a checkout."""
    root = pathlib.Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root, *words):
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def _reference(protocol):
    split = f", {protocol['split']}" if protocol["split"] else ""
    return f"{protocol['num_real']:,} of {protocol['reference']}{split}"
