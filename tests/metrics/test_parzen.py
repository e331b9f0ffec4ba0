"""Parzen windows against scikit-learn's KernelDensity, and the choice of a bandwidth."""

import numpy as np
import pytest

from tfgan_zoo.metrics import distances, parzen_log_likelihood


def by_sklearn(samples, data, bandwidth):
    from sklearn.neighbors import KernelDensity

    # In one leaf: the default tree sums and takes away again, and is off by 3 % where densities are small.
    one_leaf = KernelDensity(kernel="gaussian", bandwidth=bandwidth, leaf_size=len(samples))
    return one_leaf.fit(samples).score_samples(data)


@pytest.mark.parametrize("bandwidth", [0.02, 0.3, 5.0])
def test_equals_sklearn(bandwidth, monkeypatch):
    monkeypatch.setattr(distances, "ROWS", 17)
    monkeypatch.setattr(distances, "COLUMNS", 37)
    random = np.random.default_rng(0)
    samples, data = random.normal(size=(200, 5)), random.normal(size=(90, 5))
    expected = by_sklearn(samples, data, bandwidth)
    mean, error, used = parzen_log_likelihood(samples, data, bandwidth)
    assert mean == pytest.approx(expected.mean(), rel=1e-9)
    assert error == pytest.approx(expected.std(ddof=1) / np.sqrt(90), rel=1e-9)
    assert used == bandwidth


def test_one_sample_is_a_gaussian():
    data = np.array([[0.0, 0.0], [3.0, 4.0]])
    mean, _, _ = parzen_log_likelihood(np.zeros((2, 2)), data, bandwidth=2.0)
    assert mean == pytest.approx(-np.log(2 * np.pi * 4) - (25 / 8) / 2)


def test_densities_far_below_the_smallest_float_stay_finite():
    mean, _, _ = parzen_log_likelihood(np.zeros((9, 100)), np.full((9, 100), 50.0), bandwidth=0.1)
    assert mean == pytest.approx(-50 * np.log(2 * np.pi * 0.01) - 100 * 2500 / 0.02, rel=1e-9)


@pytest.mark.parametrize("width", [1, 4, 50])
def test_the_bandwidth_is_the_likeliest_for_the_validation_set(width):
    random = np.random.default_rng(1)
    samples, data, validation = (3 * random.normal(size=(n, width)) for n in (400, 100, 300))
    mean, _, bandwidth = parzen_log_likelihood(samples, data, validation=validation)
    assert mean == pytest.approx(by_sklearn(samples, data, bandwidth).mean(), rel=1e-9)
    best = by_sklearn(samples, validation, bandwidth).mean()
    for factor in (0.5, 0.8, 1.25, 2):
        assert by_sklearn(samples, validation, factor * bandwidth).mean() <= best


def test_without_validation_each_sample_judges_the_others():
    random = np.random.default_rng(2)
    samples, data = random.normal(size=(120, 3)), random.normal(size=(50, 3))
    _, _, bandwidth = parzen_log_likelihood(samples, data)

    def left_out(bandwidth):
        return np.mean([by_sklearn(np.delete(samples, i, 0), samples[i : i + 1], bandwidth) for i in range(120)])

    assert left_out(bandwidth) >= max(left_out(0.8 * bandwidth), left_out(1.25 * bandwidth))


def test_bad_input_is_named():
    cloud = np.random.default_rng(3).normal(size=(9, 2))
    with pytest.raises(ValueError, match="leave one of them out"):
        parzen_log_likelihood(cloud, cloud, 1.0, cloud)
    with pytest.raises(ValueError, match="bandwidth=0"):
        parzen_log_likelihood(cloud, cloud, 0)
    with pytest.raises(ValueError, match="one and the same"):
        parzen_log_likelihood(np.ones((9, 2)), cloud)
    with pytest.raises(ValueError, match="2 features per image and validation 1"):
        parzen_log_likelihood(cloud, cloud, validation=cloud[:, :1])
    with pytest.raises(ValueError, match="data contains NaN"):
        parzen_log_likelihood(cloud, cloud * np.nan)
