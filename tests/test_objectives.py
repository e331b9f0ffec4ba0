"""Objectives against closed forms in float64 and against TF-GAN."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.objectives import MinimaxGAN, NonSaturating

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(1.0, 3.0, (64, 1)), RNG.normal(-1.0, 3.0, (64, 1))


def log_sigmoid(x):
    return -np.logaddexp(0.0, -x)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def value_and_gradient(loss, logits):
    logits = tf.constant(logits, "float32")
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(logits)
    return float(value), tape.gradient(value, logits).numpy()


@pytest.mark.parametrize("smooth", [1.0, 0.9])
@pytest.mark.parametrize("cls", [MinimaxGAN, NonSaturating])
def test_discriminator_loss_is_equation_1(cls, smooth):
    objective = cls(real_label=smooth)
    real_terms = smooth * log_sigmoid(REAL) + (1 - smooth) * log_sigmoid(-REAL)
    expected = -real_terms.mean() - log_sigmoid(-FAKE).mean()
    value, gradient = value_and_gradient(lambda x: objective.discriminator_loss(x, FAKE.astype("float32")), REAL)
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient, (sigmoid(REAL) - smooth) / len(REAL), rtol=1e-4, atol=1e-8)
    _, gradient = value_and_gradient(lambda x: objective.discriminator_loss(REAL.astype("float32"), x), FAKE)
    np.testing.assert_allclose(gradient, sigmoid(FAKE) / len(FAKE), rtol=1e-4, atol=1e-8)


def test_generator_losses_are_log_d_and_log_one_minus_d():
    value, gradient = value_and_gradient(NonSaturating().generator_loss, FAKE)
    assert value == pytest.approx(-log_sigmoid(FAKE).mean(), rel=1e-6)
    np.testing.assert_allclose(gradient, -sigmoid(-FAKE) / len(FAKE), rtol=1e-4, atol=1e-8)
    value, gradient = value_and_gradient(MinimaxGAN().generator_loss, FAKE)
    assert value == pytest.approx(log_sigmoid(-FAKE).mean(), rel=1e-6)
    np.testing.assert_allclose(gradient, -sigmoid(FAKE) / len(FAKE), rtol=1e-4, atol=1e-8)


def test_a_sure_discriminator_starves_minimax_and_feeds_non_saturating():
    sure = np.full((8, 1), -30.0)
    assert np.abs(value_and_gradient(MinimaxGAN().generator_loss, sure)[1]).max() < 1e-10
    np.testing.assert_allclose(value_and_gradient(NonSaturating().generator_loss, sure)[1], -1 / 8, rtol=1e-6)


@pytest.mark.parametrize("cls", [MinimaxGAN, NonSaturating])
def test_extreme_logits_stay_finite(cls):
    far = np.array([[-1e4], [1e4]], "float32")
    assert np.isfinite(float(cls().discriminator_loss(far, far)))
    assert np.isfinite(float(cls().generator_loss(far)))


def test_tf_gan_agrees(tfgan):
    real, fake = REAL.astype("float32"), FAKE.astype("float32")
    theirs = tfgan.losses.wargs.minimax_discriminator_loss(real, fake, label_smoothing=0.0)
    assert float(theirs) == pytest.approx(float(MinimaxGAN().discriminator_loss(real, fake)), rel=1e-5)
    theirs = tfgan.losses.wargs.modified_discriminator_loss(real, fake, label_smoothing=0.0)
    assert float(theirs) == pytest.approx(float(NonSaturating().discriminator_loss(real, fake)), rel=1e-5)
    theirs = tfgan.losses.wargs.modified_generator_loss(fake)
    assert float(theirs) == pytest.approx(float(NonSaturating().generator_loss(fake)), rel=1e-5)
    _, ours = value_and_gradient(MinimaxGAN().generator_loss, FAKE)
    _, theirs = value_and_gradient(tfgan.losses.wargs.minimax_generator_loss, FAKE)  # theirs adds a constant
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("objective", [MinimaxGAN(), NonSaturating(real_label=0.9)])
def test_config_comes_back_equal_and_hashable(objective):
    config = json.loads(json.dumps(objective.get_config()))
    assert type(objective).from_config(config) == objective
    assert hash(type(objective).from_config(config)) == hash(objective)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert restored == objective


@pytest.mark.parametrize("label", [0.5, 0.0, 1.1, -1])
def test_smoothing_has_a_range(label):
    with pytest.raises(ValueError, match=r"real_label=.*\(0\.5, 1\]"):
        NonSaturating(real_label=label)
