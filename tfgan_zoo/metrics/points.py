"""Scores of 2-D points drawn from a mixture whose modes are known."""

import numpy as np

REACH = 3.0  # standard deviations within which a point belongs to a mode


def modes_covered(points, centres, deviation):
    """How many modes the points reach.

    A mode counts when 1 % of all points (up to 10 modes) or a tenth of its fair share (more modes: 0.4 % for 25) lies
    within 3σ of it.

    Source: Srivastava et al. 2017 (VEEGAN), Sec. 4.1, where a single point is enough; a share does not grow with N.

    Args:
        points: (N, 2).
        centres: (M, 2) the modes.
        deviation: σ of each mode.

    Returns:
        An int from 0 to M.
    """
    share = 0.01 if len(centres) <= 10 else 0.1 / len(centres)
    near = _distances(points, centres) <= REACH * deviation
    return int(np.sum(near.mean(0) >= share))


def high_quality(points, centres, deviation):
    """The fraction of points within 3σ of any mode; of the mixture itself it is 1 − exp(−9/2) = 98.9 %.

    Source: Srivastava et al. 2017 (VEEGAN), Sec. 4.1.

    Args:
        points: (N, 2).
        centres: (M, 2) the modes.
        deviation: σ of each mode.

    Returns:
        A float in [0, 1].
    """
    return float(np.mean((_distances(points, centres) <= REACH * deviation).any(1)))


def _distances(points, centres):
    """(N, M) distances from every point to every centre."""
    return np.linalg.norm(np.asarray(points, np.float64)[:, None] - centres, axis=-1)
