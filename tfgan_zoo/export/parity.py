"""Parity: an artefact not compared with its source is a hope, so what was written is reloaded and measured."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo.pixels import to_uint8

TOLERANCE = 1e-4  # largest difference of a pixel in [-1, 1]; for points, of their largest coordinate
GREY_LEVELS = 1  # rounding may fall to the other side of a half
SEED = 0
_BATCHES = (8, 1)  # LiteRT must take more than one batch size


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
        return dataclasses.replace(self, images=np.asarray(_ask(network, self), np.float32))

    def inputs(self, count=None):
        """The first `count` rows by the names of the signature serving_default."""
        told = {} if self.labels is None else {"labels": self.labels[:count]}
        return {"latents": self.latents[:count], **told}


def difference(got, wanted):
    """The largest absolute difference, as a float; NaN where one is not a number."""
    return float(np.max(np.abs(np.asarray(got, np.float64) - np.asarray(wanted, np.float64))))


def of_saved_model(path, reference):
    """Reload a SavedModel with plain TensorFlow and ask both signatures."""
    signatures = tf.saved_model.load(str(path)).signatures
    asked = {name: tf.constant(value) for name, value in reference.inputs().items()}
    images = signatures["serving_default"](**asked)["images"].numpy()
    result = {"max_abs_diff": _close("The SavedModel", images, reference.images)}

    asked = {"labels": asked["labels"]} if "labels" in asked else {"num_images": tf.constant(len(reference.images))}
    sampled = signatures["sample"](**asked, seed=tf.constant(SEED))["images"].numpy()
    if sampled.dtype != np.uint8:
        return result | {"sample_max_abs_diff": _close("The signature sample", sampled, reference.images)}
    levels = difference(sampled, to_uint8(reference.images))
    if not levels <= GREY_LEVELS:
        raise ParityError(
            f"The signature sample differs from model.generate by {levels:.0f} grey levels; "
            f"{GREY_LEVELS} is allowed. Nothing was exported."
        )
    return result | {"sample_max_grey_levels": int(levels)}


def of_litert(path, reference):
    """Reload a .tflite with LiteRT and ask it at two batch sizes."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    worst = 0.0
    for count in _BATCHES:
        images = runner(**reference.inputs(count))["images"]
        worst = max(worst, _close("The .tflite", images, reference.images[:count]))
    return {"max_abs_diff": worst}


def of_keras(path, reference):
    """Reload a .keras file with Keras."""
    network = keras.saving.load_model(path, compile=False)
    return {"max_abs_diff": _close("The .keras file", _ask(network, reference), reference.images)}


def _ask(network, reference):
    inputs = list(reference.inputs().values())
    if len(inputs) == 2:
        inputs[1] = inputs[1].reshape(-1, *network.inputs[1].shape[1:])
    return network(inputs if len(inputs) == 2 else inputs[0], training=False)


def _close(what, got, wanted):
    allowed = TOLERANCE * max(1.0, float(np.max(np.abs(wanted))))
    worst = difference(got, wanted)
    if not worst <= allowed:  # written so that NaN is refused
        raise ParityError(
            f"{what} differs from the Keras model by {worst:.3g}; {allowed:.3g} is allowed. Nothing was exported."
        )
    return worst
