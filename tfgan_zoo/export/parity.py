"""Parity: an artefact not compared with its source is a hope, so what was written is reloaded and measured."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo.pixels import to_uint8
from tfgan_zoo_serving import runtimes
from tfgan_zoo_serving.verification import REFERENCE, TOLERANCE

GREY_LEVELS = 1  # rounding may fall to the other side of a half
MEAN_TOLERANCE = 0.25  # of a quantised generator's pixels: beyond it there is nothing left to judge
SEED = 0
_KEPT = 8  # rows of the reference that an export keeps
_NO_TRUNCATION = 30.0  # standard deviations, which nothing exceeds


class ParityError(RuntimeError):
    """What was written gives other images than the model it was written from."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """What the model itself draws from one seed: shown in samples.png, and asked of every format.

    Args:
        latents: (N, latent_dim) float32.
        labels: (N,) int32, or None without classes.
        images: (N, ...) float32.
        columns: images in a row of the picture.
    """

    latents: np.ndarray
    labels: np.ndarray | None
    images: np.ndarray
    columns: int | None

    @classmethod
    def drawn_from(cls, model):
        """Ask a model: 8 x 8 images, ten of each of ten classes, or a cloud of points."""
        labels, columns = None, 8
        if model.num_classes is not None:
            labels = np.repeat(np.arange(min(model.num_classes, 10), dtype=np.int32), 10)
            columns = 10
        count = len(labels) if labels is not None else 64 if len(model.image_shape) > 1 else 1024
        latents = np.asarray(model.draw_latents(count, SEED), np.float32)
        told = {} if labels is None else {"labels": labels}
        images = np.asarray(model.generate(count, seed=SEED, **told), np.float32)
        if not np.isfinite(images).all():
            raise ValueError("The model generates numbers that are not finite, so there is nothing to export.")
        return cls(latents, labels, images, columns)

    def drawn_by(self, network):
        """The same latents and labels, drawn by another network."""
        inputs = list(self.inputs().values())
        if len(inputs) == 2:
            inputs[1] = inputs[1].reshape(-1, *network.inputs[1].shape[1:])
        images = network(inputs if len(inputs) == 2 else inputs[0], training=False)
        return dataclasses.replace(self, images=np.asarray(keras.ops.convert_to_numpy(images), np.float32))

    def inputs(self, count=None):
        """The first `count` rows by the names of the signature serving_default."""
        told = {} if self.labels is None else {"labels": self.labels[:count]}
        return {"latents": self.latents[:count], **told}

    def save(self, directory):
        """Keep a few rows beside the artefacts, so that they can be compared again where there is no model."""
        rows = np.linspace(0, len(self.latents) - 1, _KEPT).astype(int)
        kept = {name: values[rows] for name, values in (self.inputs() | {"images": self.images}).items()}
        np.savez(directory / REFERENCE, rows=rows, **kept)


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
    measured, allowed = (worst, TOLERANCE) if exact else (mean, MEAN_TOLERANCE)
    what = f"The {name} file ({path.name})"
    if not measured <= allowed * scale:  # written so that NaN is refused
        _refuse(what, f"differs from the Keras model by {measured:.3g}; {allowed * scale:.3g} is allowed")
    if not alone <= allowed * scale:
        _refuse(what, f"gives another image alone than among others, by {alone:.3g}")
    return {"max_abs_diff": worst, "mean_abs_diff": mean}


def of_saved_model(path, reference, asked, max_images):
    """Reload a SavedModel with plain TensorFlow and ask every signature.

    `sample_truncated` that truncates nothing is `sample`, and the ends of `interpolate` are first images of `sample`.

    Args:
        path: of its directory.
        reference: what the model draws.
        asked: dict name -> `signatures.Signature` of what was written.
        max_images: that one request may ask for.

    Returns:
        {"max_abs_diff", "mean_abs_diff", and for each other signature "<name>_max_grey_levels"}, or for points
        "<name>_max_abs_diff".

    Raises:
        ParityError: if the images differ.
    """
    count = min(len(reference.images), max_images)
    cut = dataclasses.replace(
        reference,
        latents=reference.latents[:count],
        labels=None if reference.labels is None else reference.labels[:count],
        images=reference.images[:count],
    )
    result = of("saved_model", path, cut)
    signatures = tf.saved_model.load(str(path)).signatures
    told = {"num_images": tf.constant(count)} if cut.labels is None else {"labels": tf.constant(cut.labels)}
    told |= {"seed": tf.constant(SEED)}
    for name in asked:
        if name == "serving_default":
            continue
        wanted = cut.images
        if name == "sample_truncated":
            given = signatures[name](**told, truncation=tf.constant(_NO_TRUNCATION))["images"]
        elif name == "sample_png":
            files = signatures[name](**told)["png_bytes"].numpy()
            given = np.stack([tf.io.decode_png(file).numpy() for file in files])
        elif name == "interpolate":
            label = {} if cut.labels is None else {"label": tf.constant(int(cut.labels[0]))}
            seeds = {"seed_a": tf.constant(SEED), "seed_b": tf.constant(SEED), "steps": tf.constant(2)}
            given, wanted = signatures[name](**seeds, **label)["images"], cut.images[[0, 0]]
        else:
            given = signatures[name](**told)["images"]
        result |= _shown(name, np.asarray(given), wanted)
    return result


def _shown(name, given, wanted):
    if given.dtype != np.uint8:
        worst = difference(given, wanted)
        if not worst <= TOLERANCE * max(1.0, float(np.max(np.abs(wanted)))):
            _refuse(f"The signature {name}", f"differs from model.generate by {worst:.3g}")
        return {f"{name}_max_abs_diff": worst}
    levels = difference(given, to_uint8(wanted))
    if not levels <= GREY_LEVELS:
        _refuse(
            f"The signature {name}",
            f"differs from model.generate by {levels:.0f} grey levels; {GREY_LEVELS} is allowed",
        )
    return {f"{name}_max_grey_levels": int(levels)}


def _refuse(what, why):
    raise ParityError(f"{what} {why}. Nothing was exported.")
