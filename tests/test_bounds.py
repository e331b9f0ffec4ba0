"""The variational bound of diffusion against densities that are known."""

import math

import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tests.test_diffusion import MEANS, STD, known
from tfgan_zoo import schedules


def of_gaussian(count=2000):
    """Points of N(m, STD^2 I) and the exact logarithm of their density."""
    points = (MEANS[0] + STD * np.random.default_rng(1).normal(size=(count, 2))).astype("float32")
    log_p = -0.5 * ((points - MEANS[0]) ** 2).sum(1) / STD**2 - 2 * math.log(STD) - math.log(2 * math.pi)
    return points, log_p


@pytest.mark.parametrize("num_samples", [4, 64])
def test_the_bound_is_the_one_in_closed_form_below_the_density(num_samples):
    """The best denoiser of a Gaussian errs by s^2 / (1 + SNR s^2) a coordinate; a hundred levels are coarse."""
    points, exact = of_gaussian()
    found = np.asarray(known().log_prob(points, num_samples=num_samples))
    levels = schedules.Linear(100).levels(100)
    snr = (levels.signal[:-1] / levels.noise[:-1]) ** 2
    start = 0.5 * snr[0] * (points**2).sum(1).mean()
    between = np.sum(np.diff(snr) * STD**2 / (1 + snr[:-1] * STD**2))
    closed = -start - between + math.log(snr[-1]) - 1 - math.log(2 * math.pi)
    error = float(found.std()) / math.sqrt(len(points))
    assert float(found.mean()) == pytest.approx(closed, abs=3 * error + 1e-3)
    assert error < 0.1
    assert closed < exact.mean()


class Told(tz.Diffusion):
    """A denoiser that answers with one image, whatever it sees."""

    answer = 0.0

    def denoise(self, x, times, condition=None, *, guidance_scale=1.0):
        return tf.zeros_like(x) + self.answer


def told(answer, schedule, shape=(4, 4, 1)):
    like = tz.create("diffusion", shape, width=4, seed=0)
    model = Told(like.denoiser, schedule=schedule, prediction=schedules.Epsilon(), seed=0)
    model.answer = answer
    return model


SLOW = [pytest.param(one, marks=pytest.mark.slow) for one in (schedules.Linear(), schedules.Cosine())]


@pytest.mark.parametrize("schedule", [schedules.EDM(), schedules.Straight(), *SLOW])
def test_who_knows_the_image_pays_for_both_ends_alone(schedule):
    """With the image known nothing is lost between levels: KL of the start, and rounding at the finest."""
    image = np.full((3, 4, 4, 1), 51.0 / 127.5 - 1.0, "float32")
    levels = schedule.levels(1000)
    start = 0.5 * (levels.signal[0] / levels.noise[0]) ** 2 * (image[0] ** 2).sum()
    ratio = levels.noise[-2] / levels.signal[-2] * 127.5  # in levels of 8 bits
    offsets = np.arange(-60, 61) / ratio
    eps = np.random.default_rng(0).normal(size=200_000)
    entropy = np.mean(0.5 * eps**2 + np.log(np.exp(-0.5 * (eps[:, None] - offsets) ** 2).sum(1)))
    model = told(image[0, 0, 0, 0], schedule)
    found = np.mean([model.log_prob(np.repeat(image, 100, axis=0), seed=seed, num_samples=1) for seed in range(5)])
    assert -found == pytest.approx(start + 16 * entropy, abs=0.05 * 16 * max(entropy, 0.05))


def test_the_sum_over_levels_is_the_one_worked_out_by_hand():
    """A denoiser that always says black: half of each rise of the ratio times the image's squared distance."""
    schedule, image = schedules.Linear(50), np.full((256, 4, 4, 1), 0.2, "float32")
    level = np.round(1.2 * 127.5) / 127.5 - 1.0
    levels = schedule.levels(50)
    snr = (levels.signal[:-1] / levels.noise[:-1]) ** 2
    by_hand = 0.5 * (snr[-1] - snr[0]) * 16 * (level + 1.0) ** 2
    known_image, black = told(level, schedule), told(-1.0, schedule)
    found = np.asarray(known_image.log_prob(image)) - np.asarray(black.log_prob(image))
    assert found.mean() == pytest.approx(by_hand, rel=0.02)


def test_images_are_taken_at_their_levels_and_a_seed_gives_the_same_number():
    model = tz.create("flow_matching", (8, 8, 1), width=4, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)).astype("float32") / 127.5 - 1.0
    one = np.asarray(model.log_prob(images, seed=3, num_samples=4))
    np.testing.assert_allclose(model.log_prob(images + 0.003, seed=3, num_samples=4), one, rtol=1e-6)
    assert not np.allclose(model.log_prob(images, seed=4, num_samples=4), one, rtol=1e-3)
    assert model.is_bound
    assert model.likelihood_protocol == {"samples": 64, "dequantisation": "none", "data_scale": 1}
    with pytest.raises(ValueError, match="num_samples=0"):
        model.log_prob(images, num_samples=0)
