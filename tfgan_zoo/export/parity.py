"""Parity: an artefact not compared with its source is a hope, so what was written is reloaded and measured."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.pixels import to_uint8
from tfgan_zoo_serving import runtimes
from tfgan_zoo_serving.verification import REFERENCE, TOLERANCE

GREY_LEVELS = 1  # rounding may fall to the other side of a half
MEAN_TOLERANCE = {  # of a quantised generator's pixels, where there is a score to judge the rest
    "float16": 0.02,  # weights of eleven bits; ten times what a guided diffusion of twenty steps makes of them
    "int8": 0.25,  # beyond it there is nothing left to judge
}
SEED = 0
_KEPT = 8  # rows of the reference that an export keeps


class ParityError(RuntimeError):
    """What was written gives other images than the model it was written from."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """What the model itself draws from one seed: shown in samples.png, and asked of every format.

    Args:
        start: name -> (N, ...) float32, what its images start from.
        condition: (N, ...) what they are told, under the condition's name; empty without one.
        images: (N, ...) float32.
        columns: images in a row of the picture.
        steps: whether a draw is made of steps between levels (the model's `draws_levels`), where rounding now and then
            falls on the other side: then nine images of ten are compared.
    """

    start: dict
    condition: dict
    images: np.ndarray
    columns: int | None
    steps: bool = False

    @classmethod
    def drawn_from(cls, model):
        """Ask a model: 8 x 8 images, ten of each of ten classes, or a cloud of points."""
        condition, columns = {}, 8
        if model.condition is not None:
            labels, columns = model.condition.examples(100, most=10)
            condition = {model.condition.name: labels}
        count = len(labels) if condition else 64 if len(model.image_shape) > 1 else 1024
        images = np.asarray(model.generate(count, seed=SEED, **({"labels": labels} if condition else {})), np.float32)
        if not np.isfinite(images).all():
            raise ValueError("The model generates numbers that are not finite, so there is nothing to export.")
        steps = bool(getattr(model, "draws_levels", False))
        return cls(start_of(model, count, SEED), condition, images, columns, steps)

    def difference_to(self, model):
        """The largest difference to the same images as another copy of the model draws them."""
        given = dict(self.start)
        if self.condition:
            (given["condition"],) = self.condition.values()
        images = model.draw(**{name: tf.convert_to_tensor(rows) for name, rows in given.items()})
        return difference(keras.ops.convert_to_numpy(images), self.images)

    def inputs(self, count=None):
        """The first `count` rows by the names of the signature serving_default."""
        return {name: rows[:count] for name, rows in (self.start | self.condition).items()}

    def cut(self, count):
        """The first rows alone."""
        start, condition = ({k: rows[:count] for k, rows in of.items()} for of in (self.start, self.condition))
        return Reference(start, condition, self.images[:count], self.columns, self.steps)

    def save(self, directory):
        """Keep a few rows beside the artefacts, so that they can be compared again where there is no model."""
        rows = np.linspace(0, len(self.images) - 1, _KEPT).astype(int)
        kept = {name: values[rows] for name, values in (self.inputs() | {"images": self.images}).items()}
        np.savez(directory / REFERENCE, rows=rows, **kept)


def start_of(model, count, seed):
    """What so many images of a seed start from, name -> float32 array; the blocks of `model.generate` one by one."""
    blocks = [
        model.start(min(noise.BLOCK, count - first), noise.block_seed(seed, first // noise.BLOCK))
        for first in range(0, count, noise.BLOCK)
    ]
    return {name: np.concatenate([np.asarray(block[name], np.float32) for block in blocks]) for name in blocks[0]}


def difference(got, wanted):
    """The largest absolute difference, as a float; NaN where one is not a number."""
    return float(np.max(np.abs(np.asarray(got, np.float64) - np.asarray(wanted, np.float64))))


def of(name, path, reference, exact=True):
    """Reload a format in its own runtime and compare its images, all of them at once and the first alone.

    Args:
        name: of the format.
        path: of its file.
        reference: what the model draws.
        exact: whether it computes what the model does, up to rounding; if not, only nonsense is refused.

    Returns:
        {"max_abs_diff", "mean_abs_diff"}.

    Raises:
        ParityError: if the images differ by more than that allows.
    """
    run = runtimes.load(name, path)
    images = run(reference.inputs())
    alone = difference(run(reference.inputs(1)), images[:1])
    scale = max(1.0, float(np.max(np.abs(reference.images))))
    worst = difference(images, reference.images)
    mean = float(np.mean(np.abs(np.asarray(images, np.float64) - reference.images)))
    compared = typical_difference(images, reference.images) if reference.steps else worst
    rounded = "float16" if "float16" in name else "int8"
    measured, allowed = (compared, TOLERANCE) if exact else (mean, MEAN_TOLERANCE[rounded])
    what = f"The {name} file ({path.name})"
    if not measured <= allowed * scale:  # written so that NaN is refused
        _refuse(what, f"differs from the Keras model by {measured:.3g}; {allowed * scale:.3g} is allowed")
    if not alone <= allowed * scale and not reference.steps:
        _refuse(what, f"gives another image alone than among others, by {alone:.3g}")
    return {"max_abs_diff": worst, "mean_abs_diff": mean}


def of_saved_model(path, reference, signatures, max_images):
    """Reload a SavedModel with plain TensorFlow and ask every signature what it was asked where it was written.

    Args:
        path: of its directory.
        reference: what the model draws, for serving_default and sample.
        signatures: dict name -> `endpoints.Signature` of what was written.
        max_images: that one request may ask for.

    Returns:
        {"max_abs_diff", "mean_abs_diff", and for each other signature "<name>_max_grey_levels", or
        "<name>_max_abs_diff" where its outputs are no pixels}.

    Raises:
        ParityError: if what it answers differs.
    """
    reference = reference.cut(min(len(reference.images), max_images))
    result = of("saved_model", path, reference)
    loaded = tf.saved_model.load(str(path))
    for name, signature in signatures.items():
        if name == "serving_default":
            continue
        given = loaded.signatures[name](**{key: tf.constant(value) for key, value in signature.example.items()})
        result |= _alike(name, {key: value.numpy() for key, value in given.items()}, signature.answer())
    asked = reference.condition or {"num_images": np.int32(len(reference.images))}
    asked = {key: tf.constant(value) for key, value in (asked | {"seed": np.int32(SEED)}).items()}
    drawn = loaded.signatures["sample"](**asked)["images"].numpy()
    wanted = to_uint8(reference.images) if drawn.dtype == np.uint8 else reference.images
    return result | _alike("sample", {"images": drawn}, {"images": np.asarray(wanted)}, "model.generate")


def _alike(name, given, wanted, whose="the model's"):
    """Compare outputs by name: pixels to a grey level, other numbers to rounding."""
    for key, value in wanted.items():
        if value.dtype == object:  # PNG files
            given, value = (np.stack([tf.io.decode_png(one).numpy() for one in files]) for files in (given[key], value))
        else:
            given = given[key]
        worst, what = difference(given, value), f"The signature {name}"
        if value.dtype == np.uint8:
            if not worst <= GREY_LEVELS:
                _refuse(what, f"differs from {whose} by {worst:.0f} grey levels; {GREY_LEVELS} is allowed")
            return {f"{name}_max_grey_levels": int(worst)}
        if not worst <= TOLERANCE * max(1.0, float(np.max(np.abs(value)))):
            _refuse(what, f"differs from {whose} by {worst:.3g}")
        return {f"{name}_max_abs_diff": worst}
    return {}


def of_network(path, network):
    """Reload a network with Keras and compare what it gives for random inputs.

    Raises:
        ParityError: if it gives something else.
    """
    random = np.random.default_rng(SEED)
    inputs = [
        random.normal(size=(2, *one.shape[1:])).astype("float32")
        if one.dtype.startswith("float")
        else np.zeros((2, *one.shape[1:]), one.dtype)
        for one in network.inputs
    ]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    loaded = keras.saving.load_model(path, compile=False)
    pairs = zip(*(tf.nest.flatten(one(inputs, training=False)) for one in (loaded, network)), strict=True)
    worst = max(difference(*pair) for pair in pairs)
    if not worst <= TOLERANCE:
        _refuse(f"The network in {path.name}", f"differs from the model's own by {worst:.3g}")
    return {"max_abs_diff": worst}


def typical_difference(images, others):
    """The largest difference within nine images of ten; infinite if the shapes differ."""
    if np.shape(images) != np.shape(others):
        return float("inf")
    apart = np.abs(np.asarray(images, np.float64) - others).reshape(len(images), -1).max(axis=1)
    return float(np.quantile(apart, 0.9, method="lower"))


def _refuse(what, why):
    raise ParityError(f"{what} {why}. Nothing was exported.")
