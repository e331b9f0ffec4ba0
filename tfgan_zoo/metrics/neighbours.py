"""Precision and recall: does each fake lie where reals lie, and each real where fakes lie?

Both are questions about balls: around every point of a cloud, a ball that reaches its k-th nearest neighbour
(Kynkäänniemi et al. 2019, Sec. 2). Distances are worked out in tiles, so 10,000 x 10,000 of them never stand in memory
together.

A few outlying reals have large balls, and a classifier puts whatever it cannot place in the middle of its features,
where those balls are: pure noise can look precise. Its recall and its Fréchet distance do not deceive; read the three
together.
"""

import numpy as np

TILE = 1024  # rows whose distances to everything are in memory at once


def precision_recall(real, fake, k=3):
    """Improved precision and recall of a generator.

    Source: Kynkäänniemi et al. 2019, Eq. 1 and 2.

    Args:
        real: (n, d) features of real images, n > k.
        fake: (m, d) features of generated images, m > k.
        k: which neighbour the radius of a ball reaches.

    Returns:
        (precision, recall): the fraction of fakes inside some real's ball, and of reals inside some fake's ball.

    Raises:
        ValueError: not two matrices of one width, a value that is not finite, or k neighbours are not there.
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"Two matrices (n, d) of one width are needed; the shapes are {real.shape} and {fake.shape}.")
    return (
        float(covered(fake, real, squared_radii(real, k)).mean()),
        float(covered(real, fake, squared_radii(fake, k)).mean()),
    )


def squared_radii(features, k=3):
    """Squared distance from each point to its k-th nearest neighbour in the same cloud, itself not counted.

    Args:
        features: (n, d), n > k.
        k: 1 is the nearest.

    Returns:
        (n,) float64.

    Raises:
        ValueError: fewer than k + 1 points, or a value that is not finite.
    """
    features = np.asarray(features, np.float64)
    if not 1 <= k < len(features):
        raise ValueError(f"The {k}-th neighbour needs k ≥ 1 and at least {k + 1} images; there are {len(features)}.")
    if not np.isfinite(features).all():
        raise ValueError("The features contain NaN or infinity.")
    radii = np.empty(len(features))
    for start, squared in _tiles(features, features):
        rows = np.arange(len(squared))
        squared[rows, start + rows] = np.inf
        radii[start : start + len(squared)] = np.partition(squared, k - 1, axis=1)[:, k - 1]
    return np.maximum(radii, 0)  # round-off


def covered(points, centres, radii):
    """Which points lie in at least one ball.

    Args:
        points: (n, d).
        centres: (m, d) the balls' centres.
        radii: (m,) the balls' squared radii.

    Returns:
        (n,) bool.
    """
    points, centres = np.asarray(points, np.float64), np.asarray(centres, np.float64)
    # A point on a ball's edge is in it, although distances are exact only to round-off of the squared lengths.
    reach = radii + 1e-12 * np.max(np.sum((centres - centres.mean(0)) ** 2, 1))
    return np.concatenate([(squared <= reach).any(1) for _, squared in _tiles(points, centres)])


def _tiles(points, centres):
    """(first row, squared distances (≤ TILE, m)) over the rows of points, as one product of matrices."""
    middle = centres.mean(0)  # distances do not change, and small numbers cancel less
    points, centres = points - middle, centres - middle
    lengths = np.sum(points**2, 1, keepdims=True)
    rows = np.concatenate([-2 * points, lengths, np.ones_like(lengths)], 1)
    lengths = np.sum(centres**2, 1, keepdims=True)
    columns = np.concatenate([centres, np.ones_like(lengths), lengths], 1).T
    for start in range(0, len(points), TILE):
        yield start, rows[start : start + TILE] @ columns
