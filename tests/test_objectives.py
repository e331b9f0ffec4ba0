"""Objectives against closed forms in float64 and against TF-GAN."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.objectives import Hinge, LeastSquares, MinimaxGAN, NonSaturating, RelativisticAverage, Wasserstein

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


def softplus(x):
    return np.logaddexp(0.0, x)


CLOSED_FORMS = [  # objective, D's loss, dD/d real, dD/d fake, G's loss, dG/d fake; r and f are (N, 1)
    (
        LeastSquares(-1.0, 2.0, 0.5),
        lambda r, f: ((r - 2) ** 2).mean() / 2 + ((f + 1) ** 2).mean() / 2,
        lambda r, f: (r - 2) / len(r),
        lambda r, f: (f + 1) / len(f),
        lambda r, f: ((f - 0.5) ** 2).mean() / 2,
        lambda r, f: (f - 0.5) / len(f),
    ),
    (
        Wasserstein(drift=0.01),
        lambda r, f: f.mean() - r.mean() + 0.01 * (r**2).mean(),
        lambda r, f: (0.02 * r - 1) / len(r),
        lambda r, f: np.ones_like(f) / len(f),
        lambda r, f: -f.mean(),
        lambda r, f: -np.ones_like(f) / len(f),
    ),
    (
        Hinge(),
        lambda r, f: np.maximum(1 - r, 0).mean() + np.maximum(1 + f, 0).mean(),
        lambda r, f: -1.0 * (r < 1) / len(r),
        lambda r, f: (f > -1) / len(f),
        lambda r, f: -f.mean(),
        lambda r, f: -np.ones_like(f) / len(f),
    ),
    (
        RelativisticAverage(),
        lambda r, f: softplus(-(r - f.mean())).mean() + softplus(f - r.mean()).mean(),
        lambda r, f: (-sigmoid(-(r - f.mean())) - sigmoid(f - r.mean()).mean()) / len(r),
        lambda r, f: (sigmoid(-(r - f.mean())).mean() + sigmoid(f - r.mean())) / len(f),
        lambda r, f: softplus(-(f - r.mean())).mean() + softplus(r - f.mean()).mean(),
        lambda r, f: (-sigmoid(-(f - r.mean())) - sigmoid(r - f.mean()).mean()) / len(f),
    ),
]


@pytest.mark.parametrize("case", CLOSED_FORMS, ids=lambda case: type(case[0]).__name__)
def test_values_and_gradients_are_the_closed_forms(case):
    objective, d_loss, d_real, d_fake, g_loss, g_fake = case
    real, fake = REAL.astype("float32"), FAKE.astype("float32")
    value, gradient = value_and_gradient(lambda x: objective.discriminator_loss(x, fake), REAL)
    assert value == pytest.approx(d_loss(REAL, FAKE), rel=1e-5)
    np.testing.assert_allclose(gradient, d_real(REAL, FAKE), rtol=1e-4, atol=1e-7)
    _, gradient = value_and_gradient(lambda x: objective.discriminator_loss(real, x), FAKE)
    np.testing.assert_allclose(gradient, d_fake(REAL, FAKE), rtol=1e-4, atol=1e-7)
    value, gradient = value_and_gradient(lambda x: objective.generator_loss(x, real), FAKE)
    assert value == pytest.approx(g_loss(REAL, FAKE), rel=1e-5)
    np.testing.assert_allclose(gradient, g_fake(REAL, FAKE), rtol=1e-4, atol=1e-7)


def test_only_comparing_objectives_pay_for_the_real_pass():
    assert RelativisticAverage().needs_real
    assert not any(cls().needs_real for cls in (MinimaxGAN, NonSaturating, LeastSquares, Wasserstein, Hinge))


def test_tf_gan_agrees(tfgan):
    real, fake = REAL.astype("float32"), FAKE.astype("float32")
    theirs = tfgan.losses.wargs.minimax_discriminator_loss(real, fake, label_smoothing=0.0)
    assert float(theirs) == pytest.approx(float(MinimaxGAN().discriminator_loss(real, fake)), rel=1e-5)
    theirs = tfgan.losses.wargs.modified_discriminator_loss(real, fake, label_smoothing=0.0)
    assert float(theirs) == pytest.approx(float(NonSaturating().discriminator_loss(real, fake)), rel=1e-5)
    theirs = tfgan.losses.wargs.modified_generator_loss(fake)
    assert float(theirs) == pytest.approx(float(NonSaturating().generator_loss(fake)), rel=1e-5)
    wargs, pairs = tfgan.losses.wargs, ((Wasserstein(), "wasserstein"), (Hinge(), "wasserstein_hinge"))
    for objective, name in (*pairs, (LeastSquares(), "least_squares")):
        theirs = getattr(wargs, f"{name}_discriminator_loss")(real, fake)
        assert float(theirs) == pytest.approx(float(objective.discriminator_loss(real, fake)), rel=1e-5), name
        theirs = getattr(wargs, f"{name}_generator_loss")(fake)
        assert float(theirs) == pytest.approx(float(objective.generator_loss(fake)), rel=1e-5), name
    theirs = wargs.relativistic_discriminator_loss(real, fake)
    assert float(theirs) == pytest.approx(float(RelativisticAverage().discriminator_loss(real, fake)), rel=1e-5)
    theirs = wargs.relativistic_generator_loss(real, fake)
    assert float(theirs) == pytest.approx(float(RelativisticAverage().generator_loss(fake, real)), rel=1e-5)
    _, ours = value_and_gradient(MinimaxGAN().generator_loss, FAKE)
    _, theirs = value_and_gradient(tfgan.losses.wargs.minimax_generator_loss, FAKE)  # theirs adds a constant
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    "objective", [MinimaxGAN(), NonSaturating(real_label=0.9), *(case[0] for case in CLOSED_FORMS)]
)
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
