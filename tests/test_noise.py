"""Noise: the distributions, nesting rows, and the same numbers under XLA."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgan_zoo import noise, priors


@pytest.mark.parametrize(("draw", "law"), [(noise.normal, "norm"), (noise.uniform, "uniform")])
def test_distribution_and_independence(draw, law):
    numbers = draw((4000, 25), (1, 2)).numpy()
    assert stats.kstest(numbers.ravel(), law).pvalue > 1e-3
    assert stats.kstest(numbers.ravel() * 1.02, law).pvalue < 1e-3  # the test can tell
    correlations = np.corrcoef(numbers.T) - np.eye(25)
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("width", [1, 2, 5, 100])
@pytest.mark.parametrize("draw", [noise.normal, noise.uniform])
def test_rows_nest_and_seeds_differ(draw, width):
    long = draw((50, width), (3, 4)).numpy()
    assert long.shape == (50, width)
    np.testing.assert_array_equal(draw((7, width), (3, 4)), long[:7])
    assert np.abs(draw((50, width), (3, 5)).numpy() - long).max() > 0.1
    assert np.abs(draw((50, width), (4, 4)).numpy() - long).max() > 0.1


@pytest.mark.parametrize("prior", [priors.Normal(2.0), priors.Uniform(-1.0, 1.0)])
def test_xla_draws_the_same_with_live_seeds_and_sizes(prior):
    def draw(count, seed):
        return prior.sample(count, 9, tf.stack([seed, 7]))

    eager = draw(tf.constant(6), tf.constant(5))
    np.testing.assert_array_equal(tf.function(draw)(tf.constant(6), tf.constant(5)), eager)
    np.testing.assert_array_equal(tf.function(draw, jit_compile=True)(tf.constant(6), tf.constant(5)), eager)


def test_priors_scale_and_bound():
    assert priors.Normal(3.0).sample(2000, 8, (0, 0)).numpy().std() == pytest.approx(3.0, rel=0.03)
    drawn = priors.Uniform(2.0, 5.0).sample(2000, 8, (0, 0)).numpy()
    assert 2.0 <= drawn.min() < 2.01
    assert 4.99 < drawn.max() <= 5.0
