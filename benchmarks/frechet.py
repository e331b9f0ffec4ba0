"""The Fréchet distance beside scipy's matrix square root, and without a ridge.     python -m benchmarks.frechet

CPU seconds of one thread from the moments of features to the distance, both ways in turn; and how exact either is
where there are fewer images than features, on a cloud and its double, whose distance is known.
"""

import statistics
import time

import numpy as np
import scipy.linalg
import threadpoolctl
import typer

from tfgan_zoo.metrics import Moments, frechet_distance, frechet_from_moments


def by_sqrtm(mean1, covariance1, mean2, covariance2, ridge=0.0):
    """As most implementations have it."""
    ridge = ridge * np.eye(len(mean1))
    root = scipy.linalg.sqrtm((covariance1 + ridge) @ (covariance2 + ridge)).real
    return float(np.sum((mean1 - mean2) ** 2) + np.trace(covariance1 + covariance2 - 2 * root))


def timed(function, *arguments):
    begin = time.process_time()
    value = function(*arguments)
    return value, time.process_time() - begin


def cloud(random, count, width):
    """Features whose deviations along their axes fall by a thousand, as those of networks do."""
    axes = np.linalg.qr(random.normal(size=(width, width)))[0] * np.geomspace(1, 1e-3, width)
    return random.normal(size=(count, width)) @ axes + random.normal(size=width) / width


def main(width: int = 2048, count: int = 10_000, few: int = 500, rounds: int = 3, seed: int = 0):
    """Print seconds, their ratio, and differences."""
    with threadpoolctl.threadpool_limits(1):  # threads that wait for each other spin, and would count
        compare(width, count, few, rounds, seed)


def compare(width, count, few, rounds, seed):
    random = np.random.default_rng(seed)
    moments = [Moments.of(cloud(random, count, width)) for _ in range(2)]
    moments = [value for side in moments for value in (side.mean, side.covariance)]
    ratios, ours, theirs = [], [], []
    for _ in range(rounds):
        (value, ours_s), (expected, theirs_s) = timed(frechet_from_moments, *moments), timed(by_sqrtm, *moments)
        ratios.append(theirs_s / ours_s)
        ours.append(ours_s)
        theirs.append(theirs_s)
    print(f"{width} features, {count:,} images a side, median of {rounds} rounds in CPU seconds")
    print(f"  scipy.linalg.sqrtm   {statistics.median(theirs):6.2f}")
    print(f"  frechet_from_moments {statistics.median(ours):6.2f}")
    print(f"  ratio                {statistics.median(ratios):6.1f}   (goal >= 7)")
    print(f"  relative difference  {abs(value - expected) / expected:.1e}   (goal <= 1e-6)")

    rows = cloud(random, few, width)
    centre, trace = rows.mean(0), rows.var(0, ddof=1).sum()
    exact = np.sum(centre**2) + trace  # between X and 2 X: |m|² + tr C
    value, ours_s = timed(frechet_distance, rows, 2 * rows)
    covariance = Moments.of(rows).covariance
    ridged, theirs_s = timed(by_sqrtm, centre, covariance, 2 * centre, 4 * covariance, 1e-6)
    print(f"{few} images of {width} features, a cloud and its double")
    print(f"  frechet_distance     {ours_s:6.2f} s, off by {abs(value - exact) / exact:.1e}   (goal <= 1e-6)")
    print(f"  sqrtm, ridge 1e-6    {theirs_s:6.2f} s, off by {abs(ridged - exact) / exact:.1e}")


if __name__ == "__main__":
    typer.run(main)
