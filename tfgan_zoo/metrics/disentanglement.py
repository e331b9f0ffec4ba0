"""How far single coordinates of a code stand for single factors of what was drawn."""

import numpy as np

_BINS = 20  # of a coordinate, as in Locatello et al. 2019


def mutual_information_gap(codes, factors, bins=_BINS):
    """MIG: how much more one coordinate knows of a factor than any other, as a share of the factor's entropy.

    Chen et al. 2018 (beta-TCVAE), Eq. 6, with coordinates in `bins` equal intervals, as Locatello et al. 2019 count:
    the mean over factors of (I_1 - I_2) / H. 1 where a coordinate determines each factor and no other knows of it.

    Args:
        codes: (N, d) numbers, d >= 2.
        factors: (N, k) integers >= 0, the value of each factor.
        bins: intervals of a coordinate.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: if the two are not N rows each, there is one coordinate alone, or a factor has one value alone.

    Example:

    >>> import numpy as np
    >>> from tfgan_zoo.metrics import mutual_information_gap
    >>> factors = np.random.default_rng(0).integers(0, 4, (2000, 2))
    >>> round(mutual_information_gap(factors[:, ::-1].astype(float), factors), 2)
    1.0
    """
    codes, factors = _checked(codes, factors)
    if codes.shape[1] < 2:
        raise ValueError("codes have one coordinate: a gap is one between two of them.")
    gaps = []
    levels = [_levels(column, bins) for column in codes.T]
    for factor in factors.T:
        informed = sorted(_mutual_information(level, factor) for level in levels)
        gaps.append((informed[-1] - informed[-2]) / _entropy(np.unique(factor, return_counts=True)[1]))
    return float(np.mean(gaps))


def dci(codes, factors, seed=0, trees=50):
    """Disentanglement, completeness and informativeness of codes.

    Eastwood & Williams 2018, Sec. 2: each factor is told from the codes by a forest of trees that see all coordinates
    at every split, whose importances say which of them matter. Disentanglement is 1 where a coordinate matters for one
    factor alone, completeness where one coordinate alone matters for a factor; informativeness is the accuracy on a
    held-out third.

    Args:
        codes: (N, d) numbers, d >= 2.
        factors: (N, k) integers >= 0, the value of each factor, k >= 2.
        seed: of the forests.
        trees: in each.

    Returns:
        Dict with "disentanglement", "completeness" and "informativeness", floats in [0, 1].

    Raises:
        ValueError: if the two are not N rows each, or there is one coordinate or one factor alone.
    """
    from sklearn.ensemble import RandomForestClassifier

    codes, factors = _checked(codes, factors)
    if min(codes.shape[1], factors.shape[1]) < 2:
        raise ValueError(f"codes are {codes.shape} and factors {factors.shape}: give at least 2 columns of each.")
    order = np.random.RandomState(seed).permutation(len(codes))
    held, seen = np.split(order, [len(codes) // 3])
    importances, right = [], []
    for factor in factors.T:
        forest = RandomForestClassifier(trees, max_features=None, min_samples_leaf=2, random_state=seed).fit(
            codes[seen], factor[seen]
        )
        importances.append(forest.feature_importances_)
        right.append(forest.score(codes[held], factor[held]))
    matters = np.stack(importances, axis=1)  # (d, k)
    return {
        "disentanglement": _one_alone(matters),
        "completeness": _one_alone(matters.T),
        "informativeness": float(np.mean(right)),
    }


def _one_alone(matters):
    """1 - the entropy of each row in units of the largest possible one, rows weighed by what they sum to."""
    sums = matters.sum(axis=1)
    shares = matters / np.maximum(sums[:, None], 1e-12)
    entropies = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1) / np.log(matters.shape[1])
    return float(((1.0 - entropies) * sums).sum() / sums.sum())


def _levels(column, bins):
    """Which interval each number lies in."""
    low, high = column.min(), column.max()
    return np.minimum(((column - low) / max(high - low, 1e-12) * bins).astype(int), bins - 1)


def _mutual_information(level, factor):
    """In nats, of two columns of integers."""
    together = np.zeros((level.max() + 1, factor.max() + 1))
    np.add.at(together, (level, factor), 1.0)
    entropies = [_entropy(together.sum(axis)) for axis in (0, 1)]
    return sum(entropies) - _entropy(together)


def _entropy(counts):
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _checked(codes, factors):
    codes, factors = np.asarray(codes, "float64"), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or factors.dtype.kind not in "iu":
        raise ValueError(
            f"codes {codes.shape}, factors {factors.dtype} {factors.shape}: give (N, d) numbers and (N, k) whole ones."
        )
    alone = [column for column in range(factors.shape[1]) if len(np.unique(factors[:, column])) < 2]
    if alone or factors.min() < 0:
        raise ValueError(
            f"factors' columns {alone or 'are negative'}: every factor takes two values or more, from 0 on."
        )
    return codes, factors
