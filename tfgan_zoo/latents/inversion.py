"""From an image back to the latent that makes it, or whatever comes nearest."""

import typing

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import pixels, runtime
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
