"""From latents to images, and from images to a labelled picture; written once for every tool here."""

import numpy as np
from keras import ops

from tfgan_zoo import pictures

_BATCH = 256  # latents at a time; the images do not depend on it


def width_of(model):
    """Coordinates of a model's latents.

    Raises:
        ValueError: if its images do not come from latents.
    """
    if not callable(getattr(model, "draw_latents", None)):
        raise ValueError(f"{model.name} has no latents: give a model with draw_latents, such as a GAN, VAE or flow.")
    return model.latent_dim


def latents_drawn(model, count, seed):
    """The latents (count, latent_dim) of `generate(count, seed=seed)`; or a sentence, as in `width_of`."""
    width_of(model)
    return np.asarray(model.draw_latents(count, seed))


def images_of(model, latents, condition=None):
    """Images of latents.

    Args:
        model: any generative model with latents.
        latents: (N, latent_dim).
        condition: (N, ...) what `condition_of` gave, or None.

    Returns:
        float32 array (N, *image_shape).
    """
    latents, parts = ops.convert_to_tensor(latents, "float32"), []
    condition = None if condition is None else ops.convert_to_tensor(condition)
    for start in range(0, len(latents), _BATCH):
        rows = slice(start, start + _BATCH)
        images = model.draw(latents=latents[rows], condition=None if condition is None else condition[rows])
        parts.append(np.asarray(images, "float32"))
    return np.concatenate(parts)


def condition_of(model, count, labels, seed):
    """What stands beside `count` latents of a conditional model, given or drawn as `generate` draws it; or None.

    Raises:
        ValueError: if labels are given to a model without them, or are none that it takes.
    """
    if model.condition is None:
        if labels is not None:
            raise ValueError(f"labels were given, but {model.name} is unconditional: leave them out.")
        return None
    if labels is None:
        return np.asarray(model.condition.sample(count, seed))
    numbered = getattr(model.condition, "numbered", lambda labels, _: labels)
    return model.condition.check(numbered(labels, model.name), count, model.name)


def repeated(condition, times):
    """Each row, so many times in succession; None stays None."""
    return None if condition is None else np.repeat(condition, times, axis=0)


def tiled(condition, times):
    """All rows, so many times in succession; None stays None."""
    return None if condition is None else np.concatenate([condition] * times)


def count_of(name, value):
    """`value` as an int.

    Raises:
        ValueError: unless it is a whole number of at least 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name}={value!r}: ask for at least 1.")
    return int(value)


def latents_of(name, value, model=None):
    """`value` as a float32 matrix of latents.

    Raises:
        ValueError: unless it is (n >= 1, d) and finite, and d what the model reads, if there is one.
    """
    value = np.asarray(value, "float32")
    width = "d" if model is None else width_of(model)
    if value.ndim != 2 or not len(value) or (model is not None and value.shape[1] != width):
        raise ValueError(
            f"{name} has shape {value.shape}: give latents (n, {width}), such as model.draw_latents gives."
        )
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds NaN or infinity: latents are finite.")
    return value


def save(images, to, columns, row_titles=None, column_titles=None, title=None):
    """Save images as a labelled PNG, or points as a scatter with a panel for each row; nothing where `to` is None."""
    if to is None:
        return
    if images.ndim > 2:
        pictures.save_labelled_grid(images, to, columns, row_titles, column_titles, title)
        return
    rows = images.reshape(-1, columns, images.shape[-1])
    names = range(1, len(rows) + 1) if row_titles is None else row_titles
    pictures.save_scatter({str(name): row for name, row in zip(names, rows, strict=True)}, to)
