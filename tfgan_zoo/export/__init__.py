"""A trained generator, ready to serve: SavedModel, LiteRT and Keras files that were compared with their source.

export          the story: check, write into a private directory, compare, publish
saved_model.py  the signatures TF Serving answers
litert.py       the .tflite for phones and browsers
parity.py       reload what was written and measure the difference
card.py         card.json and README.md
publishing.py   a directory that changes in one step
"""

import collections.abc
import pathlib

from tfgan_zoo import pictures as draw
from tfgan_zoo import runtime
from tfgan_zoo.errors import unknown
from tfgan_zoo.export import card as cards
from tfgan_zoo.export import litert, parity, publishing, saved_model
from tfgan_zoo.export.quiet import quiet

FORMATS = ("saved_model", "tflite")


@runtime.alone()
def export(model, directory, formats=FORMATS, scores=None, about=None, pictures=None):
    """Write a generator for serving, and keep nothing of it unless every format gives the images of `model.generate`.

    `directory` gets 1/ (a SavedModel as TF Serving wants it; the next export makes 2/ and keeps 1/), generator.tflite,
    generator.keras, samples.png, card.json and README.md. They appear together, or the directory stays as it was.

    Args:
        model: a trained model of the zoo: anything with `ema_network`, `latent_dim`, `num_classes`, `image_shape`,
            `name`, `draw_latents` and `generate`.
        directory: a new or empty directory, or one that holds an earlier export.
        formats: which of "saved_model" and "tflite" to write; generator.keras is always written.
        scores: the record of an evaluation, {"scores": {...}, "protocol": {...}}, or None.
        about: dict of what a reader should know, such as data, licence, command and commit, or None.
        pictures: dict caption -> path of further pictures for the README, copied beside samples.png, or None.

    Returns:
        The card: the dict in card.json, with parity, size and sha256 of what was written.

    Raises:
        TypeError: if `model` has no network to export, or `scores`, `about` or `pictures` is not a dict.
        ValueError: if a format is unknown, the network is not built or the images are not finite.
        OSError: if `directory` cannot be written, holds something else, or the disk is full.
        ParityError: if what was written gives other images than the model.
    """
    formats = _known(formats)
    network = saved_model.network_of(model)
    scores, about = cards.checked("scores", scores), cards.checked("about", about)
    pictures = _found(pictures)
    directory = publishing.usable(directory)

    with publishing.private_room(directory) as room:
        new = room / "new"
        reference = parity.Reference.drawn_from(model)
        for caption, path in pictures.items():
            (new / path.name).write_bytes(path.read_bytes())
            pictures[caption] = path.name
        draw.save_grid(reference.images, new / "samples.png", columns=reference.columns)
        with quiet():
            made = {}
            served = room / "saved_model"
            if formats:  # the .tflite is made from it too
                saved_model.write(model, served)
            if "saved_model" in formats:
                made["saved_model"] = {
                    "signatures": saved_model.describe(model),
                    "parity": parity.of_saved_model(served, reference),
                }
            if "tflite" in formats:
                made["tflite"] = litert.write(model, served, new / "generator.tflite", reference)
            network.save(new / "generator.keras")
            made["keras"] = {"path": "generator.keras", "parity": parity.of_keras(new / "generator.keras", reference)}
        versioned = served if "saved_model" in formats else None

        def finish(version):
            return cards.write(new, model, made, versioned, version, scores, about, pictures)

        return publishing.publish(room, directory, versioned, finish)


def _known(formats):
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    for name in formats:
        if name not in FORMATS:
            raise unknown("export format", name, FORMATS)
    return formats


def _found(pictures):
    if not isinstance(pictures or {}, collections.abc.Mapping):
        raise TypeError(f"pictures is a {type(pictures).__name__}; give a dict caption -> path of a picture.")
    found, names = {}, set(cards.OWN_NAMES)
    for caption, path in (pictures or {}).items():
        found[caption] = path = pathlib.Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"The picture {path} ({caption!r}) does not exist.")
        if path.name in names or path.name.isdigit():
            raise ValueError(f"The picture {path} needs another file name: {path.name} is taken in an export.")
        names.add(path.name)
    return found
