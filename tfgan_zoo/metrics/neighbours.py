"""Does each fake lie where reals lie, and each real where fakes lie? Precision, recall, density and coverage.

All four are questions about balls: around every point of a cloud, a ball that reaches its k-th nearest neighbour
(Kynkäänniemi et al. 2019, Sec. 2; Naeem et al. 2020, Sec. 3). `neighbour_scores` answers them in one pass over the
distances, which are worked out in blocks, so 50,000 x 50,000 of them never stand in memory together.

A few outlying reals have large balls, and a classifier puts whatever it cannot place in the middle of its features,
where those balls are: pure noise can look precise. Density and coverage suffer less, for they count how many balls
agree and ask nothing of the fakes' own balls. Read all of them together, and beside a Fréchet distance.
"""

import numpy as np

from tfgan_zoo.metrics import distances
from tfgan_zoo.metrics.distances import neighbour_distances


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
    real, fake = distances.alike(real=real, fake=fake)
    balls = [(squared_radii(real, k), True)]
    (around_fakes,), _, (around_reals,) = _meetings(fake, real, balls, [squared_radii(fake, k)])
    return float(np.mean(around_fakes > 0)), float(np.mean(around_reals > 0))


def density_coverage(real, fake, k=5):
    """Density and coverage of a generator: precision and recall that one outlier cannot carry.

    Source: Naeem et al. 2020, Eq. 4 and 5; at ties as in the authors' package prdc: a fake on a ball's very edge is
    outside, and so is a copy of an image that is there k + 1 times. (`precision_recall` counts edges as inside.)

    Args:
        real: (n, d) features of real images, n > k.
        fake: (m, d) features of generated images.
        k: which neighbour the radius of a real's ball reaches.

    Returns:
        (density, coverage): how many reals' balls a fake lies in, as a multiple of k (it can exceed 1); and the
        fraction of reals whose ball holds a fake. Of images like the real ones both expect about 1 and 1 − 2⁻ᵏ.

    Raises:
        ValueError: not two matrices of one width, a value that is not finite, or k neighbours are not there.
    """
    real, fake = distances.alike(real=real, fake=fake)
    (around,), (held,), _ = _meetings(fake, real, [(squared_radii(real, k), False)], [])
    return float(around.mean() / k), float(np.mean(held > 0))


def neighbour_scores(real, fake, k=3, density_k=5, real_distances=None):
    """Precision, recall, density and coverage in one pass, the reals' neighbours found once for all.

    Args:
        real: (n, d) features of real images, n > max(k, density_k).
        fake: (m, d) features of generated images, m > k.
        k: the neighbour of precision and recall.
        density_k: the neighbour of density and coverage.
        real_distances: (n, ≥ max(k, density_k)) what `neighbour_distances(real, …)` gave before; None computes it.

    Returns:
        {"precision", "recall", "density", "coverage"}: floats, as `precision_recall` and `density_coverage` give them.

    Raises:
        ValueError: not two matrices of one width, a value that is not finite, neighbours that are not there, or
            real_distances of another cloud's shape.
    """
    real, fake = distances.alike(real=real, fake=fake)
    if real_distances is None:
        real_distances = neighbour_distances(real, max(k, density_k))
    elif len(real_distances) != len(real) or real_distances.shape[1] < max(k, density_k):
        raise ValueError(
            f"real_distances is {real_distances.shape}: give one row for each of the {len(real)} reals and at least "
            f"{max(k, density_k)} columns, as neighbour_distances(real, {max(k, density_k)}) does."
        )
    balls = [(real_distances[:, k - 1], True), (real_distances[:, density_k - 1], False)]
    (around_fakes, many), (_, held), (around_reals,) = _meetings(fake, real, balls, [squared_radii(fake, k)])
    return {
        "precision": float(np.mean(around_fakes > 0)),
        "recall": float(np.mean(around_reals > 0)),
        "density": float(many.mean() / density_k),
        "coverage": float(np.mean(held > 0)),
    }


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
    return neighbour_distances(features, k)[:, k - 1]


def _meetings(points, centres, centre_balls, point_radii):
    """Counts over one pass of all distances.

    Args:
        centre_balls: pairs of squared radii around centres, and whether the edge is inside.
        point_radii: squared radii around points, whose edges are inside.

    Returns:
        Three lists of counts: for each of centre_balls, how many balls hold each point, and how many points each ball
        holds; for each of point_radii, how many balls around points hold each centre.
    """
    around = [np.zeros(len(points), int) for _ in centre_balls]
    held = [np.zeros(len(centres), int) for _ in centre_balls]
    back = [np.zeros(len(centres), int) for _ in point_radii]
    centre_radii = [_reach(radii, centres, centres, closed) for radii, closed in centre_balls]
    point_radii = [_reach(radii, points, centres)[:, None] for radii in point_radii]
    for rows, columns, squared in distances.blocks(points, centres):
        for radii, by_point, by_centre in zip(centre_radii, around, held, strict=True):
            inside = squared < radii[columns]
            by_point[rows] += np.count_nonzero(inside, axis=1)
            by_centre[columns] += np.count_nonzero(inside, axis=0)
        for radii, by_centre in zip(point_radii, back, strict=True):
            by_centre[columns] += np.count_nonzero(squared < radii[rows], axis=0)
    return around, held, back


def _reach(radii, owners, centres, closed=True):
    """The squared distance below which a point is in a ball; its edge, to round-off, is inside or outside."""
    middle = centres.mean(0, dtype=np.float64)
    lengths = [np.sum((owners[start : start + 4096] - middle) ** 2, 1) for start in range(0, len(owners), 4096)]
    round_off = 1e-12 * np.concatenate(lengths)
    return np.nextafter(radii + round_off, np.inf) if closed else radii - round_off
