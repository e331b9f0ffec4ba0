"""A trained generator, ready to serve: files for every runtime, each compared with the model it came from.

export          the story: check, write into a private directory, compare, publish
endpoints.py    what a served model may be asked for
inference.py    copies of a model that answer by other networks
saved_model.py  the SavedModel
serving.py      what TensorFlow Serving finds beside it
litert.py       the .tflite files for phones and browsers
subpixel.py     transposed convolutions as convolutions, for them
interop.py      ONNX and OpenVINO
page.py         a web page that draws with the .tflite
parity.py       reload what was written and measure the difference
quality.py      are quantised files as good?
card.py         card.json: what was exported, for programs
readme.py       README.md: the same for people, with code that runs
publishing.py   a directory that changes in one step
restoring.py    the model again, from what stands beside its files

`tfgan_zoo_serving` loads and verifies what stands here, without this package.
"""

import collections.abc
import pathlib

from tfgan_zoo import metrics, runtime
from tfgan_zoo import pictures as draw
from tfgan_zoo.errors import unknown
from tfgan_zoo.export import card as cards
from tfgan_zoo.export import (
    endpoints,
    inference,
    interop,
    litert,
    page,
    parity,
    publishing,
    restoring,
    saved_model,
    serving,
)
from tfgan_zoo.export.quality import Gate
from tfgan_zoo.export.quiet import quiet
from tfgan_zoo.export.restoring import load_model as load_model
from tfgan_zoo_serving.card import is_inside

FORMATS = ("saved_model", "tflite", "tflite_float16")
KNOWN = ("saved_model", *litert.VARIANTS, *interop.FILES)


@runtime.no_strategy()
def export(
    model,
    directory,
    formats=FORMATS,
    scores=None,
    about=None,
    pictures=None,
    max_images=endpoints.MAX_IMAGES,
    keep=None,
    weights=None,
) -> dict:
    """Write a generator for serving, and keep nothing of it unless every format gives the images of `model.generate`.

    `directory` gets 1/ (a SavedModel as TF Serving wants it; the next export makes 2/ and keeps 1/), the files of the
    other formats, generator.keras, samples.png, card.json and README.md; beside a .tflite of one image also demo/, a
    web page that draws with it. They appear together, or the directory stays as it was. `load_exported` and `verify`
    read it.

    Args:
        model: a trained model of the zoo: anything with `name`, `image_shape`, `condition`, `inference` (name ->
            network), `start`, `draw` and `generate`; verbs beside these (`draw_latents`, `encode`, `decode`,
            `reconstruct`, `log_prob`, `translate`, `endpoints`) become signatures of their own.
        directory: a new or empty directory, or one that holds an earlier export.
        formats: which to write of "saved_model"; "tflite", "tflite_float16", "tflite_dynamic_range" and "tflite_int8",
            each also with "_batch1" for a batch of one image; "onnx" and "openvino", whose packages are the extra
            "interop". generator.keras is always written.
        scores: the record of an evaluation of this model, {"scores": ..., "protocol": ...}, or None. If it names data,
            quantised formats are scored too, on 2,000 images: one whose Fréchet distance is more than 5 % above that
            of float32 is marked as not recommended.
        about: dict of what a reader should know, such as data, licence, command and commit, or None.
        pictures: dict caption -> path of further pictures for the README, copied beside samples.png, or None.
        max_images: that one request to the SavedModel may ask for, at least 2.
        keep: how many versions of the SavedModel stay, the newest of those that exports have left there; None for all.
        weights: "float16" rounds the weights first, keeps them in half the bytes, and leaves out the web page, which
            `tfgan_zoo_serving.page` brings along: for exports that are to be small. None rounds nothing.

    Returns:
        The card: the dict in card.json, with parity, size, latency and sha256 of what was written.

    Raises:
        TypeError: if `model` has no network to export, or `scores`, `about` or `pictures` is not a dict.
        ValueError: if a format is unknown, the scores are another model's, a network is not built, or a number is none.
        ImportError: if a format needs a package that is not installed.
        OSError: if `directory` cannot be written, holds something else, such as a file of an export that was changed
            since, or the disk is full.
        ParityError: if what was written gives other images than the model.
    """
    if formats is FORMATS and getattr(model, "draws_levels", False):  # half precision would draw other levels
        formats = [name for name in FORMATS if not getattr(litert.VARIANTS.get(name), "quantised", False)]
    if formats is FORMATS and getattr(model, "draws_by_gradients", False):  # which LiteRT cannot take of any batch
        formats = [name for name in FORMATS if name not in litert.VARIANTS]
    formats = _known(formats)
    interop.check_installed(formats)
    inference.check(model)
    scores, about = cards.checked("scores", scores), cards.checked("about", about)
    metrics.records.check_model(scores or {}, model)
    pictures = _checked(pictures)
    _check_count("max_images", max_images, 2)
    if weights not in (None, "float16"):
        raise ValueError(f"weights={weights!r}: give 'float16', or None for those of the model.")
    if keep is not None:
        _check_count("keep", keep, 1)
    directory = publishing.usable(directory, cards.FILES | {path.name for path in pictures.values()})

    with publishing.staging(directory) as staging:
        new = staging / "new"
        model, trained = inference.in_float32(model), model
        whole = model
        if weights:
            model = inference.with_networks(model, inference.rounded)
        reference = parity.Reference.drawn_from(model)
        reference.save(new)
        facts = cards.facts(model, reference)
        if whole is not trained:
            facts["max_abs_diff_to_half_precision"] = reference.difference_to(trained)
        if weights:
            facts |= {"weights": weights, "max_abs_diff_to_float32_weights": reference.difference_to(whole)}
        for caption, path in pictures.items():
            (new / path.name).write_bytes(path.read_bytes())
            pictures[caption] = path.name
        _picture(model, reference, new / "samples.png")
        served = staging / "saved_model" if "saved_model" in formats else None
        with quiet():
            made = _made(model, formats, staging, served, reference, facts, scores, max_images)
            facts["networks"] = _write_networks(model, new, weights)
            restoring.write(model, new)
            if facts["one_pass"]:
                path = new / next(iter(facts["networks"].values()))["path"]
                made["keras"] = {"path": path.name, "parity": parity.of("keras", path, reference)}

        if not weights:
            page.write(new, facts, made)

        def finish(version, versions):
            return cards.write(new, facts, made, served, version, versions, scores, about, pictures)

        return publishing.publish(staging, directory, served, finish, keep)


