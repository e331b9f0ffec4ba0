"""Images beside the images they should be: closed forms, an independent PSNR, and pairs that are none."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.metrics import mean_absolute_error, mean_squared_error, peak_signal_to_noise

RANDOM = np.random.default_rng(0)


def test_a_shift_has_its_size_and_its_square():
    real = RANDOM.uniform(-1, 0.5, (7, 4, 5, 3)).astype("float32")
    assert mean_absolute_error(real, real + 0.25) == pytest.approx(0.25, rel=1e-6)
    assert mean_squared_error(real, real - 0.25) == pytest.approx(0.0625, rel=1e-6)
    assert peak_signal_to_noise(real, real + 0.2) == pytest.approx(20.0, rel=1e-6)  # a tenth of the range
    assert mean_squared_error(real, real) == mean_absolute_error(real, real) == 0
    assert mean_squared_error(np.zeros((2, 2)), np.ones((2, 2))) == 1  # points


def test_equals_tensorflows_ratio_of_8_bits():
    real, made = RANDOM.integers(0, 256, (2, 6, 8, 8, 1))
    expected = tf.image.psnr(real.astype("float32"), made.astype("float32"), max_val=255).numpy().mean()
    assert peak_signal_to_noise(real / 127.5 - 1, made / 127.5 - 1) == pytest.approx(expected, rel=1e-6)


def test_the_ratio_is_a_mean_over_images_and_finite():
    real = np.zeros((2, 4, 4, 1))
    made = np.stack([np.full((4, 4, 1), 0.2), np.full((4, 4, 1), 0.02)])
    assert peak_signal_to_noise(real, made) == pytest.approx(30.0)  # 20 and 40 dB
    assert peak_signal_to_noise(real, real) == pytest.approx(100.0)


def test_what_is_no_pair_is_refused():
    real = np.zeros((3, 4, 4, 1))
    for made in (real[:2], real[..., 0], real.reshape(3, 16)):
        with pytest.raises(ValueError, match=r"The images are \(3, 4, 4, 1\) and what should be like them"):
            mean_squared_error(real, made)
    with pytest.raises(ValueError, match="give as many alike"):
        mean_absolute_error(real[:0], real[:0])
    broken = real.copy()
    broken[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="1 of 3 images contain NaN"):
        peak_signal_to_noise(real, broken)
