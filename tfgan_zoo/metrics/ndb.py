"""Which parts of the data are made too often, or too seldom? Counts over bins, with a test for each."""

import typing

import numpy as np

from tfgan_zoo.metrics import distances


class DifferentBins(typing.NamedTuple):
    """The result of `different_bins`.

    Args:
        count: bins whose shares of real and generated images differ significantly.
        share: count over the number of bins; the significance itself where nothing differs.
        divergence: the Jensen-Shannon divergence between the two histograms, in nats, from 0 to log 2.
    """

    count: int
    share: float
    divergence: float


def different_bins(real, fake, num_bins=100, significance=0.05, seed=0):
    """The number of statistically different bins (NDB), and the divergence between the histograms.

    Source: Richardson & Weiss 2018, Sec. 3: the bins are k-means clusters of the real images, and each is put to a
    two-proportion z-test.

    Args:
        real: (n, d) features, or pixels laid out in rows, of real images; n ≥ num_bins.
        fake: (m, d) the same of generated images.
        num_bins: clusters, ten times fewer than images or less if a test is to find anything.
        significance: of each bin's test: the share of bins that differs by chance.
        seed: of k-means.

    Returns:
        A `DifferentBins`. The real images made the bins, so even held-out ones differ in a few more than by chance.

    Raises:
        ValueError: not two matrices of one width, a value that is not finite, more bins than real images, or a
            significance outside (0, 1).
    """
    from scipy.stats import norm
    from sklearn.cluster import KMeans

    real, fake = distances.alike(real=real, fake=fake)
    if not 2 <= num_bins <= len(real):
        raise ValueError(f"num_bins={num_bins} must lie between 2 and the {len(real)} real images.")
    if not 0 < significance < 1:
        raise ValueError(f"significance={significance} is a probability between 0 and 1, such as 0.05.")
    made = KMeans(num_bins, n_init=1, random_state=seed).fit(real)
    shares = [
        np.bincount(bins, minlength=num_bins) / len(bins)
        for bins in (made.labels_, distances.nearest(fake, made.cluster_centers_)[1])
    ]
    count = int(np.sum(_scores(*shares, len(real), len(fake)) > norm.isf(significance / 2)))
    return DifferentBins(count, count / num_bins, _jensen_shannon(*shares))


def _scores(share1, share2, count1, count2):
    """|z| of the test that two shares are one: their gap over its deviation under the pooled share."""
    pooled = (count1 * share1 + count2 * share2) / (count1 + count2)
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / count1 + 1 / count2))
    return np.divide(np.abs(share1 - share2), deviation, out=np.zeros_like(share1), where=deviation > 0)


def _jensen_shannon(share1, share2):
    from scipy.special import rel_entr

    middle = (share1 + share2) / 2
    return float((rel_entr(share1, middle).sum() + rel_entr(share2, middle).sum()) / 2)
