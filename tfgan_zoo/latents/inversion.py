"""From an image back to the latent that makes it, or whatever comes nearest."""

import typing

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import noise, pixels, runtime
from tfgan_zoo.latents import drawing
from tfgan_zoo.metrics import features
from tfgan_zoo.priors import Uniform


class Inversion(typing.NamedTuple):
    """The result of `invert`.

    Args:
        images: (N, *image_shape) float32: what the latents make.
        latents: (N, latent_dim) float32.
        errors: (N,) float64: mean squared difference to the images that were given, in pixels or in features.
    """

    images: np.ndarray
    latents: np.ndarray
    errors: np.ndarray


def invert(
    model,
    images,
    labels=None,
    extractor=None,
    steps=300,
    restarts=4,
    learning_rate=0.1,
    seed=0,
    to=None,
    verbose=True,
):
    """Latents whose images come nearest to given ones, by gradient descent from several draws; the best one is kept.

    Zhu et al. 2016, Sec. 3.1, Eq. 2 (pixels or features of a network); Lipton & Tripathi 2017 (several starts, latents
    of a uniform prior kept within its bounds). Adam, its rate falling to 0 along a cosine.

    Args:
        model: any generative model with latents.
        images: (N, *image_shape) float32 in [-1, 1], or uint8; or points (N, 2).
        labels: (N,) the images' classes, for a conditional model.
        extractor: network whose features are compared, as in `nearest`; None for pixels.
        steps: of Adam.
        restarts: draws from the prior to begin with, at least 1.
        learning_rate: of the first step.
        seed: integer, of the draws.
        to: the PNG to write, or None: the images, and under each what was found.
        verbose: True shows progress.

    Returns:
        An `Inversion`.

    Raises:
        ValueError: if images, labels, extractor or a number is none of these, or the model has no latents.
    """
    images, condition = _checked(model, images, labels)
    steps, restarts = drawing.count_of("steps", steps), drawing.count_of("restarts", restarts)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate={learning_rate!r}: give a positive number, such as 0.1.")
    measure = _measure(extractor, images.shape[1:])
    starts = drawing.latents_drawn(model, restarts * len(images), seed)
    target = measure(np.tile(images, (restarts, *[1] * (images.ndim - 1))))
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    latents, errors = _descend(model, starts, drawing.tiled(condition, restarts), target, measure, rate, steps, verbose)
    latents, errors = latents.reshape(restarts, len(images), -1), errors.reshape(restarts, -1)
    best = errors.argmin(axis=0), np.arange(len(images))
    latents, errors = latents[best], errors[best]
    made = drawing.images_of(model, latents, condition)
    titles = None if images.ndim == 2 else [f"{error:.3f}" for error in errors]
    both = np.concatenate([images, made])
    drawing.save(both, to, len(images), ["image", "found"], titles, "mean squared error")
    return Inversion(made, latents, errors)


def project_styles(
    model,
    images,
    labels=None,
    extractor=None,
    per_layer=False,
    steps=300,
    learning_rate=0.1,
    seed=0,
    to=None,
    verbose=True,
):
    """Styles whose images come nearest to given ones, from the mean style: one for all layers (W), or one each (W+).

    Karras et al. 2020, App. D: noise on the styles that fades over three quarters of the steps, Adam whose rate rises
    over the first twentieth and falls over the last quarter. Abdal et al. 2019 for W+, which comes closer and is
    edited less well. The noise maps of the synthesis stay as they are.

    Args:
        model: a `tz.StyleGAN`.
        images: (N, *image_shape) float32 in [-1, 1], or uint8.
        labels: (N,) the images' classes, for a conditional model, whose styles know them already; they take no part.
        extractor: network whose features are compared, as in `nearest`; None for pixels.
        per_layer: whether every layer has a style of its own.
        steps: of Adam.
        learning_rate: the highest.
        seed: integer, of the noise, and of the 1,000 latents whose styles' spread is its measure.
        to: the PNG to write, or None: the images, and under each what was found.
        verbose: True shows progress.

    Returns:
        An `Inversion`, whose latents are styles (N, num_ws, style_dim).

    Raises:
        ValueError: if the model has no styles, or images, extractor or a number is none of these.
    """
    if not hasattr(model, "synthesize_styles"):
        raise ValueError(f"{model.name} has no styles: give a tz.StyleGAN, or take tz.latents.invert.")
    unconditional = model.condition is None
    images, _ = _checked(model, images, labels if unconditional else np.zeros(len(images), "int32"))
    steps = drawing.count_of("steps", steps)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate={learning_rate!r}: give a positive number, such as 0.1.")
    measure = _measure(extractor, images.shape[1:])
    target = measure(images)
    drawn = drawing.latents_drawn(model, 1000, seed)
    told = None if unconditional else tf.constant(drawing.condition_of(model, 1000, None, seed))
    styles = model.map(tf.constant(drawn), told)[:, 0]
    spread = float(tf.sqrt(tf.reduce_mean((styles - model.mean_style) ** 2)))
    shape = (len(images), model.num_ws if per_layer else 1, model.mean_style.shape[0])
    found = keras.Variable(np.broadcast_to(model.mean_style, shape), name="styles")
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build([found])

    def errors(styles):
        made = measure(model.synthesize_styles(tf.broadcast_to(styles, (shape[0], model.num_ws, shape[2]))))
        return tf.reduce_mean(tf.reshape((made - target) ** 2, (shape[0], -1)), axis=1)

    @tf.function
    def step(noise_strength, key):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(found.value)
            moved = found.value + noise_strength * noise.normal(shape, key)
            total = tf.reduce_sum(errors(moved))
        runtime.update(optimizer, [tape.gradient(total, found.value)], [found])

    from rich.progress import track

    for number in track(range(steps), "Projecting", disable=not verbose):
        time = number / steps
        ramp = min(1.0, time / 0.05 + 1.0 / steps) * (0.5 - 0.5 * np.cos(np.pi * min(1.0, (1.0 - time) / 0.25)))
        optimizer.learning_rate = learning_rate * ramp
        strength = 0.05 * spread * max(0.0, 1.0 - time / 0.75) ** 2
        step(tf.constant(strength, tf.float32), tf.constant([seed, number]))
    styles = np.array(tf.broadcast_to(found.value, (shape[0], model.num_ws, shape[2])))
    made = np.asarray(model.synthesize_styles(tf.constant(styles)))
    final = np.asarray(errors(found.value), "float64")
    titles = [f"{error:.3f}" for error in final]
    both = np.concatenate([images, made])
    drawing.save(both, to, len(images), ["image", "found"], titles, "mean squared error")
    return Inversion(made, styles, final)


