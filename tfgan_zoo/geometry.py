"""From one latent to another: in a straight line, or over the sphere."""

import numpy as np


def lerp(start, end, shares):
    """Latents on the straight line between two: (1 - share) start + share end.

    Between two draws of a normal prior it leads through latents that are shorter than nearly all that are drawn.

    Args:
        start, end: (..., d), of one shape.
        shares: of the way, 0 at the start and 1 at the end: one number, or (S,), which hold for every pair; or
            (..., 1), one for each pair.

    Returns:
        float64 (..., d); (..., S, d) for shares (S,).

    Raises:
        ValueError: if the shapes do not fit.

    Example:

    >>> lerp([0.0, 0.0], [2.0, 4.0], 0.5).tolist()
    [1.0, 2.0]
    """
    start, end, share = _broadcast(start, end, shares)
    return (1.0 - share) * start + share * end


def slerp(start, end, shares):
    """Latents on the great circle between two directions, at a constant angular speed; lengths change linearly.

    Shoemake 1985, Eq. for Slerp; White 2016, Sec. 2.1, for latents. Where lengths are equal this is White's formula;
    where they differ, his grows without bound as the two become opposite, and this does not. Between exactly opposite
    directions, which many great circles join, it takes the one through the axis that both are farthest from.

    Args:
        start, end: (..., d), d >= 2, of one shape. A latent of length 0 takes the other's direction.
        shares: as in `lerp`.

    Returns:
        float64 (..., d); (..., S, d) for shares (S,).

    Raises:
        ValueError: if the shapes do not fit, or d is 1.

    Example:

    >>> slerp([2.0, 0.0], [0.0, 2.0], 0.5).round(3).tolist()
    [1.414, 1.414]
    """
    start, end, share = _broadcast(start, end, shares)
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
    turned = np.cos(share * angle) * here + np.sin(share * angle) * across
    return ((1.0 - share) * near + share * far) * turned


def _broadcast(start, end, shares):
    """Latents and shares as float64 arrays that broadcast."""
    start, end, shares = (np.asarray(part, "float64") for part in (start, end, shares))
    if start.shape != end.shape or not start.ndim:
        raise ValueError(f"start is {start.shape} and end {end.shape}: give latents of one shape (..., d).")
    if shares.ndim == 1:
        return start[..., None, :], end[..., None, :], shares[:, None]
    if shares.ndim and shares.shape != (*start.shape[:-1], 1):
        raise ValueError(f"shares has shape {shares.shape}: give one number, (S,), or one for each pair, (..., 1).")
    return start, end, shares


def _polar(latents):
    """(directions of length 1, lengths (..., 1)); the direction of length 0 is 0."""
    lengths = _length(latents)
    return latents / np.where(lengths > 0, lengths, 1.0), lengths


def _length(latents):
    return np.linalg.norm(latents, axis=-1, keepdims=True)