def compact(model) -> dict:
    """The arguments of `export` for the smallest directory that draws, and from which all else can be made again.

    Args:
        model: as in `export`. One pass over latents becomes a .tflite of one image, which browsers can run too; what
            draws in many steps one of any batch, and what draws levels or codes one in float32; what draws by gradients
            a SavedModel.

    Returns:
        Dict of "formats" and "weights".
    """
    if getattr(model, "draws_levels", False) or hasattr(model, "vectors_of"):  # or codes, by their shares
        name = "tflite"
    else:
        name = "tflite_float16_batch1" if hasattr(model, "draw_latents") else "tflite_float16"
    if getattr(model, "draws_by_gradients", False):
        name = "saved_model"
    return {"formats": (name,), "weights": "float16"}


def _picture(model, reference, path):
    """Draw what a model makes; of one that translates, beside what it was given."""
    if not callable(getattr(model, "translate", None)):
        return draw.save_grid(reference.images, path, columns=reference.columns)
    panels = model.preview(parity.SEED)
    if len(panels) > 1:
        return draw.save_panels(panels, path)
    ((images, columns),) = panels.values()
    return draw.save_grid(images, path, columns=columns)


def _write_networks(model, new, weights=None):
    """Write the networks that answer as .keras files, for further work; returns name -> path and parity."""
    written = {}
    for name, network in model.inference.items():
        path = new / f"{name}.keras"
        inference.plain(network).save(path)
        if weights:
            inference.halve(path)
        written[name] = {"path": path.name, "parity": parity.of_network(path, network)}
    return written


def _made(model, formats, staging, served, reference, facts, scores, max_images):
    """Write every format into the staging directory; returns their entries of the card."""
    made, new = {}, staging / "new"
    if served:
        signatures, described = saved_model.write(model, served, max_images=max_images)
        made["saved_model"] = {
            "signatures": described,
            "max_images": max_images,
            "parity": parity.of_saved_model(served, reference, signatures, max_images),
            "warm_up": serving.write_warm_up(served, cards.slug(model.name), signatures),
        }
        serving.write_configs(new, cards.slug(model.name), max_images)
    source, gate = litert.Source(model, staging, reference), Gate(facts, scores, model)
    for name in formats:
        if name in litert.VARIANTS:
            made[name] = litert.write(name, source, new)
            if litert.VARIANTS[name].quantised:
                gate.check(name, made[name], new / made[name]["path"])
        elif name in interop.FILES:
            made[name] = interop.write(name, source, new)
    return made


def _known(formats):
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    for name in formats:
        if name not in KNOWN:
            raise unknown("export format", name, KNOWN)
    return tuple(dict.fromkeys(formats))


def _check_count(name, number, least):
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{name}={number!r}: give an integer, at least {least}.")


def _checked(pictures):
    if not isinstance(pictures or {}, collections.abc.Mapping):
        raise TypeError(f"pictures is a {type(pictures).__name__}; give a dict caption -> path of a picture.")
    paths, names = {}, set(cards.OWN_NAMES)
    for caption, path in (pictures or {}).items():
        paths[caption] = path = pathlib.Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"The picture {path} ({caption!r}) does not exist.")
        if path.name in names or path.name.isdecimal() or not is_inside(path.name):
            raise ValueError(
                f"The picture {path} needs another file name: {path.name} is taken, or none on some systems."
            )
        names.add(path.name)
    return paths
