"""Statistically different bins: what chance gives, what a missing part gives, and the z-test by statistics' book."""

import numpy as np
import pytest

from tfgan_zoo.metrics import different_bins, ndb


def test_images_like_the_real_ones_differ_in_few_bins():
    random = np.random.default_rng(0)
    found = different_bins(random.normal(size=(4000, 6)), random.normal(size=(3000, 6)), num_bins=40)
    assert found.share == found.count / 40
    assert found.share <= 0.2  # 0.05 by chance, and a little for bins made from the real images
    assert 0 < found.divergence < 0.01


def test_a_missing_mode_and_a_doubled_one_are_the_bins_that_differ():
    random = np.random.default_rng(1)
    centres = 20 * np.eye(5)
    real = np.repeat(centres, 400, axis=0) + random.normal(size=(2000, 5))
    fake = np.repeat(centres[[0, 0, 1, 2, 3]], 400, axis=0) + random.normal(size=(2000, 5))
    found = different_bins(real, fake, num_bins=5)
    assert (found.count, found.share) == (2, 0.4)
    shares = np.full(5, 0.2), np.array([0.4, 0.2, 0.2, 0.2, 0])
    middle = sum(shares) / 2
    expected = sum(s * np.log(s / m) for share in shares for s, m in zip(share, middle, strict=True) if s) / 2
    assert found.divergence == pytest.approx(expected, rel=1e-9)


def test_disjoint_clouds_differ_everywhere():
    random = np.random.default_rng(2)
    real = random.normal(size=(1000, 3))
    real[:500] += 100
    found = different_bins(real, np.full((1000, 3), 100.0), num_bins=2)
    assert found.count == 2
    one_sided = different_bins(np.concatenate([real, -real]), real + 1000, num_bins=3)
    assert one_sided.divergence <= np.log(2)


def test_the_test_is_the_chi_squared_one():
    from scipy.stats import chi2_contingency

    share1, share2 = np.array([0.3, 0.0]), np.array([0.36, 0.0])
    table = [[300, 700], [180, 320]]
    expected = chi2_contingency(table, correction=False).statistic  # z² of two proportions
    found = ndb._scores(share1, share2, 1000, 500)
    assert found[0] ** 2 == pytest.approx(expected, rel=1e-9)
    assert found[1] == 0  # an empty bin on both sides


def test_bad_input_is_named():
    cloud = np.zeros((9, 2))
    with pytest.raises(ValueError, match="num_bins=100 must lie between 2 and the 9"):
        different_bins(cloud, cloud)
    with pytest.raises(ValueError, match="significance=5"):
        different_bins(cloud, cloud, num_bins=2, significance=5)
    with pytest.raises(ValueError, match="fake contains NaN or infinity in 9 of 9 rows"):
        different_bins(cloud, cloud + np.inf, num_bins=2)
