"""Density networks: the estimate stays below the exact density on average, and rises with draws."""

import math

import keras
import numpy as np
import pytest

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.models.density import DensityNetwork


def linear_gaussian(latent_dim, sigma=0.5):
    """x = W z + sigma e in the plane, whose density is a normal one's."""
    z = keras.Input((latent_dim,))
    dense = keras.layers.Dense(2, use_bias=False)
    model = DensityNetwork(
        keras.Model(z, dense(z)), image_shape=(2,), likelihood=Gaussian(scale=sigma), seed=0, evaluation_samples=2000
    )
    weights = np.random.default_rng(0).normal(size=(latent_dim, 2)).astype("float32") / math.sqrt(latent_dim)
    dense.kernel.assign(weights)
    covariance = weights.T @ weights + sigma**2 * np.eye(2)

    def exact(x):
        inside = (x @ np.linalg.inv(covariance) * x).sum(-1)
        return -0.5 * inside - math.log(2 * math.pi) - 0.5 * np.linalg.slogdet(covariance)[1]

    return model, exact


def test_the_estimate_is_below_the_exact_density_and_rises_with_draws():
    model, exact = linear_gaussian(3)
    x = np.random.default_rng(1).normal(size=(50, 2)).astype("float32")
    gaps = []
    for samples in (1, 8, 64, 2000):
        gaps.append(np.mean([np.asarray(model.log_prob(x, seed, samples)) - exact(x) for seed in range(20)]))
    assert gaps[0] < gaps[1] < gaps[2] < gaps[3] < 0.02
    assert gaps[3] == pytest.approx(0.0, abs=0.02)


def test_blocks_of_draws_are_one_mean():
    model, _ = linear_gaussian(2)
    x = np.random.default_rng(1).normal(size=(5, 2)).astype("float32")
    seed = np.asarray(model.log_prob(x, 3, 100))
    from tfgan_zoo import noise

    stacked = np.array([3, noise.purpose("log_prob")], "int32")
    latents = model.prior.sample(100, 2, noise.fold(stacked, 1))
    terms = np.asarray(model._pairs(x, model.decoder(latents)), "float64")
    np.testing.assert_allclose(seed, np.logaddexp.reduce(terms, axis=1) - math.log(100), rtol=1e-4)


def test_it_learns_and_its_dimension_matters():
    points = tz.data.arrays("ring8", split="train[:2048]")[0]
    model = tz.create("density_network", image_shape=(2,), width=32, seed=0)
    model.compile(optimizer=keras.optimizers.Adam(5e-3))
    history = model.fit(points, epochs=10, batch_size=64, verbose=0).history["nll"]
    assert history[-1] < history[0] - 0.3
    assert model.is_bound
    assert model.likelihood_protocol["samples"] == 1024


@pytest.mark.parametrize("name", ["samples", "evaluation_samples"])
def test_refuses_in_a_sentence(name):
    with pytest.raises(ValueError, match=f"{name}=0: give a whole number, at least 1"):
        tz.create("density_network", image_shape=(2,), **{name: 0})
