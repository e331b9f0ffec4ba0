"""Directions that change one attribute of images, learned from what somebody says of samples, and judged by it."""

import typing

import numpy as np
import tensorflow as tf

from tfgan_zoo.latents import drawing


class Direction(typing.NamedTuple):
    """The result of `attribute_direction`.

    Args:
        vector: float32 (d,), of length 1, towards images that have the attribute: of latents, or of styles.
        bias: the boundary is where vector . code + bias = 0.
        accuracy: share of held-out samples that lie on their side of it.
        share: of the samples that have the attribute.
    """

    vector: np.ndarray
    bias: float
    accuracy: float
    share: float


def attribute_direction(model, attribute, num_latents=2000, labels=None, seed=0):
    """The direction, in styles where a model has them, else in latents, along which an attribute appears.

    Shen et al. 2020 (InterFaceGAN), Sec. 3.1: the normal of the plane that separates samples with the attribute from
    those without, found by logistic regression on three quarters of them.

    Args:
        model: any generative model with latents.
        attribute: function images (N, *image_shape) -> (N,) whether they have it, such as a classifier's word.
        num_latents: samples, at least 20.
        labels: (num_latents,) for a conditional model; None draws them from the seed.
        seed: integer, of the latents.

    Returns:
        A `Direction`.

    Raises:
        ValueError: if all samples have the attribute, or none, or a number is none of these.
    """
    from sklearn.linear_model import LogisticRegression

    if drawing.count_of("num_latents", num_latents) < 20:
        raise ValueError(f"num_latents={num_latents}: a direction needs at least 20 samples; 2,000 are usual.")
    codes, condition = _codes(model, num_latents, labels, seed)
    has = _asked(attribute, _images(model, codes, condition))
    if has.all() or not has.any():
        raise ValueError(
            f"attribute says the same of all {num_latents} samples: a direction needs some with it and some without."
        )
    kept = max(1, num_latents // 4)
    scale = codes[kept:].std()
    fit = LogisticRegression(max_iter=1000).fit(codes[kept:] / scale, has[kept:])
    length = np.linalg.norm(fit.coef_)
    vector = (fit.coef_[0] / max(length, 1e-12)).astype("float32")
    bias = float(fit.intercept_[0] * scale / max(length, 1e-12))
    accuracy = float(((codes[:kept] @ vector + bias > 0) == has[:kept]).mean())
    return Direction(vector, bias, accuracy, float(has.mean()))


def flip_attribute(model, direction, attribute, distance=2.0, num_latents=200, labels=None, seed=1, to=None):
    """The share of samples whose attribute changes when they are moved across a direction's boundary.

    Args:
        model, attribute, labels: as in `attribute_direction`.
        direction: what that gave.
        distance: how far behind the boundary samples end, in standard deviations of the codes along the direction.
        num_latents: samples.
        seed: integer, of the latents; another than the direction was learned from.
        to: the PNG to write, or None: up to 10 samples, and under each what became of it.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: if a number is none of these.
    """
    count = drawing.count_of("num_latents", num_latents)
    if not distance > 0:
        raise ValueError(f"distance={distance}: samples end behind the boundary, so give a positive number, such as 2.")
    codes, condition = _codes(model, count, labels, seed)
    images = _images(model, codes, condition)
    has, along = _asked(attribute, images), codes @ direction.vector + direction.bias
    goal = np.where(has, -1.0, 1.0) * distance * along.std()
    moved = _images(model, codes + (goal - along)[:, None].astype("float32") * direction.vector, condition)
    shown = min(10, count)
    drawing.save(np.concatenate([images[:shown], moved[:shown]]), to, shown, ["before", "behind"])
    return float((_asked(attribute, moved) != has).mean())


def _codes(model, count, labels, seed):
    """Styles (N, style_dim) where the model has them, else latents; and what stands beside them."""
    latents, condition = drawing.latents_drawn(model, count, seed), drawing.condition_of(model, count, labels, seed)
    if not hasattr(model, "synthesize_styles"):
        return latents, condition
    told = None if condition is None else model.condition.as_tensor(condition)
    return np.asarray(model.map(tf.constant(latents), told))[:, 0], condition


def _images(model, codes, condition):
    if not hasattr(model, "synthesize_styles"):
        return drawing.images_of(model, codes, condition)
    styles = np.repeat(codes[:, None], model.num_ws, axis=1)
    parts = (styles[at : at + 256] for at in range(0, len(styles), 256))
    return np.concatenate([np.asarray(model.synthesize_styles(tf.constant(part))) for part in parts])


def _asked(attribute, images):
    answers = np.asarray(attribute(images))
    if answers.shape != (len(images),):
        raise ValueError(f"attribute gave {answers.shape} for {len(images)} images: let it say one word of each.")
    return answers.astype(bool)
