"""The Fréchet distance between two clouds of features, each seen as a Gaussian.

    d² = |m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁C₂)^½)                        (Dowson & Landau 1982; Heusel et al. 2017, Eq. 6)

Write each covariance as C = A Aᵀ. Then tr (C₁C₂)^½ is the sum of the singular values of A₁ᵀA₂. No square root of a
non-symmetric matrix has to be found, so no imaginary part can appear, and a singular covariance is nothing special.
"""

import dataclasses
import functools

import numpy as np


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
        features = _cloud(features, "features", least=1)
        mean = features.mean(0)
        return cls(len(features), mean, (features - mean).T @ (features - mean))

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
    real, fake = _cloud(real, "real"), _cloud(fake, "fake")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"real has {real.shape[1]} features per image and fake {fake.shape[1]}: they must agree.")
    return _distance(real.mean(0), _factor_of_rows(real), fake.mean(0), _factor_of_rows(fake))


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
    return _distance(mean1, _factor(covariance1), mean2, _factor(covariance2))


def _distance(mean1, factor1, mean2, factor2):
    overlap = np.linalg.svd(factor1.T @ factor2, compute_uv=False).sum()
    squared = np.sum((mean1 - mean2) ** 2) + np.sum(factor1**2) + np.sum(factor2**2) - 2 * overlap
    return max(float(squared), 0.0)


def _factor(covariance):
    """A (d, d) with A Aᵀ = covariance. By eigh and not Cholesky, which refuses a singular covariance."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0))


def _factor_of_rows(features):
    """A (d, min(n, d)) with A Aᵀ = the covariance of the rows; with few rows they are the factor themselves."""
    count, width = features.shape
    centred = (features - features.mean(0)) / np.sqrt(count - 1)
    return centred.T if count < width else _factor(centred.T @ centred)


def _cloud(features, name, least=2):
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) < least:
        raise ValueError(f"{name} must be a matrix (n, d) with n ≥ {least}; its shape is {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return features
