"""Exported generators, loaded and verified without the package that trained them.

    from tfgan_zoo_serving import load_exported

    generator = load_exported("exported/dcgan_fashion_mnist")       # LiteRT or ONNX: no TensorFlow, no Keras
    images = generator.generate(16, seed=0)                         # those of model.generate(16, seed=0)

NumPy and one runtime are all it needs; nothing in it imports `tfgan_zoo`, which offers the same two functions.

card.py        card.json, and the hashes of all files
collection.py  exports by name: of a clone, of the wheel, or fetched
draws.py       latents and labels from a seed, in NumPy
generator.py   the object that makes images
page.py        a static server for the web page of an export
runtimes.py    LiteRT, ONNX Runtime, OpenVINO, TensorFlow, Keras
verification.py  hashes, signatures and images, checked again
"""

import difflib

from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import runtimes
from tfgan_zoo_serving.card import DamagedError
from tfgan_zoo_serving.collection import find, list_exported
from tfgan_zoo_serving.generator import ExportedGenerator
from tfgan_zoo_serving.verification import verify

__all__ = ["DamagedError", "ExportedGenerator", "list_exported", "load_exported", "verify"]

_ORDER = ("tflite", "onnx", "openvino", "saved_model", "keras", "tflite_batch1", "tflite_float16")
_OF_HALVES = ("tflite", "tflite_float16", "tflite_float16_batch1")  # where the weights of all formats are halves


def load_exported(directory, format=None):
    """The generator in an exported directory, from files whose hashes are checked before anything reads them.

    Args:
        directory: what `tz.export` wrote, or a name of `list_exported()`.
        format: one of the card's formats, such as "tflite", "tflite_int8", "onnx", "saved_model"; None for the first
            of float32 LiteRT, ONNX, OpenVINO, SavedModel, Keras that is there and whose runtime is installed.

    Returns:
        An `ExportedGenerator`: `.generate(num_images, labels=None, seed=None)` gives the images of `model.generate`.

    Raises:
        FileNotFoundError: if `directory` is not an export, nor the name of one.
        DamagedError: if the card or a file of the format was cut short, changed or replaced.
        ValueError: if the export has no such format.
        ImportError: if the format's runtime is not installed, or none of them is.
    """
    directory = find(directory)
    card = cards.read(directory)
    order = (*_OF_HALVES, *_ORDER) if card["model"].get("weights") == "float16" else _ORDER
    known = sorted(card["formats"], key=lambda name: (*order, name).index(name))
    if format is not None and format not in known:
        near = difflib.get_close_matches(str(format), known, n=1) or known
        raise ValueError(f"{directory} has no format {format!r}. Did you mean {' or '.join(map(repr, near))}?")
    missing = []
    for name in known if format is None else [format]:
        path = card["formats"][name]["path"]
        cards.check_files(directory, card, {path, *card["formats"][name].get("beside", ())})
        try:
            run = runtimes.load(name, directory / path)
        except ImportError as error:
            missing.append(str(error))
            continue
        return ExportedGenerator(card["model"], run, name)
    raise ImportError(" ".join(missing))
