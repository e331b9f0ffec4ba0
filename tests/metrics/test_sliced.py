"""The sliced Wasserstein distance: TF-GAN's pyramid and distance, one dimension exactly, and what it sees."""

import importlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.metrics import sliced, sliced_wasserstein


@pytest.fixture
def theirs(tfgan):
    return importlib.import_module("tensorflow_gan.python.eval.sliced_wasserstein")


def pictures(count, side, channels=3, seed=0, coarse=4):
    random = np.random.default_rng(seed)
    small = random.uniform(-1, 1, (count, coarse, coarse, channels)).astype(np.float32)
    return np.clip(tf.image.resize(small, (side, side), method="bicubic").numpy(), -1, 1)


def test_the_pyramid_equals_tfgans(theirs):
    images = pictures(3, 64)
    found = sliced.laplacian_pyramid(images, 3)
    for ours, expected in zip(found, theirs.laplacian_pyramid(tf.constant(images), 3), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_pyramid_sums_to_the_images():
    images = pictures(2, 28)
    fine, coarse = sliced.laplacian_pyramid(images, 2)
    wide = np.zeros_like(fine)
    wide[:, ::2, ::2] = coarse
    np.testing.assert_allclose(fine + sliced._blurred(wide, 4), images, atol=1e-6)
    assert coarse.shape == (2, 14, 14, 3)
    assert np.abs(fine).mean() < 0.2 * np.abs(images).mean()  # smooth images have little detail
    assert [part.shape[1:3] for part in sliced.laplacian_pyramid(images[:, :27, :21], 3)] == [
        (27, 21),
        (14, 11),
        (7, 6),
    ]


def test_the_distance_between_clouds_equals_tfgans(theirs):
    random = np.random.default_rng(0)
    real, fake = (random.normal(size=(500, 12)).astype(np.float32) * scale for scale in (1, 1.5))
    tf.random.set_seed(1)
    expected = float(theirs._sliced_wasserstein(real, fake, 1, 4000))
    found = sliced._distance(real, fake, random.normal(size=(4000, 12)).astype(np.float32))
    assert found == pytest.approx(expected, rel=0.01)  # other directions, 4,000 of them


def test_in_one_dimension_it_is_the_wasserstein_distance():
    from scipy.stats import wasserstein_distance

    real, fake = np.random.default_rng(1).normal(size=(2, 300, 1)).astype(np.float32)
    expected = wasserstein_distance(real[:, 0], 2 * fake[:, 0] + 1)
    assert sliced._distance(real, 2 * fake + 1, np.ones((3, 1), np.float32)) == pytest.approx(expected, rel=1e-4)


def test_patches_are_normalised_over_the_set():
    images = pictures(20, 16)
    places = list(np.random.default_rng(2).integers(10, size=(2, 20, 30)))
    patches = sliced._patches(images, 0, 1, places, 7).reshape(600, 3, 49)
    np.testing.assert_allclose(patches.mean((0, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(patches.std((0, 2)), 1, rtol=1e-4)
    first = images[0, places[0][0, 0] :, places[1][0, 0] :][:7, :7, 1].ravel()
    np.testing.assert_allclose(np.corrcoef(first, patches[0, 1])[0, 1], 1, atol=1e-5)


def test_a_set_is_at_zero_from_itself_near_its_like_and_far_from_noise(monkeypatch):
    images, others = pictures(100, 32), pictures(100, 32, seed=1)
    noise = np.random.default_rng(3).uniform(-1, 1, images.shape).astype(np.float32)
    few = {"num_projections": 64}
    same, like, far = (sliced_wasserstein(images, fake, **few) for fake in (images, others, noise))
    assert list(same) == [32, 16]
    assert same == {32: 0, 16: 0}
    assert all(0 < 1.5 * like[side] < far[side] for side in far)
    monkeypatch.setattr(sliced, "BATCH", 7)
    assert sliced_wasserstein(images, others, **few) == pytest.approx(like, rel=1e-4)


def test_the_scale_that_is_wrong_shows():
    images, others = pictures(100, 32), pictures(100, 32, seed=1)
    fine, coarse = sliced.laplacian_pyramid(others, 2)
    wide = np.zeros_like(fine)
    wide[:, ::2, ::2] = coarse
    grain = np.random.default_rng(4).choice([-0.05, 0.05], fine.shape)  # in place of the finest detail
    found = sliced_wasserstein(images, np.clip(sliced._blurred(wide, 4) + grain, -1, 1), num_projections=64)
    like = sliced_wasserstein(images, others, num_projections=64)
    assert found[32] > 2 * like[32]
    assert found[16] < 1.3 * like[16]


def test_small_gray_and_byte_images():
    images, others = pictures(30, 8, 1), pictures(30, 8, 1, seed=1)
    found = sliced_wasserstein(images, others, num_projections=32)
    assert list(found) == [8]
    as_bytes = [np.uint8(np.round((x + 1) * 127.5)) for x in (images, others)]
    assert sliced_wasserstein(*as_bytes, num_projections=32)[8] == pytest.approx(found[8], rel=0.1)


def test_bad_input_is_named():
    images = pictures(4, 16)
    with pytest.raises(ValueError, match=r"fake_images: .* in \[0, 1\]"):
        sliced_wasserstein(images, (images + 1) / 2)
    with pytest.raises(ValueError, match=r"real_images: .* NaN"):
        sliced_wasserstein(images * np.nan, images)
    with pytest.raises(ValueError, match="as many are needed"):
        sliced_wasserstein(images, images[1:])
    with pytest.raises(ValueError, match="same channels"):
        sliced_wasserstein(images, images[..., :1])
    with pytest.raises(ValueError, match="patch_size=6 must be odd"):
        sliced_wasserstein(images, images, patch_size=6)
    with pytest.raises(ValueError, match="does not fit into images of 5x5"):
        sliced_wasserstein(images[:, :5, :5], images[:, :5, :5])
