"""Clouds of features: what they must be, and the distances between them, block by block.

50,000 x 50,000 distances are 20 GB. Here at most ROWS x COLUMNS of them stand in memory at once, and features keep the
type they came in until their block is worked on, in float64.
"""

import numpy as np

ROWS, COLUMNS = 4096, 2048  # 64 MB of distances


def checked(features, name, least=2):
    """Features as a matrix of floats, or a sentence about why they are none.

    Args:
        features: (n, d), any real type; n ≥ least.
        name: what the argument is called.
        least: fewest rows that will do.

    Returns:
        (n, d) in its own floating type; integers become float64.

    Raises:
        ValueError: no matrix of numbers, too few rows, or a value that is not finite.
    """
    features = np.asarray(features)
    if features.ndim != 2 or not features.shape[1] or features.dtype.kind not in "fiub" or len(features) < least:
        raise ValueError(
            f"{name} must be a matrix (n, d) of numbers with n ≥ {least}; it is {features.dtype} {features.shape}."
        )
    if features.dtype.kind != "f":
        features = features.astype(np.float64)
    if not np.isfinite(features).all():
        rows = np.count_nonzero(~np.isfinite(features).all(1))
        raise ValueError(
            f"{name} contains NaN or infinity in {rows} of {len(features)} rows: leave those images out, or look for "
            "the network that made them."
        )
    return features


def alike(least=2, **clouds):
    """Several clouds, each checked, that must have one width.

    Args:
        least: fewest rows that will do.
        **clouds: argument's name = features (n_i, d).

    Returns:
        The checked clouds, in their order.

    Raises:
        ValueError: as in `checked`, or the widths differ.
    """
    clouds = {name: checked(features, name, least) for name, features in clouds.items()}
    (first, one), *others = clouds.items()
    for name, features in others:
        if features.shape[1] != one.shape[1]:
            raise ValueError(
                f"{first} has {one.shape[1]} features per image and {name} {features.shape[1]}: they must agree. Take "
                "both from the same extractor."
            )
    return list(clouds.values())


def blocks(points, centres, later=False):
    """Squared Euclidean distances between two clouds, block by block.

    Args:
        points: (n, d).
        centres: (m, d).
        later: True, for a cloud and itself, leaves out the columns before a block's rows, which mirror other blocks.

    Yields:
        (rows, columns, squared): two slices and a float64 block of distances, exact to round-off of the squared
        lengths about the centres' mean.
    """
    middle = centres.mean(0, dtype=np.float64)  # distances do not change, and small numbers cancel less
    for rows in _slices(len(points), ROWS):
        left = points[rows] - middle
        lengths = np.sum(left**2, 1, keepdims=True)
        left = np.concatenate([-2 * left, lengths, np.ones_like(lengths)], 1)
        for columns in _slices(len(centres), COLUMNS, rows.start if later else 0):
            right = centres[columns] - middle
            lengths = np.sum(right**2, 1, keepdims=True)
            yield rows, columns, left @ np.concatenate([right, np.ones_like(lengths), lengths], 1).T


def nearest(points, centres):
    """The centre next to each point.

    Args:
        points: (n, d).
        centres: (m, d).

    Returns:
        (squared distances (n,) float64, indices (n,)).
    """
    squared, index = np.full(len(points), np.inf), np.zeros(len(points), int)
    for rows, columns, block in blocks(points, centres):
        column = block.argmin(1)
        value = block[np.arange(len(block)), column]
        closer = value < squared[rows]
        squared[rows] = np.where(closer, value, squared[rows])
        index[rows] = np.where(closer, column + columns.start, index[rows])
    return np.maximum(squared, 0), index  # round-off


def neighbour_distances(features, k):
    """Squared distances from each point to its k nearest neighbours in its own cloud, itself not counted.

    Args:
        features: (n, d), n > k.
        k: how many neighbours.

    Returns:
        (n, k) float64, ascending.

    Raises:
        ValueError: as in `checked`, or fewer than k + 1 points.
    """
    features = checked(features, "features", least=1)
    if not 1 <= k < len(features):
        raise ValueError(f"The {k}-th neighbour needs k ≥ 1 and at least {k + 1} images; there are {len(features)}.")
    best = np.full((len(features), k), np.inf)

    def keep(where, distances):
        """The k smallest of each row join those that the rows already have."""
        if distances.shape[1] > k:
            distances = np.partition(distances, k - 1, axis=1)[:, :k]
        best[where] = np.sort(np.concatenate([best[where], distances], 1), axis=1)[:, :k]

    for rows, columns, block in blocks(features, features, later=True):
        own = np.arange(max(rows.start, columns.start), min(rows.stop, columns.stop))
        block[own - rows.start, own - columns.start] = np.inf
        keep(rows, block)
        below = slice(max(columns.start, rows.stop), columns.stop)  # whose own rows will not come back to these
        if below.start < below.stop:
            keep(below, np.ascontiguousarray(block[:, below.start - columns.start :].T))
    return np.maximum(best, 0)  # round-off


def _slices(count, size, begin=0):
    return [slice(start, min(start + size, count)) for start in range(begin, count, size)]
