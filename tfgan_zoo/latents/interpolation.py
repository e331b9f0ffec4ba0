"""From one latent to another: in a straight line, or over the sphere."""

import numpy as np

from tfgan_zoo.latents import drawing


def lerp(start, end, shares):
    """Latents on the straight line between two: (1 - share) start + share end.

    Between two draws of a normal prior it leads through latents that are shorter than nearly all that are drawn.

    Args:
        start, end: (..., d), of one shape.
        shares: of the way, one number or (S,); 0 is the start, 1 the end.

    Returns:
        (..., d) float64 for one share, (..., S, d) for several.

    Raises:
        ValueError: if the shapes differ.

    Example:

    >>> lerp([0.0, 0.0], [2.0, 4.0], 0.5).tolist()
    [1.0, 2.0]
    """
    start, end, shares = _checked(start, end, shares)
    share = shares[..., None]
    return _inserted((1.0 - share) * start + share * end, shares)


def slerp(start, end, shares):
    """Latents on the great circle between two directions, at a constant angular speed; lengths change linearly.

    Shoemake 1985, Eq. for Slerp; White 2016, Sec. 2.1, for latents. Where lengths are equal this is White's formula;
    where they differ, his grows without bound as the two become opposite, and this does not. Between exactly opposite
    directions, which many great circles join, it takes the one through the axis that both are farthest from.

    Args:
        start, end: (..., d), d >= 2, of one shape. A latent of length 0 takes the other's direction.
        shares: of the way, one number or (S,); 0 is the start, 1 the end.

    Returns:
        (..., d) float64 for one share, (..., S, d) for several.

    Raises:
        ValueError: if the shapes differ, or d is 1.

    Example:

    >>> slerp([2.0, 0.0], [0.0, 2.0], 0.5).round(3).tolist()
    [1.414, 1.414]
    """
    start, end, shares = _checked(start, end, shares)
    if start.shape[-1] < 2:
        raise ValueError("slerp turns from one direction to another: latents of 1 coordinate have none; take lerp.")
    (here, near), (there, far) = _polar(start), _polar(end)
    here = np.where(near > 0, here, there)
    there = np.where(far > 0, there, here)
    # the angle from both chords: arccos of the product would lose half its digits where directions nearly agree
    angle = 2 * np.arctan2(_length(there - here), _length(there + here))
    across = there - np.sum(there * here, -1, keepdims=True) * here
    axis = np.zeros_like(here)
    np.put_along_axis(axis, np.argmin(np.abs(here), -1)[..., None], 1.0, -1)
    other = axis - np.sum(axis * here, -1, keepdims=True) * here
    across = _polar(np.where(_length(across) > 1e-12, across, other))[0]
    share = shares[..., None]
    turned = np.cos(share * angle) * here + np.sin(share * angle) * across
    return _inserted(((1.0 - share) * near + share * far) * turned, shares)


def interpolate(model, pairs, columns=10, path=slerp, labels=None, to=None):
    """Images on the way from one latent to another: a row for each pair of seeds.

    Source: Radford et al. 2016, Sec. 6.1 and Fig. 4: on a learned manifold nothing changes abruptly on the way.

    Args:
        model: any generative model with latents.
        pairs: (rows, 2) seeds; a row leads from the image `generate(1, seed=)` of its first to that of its second.
        columns: images in a row, at least 2, both ends counted.
        path: function (start, end, shares) -> latents: `slerp` or `lerp`.
        labels: (rows,) for a conditional model, which keeps it along a row; None takes that of the first seed.
        to: the PNG to write, or None.

    Returns:
        float32 array (rows * columns, *image_shape), row after row.

    Raises:
        ValueError: if pairs, columns or labels are none of these.
    """
    pairs = np.asarray(pairs)
    if pairs.dtype.kind not in "iu" or pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs) or pairs.min() < 0:
        raise ValueError(f"pairs={pairs.tolist()!r}: give pairs of seeds >= 0, such as [(0, 1), (2, 3)].")
    if drawing.count_of("columns", columns) < 2:
        raise ValueError("columns=1: a way has a start and an end, so at least 2 images.")
    if labels is None:
        rows = [drawing.told(model, 1, None, int(first)) for first, _ in pairs]
        told = tuple(np.concatenate(parts) for parts in zip(*rows, strict=True))
    else:
        told = drawing.told(model, len(pairs), labels, 0)
    starts, ends = (np.concatenate([model.draw_latents(1, int(seed)) for seed in seeds]) for seeds in pairs.T)
    shares = np.linspace(0.0, 1.0, columns)
    latents = path(starts, ends, shares).reshape(-1, model.latent_dim)
    images = drawing.images_of(model, latents, drawing.repeated(told, columns))
    titles = [f"{first} → {second}" for first, second in pairs]
    drawing.save(images, to, columns, titles, [f"{share:.2f}" for share in shares], f"{path.__name__} between seeds")
    return images


def _checked(start, end, shares):
    """Latents as (..., 1, d) and shares as they are, all float64."""
    start, end, shares = (np.asarray(part, "float64") for part in (start, end, shares))
    if start.shape != end.shape or not start.ndim:
        raise ValueError(f"start is {start.shape} and end {end.shape}: give latents of one shape (..., d).")
    if shares.ndim > 1:
        raise ValueError(f"shares has shape {shares.shape}: give one number, or (S,).")
    return start[..., None, :], end[..., None, :], shares


def _inserted(latents, shares):
    return latents if shares.ndim else latents[..., 0, :]


def _polar(latents):
    """(directions of length 1, lengths (..., 1)); the direction of length 0 is 0."""
    lengths = _length(latents)
    return latents / np.where(lengths > 0, lengths, 1.0), lengths


def _length(latents):
    return np.linalg.norm(latents, axis=-1, keepdims=True)
