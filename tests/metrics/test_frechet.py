"""The Fréchet distance against scipy's matrix square root, TF-GAN and closed forms; moments that merge."""

import numpy as np
import pytest

from tfgan_zoo.metrics import Moments, frechet, frechet_distance, frechet_from_moments


@pytest.fixture
def clouds():
    random = np.random.default_rng(0)
    mixing = random.normal(size=(16, 16))
    return random.normal(size=(400, 16)) @ mixing, 1.3 * random.normal(size=(300, 16)) @ mixing.T + 0.5


def by_sqrtm(mean1, covariance1, mean2, covariance2):
    import scipy.linalg

    root = scipy.linalg.sqrtm(covariance1 @ covariance2).real
    return np.sum((mean1 - mean2) ** 2) + np.trace(covariance1 + covariance2 - 2 * root)


def test_equals_scipys_square_root(clouds):
    moments = [value for cloud in clouds for value in (cloud.mean(0), np.cov(cloud, rowvar=False))]
    expected = by_sqrtm(*moments)
    assert frechet_distance(*clouds) == pytest.approx(expected, rel=1e-6)
    assert frechet_from_moments(*moments) == pytest.approx(expected, rel=1e-6)


def test_equals_tfgan(clouds, tfgan):
    activations = [cloud.astype(np.float32) for cloud in clouds]
    expected = float(tfgan.eval.frechet_classifier_distance_from_activations(*activations))
    assert frechet_distance(*activations) == pytest.approx(expected, rel=1e-4)  # TF-GAN works in float32


def test_diagonal_gaussians_have_a_closed_form():
    random = np.random.default_rng(1)
    mean1, mean2 = random.normal(size=(2, 8))
    deviation1, deviation2 = random.uniform(0, 3, size=(2, 8))
    expected = np.sum((mean1 - mean2) ** 2) + np.sum((deviation1 - deviation2) ** 2)
    found = frechet_from_moments(mean1, np.diag(deviation1**2), mean2, np.diag(deviation2**2))
    assert found == pytest.approx(expected, rel=1e-12)


def test_fewer_images_than_features_give_the_same_as_their_moments():
    random = np.random.default_rng(2)
    few, many = random.normal(size=(10, 64)), random.normal(size=(40, 64))
    moments = [value for cloud in (few, many) for value in (cloud.mean(0), np.cov(cloud, rowvar=False))]
    assert frechet_distance(few, many) == pytest.approx(frechet_from_moments(*moments), rel=1e-6)


@pytest.mark.parametrize(("count", "width"), [(20, 64), (64, 64), (65, 64), (30, 2048), (500, 64)])
def test_a_cloud_and_its_double_have_a_closed_form(count, width):
    cloud = np.random.default_rng(6).normal(size=(count, width)) * np.geomspace(1, 1e-3, width)
    trace = np.sum(cloud.var(0, ddof=1))
    shift = np.linspace(0, 1e-2, width)
    expected = np.sum((cloud.mean(0) + shift) ** 2) + trace  # tr (C · 4C)^½ = 2 tr C
    assert frechet_distance(cloud, 2 * cloud + shift) == pytest.approx(expected, rel=1e-9)


def test_clouds_in_orthogonal_spaces_do_not_overlap():
    random = np.random.default_rng(7)
    left, right = np.zeros((30, 100)), np.zeros((300, 100))
    left[:, :40], right[:, 40:] = random.normal(size=(30, 40)), random.normal(size=(300, 60))
    expected = np.sum((left.mean(0) - right.mean(0)) ** 2) + left.var(0, ddof=1).sum() + right.var(0, ddof=1).sum()
    assert frechet_distance(left, right) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(right, left) == pytest.approx(expected, rel=1e-9)


def test_features_that_never_fire_take_the_way_of_the_singular(clouds):
    dead = [np.concatenate([cloud, np.zeros((len(cloud), 8)), cloud[:, :4]], 1) for cloud in clouds]  # 4 are copies
    moments = [value for cloud in dead for value in (cloud.mean(0), np.cov(cloud, rowvar=False))]
    assert frechet._overlap(moments[1], moments[3]) is None
    values = np.linalg.eigvals(moments[1] @ moments[3]).real
    expected = np.sum((moments[0] - moments[2]) ** 2) + np.trace(moments[1]) + np.trace(moments[3])
    expected -= 2 * np.sqrt(values[values > 1e-6 * values.max()]).sum()
    assert frechet_distance(*dead) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smallest", [1e-2, 1e-5, 1e-8])
def test_badly_conditioned_covariances_commute_exactly(smallest):
    axes = np.linalg.qr(np.random.default_rng(8).normal(size=(40, 40)))[0]
    deviation1, deviation2 = np.geomspace(1, smallest, 40), np.geomspace(2, smallest, 40)
    first, second = ((axes * deviation**2) @ axes.T for deviation in (deviation1, deviation2))
    found = frechet_from_moments(np.zeros(40), first, np.zeros(40), second)
    assert found == pytest.approx(np.sum((deviation1 - deviation2) ** 2), rel=1e-6)


def test_eigenvalues_and_singular_values_agree(clouds):
    first, second = (np.cov(cloud, rowvar=False) for cloud in clouds)
    factors = frechet._factor(first), frechet._factor(second)
    assert frechet._overlap(first, second) == pytest.approx(frechet._overlap_of_factors(*factors), rel=1e-12)


@pytest.mark.parametrize("shape", [(400, 16), (10, 64), (50, 64), (64, 64), (2, 3)])
def test_identical_clouds_have_distance_zero(shape):
    cloud = 100 * np.random.default_rng(3).normal(size=shape)
    assert 0 <= frechet_distance(cloud, cloud.copy()) <= 1e-6
    flat = np.repeat(cloud[:, :1], shape[1], axis=1)  # a covariance of rank one
    assert 0 <= frechet_distance(flat, flat.copy()) <= 1e-6


def test_is_symmetric_and_grows_with_a_shift(clouds):
    real, fake = clouds
    assert frechet_distance(real, fake) == pytest.approx(frechet_distance(fake, real), rel=1e-9)
    assert frechet_distance(real, real + 2) == pytest.approx(4 * 16, rel=1e-9)


def test_moments_do_not_depend_on_batches_or_order(clouds):
    cloud = clouds[0] + 1e4  # a large mean, where sums of squares would lose all digits
    whole = Moments.of(cloud)
    np.testing.assert_allclose(whole.covariance, np.cov(cloud, rowvar=False), rtol=1e-9, atol=1e-9)
    shuffled = np.random.default_rng(4).permutation(cloud)
    for rows, size in ((cloud, 1), (cloud, 7), (shuffled, 64), (shuffled, 1000)):
        found = Moments.over(rows[start : start + size] for start in range(0, len(rows), size))
        assert found.count == len(cloud)
        np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(found.scatter, whole.scatter, rtol=1e-8, atol=1e-6)


def test_bad_input_is_named():
    good = np.zeros((4, 2))
    with pytest.raises(ValueError, match="fake contains NaN"):
        frechet_distance(good, np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="n ≥ 2"):
        frechet_distance(good[:1], good)
    with pytest.raises(ValueError, match="2 features per image and fake 3"):
        frechet_distance(good, np.zeros((4, 3)))
    with pytest.raises(ValueError, match="at least 2 images"):
        _ = Moments.of(good[:1]).covariance
    with pytest.raises(ValueError, match="the shapes are"):
        frechet_from_moments(np.zeros(2), np.eye(2), np.zeros(2), np.eye(3))
