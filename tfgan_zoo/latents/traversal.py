"""Straight lines through latents: along one coordinate, or along any direction."""

import numpy as np

from tfgan_zoo.latents import drawing


def traversal(model, coordinates, values, rows=5, labels=None, seed=0, to=None):
    """Images of a few latents in each of which one part takes chosen values: a row a latent, a column a value.

    The display of Chen et al. 2016, Fig. 2.

    Args:
        model: any generative model with latents; its latents of `seed` are the rows'.
        coordinates: the part that varies: one coordinate of the latent, or a sequence of them, in [0, latent_dim).
        values: (columns,) for one coordinate; (columns, len(coordinates)) for several, such as the rows of np.eye(10)
            for a code of ten classes.
        rows: latents, at least 1.
        labels: (rows,) for a conditional model, which keeps it along a row; None draws them from the seed.
        seed: integer; rows of one seed are the same whatever varies in them.
        to: the PNG to write, or None.

    Returns:
        float32 array (rows * columns, *image_shape), row after row.

    Raises:
        ValueError: if coordinates, values, rows or labels are none of these, or the model has no latents.
    """
    rows = drawing.count_of("rows", rows)
    starts = drawing.latents_drawn(model, rows, seed)
    part, values = np.asarray(coordinates), np.asarray(values, "float32")
    _check(part, values, model.latent_dim)
    condition = drawing.condition_of(model, rows, labels, seed)
    latents = np.repeat(starts[:, None], len(values), axis=1)
    latents[..., part] = values  # the same in every row
    latents = latents.reshape(-1, model.latent_dim)
    images = drawing.images_of(model, latents, drawing.repeated(condition, len(values)))
    titles = [f"{value:g}" for value in values] if values.ndim == 1 else range(1, len(values) + 1)
    drawing.save(images, to, len(values), range(1, rows + 1), titles, f"latent coordinates {part.tolist()}")
    return images


def along(model, directions, steps, rows=1, labels=None, seed=0, to=None):
    """Images of latents moved along directions: a column a step; for each direction, a row a latent.

    Args:
        model: any generative model with latents; its latents of `seed` are moved.
        directions: (latent_dim,), such as `turn` gives, or (k, latent_dim), such as `pca_directions` gives.
        steps: (columns,) how far, in lengths of the direction; 0 is the latent itself.
        rows: latents for each direction, at least 1; the same for all of them.
        labels: (rows,) for a conditional model; None draws them from the seed.
        seed: integer, of the latents.
        to: the PNG to write, or None.

    Returns:
        float32 array (k * rows * columns, *image_shape), row after row, direction after direction.

    Raises:
        ValueError: if directions, steps, rows or labels are none of these, or the model has no latents.
    """
    rows, steps = drawing.count_of("rows", rows), np.asarray(steps, "float32")
    starts = drawing.latents_drawn(model, rows, seed)
    directions = drawing.latents_of("directions", np.atleast_2d(directions), model)
    if steps.ndim != 1 or not len(steps):
        raise ValueError(f"steps has shape {steps.shape}: give (columns,), such as np.linspace(-3, 3, 7).")
    condition = drawing.repeated(drawing.condition_of(model, rows, labels, seed), len(steps))
    latents = starts[None, :, None] + steps[:, None] * directions[:, None, None]
    condition = drawing.tiled(condition, len(directions))
    images = drawing.images_of(model, latents.reshape(-1, model.latent_dim), condition)
    many = [range(1, len(directions) + 1), range(1, rows + 1)]
    names = (
        many[0] if rows == 1 else many[1] if len(directions) == 1 else [f"{k}.{r}" for k in many[0] for r in many[1]]
    )
    title = "along a direction" if len(directions) == 1 else "along directions"
    drawing.save(images, to, len(steps), names, [f"{step:+.3g}" for step in steps], title)
    return images


def _check(part, values, latent_dim):
    if part.dtype.kind not in "iu" or part.ndim > 1 or not part.size:
        raise ValueError(f"coordinates={part.tolist()!r}: give an integer, or a sequence of them.")
    if part.min() < 0 or part.max() >= latent_dim:
        raise ValueError(f"coordinates={part.tolist()}: this model's latents have coordinates 0 to {latent_dim - 1}.")
    if len(np.unique(part)) < part.size:
        raise ValueError(f"coordinates={part.tolist()} names one twice: give each once.")
    if values.ndim != 1 + part.ndim or values.shape[1:] != part.shape or not len(values):
        wanted = "(columns,)" if part.ndim == 0 else f"(columns, {part.size})"
        raise ValueError(f"values has shape {values.shape}: give {wanted} for coordinates={part.tolist()}.")
