"""Likelihoods against scipy and against themselves: mass that sums to one, samples that follow it, gradients."""

import json

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Bernoulli, Categorical, DiscretizedLogistic, Gaussian

LEVELS = (np.arange(256) / 127.5 - 1).astype("float32")
ALL = [Bernoulli(), Bernoulli(binarise=False), Gaussian(), Gaussian(0.3, dequantise=True), DiscretizedLogistic()]
ALL += [Categorical(), Categorical(4)]


def images_and_parameters(likelihood, rows=3, channels=2, seed=0):
    random = np.random.default_rng(seed)
    images = random.choice(LEVELS, (rows, 4, 5, channels))
    return images, random.normal(size=(rows, 4, 5, likelihood.channels(channels))).astype("float32")


@pytest.mark.parametrize("likelihood", ALL, ids=str)
def test_configuration_comes_back_equal_and_sums_are_of_dimensions(likelihood):
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(likelihood)))
    assert keras.saving.deserialize_keras_object(written) == likelihood
    images, parameters = images_and_parameters(likelihood)
    each = likelihood.per_dimension(images, parameters)
    assert each.shape == images.shape
    np.testing.assert_allclose(likelihood.log_prob(images, parameters), np.sum(each, (1, 2, 3)), rtol=1e-5)
    assert likelihood.mean(parameters).shape == images.shape
    twice = likelihood.log_prob(np.concatenate([images] * 2, 1), np.concatenate([parameters] * 2, 1))
    np.testing.assert_allclose(twice, 2 * likelihood.log_prob(images, parameters), rtol=1e-5)


@pytest.mark.parametrize("likelihood", ALL, ids=str)
def test_half_precision_is_computed_in_float32(likelihood):
    images, parameters = images_and_parameters(likelihood)
    half = tf.cast(parameters, tf.bfloat16)
    for asked in (
        lambda one: likelihood.log_prob(images, one),
        likelihood.mean,
        lambda one: likelihood.sample(one, [1, 2]),
    ):
        assert asked(half).dtype == tf.float32
        np.testing.assert_allclose(asked(half), asked(tf.cast(half, tf.float32)), atol=1e-6)


def test_bernoulli_is_scipys_and_finite_at_any_logit():
    logits = np.array([[-120.0], [-3.0], [0.0], [3.0], [120.0]], "float32")
    for image, outcome in ((-1.0, 0), (1.0, 1)):
        found = Bernoulli().log_prob(np.full((5, 1), image, "float32"), logits)
        expected = scipy.stats.bernoulli.logpmf(outcome, 1 / (1 + np.exp(-logits[1:4, 0].astype("float64"))))
        np.testing.assert_allclose(found[1:4], expected, rtol=1e-6)
        np.testing.assert_allclose(found[::4], [0, -120] if outcome == 0 else [-120, 0], atol=1e-5)
    assert (Bernoulli().log_prob(LEVELS[:, None], np.zeros((256, 1), "float32")).numpy() <= 0).all()
    np.testing.assert_allclose(Bernoulli().mean(logits), 2 * scipy.special.expit(logits) - 1, atol=1e-6)


def test_bernoulli_binarises_anew_for_each_seed_with_the_pixels_probability():
    grey = np.broadcast_to(LEVELS[::51].reshape(1, 2, 3, 1), (20000, 2, 3, 1))
    seen = Bernoulli().observe(grey, [0, 1]).numpy()
    assert set(np.unique(seen)) == {-1.0, 1.0}
    np.testing.assert_allclose(seen.mean(0), grey[0], atol=0.03)
    assert (seen[..., 0, 0, 0] == -1).all()
    assert (seen[..., 1, 2, 0] == 1).all()
    np.testing.assert_array_equal(seen, Bernoulli().observe(grey, [0, 1]))
    assert (seen != Bernoulli().observe(grey, [0, 2]).numpy()).any()
    assert Bernoulli(binarise=False).observe(grey, [0, 1]) is grey
    assert Bernoulli(binarise=False).protocol["data_scale"] is None


def test_gaussian_is_scipys_with_its_constant():
    images, parameters = images_and_parameters(Gaussian())
    mean, log_scale = np.split(parameters, 2, -1)
    expected = scipy.stats.norm.logpdf(images, mean, np.exp(log_scale))
    np.testing.assert_allclose(Gaussian().per_dimension(images, parameters), expected, rtol=2e-5, atol=2e-5)
    expected = scipy.stats.norm.logpdf(images, mean, 0.3).sum((1, 2, 3))
    np.testing.assert_allclose(Gaussian(0.3).log_prob(images, mean), expected, rtol=1e-5)
    fractions = np.random.default_rng(1).uniform(size=images.shape).astype("float32")
    expected = scipy.stats.norm.ppf(fractions, mean, np.exp(log_scale))
    np.testing.assert_allclose(Gaussian().quantile(fractions, parameters), expected, atol=1e-4)
    extreme = np.array([[0.0, 1e4], [0.0, -1e4]], "float32")
    assert np.isfinite(Gaussian().log_prob(np.ones((2, 1), "float32"), extreme)).all()


def test_dequantised_images_fill_the_gap_between_levels_and_no_more():
    images = np.broadcast_to(LEVELS[[0, 128, 255]], (5000, 3))
    seen = Gaussian(0.1, dequantise=True).observe(images, [3, 4]).numpy() - images
    assert 0.98 / 255 < np.abs(seen).max() <= 1.001 / 255
    np.testing.assert_allclose(seen.std(), 2 / 255 / np.sqrt(12), rtol=0.02)


