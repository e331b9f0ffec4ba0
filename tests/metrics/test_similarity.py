"""MS-SSIM between pairs against tf.image, and as a measure of diversity."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.metrics import ms_ssim, ms_ssim_scales, similarity


def pictures(count, side, seed=0):
    """Smooth random images in [-1, 1]."""
    coarse = tf.random.stateless_uniform((count, 6, 6, 3), (seed, 1), -1, 1)
    return np.clip(tf.image.resize(coarse, (side, side), method="bicubic").numpy(), -1, 1)


def test_two_images_equal_tf_image():
    images = pictures(2, 176)
    expected = tf.image.ssim_multiscale(*((images[i] + 1) * 127.5 for i in (0, 1)), 255.0)
    assert ms_ssim_scales((176, 176, 3)) == 5
    mean, error = ms_ssim(images, num_pairs=2)
    assert mean == pytest.approx(float(expected), abs=1e-5)
    assert error == pytest.approx(0, abs=1e-6)


def test_small_images_take_the_scales_that_fit():
    assert [ms_ssim_scales((side, side + 9, 1)) for side in (8, 11, 21, 22, 28, 32, 44, 64, 88, 175, 500)] == [
        *(1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5)
    ]
    images = pictures(2, 28)
    weights = np.array([0.0448, 0.2856])
    expected = tf.image.ssim_multiscale(images[0] + 1, images[1] + 1, 2.0, 1.0001 * weights / weights.sum())
    assert ms_ssim(images, num_pairs=2)[0] == pytest.approx(float(expected), abs=1e-5)
    tiny = np.stack([images[0, :8, :8, :1], 0.5 * images[0, :8, :8, :1]])  # alike, for MS-SSIM cuts off below 0
    expected = float(tf.image.ssim((tiny[0] + 1) / 2, (tiny[1] + 1) / 2, 1.0, filter_size=8))
    assert ms_ssim(tiny, num_pairs=2)[0] == pytest.approx(expected, abs=1e-3)


def test_repetition_is_similar_and_variety_is_not():
    images = pictures(40, 28)
    varied = ms_ssim(images)[0]
    repeated = np.repeat(images[:1], 40, axis=0)
    repeated = np.clip(repeated + 0.02 * np.random.default_rng(0).normal(size=repeated.shape), -1, 1)
    assert ms_ssim(repeated)[0] > 0.95
    assert varied < 0.6
    assert ms_ssim(np.uint8((images + 1) * 127.5))[0] == pytest.approx(varied, abs=0.02)


def test_labels_pair_within_a_class():
    images = np.repeat(pictures(3, 28), 6, axis=0)
    labels = np.repeat([0, 1, 7], 6)
    assert ms_ssim(images, labels, num_pairs=5)[0] == pytest.approx(1, abs=1e-4)
    assert ms_ssim(images, num_pairs=50)[0] < 0.9
    alone = np.concatenate([labels[:-1], [9]])  # a class of one image has no pair
    assert ms_ssim(images, alone, num_pairs=5)[0] == pytest.approx(1, abs=1e-4)


def test_batches_change_nothing_and_a_seed_gives_the_pairs(monkeypatch):
    images = pictures(12, 24)
    found = ms_ssim(images, num_pairs=10, seed=3)
    assert found != ms_ssim(images, num_pairs=10, seed=4)
    monkeypatch.setattr(similarity, "BATCH", 3)
    assert ms_ssim(images, num_pairs=10, seed=3) == pytest.approx(found, abs=1e-6)


def test_bad_input_is_named():
    images = pictures(3, 28)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        ms_ssim((images + 1) / 2)
    with pytest.raises(ValueError, match="NaN"):
        ms_ssim(images * np.nan)
    with pytest.raises(ValueError, match="one for each"):
        ms_ssim(images, [0, 1])
    with pytest.raises(ValueError, match="no two images"):
        ms_ssim(images, [0, 1, 2])
    with pytest.raises(ValueError, match="num_pairs=1"):
        ms_ssim(images, num_pairs=1)
