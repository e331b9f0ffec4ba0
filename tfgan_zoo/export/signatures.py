"""The signatures of a family: what a served generator may be asked for, by what names.

A SavedModel has no optional inputs, so the inputs are fixed by what the model is: told classes or not, making images
or points, with which prior. Every function of `_FAMILIES` looks at the model and returns what it can answer: a family
with more to ask (codes of an image, a step of denoising) is one more of them. Signatures are only ever added.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgan_zoo.pixels import to_uint8
from tfgan_zoo.priors import Normal, Uniform

MAX_IMAGES = 1024  # in one request, unless `export` is told otherwise
_TOGETHER = 1.0 - 1e-6  # cosine of two latents that have no arc between them


@dataclasses.dataclass(frozen=True)
class Signature:
    """One thing to ask for.

    Args:
        function: of the inputs by name, to a dict of outputs by name.
        inputs: a `tf.TensorSpec` with its name for each.
        outputs: name -> {"shape", "dtype"}, for the card.
        example: name -> a small input, for warming up.
    """

    function: Callable
    inputs: tuple
    outputs: dict
    example: dict

    def describe(self):
        """For the card: inputs and outputs -> name -> shape and dtype."""
        told = {spec.name: {"shape": spec.shape.as_list(), "dtype": spec.dtype.name} for spec in self.inputs}
        return {"inputs": told, "outputs": self.outputs}


def of(model, network, max_images=MAX_IMAGES, batch=None):
    """All that a model's generator can be asked for.

    Args:
        model: a model that `saved_model.network_of` accepts.
        network: its averaged network, or a copy of it.
        max_images: that one request may ask for.
        batch: fixed size of serving_default's batch, or None for a free one.

    Returns:
        Dict name -> `Signature`, serving_default first.
    """
    asked = _Asked(model, network, max_images, batch)
    return {name: signature for family in _FAMILIES for name, signature in family(asked).items()}


class _Asked:
    """A generator inside the graph, and the checks of what it is asked for."""

    def __init__(self, model, network, max_images, batch):
        self.model, self.network, self.max_images, self.batch = model, network, max_images, batch
        self.are_points = len(model.image_shape) == 1
        self.classes = model.num_classes
        self.prior = getattr(model, "prior", None)
        self.drawn = {"shape": [None, *model.image_shape], "dtype": "float32"}
        self.shown = self.drawn if self.are_points else self.drawn | {"dtype": "uint8"}
        self.seed = tf.TensorSpec((), tf.int32, name="seed")

        def draw(*inputs):  # a Resizing layer turns training on, unless told
            images = network(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
            return tf.cast(images, tf.float32)

        entries = [tf.TensorSpec((batch, *entry.shape[1:]), entry.dtype) for entry in network.inputs]
        self.draw = tf.function(draw, input_signature=entries, autograph=False)  # traced once for all signatures

    def rows(self):
        """The input that says how many images: their number, or the class of each."""
        if self.classes is None:
            return tf.TensorSpec((), tf.int32, name="num_images"), np.int32(2)
        return tf.TensorSpec((None,), tf.int32, name="labels"), np.array([0, self.classes - 1], np.int32)

    def sampled(self, rows, seed, change=lambda latents: latents):
        """Images for a request's `rows` and seed, with what `change` makes of the latents."""
        if self.classes is None:
            count = _within("num_images", rows, self.max_images)
            return self.images(change(self.model.draw_latents(count, seed)))
        count = _within("The number of labels", tf.size(rows), self.max_images)
        return self.images(change(self.model.draw_latents(count, seed)), rows)

    def images(self, latents, labels=None):
        """float32 images of the network in inference mode."""
        return self.draw(latents) if labels is None else self.draw(latents, self._as_fed(labels))

    def pixels(self, images):
        """Images as they are shown: uint8; points as they are."""
        return images if self.are_points else to_uint8(images)

    def _as_fed(self, labels):
        """Labels (N,) as the network's own input wants them, once they are known to be classes."""
        message = f"labels must be from 0 to {self.classes - 1}."
        checks = [
            tf.debugging.assert_non_negative(labels, message=message),
            tf.debugging.assert_less(labels, self.classes, message=message),
        ]
        entry = self.network.inputs[1]
        with tf.control_dependencies(checks):
            labels = tf.cast(tf.identity(labels), entry.dtype)  # a cast to the same type would wait for nothing
        return labels[:, None] if len(entry.shape) == 2 else labels


