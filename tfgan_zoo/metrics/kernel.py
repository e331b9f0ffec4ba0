"""The kernel distance (KID): an unbiased distance that a few hundred images are enough for."""

import numpy as np

from tfgan_zoo.metrics import distances


def kernel_distance(real, fake, subset_size=1000, num_subsets=100, degree=3, gamma=None, coef0=1, seed=0):
    """Unbiased squared MMD between two clouds under a polynomial kernel, averaged over random subsets.

    Source: Binkowski et al. 2018, Sec. 3.1 and 4.2; the estimator is Gretton et al. 2012, Eq. 3.

    Unlike a Fréchet distance its expectation does not depend on how many images there are, so it may be used where
    they are fewer than features. It can come out below 0: of like clouds half of all estimates do.

    Args:
        real: (n, d) features of real images.
        fake: (m, d) features of generated images.
        subset_size: images of each side in one estimate, drawn without replacement; 2 ≤ subset_size ≤ min(n, m).
        num_subsets: how many estimates.
        degree: of the kernel (gamma x·y + coef0)^degree.
        gamma: None for 1 / d.
        coef0: the kernel's constant.
        seed: of the subsets.

    Returns:
        (mean, std) over the estimates. The std is that of one estimate, as in the authors' code, and not of the mean.

    Raises:
        ValueError: not two matrices of one width, a value that is not finite, or a subset that does not fit.
    """
    real, fake = distances.alike(real=real, fake=fake)
    fewest = min(len(real), len(fake))
    if not 2 <= subset_size <= fewest:
        raise ValueError(
            f"subset_size={subset_size} must lie between 2 and the {fewest} images of the smaller cloud: give "
            f"subset_size={fewest} or less, or more images."
        )
    if num_subsets < 1:
        raise ValueError(f"num_subsets={num_subsets} must be at least 1.")
    gamma = 1 / real.shape[1] if gamma is None else gamma
    random = np.random.default_rng(seed)

    def kernel(left, right):
        return (gamma * (left @ right.T) + coef0) ** degree

    def among(rows):
        """The kernel's mean over ordered pairs of two different rows."""
        values = kernel(rows, rows)
        return (values.sum() - np.trace(values)) / (len(rows) * (len(rows) - 1))

    def subset(features):
        return features[random.choice(len(features), subset_size, replace=False)].astype(np.float64)

    estimates = []
    for _ in range(num_subsets):
        left, right = subset(real), subset(fake)
        estimates.append(among(left) + among(right) - 2 * kernel(left, right).mean())
    return float(np.mean(estimates)), float(np.std(estimates))
