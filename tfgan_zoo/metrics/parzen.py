"""The log-likelihood under a Parzen window, as the first papers on GANs reported it."""

import numpy as np

from tfgan_zoo.metrics import distances

VALIDATION_ROWS = 1000  # rows that choose the bandwidth
STEPS = 20  # bandwidths tried in each of two rounds


def parzen_log_likelihood(samples, data, bandwidth=None, validation=None):
    """Mean log-density of data under Gaussian windows on generated samples.

    Source: Goodfellow et al. 2014, Sec. 5; Breuleux et al. 2011. In many dimensions it is a poor measure: it can prefer
    the centres of a k-means to the data itself (Theis et al. 2016, Sec. 3.2). It is here to compare with old tables.

    Args:
        samples: (m, d) generated images, or features, laid out in rows.
        data: (n, d) real ones whose likelihood is asked, n ≥ 2. It plays no part in the choice of the bandwidth.
        bandwidth: the windows' standard deviation; None chooses it by cross-validation.
        validation: (v, d) real ones that choose it, of which the first 1,000 are used; None leaves out one of the
            samples (the first 1,000) at a time instead.

    Returns:
        (mean, standard_error, bandwidth): nats per row of data, the standard error of that mean over the rows, and the
        bandwidth that was used.

    Raises:
        ValueError: not matrices of one width, a value that is not finite, or a bandwidth that is not positive.
    """
    if bandwidth is not None and validation is not None:
        raise ValueError("validation chooses the bandwidth, and bandwidth is given: leave one of them out.")
    given = {"samples": samples, "data": data} | ({} if validation is None else {"validation": validation})
    samples, data, *given_rows = distances.alike(**given)
    if bandwidth is None:
        bandwidth = _chosen(samples, given_rows[0][:VALIDATION_ROWS] if given_rows else None)
    elif not bandwidth > 0:
        raise ValueError(f"bandwidth={bandwidth} must be a standard deviation > 0.")
    (densities,) = _log_densities(data, samples, [bandwidth])
    return float(densities.mean()), float(densities.std(ddof=1) / np.sqrt(len(data))), float(bandwidth)


def _chosen(samples, validation):
    """The bandwidth under which validation rows are likeliest: a coarse round over all that make sense; a fine one."""
    if validation is None:
        rest = np.arange(min(VALIDATION_ROWS, len(samples)))
        validation = samples[rest]
        to_nearest = distances.neighbour_distances(samples, 1)[rest, 0]
    else:
        rest = None
        to_nearest = distances.nearest(validation, samples)[0]
    width = samples.shape[1]
    high = 2 * np.sqrt(max(samples.var(0, dtype=np.float64).mean(), to_nearest.mean() / width))
    if not high > 0:
        raise ValueError("All samples are one and the same: no bandwidth can be chosen. Give bandwidth=.")
    low = max(np.sqrt(to_nearest.mean() / width) / 4, 1e-4 * high)  # 1e-4: a validation row may be a sample
    for _ in range(2):
        tried = np.geomspace(low, high, STEPS)
        best = int(np.argmax(_log_densities(validation, samples, tried, rest).mean(1)))
        low, high = tried[max(best - 1, 0)], tried[min(best + 1, STEPS - 1)]
    return tried[best]


def _log_densities(points, samples, bandwidths, rest=None):
    """(len(bandwidths), n) log-densities; with rest, point i is sample rest[i], which then has no window."""
    from scipy.special import logsumexp

    total = np.full((len(bandwidths), len(points)), -np.inf)
    for rows, columns, squared in distances.blocks(points, samples):
        squared = np.maximum(squared, 0)  # round-off
        if rest is not None:
            own = np.flatnonzero((rest[rows] >= columns.start) & (rest[rows] < columns.stop))
            squared[own, rest[rows][own] - columns.start] = np.inf
        for row, bandwidth in zip(total, bandwidths, strict=True):
            row[rows] = np.logaddexp(row[rows], logsumexp(squared / (-2 * bandwidth**2), axis=1))
    count, width = len(samples) - (rest is not None), samples.shape[1]
    bandwidths = np.asarray(bandwidths, np.float64)[:, None]
    return total - np.log(count) - width * np.log(np.sqrt(2 * np.pi) * bandwidths)
