"""Where theory says what training must find: the best discriminator of two known densities, and what it measures."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz

GRID = np.linspace(-8.0, 8.0, 4001)
STEP = GRID[1] - GRID[0]


def normal(mean, stddev):
    return np.exp(-(((GRID - mean) / stddev) ** 2) / 2) / (stddev * np.sqrt(2 * np.pi))


REAL, FAKE = normal(-1.0, 0.7), normal(1.0, 1.2)  # on the first coordinate; the second is 0
BEST = REAL / (REAL + FAKE)
BULK = (REAL + FAKE) / 2 > 0.01
DIVERGENCE = STEP * (REAL * np.log(2 * BEST) + FAKE * np.log(2 * (1 - BEST))).sum() / 2  # Jensen and Shannon's


def judged(objective):
    """D's output on the grid once it has seen many fresh samples, and its last losses; G rests and makes FAKE."""
    tz.runtime.setup(seed=0)
    points, latents = keras.Input((2,)), keras.Input((1,))
    hidden = layers.Dense(32, "tanh")(layers.Dense(32, "tanh")(points))
    generator = keras.Model(latents, layers.Dense(2, name="affine")(latents))
    generator.get_layer("affine").set_weights([np.array([[1.2, 0.0]]), np.array([1.0, 0.0])])
    model = tz.GAN(generator, keras.Model(points, layers.Dense(1)(hidden)), objective=objective, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(2e-2, 400)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(rate, beta_2=0.99))
    samples = np.zeros((400 * 1024, 2), "float32")
    samples[:, 0] = np.random.default_rng(0).normal(-1.0, 0.7, len(samples))
    data = tf.data.Dataset.from_tensor_slices(samples).batch(1024)
    model.fit(data.take(300), verbose=0)
    logs = model.fit(data.skip(300), verbose=0).history
    np.testing.assert_allclose(generator.get_layer("affine").kernel, [[1.2, 0.0]], rtol=1e-6)
    on_grid = np.stack([GRID, np.zeros_like(GRID)], axis=1).astype("float32")
    return np.array(model.discriminator(on_grid), "float64")[:, 0], logs["discriminator_loss"][0]


def test_the_best_discriminator_is_the_share_of_real_density_and_its_loss_the_divergence():
    """Goodfellow et al. 2014, Prop. 1 and Thm. 1: D* = p / (p + q), and there -loss = -log 4 + 2 JSD(p, q)."""
    logits, last = judged(tz.objectives.NonSaturating())
    assert 0.3 < DIVERGENCE < 0.6
    assert np.abs(1 / (1 + np.exp(-logits)) - BEST)[BULK].mean() < 0.02
    theory = -np.log(4) + 2 * DIVERGENCE
    reached = -STEP * (REAL * np.logaddexp(0, -logits) + FAKE * np.logaddexp(0, logits)).sum()
    assert reached == pytest.approx(theory, rel=0.02)
    assert reached < theory + 1e-6  # no D does better than the best
    assert -last == pytest.approx(theory, rel=0.05)  # the mean over the last 100 steps' samples


@pytest.mark.slow
def test_least_squares_finds_the_same_share():
    """Mao et al. 2017, Eq. 5: with codes a and b, D* = (b p + a q) / (p + q)."""
    output, last = judged(tz.objectives.LeastSquares(fake=-1.0, real=1.0, wanted=0.0))
    best = (REAL - FAKE) / (REAL + FAKE)
    assert np.abs(output - best)[BULK].mean() < 0.04
    theory = STEP * (REAL * (best - 1) ** 2 + FAKE * (best + 1) ** 2).sum() / 2
    reached = STEP * (REAL * (output - 1) ** 2 + FAKE * (output + 1) ** 2).sum() / 2
    assert reached == pytest.approx(theory, rel=0.05)
    assert reached > theory - 1e-6
    assert last == pytest.approx(theory, rel=0.08)