def _descend(model, starts, condition, target, measure, rate, steps, verbose):
    """The latents at the end of the descent, and the mean squared error of each."""
    from rich.progress import track

    latents, optimizer = keras.Variable(starts, name="latents"), keras.optimizers.Adam(rate)
    condition = None if condition is None else tf.convert_to_tensor(condition)
    optimizer.build([latents])
    bounds = (model.prior.low, model.prior.high) if isinstance(getattr(model, "prior", None), Uniform) else None

    def errors():
        made = measure(model.draw(latents=latents.value, condition=condition))
        return tf.reduce_mean(tf.reshape((made - target) ** 2, (len(starts), -1)), axis=1)

    @tf.function
    def step():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(latents.value)
            total = tf.reduce_sum(errors())  # a latent's own error is all that moves it
        runtime.update(optimizer, [tape.gradient(total, latents.value)], [latents])
        if bounds:
            latents.assign(tf.clip_by_value(latents.value, *bounds))

    for _ in track(range(steps), "Inverting", disable=not verbose):
        step()
    return np.asarray(latents), np.asarray(errors(), "float64")


def _measure(extractor, image_shape):
    """Function images -> what is compared: themselves, or their features."""
    if extractor is None:
        return lambda images: tf.convert_to_tensor(images)
    extractor = features.extractor_of(extractor)
    if len(image_shape) == 1:
        raise ValueError("extractor was given, but points are their own features: leave it out.")
    extractor.preprocessing(image_shape)  # raises where the channels cannot be converted
    shape = [own if wanted is None else wanted for wanted, own in zip(extractor.image_shape, image_shape, strict=True)]

    def measure(images):
        return features.heads(extractor.model(features.fitted(images, shape), training=False))["features"]

    return measure


def _checked(model, images, labels):
    """Images as float32 of the model's shape, and their labels."""
    if getattr(model, "draws_levels", False):
        raise ValueError(
            f"{model.name} draws levels, through which no gradient goes back to its latents: take model.encode(images)."
        )
    images = np.asarray(images)
    if images.shape[1:] != tuple(model.image_shape) or not len(images):
        raise ValueError(f"images has shape {images.shape}: {model.name} makes (N, *{tuple(model.image_shape)}).")
    if labels is None and model.condition is not None:
        raise ValueError(f"{model.name} is conditional: give labels=, the class of each of the {len(images)} images.")
    if images.dtype == "uint8":
        images = np.asarray(pixels.from_uint8(images))
    if not np.issubdtype(images.dtype, np.floating) or not np.isfinite(images).all():
        raise ValueError(f"images are {images.dtype}, or not finite: give float32 in [-1, 1], or uint8.")
    if images.ndim == 4 and np.abs(images).max() > 1.001:
        raise ValueError(
            f"images run from {images.min():g} to {images.max():g}: they belong in [-1, 1]; of 0..255 give uint8."
        )
    return np.asarray(images, "float32"), drawing.condition_of(model, len(images), labels, 0)
