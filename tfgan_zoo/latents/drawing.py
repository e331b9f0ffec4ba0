"""From latents to images, and from images to a labelled picture; written once for every tool here."""

import numpy as np

from tfgan_zoo import pictures

_BATCH = 256  # latents at a time; the images do not depend on it


def images_of(model, latents, told=()):
    """Images of latents from the averaged generator.

    Args:
        model: any generative model.
        latents: (N, latent_dim).
        told: what the generator is told beside them, arrays of N rows.

    Returns:
        float32 array (N, *image_shape).
    """
    parts = []
    for start in range(0, len(latents), _BATCH):
        latent, *rest = (rows[start : start + _BATCH] for rows in (np.asarray(latents, "float32"), *told))
        parts.append(np.asarray(model([latent, *rest] if rest else latent), "float32"))
    return np.concatenate(parts)


def told(model, count, labels, seed):
    """What the generator is told beside `count` latents, as arrays: labels, given or drawn as `generate` draws them.

    Raises:
        ValueError: if labels are given to a model without them, or are not `count` integers in its range.
    """
    if labels is None and len(model.ema_network.inputs) == 1:
        return ()
    return tuple(np.asarray(rows) for rows in model.told(count, labels, seed))


def repeated(told_rows, times):
    """Each row of each array, so many times in succession."""
    return tuple(np.repeat(rows, times, axis=0) for rows in told_rows)


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
    width = model.latent_dim if model is not None else "d"
    wrong_width = model is not None and value.shape[-1:] != (model.latent_dim,)
    if value.ndim != 2 or not len(value) or wrong_width:
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