def _generated(asked):
    """Latents in, floats out; or numbers in, pixels out."""
    specs = [tf.TensorSpec((asked.batch, *asked.network.inputs[0].shape[1:]), tf.float32, name="latents")]
    example = {"latents": np.zeros((1, *specs[0].shape[1:]), np.float32)}
    if asked.classes is not None:
        specs.append(tf.TensorSpec((asked.batch,), tf.int32, name="labels"))
        example["labels"] = np.zeros(1, np.int32)

    def serving_default(latents, labels=None):
        enough = _within("The number of latents", tf.shape(latents)[0], asked.max_images)
        with tf.control_dependencies([enough]):
            return {"images": asked.images(tf.identity(latents), labels)}

    rows, some = asked.rows()

    def sample(rows, seed):
        return {"images": asked.pixels(asked.sampled(rows, seed))}

    return {
        "serving_default": Signature(serving_default, tuple(specs), {"images": asked.drawn}, example),
        "sample": Signature(
            sample, (rows, asked.seed), {"images": asked.shown}, {rows.name: some, "seed": np.int32(0)}
        ),
    }


def _as_files(asked):
    """PNG files: a name in _bytes is what TF Serving's REST interface sends in base64."""
    if asked.are_points:
        return {}
    rows, some = asked.rows()

    def sample_png(rows, seed):
        pixels = asked.pixels(asked.sampled(rows, seed))
        return {"png_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    outputs = {"png_bytes": {"shape": [None], "dtype": "string"}}
    return {"sample_png": Signature(sample_png, (rows, asked.seed), outputs, {rows.name: some, "seed": np.int32(0)})}


def _truncated(asked):
    """More typical images, and less varied: coordinates of a truncated normal (Brock et al. 2019, Sec. 3.1).

    Each coordinate keeps its quantile, z -> F_t^-1(F(z)), so that it has exactly the distribution that drawing again
    would give, and an image changes gradually from that of `sample` as the truncation falls.
    """
    if type(asked.prior) is not Normal:
        return {}
    rows, some = asked.rows()
    truncation = tf.TensorSpec((), tf.float32, name="truncation")
    scale = 2.0**0.5

    def sample_truncated(rows, seed, truncation):
        positive = tf.debugging.assert_positive(truncation, message="truncation must be above 0.")
        with tf.control_dependencies([positive]):
            bound = tf.cast(truncation, tf.float64) / scale  # float32 has no digits left where erf is nearly 1

        def inside(latents):
            z = tf.cast(latents, tf.float64) / (scale * asked.prior.stddev)
            kept = scale * asked.prior.stddev * tf.math.erfinv(tf.math.erf(bound) * tf.math.erf(z))
            return tf.cast(kept, tf.float32)

        return {"images": asked.pixels(asked.sampled(rows, seed, inside))}

    example = {rows.name: some, "seed": np.int32(0), "truncation": np.float32(1.0)}
    return {
        "sample_truncated": Signature(
            sample_truncated, (rows, asked.seed, truncation), {"images": asked.shown}, example
        )
    }


def _between(asked):
    """Images on the way between the first latents of two seeds: an arc for normal ones (White 2016), else a line."""
    if asked.are_points or type(asked.prior) not in (Normal, Uniform):
        return {}
    scalar = {name: tf.TensorSpec((), tf.int32, name=name) for name in ("seed_a", "seed_b", "steps", "label")}
    way = _arc if type(asked.prior) is Normal else _line

    def interpolate(seed_a, seed_b, steps, label=None):
        steps = _within("steps", steps, asked.max_images, least=2)
        share = tf.linspace(0.0, 1.0, steps)[:, None]
        latents = way(*(asked.model.draw_latents(1, seed) for seed in (seed_a, seed_b)), share)
        labels = None if label is None else tf.fill((steps,), label)
        return {"images": asked.pixels(asked.images(latents, labels))}

    names = ("seed_a", "seed_b", "steps") if asked.classes is None else ("seed_a", "seed_b", "steps", "label")
    example = dict(zip(scalar, map(np.int32, (0, 1, 2, 0)), strict=True))
    return {
        "interpolate": Signature(
            interpolate,
            tuple(scalar[name] for name in names),
            {"images": asked.shown},
            {name: example[name] for name in names},
        )
    }


_FAMILIES = (_generated, _as_files, _truncated, _between)


def _within(name, number, most, least=1):
    """The number, once it is known to be from `least` to `most`."""
    message = f"{name} must be from {least} to {most}."
    checks = [
        tf.debugging.assert_greater_equal(number, least, message=message),
        tf.debugging.assert_less_equal(number, most, message=message),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(number)


def _line(start, end, share):
    return start + share * (end - start)


def _arc(start, end, share):
    """Shoemake 1985: sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, with the angle w between a and b."""
    cosine = tf.reduce_sum(tf.math.l2_normalize(start) * tf.math.l2_normalize(end))
    angle = tf.acos(tf.clip_by_value(cosine, -_TOGETHER, _TOGETHER))
    arc = (tf.sin((1.0 - share) * angle) * start + tf.sin(share * angle) * end) / tf.sin(angle)
    return tf.where(tf.abs(cosine) < _TOGETHER, arc, _line(start, end, share))
