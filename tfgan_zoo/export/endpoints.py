"""What a served model may be asked for, by what names: signatures that follow from the verbs a model has.

A SavedModel has no optional inputs, so the inputs are fixed by what the model is: told something or not, making images
or points, with which prior, with which verbs. Every function of `_VERBS` looks at the model and returns what it can
answer; a model's own `endpoints()` comes on top. Signatures are only ever added.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.pixels import to_uint8
from tfgan_zoo.priors import Codes, Normal, Uniform

MAX_IMAGES = 1024  # in one request, unless `export` is told otherwise
_TOGETHER = 1.0 - 1e-6  # cosine of two latents that have no arc between them


@dataclasses.dataclass(frozen=True)
class Signature:
    """One thing to ask for.

    Args:
        function: of the inputs by name, to a dict of outputs by name.
        inputs: a `tf.TensorSpec` with its name for each.
        example: name -> a small input, for warming up and for comparing what was written with its source.
    """

    function: Callable
    inputs: tuple
    example: dict

    def traced(self):
        """The function as a tf.function of the inputs, which refuses NaN and infinity."""

        def function(*tensors):
            given = {spec.name: tensor for spec, tensor in zip(self.inputs, tensors, strict=True)}
            return self.function(**{name: _finite(name, tensor) for name, tensor in given.items()})

        return tf.function(function, input_signature=self.inputs, autograph=False)

    def answer(self):
        """What the function gives for the example, as NumPy arrays by name."""
        given = {name: tf.constant(value) for name, value in self.example.items()}
        return {name: np.asarray(value) for name, value in self.function(**given).items()}

    def describe(self, outputs):
        """For the card: inputs and outputs -> name -> shape and dtype.

        Args:
            outputs: dict name -> tensor or TensorSpec, as the traced function gives them.
        """
        sides = {"inputs": {spec.name: spec for spec in self.inputs}, "outputs": outputs}
        return {
            side: {name: {"shape": _listed(spec.shape), "dtype": spec.dtype.name} for name, spec in specs.items()}
            for side, specs in sides.items()
        }


def of(model, max_images=MAX_IMAGES, batch=None):
    """All that a model can be asked for.

    Args:
        model: anything with `start`, `draw`, `image_shape` and `condition`; further verbs where it has them.
        max_images: that one request may ask for.
        batch: fixed size of serving_default's batch, or None for a free one.

    Returns:
        Dict name -> `Signature`, serving_default first.
    """
    served = _Served(model, max_images, batch)
    signatures = {name: signature for verb in _VERBS for name, signature in verb(served).items()}
    own = getattr(model, "endpoints", dict)()
    return signatures | {name: Signature(*parts) for name, parts in own.items()}


class _Served:
    """A model inside the graph, and the checks of what it is asked for."""

    def __init__(self, model, max_images, batch):
        self.model, self.max_images, self.batch = model, max_images, batch
        self.are_points = len(model.image_shape) == 1
        self.condition = model.condition
        self.prior = getattr(model, "prior", None)
        self.starts = {name: rows.shape[1:] for name, rows in model.start(1, noise.block_seed(0, 0)).items()}
        self.latents = next(iter(self.starts))  # beside which there may be more, such as a fraction for each pixel
        self.images = tf.TensorSpec((batch, *model.image_shape), tf.float32, name="images")
        self.shown = tf.TensorSpec((None, *model.image_shape), tf.float32 if self.are_points else tf.uint8)
        self.seed = tf.TensorSpec((), tf.int32, name="seed")
        specs = [tf.TensorSpec((batch, *shape), tf.float32) for shape in self.starts.values()]
        specs += [self.given(batch)] if self.condition is not None else []
        self._draw = tf.function(self._drawn, input_signature=specs, autograph=False)  # traced once for all signatures

    def _drawn(self, *tensors):
        given, tensors = dict(zip(self.starts, tensors, strict=False)), list(tensors[len(self.starts) :])
        if self.condition is not None:
            given["condition"] = tensors.pop(0)
        return tf.cast(self.model.draw(**given), tf.float32)

    def given(self, rows=None):
        """The spec of what the condition takes for so many images."""
        return tf.TensorSpec((rows, *self.condition.shape), self.condition.dtype, name=self.condition.name)

    def rows(self):
        """The input that says how many images: their number, or what each is told; and two as an example."""
        if self.condition is None:
            return tf.TensorSpec((), tf.int32, name="num_images"), np.int32(2)
        values, _ = self.condition.examples(2)
        return self.given(), values[[0, -1]]

    def sampled(self, rows, seed, change=None):
        """Images for a request's `rows` and seed, block by block, as `model.generate` draws them.

        Args:
            rows: number of images, or their condition.
            seed: integer.
            change: function (latents, number of their first row) -> other ones; None for none.
        """
        condition = None
        if self.condition is None:
            count = _within("num_images", rows, self.max_images)
        else:
            count = _within(f"The number of {self.condition.name}", tf.shape(rows)[0], self.max_images)
            condition = self.checked(rows)

        def draw(block, first, rows):
            start = self.model.start(rows, noise.block_seed(seed, block))
            if change is not None:
                start[self.latents] = change(start[self.latents], first)
            own = None if condition is None else condition[first : first + rows]
            return self.pixels(self.drawn(start.values(), own))

        return noise.in_blocks(count, draw, self.shown)

    def drawn(self, start, condition=None):
        """float32 images for what `start` gave."""
        return self._draw(*start, *([] if condition is None else [condition]))

    def pixels(self, images):
        """Images as they are shown: uint8; points as they are."""
        return images if self.are_points else to_uint8(images)

    def checked(self, values):
        """What images are told, once it is known to be allowed."""
        classes = getattr(self.condition, "num_classes", None)
        if classes is None:
            return values
        message = f"{self.condition.name} must be from 0 to {classes - 1}."
        checks = [
            tf.debugging.assert_non_negative(values, message=message),
            tf.debugging.assert_less(values, classes, message=message),
        ]
        with tf.control_dependencies(checks):
            return tf.identity(values)

    def enough(self, name, tensor):
        """A tensor of a request, once it is known to have not too many rows."""
        count = _within(f"The number of {name}", tf.shape(tensor)[0], self.max_images)
        with tf.control_dependencies([count]):
            return tf.identity(tensor)


def _generated(served):
    """What images start from in, floats out; or numbers in, pixels out; or PNG files."""
    names = list(served.starts)
    specs = [tf.TensorSpec((served.batch, *shape), tf.float32, name=name) for name, shape in served.starts.items()]
    example = {name: np.zeros((1, *shape), np.float32) for name, shape in served.starts.items()}
    rows, some = served.rows()
    if served.condition is not None:
        specs.append(served.given(served.batch))
        example[rows.name] = some[:1]

    def serving_default(**inputs):
        start = [served.enough(name, inputs[name]) for name in names]
        condition = None if served.condition is None else served.checked(inputs[rows.name])
        return {"images": served.drawn(start, condition)}

    def sample(**inputs):
        return {"images": served.sampled(inputs[rows.name], inputs["seed"])}

    def sample_png(**inputs):
        pixels = served.sampled(inputs[rows.name], inputs["seed"])
        return {"png_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}  # REST sends base64

    asked, two = (rows, served.seed), {rows.name: some, "seed": np.int32(0)}
    signatures = {
        "serving_default": Signature(serving_default, tuple(specs), example),
        "sample": Signature(sample, asked, two),
    }
    return signatures if served.are_points else signatures | {"sample_png": Signature(sample_png, asked, two)}


def _truncated(served):
    """More typical images, and less varied: coordinates of a truncated normal (Brock et al. 2019, Sec. 3.1).

    Each coordinate keeps its quantile, z -> F_t^-1(F(z)), so that it has exactly the distribution that drawing again
    would give, and an image changes gradually from that of `sample` as the truncation falls.
    """
    if type(served.prior) is not Normal or not _has_latents(served):
        return {}
    rows, some = served.rows()
    truncation = tf.TensorSpec((), tf.float32, name="truncation")
    scale = 2.0**0.5 * served.prior.stddev

    def sample_truncated(**inputs):
        positive = tf.debugging.assert_positive(inputs["truncation"], message="truncation must be above 0.")
        with tf.control_dependencies([positive]):
            bound = tf.cast(inputs["truncation"], tf.float64) / 2.0**0.5  # float32 has no digits where erf is nearly 1

        def inside(latents, _):
            z = tf.cast(latents, tf.float64) / scale
            return tf.cast(scale * tf.math.erfinv(tf.math.erf(bound) * tf.math.erf(z)), tf.float32)

        return {"images": served.sampled(inputs[rows.name], inputs["seed"], inside)}

    example = {rows.name: some, "seed": np.int32(0), "truncation": np.float32(1.0)}
    return {"sample_truncated": Signature(sample_truncated, (rows, served.seed, truncation), example)}


def _coded(served):
    """Images of codes of one's own (Chen et al. 2016), and of the noise that `sample` draws beside its own for a seed.

    A categorical code is one-hot where the generator has seen it; what lies between is on the way from one to another.
    """
    if type(served.prior) is not Codes or not _has_latents(served) or served.condition is not None:
        return {}
    size, shape = served.prior.code_dim, served.starts[served.latents]
    codes = tf.TensorSpec((None, size), tf.float32, name="codes")
    example = np.zeros((2, size), np.float32)
    at = 0
    for values in served.prior.categorical:
        example[:, at], at = 1.0, at + values

    def sample_codes(codes, seed):
        codes = served.enough("codes", codes)

        def with_codes(latents, first):
            own = codes[first : first + tf.shape(latents)[0]]
            return tf.concat([latents[:, : shape[-1] - size], own], axis=1)

        return {"images": served.sampled(tf.shape(codes)[0], seed, with_codes)}

    example = {"codes": example, "seed": np.int32(0)}
    return {"sample_codes": Signature(sample_codes, (codes, served.seed), example)}


def _between(served):
    """Images on the way between the first latents of two seeds: an arc for normal ones (White 2016), else a line."""
    if served.are_points or type(served.prior) not in (Normal, Uniform) or not _has_latents(served):
        return {}
    names = ["seed_a", "seed_b", "steps"]
    specs = [tf.TensorSpec((), tf.int32, name=name) for name in names]
    example = dict(zip(names, map(np.int32, (0, 1, 2)), strict=True))
    if served.condition is not None:
        name = served.condition.name.removesuffix("s")  # one label for all of the way
        specs.append(tf.TensorSpec(served.condition.shape, served.condition.dtype, name=name))
        example[name] = served.condition.examples(1)[0][0]
    way = _arc if type(served.prior) is Normal else _line

    def interpolate(seed_a, seed_b, steps, **given):
        steps = _within("steps", steps, served.max_images, least=2)
        share = tf.linspace(0.0, 1.0, steps)[:, None]
        latents = way(*(served.model.draw_latents(1, seed) for seed in (seed_a, seed_b)), share)
        condition = None
        if given:
            (one,) = given.values()
            condition = served.checked(tf.repeat(one[None], steps, axis=0))
        start = served.model.start(1, noise.block_seed(seed_a, 0))  # beside latents all images have what the first has
        start = {name: tf.repeat(row, steps, axis=0) for name, row in start.items()} | {served.latents: latents}
        return {"images": served.pixels(served.drawn(start.values(), condition))}

    return {"interpolate": Signature(interpolate, tuple(specs), example)}


def _of_images(served):
    """encode, decode, reconstruct and log_prob, where the model has them; with its condition, where it has one."""
    images, model = tf.TensorSpec((None, *served.model.image_shape), tf.float32, name="images"), served.model
    example, signatures = {"images": np.zeros((1, *model.image_shape), np.float32)}, {}
    told = () if served.condition is None else (served.given(),)
    one = {spec.name: served.condition.examples(1)[0][:1] for spec in told}

    def add(verb, output, inputs=images, example=example):
        function = getattr(model, verb, None)
        if callable(function):

            def asked(**given):
                condition = [served.checked(given[spec.name]) for spec in told]
                return {output: function(served.enough(inputs.name, given[inputs.name]), *condition)}

            signatures[verb] = Signature(asked, (inputs, *told), example | one)

    add("encode", "codes")
    if "encode" in signatures:
        given = {name: tf.constant(value) for name, value in (example | one).items()}
        codes = signatures["encode"].function(**given)["codes"]
        add(
            "decode",
            "images",
            tf.TensorSpec((None, *codes.shape[1:]), codes.dtype, name="codes"),
            {"codes": np.asarray(codes)},
        )
    add("reconstruct", "images")
    if callable(getattr(model, "log_prob", None)):

        def log_prob(images, seed):
            return {"nats": model.log_prob(served.enough("images", images), seed)}

        signatures["log_prob"] = Signature(log_prob, (images, served.seed), example | {"seed": np.int32(0)})
    return signatures


def _translated(served):
    """Images in, their translations out; with what each is to become, and a seed, where the model has them."""
    model = served.model
    if not callable(getattr(model, "translate", None)):
        return {}
    images = tf.TensorSpec((None, *model.source_shape), tf.float32, name="images")
    told = () if served.condition is None else (served.given(),)
    drawn = (served.seed,) if len(served.starts) > 1 else ()
    example = {"images": np.zeros((1, *model.source_shape), np.float32)}
    example |= {spec.name: served.condition.examples(1)[0][:1] for spec in told}
    example |= {"seed": np.int32(0)} if drawn else {}

    def translate(images, seed=0, **given):
        condition = served.checked(given[told[0].name]) if told else None
        return {"images": model.translate(served.enough("images", images), condition, seed)}

    return {"translate": Signature(translate, (images, *told, *drawn), example)}


_VERBS = (_generated, _truncated, _coded, _between, _of_images, _translated)


def _has_latents(served):
    return callable(getattr(served.model, "draw_latents", None))


def _finite(name, tensor):
    """The tensor, once it is known to hold no NaN and no infinity."""
    if not tensor.dtype.is_floating:
        return tensor
    check = tf.debugging.Assert(
        tf.reduce_all(tf.math.is_finite(tensor)), [f"{name} must hold neither NaN nor infinity."]
    )
    with tf.control_dependencies([check]):
        return tf.identity(tensor)


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


def _listed(shape):
    return shape.as_list() if hasattr(shape, "as_list") else list(shape)
