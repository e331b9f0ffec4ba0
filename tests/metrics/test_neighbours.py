"""Precision and recall against scikit-learn's neighbours, and their convention."""

import numpy as np
import pytest

from tfgan_zoo.metrics import neighbours, precision_recall


def by_sklearn(real, fake, k):
    from sklearn.neighbors import NearestNeighbors

    def share_inside(points, centres):
        radii = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(centres).kneighbors(centres)[0][:, k]
        gaps = np.linalg.norm(points[:, None] - centres[None], axis=-1)
        return np.mean((gaps <= radii).any(1))

    return share_inside(fake, real), share_inside(real, fake)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_equals_brute_force(k, monkeypatch):
    monkeypatch.setattr(neighbours, "TILE", 37)  # many tiles, the last of them short
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(300, 6)), 0.8 * random.normal(size=(200, 6)) + 0.4
    found = precision_recall(real, fake, k)
    assert found == pytest.approx(by_sklearn(real, fake, k))
    assert 0 < found[0] < 1
    assert 0 < found[1] < 1


def test_a_collapsed_cloud_is_precise_and_recalls_little():
    random = np.random.default_rng(1)
    real = random.normal(size=(500, 8))
    fake = real[:1] + 1e-3 * random.normal(size=(500, 8))
    precision, recall = precision_recall(real, fake)
    assert precision == 1
    assert recall <= 0.01


def test_a_cloud_too_wide_recalls_much_and_is_imprecise():
    random = np.random.default_rng(2)
    precision, recall = precision_recall(random.normal(size=(500, 4)), 4 * random.normal(size=(500, 4)))
    assert precision < 0.3
    assert recall > 0.9


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_identical_sets_give_one_and_one(offset):
    cloud = np.random.default_rng(3).normal(size=(300, 8)) + offset
    cloud[:20] = cloud[0]  # copies, whose balls have no size
    assert precision_recall(cloud, cloud.copy()) == (1.0, 1.0)


def test_far_apart_sets_give_zero_and_zero():
    cloud = np.random.default_rng(4).normal(size=(100, 8))
    assert precision_recall(cloud, cloud + 100) == (0.0, 0.0)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least 4 images; there are 3"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="NaN"):
        precision_recall(np.full((9, 2), np.nan), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="of one width"):
        precision_recall(np.zeros((9, 2)), np.zeros((9, 3)))
