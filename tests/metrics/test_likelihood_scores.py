"""Nats and bits: closed forms of uniform, Gaussian and quantised data; what is no likelihood is refused."""

import math

import numpy as np
import pytest

from tfgan_zoo.metrics import bits_per_dim, log_likelihood


def test_a_uniform_model_has_8_bits_of_256_levels_on_every_scale():
    for dimensions in (1, 784, 3072):
        assert bits_per_dim(0.0, dimensions, 256) == 8.0  # the density of level / 256 is 1
        on_ours = -dimensions * math.log(256 / 127.5)  # 256 levels, 1 / 127.5 apart
        assert bits_per_dim(on_ours, dimensions, 127.5) == pytest.approx(8.0, rel=1e-14)
        assert bits_per_dim(dimensions * math.log(1 / 256), dimensions) == pytest.approx(8.0, rel=1e-14)
    assert bits_per_dim(math.log(0.5), 1) == 1.0  # a fair coin


def test_the_scale_of_a_density_does_not_matter_where_it_is_said():
    """The density of level / 256 is twice that of 2 level / 256 - 1 in each dimension: its levels are 1 / 128 apart."""
    nats = -123.4
    assert bits_per_dim(nats, 10, 256) == pytest.approx(bits_per_dim(nats - 10 * math.log(2), 10, 128), rel=1e-12)
    assert bits_per_dim(nats, 10, 256) != pytest.approx(bits_per_dim(nats, 10, 128), rel=1e-3)


def test_bits_of_a_density_bound_those_of_the_levels_from_above():
    """Theis et al. 2016, Eq. 4 to 6: the mean over uniform noise of log p(x + u) is at most log of the mean."""
    random = np.random.default_rng(0)
    levels = np.clip(np.round(random.normal(128, 3, 20_000)), 0, 255)
    noisy = (levels + random.uniform(size=levels.shape)) / 256
    mean, deviation = 128.5 / 256, 3 / 256
    nats = -(((noisy - mean) / deviation) ** 2) / 2 - math.log(deviation * math.sqrt(2 * math.pi))
    edges = (np.stack([levels, levels + 1]) / 256 - mean) / deviation
    cumulative = np.vectorize(math.erf)(edges / math.sqrt(2)) / 2
    exact = -np.log2(cumulative[1] - cumulative[0]).mean()
    assert exact < bits_per_dim(nats.mean(), 1, 256) < exact + 0.01


def test_the_mean_over_images_does_not_depend_on_batches_and_each_batch_has_its_seed():
    images, seeds = np.random.default_rng(1).normal(size=(50, 4, 4, 1)), []

    def log_prob(batch, seed):
        seeds.append(seed)
        return -(batch**2).sum((1, 2, 3)) / 2

    nats = -(images**2).sum((1, 2, 3)) / 2
    expected = nats.mean(), nats.std(ddof=1) / math.sqrt(50)
    assert log_likelihood(log_prob, images, batch_size=50, seed=7) == pytest.approx(expected)
    assert log_likelihood(log_prob, images, batch_size=20, seed=7) == pytest.approx(expected)
    assert seeds == [7, 7, 27, 47]


@pytest.mark.parametrize(
    ("log_prob", "count", "sentence"),
    [
        (lambda x, seed: np.zeros((len(x), 1)), 5, r"each of 5 images; it gave \(5, 1\)\."),
        (lambda x, seed: np.zeros(len(x)).mean(), 5, r"it gave \(\)\."),
        (lambda x, seed: np.full(len(x), -np.inf), 5, "with NaN or infinity"),
        (lambda x, seed: np.zeros(len(x)), 1, "at least 2 images, and there are 1"),
    ],
)
def test_what_is_no_likelihood_is_refused(log_prob, count, sentence):
    with pytest.raises(ValueError, match=sentence):
        log_likelihood(log_prob, np.zeros((count, 2)))


@pytest.mark.parametrize("arguments", [(1.0, 0), (1.0, 3, 0), (1.0, 3, -256)])
def test_dimensions_and_scales_are_positive(arguments):
    with pytest.raises(ValueError, match="must be positive"):
        bits_per_dim(*arguments)
