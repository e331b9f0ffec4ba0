"""An export, checked again where it has arrived: its hashes, its signatures, its images."""

import numpy as np

from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import collection, draws, runtimes
from tfgan_zoo_serving import reference as references
from tfgan_zoo_serving.generator import opened
from tfgan_zoo_serving.reference import REFERENCE

TOLERANCE = 1e-4  # largest difference of a pixel in [-1, 1]; for points, of their largest coordinate
ROUNDING = 1e-6  # of latents, whose logarithms another machine may round otherwise


def verify(directory, formats=None, run=True, key=None) -> dict:
    """Check that an export is what was written, and that it gives here the images it gave there.

    Every file's SHA-256 is compared with the card's before anything is loaded; then each format is run and compared
    with the images of the model that the export keeps, and its signatures with the card's. To run a SavedModel is to
    run a program: ask for `run=False` first where you do not know from whom it comes.

    Args:
        directory: what `tz.export` wrote, or a name of `list_exported()`.
        formats: names of formats to run; None for all whose runtimes are installed.
        run: False for hashes alone: no runtime is imported, and nothing is executed.
        key: bytes that `sign` was given: exports without the signature of that key are refused. None asks for none.

    Returns:
        Dict format -> {"max_abs_diff": float}, of a rounded format with what the card says of it, "recommended": True,
        False or, where nobody has measured it, None; or {"skipped": why} where a format was not run.

    Raises:
        FileNotFoundError: if `directory` is not an export.
        DamagedError: if a file is missing, cut short, changed or a stranger's, or a signature or an image is another.
        ValueError: if a format is not in the export.
        ImportError: if the runtime of a format in `formats` is not installed.
    """
    directory = collection.find(directory)
    return cards.steadily(directory, lambda card: _verified(directory, card, formats, run, key))


def _verified(directory, card, formats, run, key):
    formats = (formats,) if isinstance(formats, str) else formats
    unknown = [name for name in formats or () if name not in card["formats"]]
    if unknown:
        raise ValueError(f"{directory} has no format {unknown[0]!r}. Known: {', '.join(sorted(card['formats']))}.")
    cards.check_signature(directory, card, key)
    cards.check_files(directory, card)
    if REFERENCE not in card["files"]:
        raise cards.DamagedError(f"The card of {directory} has no SHA-256 of {REFERENCE}: export again.")
    folder = cards.check_files(directory, card, {REFERENCE})
    reference = references.read(folder / REFERENCE, card["model"])
    _check_draws(directory, card, reference)
    results = {}
    for name in formats or card["formats"]:
        if not run:
            results[name] = {"skipped": "its files are those of the card; it was not run"}
            continue
        try:
            results[name] = {"max_abs_diff": _parity(directory, card, name, reference)}
        except ImportError as error:
            if formats:
                raise
            results[name] = {"skipped": str(error)}
        if not card["formats"][name].get("exact", True):
            results[name]["recommended"] = card["formats"][name].get("recommended")
    return results


def allowed(entry, images, draws_levels=False):
    """The largest difference that a format may have: rounding, or for quantised ones twice what it was measured at.

    Args:
        entry: of the format in a card.
        images: of the model.
        draws_levels: whether its values are levels, where rounding may fall on the other side.
    """
    scale = max(1.0, float(np.abs(images).max()))
    return max(
        TOLERANCE * scale, 0.0 if entry.get("exact", True) and not draws_levels else 2 * entry["parity"]["max_abs_diff"]
    )


def _check_draws(directory, card, reference):
    if card["model"]["seeded"]:
        name, rows = _start(card["model"]), reference["rows"]
        drawn = draws.rows(card["model"]["prior"], int(rows.max()) + 1, reference[name].shape[1:], 0)[rows]
        if not np.abs(drawn - reference[name]).max() <= ROUNDING:
            raise cards.DamagedError(f"NumPy draws other {name} here than those in {directory / REFERENCE}.")
        for name, shape in list(references.start_of(card["model"]).items())[1:]:
            drawn = draws.beside(name, int(rows.max()) + 1, shape, 0)[rows]
            if not np.abs(drawn - reference[name]).max() <= ROUNDING:
                raise cards.DamagedError(f"NumPy draws other {name} here than those in {directory / REFERENCE}.")


def _parity(directory, card, name, reference):
    entry = card["formats"][name]
    generator, path = opened(directory, card, name)
    _check_signatures(path, name, entry, card["model"])
    try:
        images = generator.of({key: rows for key, rows in reference.items() if key not in ("rows", "images")})
    except Exception as error:  # whatever a runtime raises at a file that is not what it seems
        raise cards.DamagedError(f"{path} cannot be run: {cards.first_line(error)}") from error
    if images.shape != reference["images"].shape:
        raise cards.DamagedError(f"{path} gives {images.shape} instead of {reference['images'].shape}.")
    worst = float(np.max(np.abs(images - reference["images"])))
    most = allowed(entry, reference["images"], card["model"].get("draws_levels", False))
    if not worst <= most:
        raise cards.DamagedError(
            f"{path} gives images that differ from the model's by {worst:.3g}; {most:.3g} is allowed."
        )
    return worst


def _check_signatures(path, name, entry, model):
    if name == "saved_model":
        import tensorflow as tf

        there = {
            signature: {
                "inputs": _described(function.structured_input_signature[1]),
                "outputs": _described(function.structured_outputs),
            }
            for signature, function in tf.saved_model.load(str(path)).signatures.items()
        }
        wanted = {
            name: {side: one[side] for side in ("inputs", "outputs")} for name, one in entry["signatures"].items()
        }
    elif runtimes.kind(name) == "tflite":
        told = {} if model["num_classes"] is None else {"labels": "int32"}
        told |= {"attributes": "float32"} if model.get("attribute_names") else {}
        start = dict.fromkeys(model.get("start") or ("latents",), "float32")
        there = runtimes.signatures(name, path)
        wanted = {"inputs": start | told, "outputs": {"images": "float32"}}
    else:
        return  # its names are those that were just run by
    if there != wanted:
        raise cards.DamagedError(f"{path} has other signatures than its card: {there} instead of {wanted}.")


def _start(model):
    """The name of what images start from."""
    return next(iter(references.start_of(model)))


def _described(specs):
    return {name: {"shape": spec.shape.as_list(), "dtype": spec.dtype.name} for name, spec in specs.items()}
