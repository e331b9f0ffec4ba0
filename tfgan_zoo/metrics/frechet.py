"""The Fréchet distance between two clouds of features, each seen as a Gaussian.

    d² = |m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁C₂)^½)                        (Dowson & Landau 1982; Heusel et al. 2017, Eq. 6)

The eigenvalues of C₁C₂ are those of L₁ᵀC₂L₁ with C₁ = L₁L₁ᵀ (Cholesky), a symmetric matrix, so no square root of a
non-symmetric one has to be found and no imaginary part can appear. Where a covariance is singular, or nearly so, small
eigenvalues drown in round-off and their roots with them; then, for any factors C = A Aᵀ, tr (C₁C₂)^½ is the sum of the
singular values of A₁ᵀA₂. With fewer images than features the centred rows themselves are such a factor: exact, and no
covariance is ever formed.
"""

import dataclasses
import functools

import numpy as np

from tfgan_zoo.metrics import distances


@dataclasses.dataclass(frozen=True)
class Moments:
    """Count, mean and scatter of a stream of features, in float64.

    Source: Chan, Golub & LeVeque 1983, Eq. 2.1: two halves merge into what one pass would have given.

    Args:
        count: n, how many rows were seen.
        mean: (d,) their mean.
        scatter: (d, d) Σ (x − mean)(x − mean)ᵀ, which the literature calls M2.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, features):
        """The moments of features (n, d), n ≥ 1."""
        features = distances.checked(features, "features", least=1)
        mean = features.mean(0, dtype=np.float64)
        scatter = np.zeros((mean.size, mean.size))
        for start in range(0, len(features), distances.ROWS):
            centred = features[start : start + distances.ROWS] - mean
            scatter += centred.T @ centred
        return cls(len(features), mean, scatter)

    @classmethod
    def over(cls, batches):
        """The moments of a stream of feature batches (n_i, d), one batch in memory at a time."""
        return functools.reduce(cls.merge, map(cls.of, batches))

    def merge(self, other):
        """The moments of both streams together."""
        count = self.count + other.count
        gap = other.mean - self.mean
        return Moments(
            count,
            self.mean + gap * (other.count / count),
            self.scatter + other.scatter + np.outer(gap, gap) * (self.count * other.count / count),
        )

    @property
    def covariance(self):
        """(d, d) the unbiased covariance, scatter / (n − 1)."""
        if self.count < 2:
            raise ValueError("A covariance needs at least 2 images, and 1 was given.")
        return self.scatter / (self.count - 1)


def frechet_distance(real, fake):
    """Squared Fréchet distance between two clouds of features.

    Source: Heusel et al. 2017, Eq. 6.

    Args:
        real: (n, d) features, any float type, n ≥ 2.
        fake: (m, d) features, m ≥ 2.

    Returns:
        A float ≥ 0; 0 for identical clouds.

    Raises:
        ValueError: not two matrices of one width, fewer than 2 rows, or a value that is not finite.
    """
    real, fake = distances.alike(real=real, fake=fake)
    width = real.shape[1]
    if min(len(real), len(fake)) > width:
        real, fake = Moments.of(real), Moments.of(fake)
        return frechet_from_moments(real.mean, real.covariance, fake.mean, fake.covariance)
    means = [features.mean(0, dtype=np.float64) for features in (real, fake)]
    factors = [_factor_of_rows(features, mean) for features, mean in zip((real, fake), means, strict=True)]
    return _distance(*means, *(np.sum(factor**2) for factor in factors), _overlap_of_factors(*factors))


def frechet_from_moments(mean1, covariance1, mean2, covariance2):
    """Squared Fréchet distance between two Gaussians.

    Source: Dowson & Landau 1982; Heusel et al. 2017, Eq. 6.

    Args:
        mean1: (d,) mean of the first.
        covariance1: (d, d) its covariance, symmetric and positive semi-definite.
        mean2: (d,) mean of the second.
        covariance2: (d, d) its covariance.

    Returns:
        A float ≥ 0.

    Raises:
        ValueError: shapes that do not agree, or a value that is not finite.
    """
    mean1, mean2 = np.asarray(mean1, np.float64), np.asarray(mean2, np.float64)
    covariance1, covariance2 = np.asarray(covariance1, np.float64), np.asarray(covariance2, np.float64)
    if mean1.ndim != 1 or mean1.shape != mean2.shape or not covariance1.shape == covariance2.shape == 2 * mean1.shape:
        raise ValueError(
            "Two means (d,) and two covariances (d, d) are needed; the shapes are "
            f"{mean1.shape}, {covariance1.shape}, {mean2.shape}, {covariance2.shape}."
        )
    if not all(np.isfinite(value).all() for value in (mean1, covariance1, mean2, covariance2)):
        raise ValueError("The moments contain NaN or infinity.")
    overlap = _overlap(covariance1, covariance2)
    if overlap is None:
        overlap = _overlap_of_factors(_factor(covariance1), _factor(covariance2))
    return _distance(mean1, mean2, np.trace(covariance1), np.trace(covariance2), overlap)


def _distance(mean1, mean2, trace1, trace2, overlap):
    return max(float(np.sum((mean1 - mean2) ** 2) + trace1 + trace2 - 2 * overlap), 0.0)


def _overlap(covariance1, covariance2):
    """tr (C₁C₂)^½ by Cholesky and eigenvalues; None where those might not be right to 1e-8 of the traces."""
    from scipy.linalg import LinAlgError, eigh

    try:
        values = eigh(covariance2, covariance1, type=2, driver="gv", eigvals_only=True)  # those of C₂C₁
    except LinAlgError:  # C₁ has no Cholesky factor
        return None
    if values[0] <= 0:
        return None
    # Weyl: each eigenvalue is right to about ε |C₁||C₂|, and its root to that over twice the root.
    size = np.linalg.norm(covariance1) * np.linalg.norm(covariance2)
    error = np.finfo(np.float64).eps * size * np.sum(0.5 / np.sqrt(values))
    return np.sqrt(values).sum() if error <= 1e-8 * (np.trace(covariance1) + np.trace(covariance2)) else None


def _overlap_of_factors(factor1, factor2):
    """tr (C₁C₂)^½ as the nuclear norm of A₁ᵀA₂."""
    return np.linalg.svd(factor1.T @ factor2, compute_uv=False).sum()


def _factor(covariance):
    """A (d, d) with A Aᵀ = covariance: Cholesky's, or where it refuses, being singular, one of its eigenvectors."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        return vectors * np.sqrt(np.maximum(values, 0))


def _factor_of_rows(features, mean):
    """A (d, min(n, d)) with A Aᵀ = the covariance of the rows; with few rows they are the factor themselves."""
    count, width = features.shape
    centred = (features - mean) / np.sqrt(count - 1)
    return centred.T if count <= width else _factor(centred.T @ centred)
