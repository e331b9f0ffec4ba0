"""Exported generators, loaded and verified without the package that trained them.

    from tfgan_zoo_serving import load_exported

    generator = load_exported("exported/dcgan_fashion_mnist")       # LiteRT or ONNX: no TensorFlow, no Keras
    images = generator.generate(16, seed=0)                         # those of model.generate(16, seed=0)

NumPy and one runtime are all it needs; nothing in it imports `tfgan_zoo`, which offers the same two functions.

    python -m tfgan_zoo_serving generate exported/dcgan_fashion_mnist -n 16 --out grid.png

card.py        card.json, and the hashes of all files
collection.py  exports by name: of a clone, of the wheel, or fetched
draws.py       latents and labels from a seed, in NumPy
generator.py   the object that makes images
page.py        a static server for the web page of an export
pictures.py    a PNG of images, without another package
reference.py   the images that an export keeps, to compare with
runtimes.py    LiteRT, ONNX Runtime, OpenVINO, TensorFlow, Keras
verification.py  hashes, signatures and images, checked again
"""

import warnings

from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import runtimes
from tfgan_zoo_serving.card import DamagedError, sign
from tfgan_zoo_serving.collection import find, list_exported
from tfgan_zoo_serving.generator import ExportedGenerator, opened
from tfgan_zoo_serving.verification import verify

__all__ = ["DamagedError", "ExportedGenerator", "list_exported", "load_exported", "sign", "verify"]

_ORDER = ("tflite", "onnx", "openvino", "saved_model", "keras", "tflite_batch1", "tflite_float16")
_OF_HALVES = ("tflite", "tflite_float16", "tflite_float16_batch1")  # where the weights of all formats are halves


def load_exported(directory, format=None, threads=None, providers=None, key=None) -> ExportedGenerator:
    """The generator in an exported directory, from files whose hashes are checked before anything reads them.

    A SavedModel is a program, which may read and write files: load none of a stranger's. Files of LiteRT, ONNX and
    OpenVINO only compute, and so does Keras', whose Python code is refused.

    Args:
        directory: what `tz.export` wrote, or a name of `list_exported()`.
        format: one of the card's formats, such as "tflite", "tflite_int8", "onnx", "saved_model"; None for the first
            of float32 LiteRT, ONNX, OpenVINO, SavedModel, Keras that is there and whose runtime is installed. A format
            whose numbers are rounded is taken where no other can be, with a warning that says by how much; one that is
            not recommended only where it is named.
        threads: that compute one call in LiteRT, ONNX Runtime and OpenVINO, one of which is then taken; None for the
            runtime's own choice.
        providers: names of ONNX Runtime's execution providers, which is then taken; None for the CPU's.
        key: bytes that `sign` was given: exports without the signature of that key are refused. None asks for none.

    Returns:
        An `ExportedGenerator`: `.generate(num_images, labels=None, seed=None)` gives the images of `model.generate`,
        and `.format` says which format was taken. Threads may share it.

    Raises:
        FileNotFoundError: if `directory` is not an export, nor the name of one.
        DamagedError: if the card or a file of the format was cut short, changed or replaced.
        ValueError: if the export has no such format, or the format no such option.
        ImportError: if the format's runtime is not installed, or none of them is.
    """
    directory = find(directory)
    options = {"threads": threads, "providers": providers}

    def load(card):
        cards.check_signature(directory, card, key)
        missing, names = [], _candidates(directory, card, format)
        able = [name for name in names if runtimes.has_options(name, **options)]
        for name in able or names:  # where none is, the first says so
            entry = card["formats"][name]
            try:
                generator, _ = opened(directory, card, name, **options)
            except ImportError as error:
                missing.append(str(error))
                continue
            return generator, told(card, name, entry)
        raise ImportError(" ".join(missing) or f"{directory} has no format that is recommended: name one.")

    def told(card, name, entry):
        if entry.get("recommended") is False:
            return f"{name} of {directory} is not recommended: {_loss(entry)}."
        if _is_rounded(name, card) and format is None:
            return (
                f"{directory}: {name} was taken, whose numbers are rounded ({_loss(entry)}): no other format runs here."
            )
        return None

    generator, warning = cards.steadily(directory, load)
    if warning:
        warnings.warn(warning, stacklevel=2)
    return generator


def _candidates(directory, card, format):
    """The formats to try, the most exact first."""
    known = {name: entry for name, entry in card["formats"].items() if runtimes.kind(name) in runtimes.NEEDS}
    if format is None:
        usable = [name for name, entry in known.items() if entry.get("recommended") is not False]
        order = (*(_OF_HALVES if _is_of_halves(card) else ()), *_ORDER)
        return sorted(usable, key=lambda name: (_is_rounded(name, card), (*order, name).index(name), name))
    if format not in known:
        import difflib

        near = difflib.get_close_matches(str(format), known, n=1) or sorted(known)
        raise ValueError(f"{directory} has no format {format!r}. Did you mean {' or '.join(map(repr, near))}?")
    return [format]


def _is_rounded(name, card):
    """Whether a format rounds more than the model that was exported has been."""
    return not card["formats"][name].get("exact", True) and not (_is_of_halves(card) and name in _OF_HALVES)


def _is_of_halves(card):
    return card["model"].get("weights") == "float16"


def _loss(entry):
    measured = "no score says whether its images are as good"
    if "quality" in entry:
        measured = f"its Fréchet distance is {entry['quality']['ratio']:.3f} times that of float32"
    return f"a number of an image differs by up to {entry['parity']['max_abs_diff']:.2g}, and {measured}"
