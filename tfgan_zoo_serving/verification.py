"""An export, checked again where it has arrived: its hashes, its signatures, its images."""

import pathlib

import numpy as np

from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import draws, runtimes
from tfgan_zoo_serving.generator import ExportedGenerator

TOLERANCE = 1e-4  # largest difference of a pixel in [-1, 1]; for points, of their largest coordinate
ROUNDING = 1e-6  # of latents, whose logarithms another machine may round otherwise
REFERENCE = "reference.npz"  # a few of the model's own latents, labels and images


def verify(directory, formats=None):
    """Check that an export is what was written, and that it gives here the images it gave there.

    Every file's SHA-256 is compared with the card's before anything is loaded; then each format is run and compared
    with the images of the model that the export keeps, and its signatures with the card's.

    Args:
        directory: what `tz.export` wrote.
        formats: names of formats to run; None for all whose runtimes are installed.

    Returns:
        Dict format -> {"max_abs_diff": float}, or {"skipped": why} where a runtime is not installed.

    Raises:
        FileNotFoundError: if `directory` is not an export.
        DamagedError: if a file is missing, cut short, changed or a stranger's, or a signature or an image is another.
        ValueError: if a format is not in the export.
        ImportError: if the runtime of a format in `formats` is not installed.
    """
    directory = pathlib.Path(directory)
    card = cards.read(directory)
    unknown = [name for name in formats or () if name not in card["formats"]]
    if unknown:
        raise ValueError(f"{directory} has no format {unknown[0]!r}. Known: {', '.join(sorted(card['formats']))}.")
    cards.check_files(directory, card)
    with np.load(directory / REFERENCE, allow_pickle=False) as kept:
        reference = dict(kept)
    _check_draws(directory, card, reference)
    found = {}
    for name in formats or card["formats"]:
        try:
            found[name] = {"max_abs_diff": _parity(directory, card, name, reference)}
        except ImportError as error:
            if formats:
                raise
            found[name] = {"skipped": str(error)}
    return found


def allowed(entry, images):
    """The largest difference that a format may have: rounding, or for quantised ones twice what it was measured at.

    Args:
        entry: of the format in a card.
        images: of the model.
    """
    scale = max(1.0, float(np.abs(images).max()))
    return max(TOLERANCE * scale, 0.0 if entry.get("exact", True) else 2 * entry["parity"]["max_abs_diff"])


def _check_draws(directory, card, reference):
    if card["model"]["seeded"]:
        rows, wanted = reference["rows"], reference["latents"]
        drawn = draws.latents(card["model"]["prior"], int(rows.max()) + 1, wanted.shape[1], 0)[rows]
        if not np.abs(drawn - wanted).max() <= ROUNDING:
            raise cards.DamagedError(f"NumPy draws other latents here than those in {directory / REFERENCE}.")


def _parity(directory, card, name, reference):
    entry = card["formats"][name]
    path = directory / entry["path"]
    generator = ExportedGenerator(card["model"], runtimes.load(name, path), name)
    _check_signatures(path, name, entry, card["model"])
    images = generator(reference["latents"], reference.get("labels"))
    if images.shape != reference["images"].shape:
        raise cards.DamagedError(f"{path} gives {images.shape} instead of {reference['images'].shape}.")
    worst = float(np.max(np.abs(images - reference["images"])))
    if not worst <= allowed(entry, reference["images"]):
        raise cards.DamagedError(
            f"{path} gives images that differ from the model's by {worst:.3g}; "
            f"{allowed(entry, reference['images']):.3g} is allowed."
        )
    return worst


def _check_signatures(path, name, entry, model):
    if name == "saved_model":
        import tensorflow as tf

        found = {
            signature: {
                "inputs": _told(function.structured_input_signature[1]),
                "outputs": _told(function.structured_outputs),
            }
            for signature, function in tf.saved_model.load(str(path)).signatures.items()
        }
        wanted = {name: {way: told[way] for way in ("inputs", "outputs")} for name, told in entry["signatures"].items()}
    elif runtimes.kind(name) == "tflite":
        labels = {} if model["num_classes"] is None else {"labels": "int32"}
        found = runtimes.signatures(name, path)
        wanted = {"inputs": {"latents": "float32"} | labels, "outputs": {"images": "float32"}}
    else:
        return  # its names are those that were just run by
    if found != wanted:
        raise cards.DamagedError(f"{path} has other signatures than its card: {found} instead of {wanted}.")


def _told(specs):
    return {name: {"shape": spec.shape.as_list(), "dtype": spec.dtype.name} for name, spec in specs.items()}
