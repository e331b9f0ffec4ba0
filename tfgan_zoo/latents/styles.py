"""What one does with styles: mixing those of two images, and pulling them towards their mean."""

import numpy as np
import tensorflow as tf

from tfgan_zoo.latents import drawing


def mix_styles(model, rows=4, columns=6, cutoff=None, labels=None, seed=0, to=None):
    """Images with one latent's styles in the small maps and another's in the large ones: a grid of both.

    Karras et al. 2019, Sec. 3.1 and Fig. 3. The first row and the first column are the images themselves.

    Args:
        model: a `tz.StyleGAN`.
        rows: latents whose styles the first layers read.
        columns: latents whose styles the others read.
        cutoff: layers that read the row's style, 1 to num_ws - 1; None for half of them.
        labels: (rows + columns,) for a conditional model, rows first; None draws them from the seed.
        seed: integer, of the latents.
        to: the PNG to write, or None.

    Returns:
        float32 array ((rows + 1) * (columns + 1), *image_shape), row after row; the first image is empty.

    Raises:
        ValueError: if the model has no styles, or a number is none of these.
    """
    _check(model)
    rows, columns = drawing.count_of("rows", rows), drawing.count_of("columns", columns)
    cutoff = model.num_ws // 2 if cutoff is None else drawing.count_of("cutoff", cutoff)
    if cutoff >= model.num_ws:
        raise ValueError(f"cutoff={cutoff}: {model.name} has {model.num_ws} styles, so give 1 to {model.num_ws - 1}.")
    styles = _styles(model, rows + columns, labels, seed)
    upper, lower = styles[:rows], styles[rows:]
    mixed = np.repeat(upper, columns, axis=0)
    mixed[:, cutoff:] = np.tile(lower, (rows, 1, 1))[:, cutoff:]
    images = _images(model, np.concatenate([styles, mixed]))
    own, beside, grid = np.split(images, [rows, rows + columns])
    grid = grid.reshape(rows, columns, *model.image_shape)
    top = np.concatenate([np.full((1, *model.image_shape), -1.0, "float32"), beside])
    body = np.concatenate([own[:, None], grid], axis=1).reshape(-1, *model.image_shape)
    images = np.concatenate([top, body])
    drawing.save(images, to, columns + 1, title=f"layers 1 to {cutoff} of the left, the others of the top")
    return images


def truncate_styles(model, psi=(1.0, 0.7, 0.5, 0.25, 0.0), num_images=8, cutoff=None, labels=None, seed=0, to=None):
    """Images of styles pulled towards their mean: a row for each psi, the latents of one seed in each.

    Karras et al. 2019, App. B and Fig. 8.

    Args:
        model: a `tz.StyleGAN`.
        psi: what remains of the distance from the mean, in [-1, 1]; one, or (rows,).
        num_images: images in a row.
        cutoff: layers that are truncated, from the smallest maps on; None for all.
        labels: (num_images,) for a conditional model; None draws them from the seed.
        seed: integer, of the latents.
        to: the PNG to write, or None.

    Returns:
        float32 array (rows * num_images, *image_shape), row after row.

    Raises:
        ValueError: if the model has no styles, or psi, num_images or labels are none of these.
    """
    _check(model)
    count, values = drawing.count_of("num_images", num_images), np.atleast_1d(np.asarray(psi, "float32"))
    if values.ndim > 1 or not len(values) or not (np.abs(values) <= 1.0).all():
        raise ValueError(f"psi={psi!r}: give numbers in [-1, 1]; 1 leaves images alone, 0 makes all of them the mean.")
    styles = _styles(model, count, labels, seed)
    pulled = [model.truncated(tf.constant(styles), float(one), cutoff) for one in values]
    images = _images(model, np.concatenate(pulled))
    drawing.save(images, to, count, [f"{one:g}" for one in values], title="left: psi")
    return images


def _check(model):
    if not hasattr(model, "synthesize_styles"):
        raise ValueError(f"{model.name} has no styles: give a tz.StyleGAN, such as the zoo's stylegan2.")


def _styles(model, count, labels, seed):
    latents, condition = drawing.latents_drawn(model, count, seed), drawing.condition_of(model, count, labels, seed)
    condition = None if condition is None else model.condition.as_tensor(condition)
    return np.array(model.map(tf.constant(latents), condition))


def _images(model, styles):
    return np.concatenate(
        [np.asarray(model.synthesize_styles(part)) for part in np.split(styles, range(256, len(styles), 256))]
    )
