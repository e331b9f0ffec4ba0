"""Ways through latent space: what changes in the image when one part of the latent does."""

import numpy as np


def traversal(model, coordinates, values, rows=5, seed=0):
    """Images of a few latents in each of which one part takes chosen values: a row a latent, a column a value.

    The display of Chen et al. 2016, Fig. 2. The images come from the averaged generator.

    Args:
        model: an unconditional model; its latents of `seed` are the rows'.
        coordinates: the part that varies: one coordinate of the latent, or a sequence of them, in [0, latent_dim).
        values: (columns,) for one coordinate; (columns, len(coordinates)) for several, such as the rows of np.eye(10)
            for a code of ten classes.
        rows: latents, at least 1.
        seed: integer; rows of one seed are the same whatever varies in them.

    Returns:
        float32 array (rows * columns, *image_shape), row after row.

    Raises:
        ValueError: if the model wants labels, or coordinates, values or rows are none of these.
    """
    if len(model.ema_network.inputs) > 1:
        raise ValueError(f"{model.name} is told labels: traversal goes through the latents of an unconditional model.")
    if isinstance(rows, bool) or not isinstance(rows, (int, np.integer)) or rows < 1:
        raise ValueError(f"rows={rows!r}: ask for at least 1 row.")
    part, values = np.asarray(coordinates), np.asarray(values, "float32")
    _check(part, values, model.latent_dim)
    latents = np.repeat(np.asarray(model.draw_latents(int(rows), seed))[:, None], len(values), axis=1)
    latents[..., part] = values  # the same in every row
    return np.asarray(model(latents.reshape(-1, model.latent_dim)), "float32")


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