EXTREMES = [(m, s) for m in (-30.0, -1.0, -0.3, 0.0, 0.9999, 1.0, 7.0) for s in (-50.0, -7.0, -3.0, 0.0, 4.0, 50.0)]


def test_discretized_logistic_is_scipys_and_sums_to_one_at_any_parameters():
    for location, log_scale in EXTREMES:
        parameters = np.full((256, 2), (location, log_scale), "float32")
        found = DiscretizedLogistic().log_prob(LEVELS[:, None], parameters).numpy().astype("float64")
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.exp(found).sum(), 1, atol=3e-4)
    exact, scale = LEVELS.astype("float64"), np.exp(-3.0)
    edges = scipy.stats.logistic.cdf(np.concatenate([exact + 1 / 255, exact - 1 / 255]), 0.2, scale)
    upper, lower = edges[:256].copy(), edges[256:].copy()
    upper[-1], lower[0] = 1, 0
    found = DiscretizedLogistic().log_prob(LEVELS[:, None], np.full((256, 2), (0.2, -3.0), "float32"))
    np.testing.assert_allclose(found, np.log(upper - lower), atol=1e-4)


def test_discretized_logistic_has_a_gradient_at_every_parameter_and_the_mean_of_its_levels():
    parameters = tf.constant(EXTREMES, tf.float32)
    for image in (-1.0, 0.1, 1.0):
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            value = DiscretizedLogistic().log_prob(tf.fill((len(EXTREMES), 1), image), parameters)
        assert np.isfinite(tape.gradient(value, parameters)).all()
    inner = parameters[6:]
    each = np.stack(
        [DiscretizedLogistic().log_prob(np.full((len(inner), 1), level), inner).numpy() for level in LEVELS], -1
    )
    expected = (np.exp(each.astype("float64")) * LEVELS).sum(-1, keepdims=True)
    np.testing.assert_allclose(DiscretizedLogistic().mean(inner), expected, atol=3e-3)


def test_categorical_is_a_softmax_over_the_levels_of_each_channel():
    images, parameters = images_and_parameters(Categorical(4))
    images = Categorical(4).observe(images, None).numpy()
    np.testing.assert_allclose(np.unique(images), [-1, -1 / 3, 1 / 3, 1], atol=1e-6)
    logits = parameters.reshape(*images.shape, 4).astype("float64")
    index = np.round((images + 1) * 1.5).astype(int)
    expected = np.take_along_axis(scipy.special.log_softmax(logits, -1), index[..., None], -1)[..., 0]
    np.testing.assert_allclose(Categorical(4).per_dimension(images, parameters), expected, atol=1e-5)
    expected = scipy.special.softmax(logits, -1) @ np.linspace(-1, 1, 4)
    np.testing.assert_allclose(Categorical(4).mean(parameters), expected, atol=1e-5)
    assert Categorical().channels(3) == 768


@pytest.mark.parametrize("likelihood", [Bernoulli(), DiscretizedLogistic(), Categorical(256), Categorical(5)], ids=str)
def test_samples_follow_the_probabilities(likelihood):
    one = {1: [0.4], 2: [0.3, -1.5]}.get(likelihood.kinds)
    one = np.linspace(-1, 1, likelihood.kinds) if one is None else one
    levels = {1: np.array([-1, 1.0]), 2: LEVELS, 5: np.linspace(-1, 1, 5)}.get(likelihood.kinds, LEVELS)
    levels = levels.astype("float32")[:, None]
    expected = np.exp(likelihood.log_prob(levels, np.tile(np.asarray(one, "float32"), (len(levels), 1))).numpy())
    drawn = likelihood.sample(np.tile(np.asarray(one, "float32"), (200000, 1)), [5, 6]).numpy()
    found = np.bincount(np.abs(drawn - levels.T).argmin(1), minlength=len(levels)) / len(drawn)
    np.testing.assert_allclose(np.abs(drawn - levels.T).min(1), 0, atol=1e-6)
    assert np.abs(np.cumsum(found) - np.cumsum(expected)).max() < 0.005  # Kolmogorov and Smirnov's
    few = likelihood.sample(np.tile(np.asarray(one, "float32"), (7, 1)), [5, 6])
    np.testing.assert_array_equal(few, drawn[:7])


def test_gaussian_samples_follow_mean_and_scale():
    drawn = Gaussian().sample(np.tile(np.float32([0.3, -1.0]), (100000, 1)), [7, 8]).numpy()
    np.testing.assert_allclose([drawn.mean(), drawn.std()], [0.3, np.exp(-1)], atol=5e-3)


def test_what_does_not_fit_is_said():
    images = np.zeros((2, 4, 4, 1), "float32")
    with pytest.raises(ValueError, match=r"DiscretizedLogistic needs 2 channels for images \(2, 4, 4, 1\)"):
        DiscretizedLogistic().log_prob(images, images)
    with pytest.raises(ValueError, match=r"run from 0 to 255: Bernoulli takes \[-1, 1\]"):
        Bernoulli().log_prob(np.array([[0.0], [255.0]], "float32"), np.zeros((2, 1), "float32"))
    with pytest.raises(ValueError, match="3 channels: Gaussian takes a multiple of 2"):
        Gaussian().sample(np.zeros((2, 3), "float32"), [0, 1])
    for wrong in (lambda: Gaussian(0.0), lambda: Gaussian(-1.0), lambda: Categorical(1)):
        with pytest.raises(ValueError, match=r"give a (standard|whole)"):
            wrong()


def test_it_is_a_public_name():
    assert tz.likelihoods.Bernoulli is Bernoulli
