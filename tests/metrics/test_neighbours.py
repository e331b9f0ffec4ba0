"""Precision, recall, density and coverage against scikit-learn's neighbours, and their convention."""

import numpy as np
import pytest

from tfgan_zoo.metrics import (
    density_coverage,
    distances,
    neighbour_distances,
    neighbour_scores,
    precision_recall,
)


def by_sklearn(real, fake, k):
    from sklearn.neighbors import NearestNeighbors

    def share_inside(points, centres):
        radii = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(centres).kneighbors(centres)[0][:, k]
        gaps = np.linalg.norm(points[:, None] - centres[None], axis=-1)
        return np.mean((gaps <= radii).any(1))

    return share_inside(fake, real), share_inside(real, fake)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_equals_brute_force(k, monkeypatch):
    monkeypatch.setattr(distances, "ROWS", 37)  # many blocks, the last of them short
    monkeypatch.setattr(distances, "COLUMNS", 29)
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


def prdc(real, fake, k):
    """Density and coverage as their authors' package computes them, over whole matrices: strictly nearer counts."""
    from sklearn.metrics import pairwise_distances

    radii = np.sort(pairwise_distances(real), axis=1)[:, k]
    inside = pairwise_distances(real, fake) < radii[:, None]
    return inside.sum(0).mean() / k, inside.any(1).mean()


@pytest.mark.parametrize("k", [1, 5])
def test_density_and_coverage_equal_their_definitions(k, monkeypatch):
    monkeypatch.setattr(distances, "ROWS", 31)
    monkeypatch.setattr(distances, "COLUMNS", 43)
    random = np.random.default_rng(5)
    real, fake = random.normal(size=(200, 5)), 0.8 * random.normal(size=(300, 5)) + 0.4
    found = density_coverage(real, fake, k)
    assert found == pytest.approx(prdc(real, fake, k))
    assert 0 < found[1] < 1


def test_like_clouds_have_density_one_and_the_coverage_of_chance():
    random = np.random.default_rng(6)
    density, coverage = density_coverage(random.normal(size=(1500, 6)), random.normal(size=(1500, 6)), k=3)
    assert density == pytest.approx(1, abs=0.1)
    assert coverage == pytest.approx(1 - 2**-3, abs=0.03)


def test_a_collapsed_cloud_is_dense_and_covers_little():
    random = np.random.default_rng(7)
    real = random.normal(size=(500, 8))
    fake = real[np.sum(real**2, 1).argmin()] + 1e-3 * random.normal(size=(500, 8))
    density, coverage = density_coverage(real, fake)
    assert density > 1
    assert coverage < 0.3


def test_one_outlier_carries_precision_and_not_density():
    random = np.random.default_rng(8)
    real = random.normal(size=(500, 4))
    real[0] = 100  # its ball reaches back to the cloud
    fake = 50 + random.normal(size=(500, 4))
    assert precision_recall(real, fake)[0] == 1
    assert density_coverage(real, fake)[0] <= 0.2 + 1e-9


def test_one_pass_gives_all_four():
    random = np.random.default_rng(9)
    real, fake = random.normal(size=(300, 6)), 0.8 * random.normal(size=(200, 6)) + 0.4
    found = neighbour_scores(real, fake)
    assert tuple(found.values()) == precision_recall(real, fake) + density_coverage(real, fake)
    assert list(found) == ["precision", "recall", "density", "coverage"]
    known = neighbour_distances(real, 7)
    assert neighbour_scores(real, fake, real_distances=known) == found
    shuffled = neighbour_scores(random.permutation(real), random.permutation(fake).astype(np.float32))
    assert shuffled == pytest.approx(found, abs=0.011)  # a float32 may leave the edge of a ball


@pytest.mark.parametrize(("rows", "columns"), [(37, 29), (29, 37), (64, 16), (1000, 1000)])
def test_neighbours_equal_sklearns(rows, columns, monkeypatch):
    from sklearn.neighbors import NearestNeighbors

    monkeypatch.setattr(distances, "ROWS", rows)
    monkeypatch.setattr(distances, "COLUMNS", columns)
    random = np.random.default_rng(10)
    cloud, others = random.normal(size=(150, 6)) + 3, random.normal(size=(70, 6)) + 3
    found = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(cloud)
    np.testing.assert_allclose(neighbour_distances(cloud, 5) ** 0.5, found.kneighbors(cloud)[0][:, 1:], rtol=1e-9)
    expected, index = found.kneighbors(others, 1)
    squared, nearest = distances.nearest(others, cloud)
    np.testing.assert_array_equal(nearest, index[:, 0])
    np.testing.assert_allclose(squared**0.5, expected[:, 0], rtol=1e-9)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least 4 images; there are 3"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="NaN"):
        precision_recall(np.full((9, 2), np.nan), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="2 features per image and fake 3"):
        precision_recall(np.zeros((9, 2)), np.zeros((9, 3)))
    with pytest.raises(ValueError, match=r"give one row for each of the 9 reals and at least 5 columns"):
        neighbour_scores(np.zeros((9, 2)), np.zeros((9, 2)), real_distances=np.zeros((9, 3)))
    with pytest.raises(ValueError, match="fake must be a matrix"):
        density_coverage(np.zeros((9, 2)), np.array([["a", "b"]] * 9))


def test_on_a_lattice_whose_distances_tie_density_and_coverage_are_the_authors():
    real = np.array([[0.0], [1.0], [2.0], [3.0], [7.0], [8.0], [9.0]])
    fake = np.array([[0.0], [1.5], [4.0], [5.0], [6.0], [9.0], [11.0]])
    for k in (1, 2, 3):
        assert density_coverage(real, fake, k) == pytest.approx(prdc(real, fake, k), rel=1e-12)
        scores = neighbour_scores(real, fake, k=1, density_k=k)
        assert (scores["density"], scores["coverage"]) == pytest.approx(prdc(real, fake, k), rel=1e-12)
    shifted = density_coverage(real + 1e3, fake + 1e3, 2)  # round-off decides no tie
    assert shifted == pytest.approx(prdc(real, fake, 2), rel=1e-12)


def test_a_fake_on_the_edge_is_inside_for_precision_and_outside_for_density():
    real, fake = np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([[2.0], [12.0], [-1.0], [9.0]])
    assert precision_recall(real, fake, k=1)[0] == 1.0
    assert density_coverage(real, fake, k=1) == (0.0, 0.0)
    copies = np.zeros((4, 1))
    assert density_coverage(copies, copies, k=2) == (0.0, 0.0)  # balls without an inside
