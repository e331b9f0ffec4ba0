"""Penalties against closed forms: linear and quadratic critics have slopes one can write down."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo import penalties
from tfgan_zoo.penalties import DRAGAN, R1, R2, GradientPenalty, ZeroCentered

RNG = np.random.default_rng(0)
REAL, FAKE = (np.tanh(RNG.normal(size=(32, 4, 4, 1))).astype("float32") for _ in range(2))
ALL = [GradientPenalty(), GradientPenalty(one_sided=True), DRAGAN(), DRAGAN(normal=0.1), R1(), R2(), ZeroCentered()]
SEED = tf.constant([3, 4])


def linear(slope):
    direction = RNG.normal(size=(16, 1))
    direction *= slope / np.linalg.norm(direction)
    return lambda images: tf.reshape(images, (-1, 16)) @ tf.constant(direction, tf.float32)


@pytest.mark.parametrize("slope", [0.25, 1.0, 3.0])
def test_a_linear_critic_pays_its_slope(slope):
    critic = linear(slope)
    expected = {
        GradientPenalty(10.0): 10 * (slope - 1) ** 2,
        GradientPenalty(10.0, one_sided=True): 10 * max(slope - 1, 0) ** 2,
        GradientPenalty(2.0, target=3.0): 2 * (slope - 3) ** 2,
        DRAGAN(10.0): 10 * (slope - 1) ** 2,
        R1(4.0): 2 * slope**2,
        R2(4.0): 2 * slope**2,
        ZeroCentered(4.0): 4 * slope**2,
    }
    for penalty, value in expected.items():
        assert float(penalty(critic, REAL, FAKE, SEED)) == pytest.approx(value, rel=1e-4, abs=1e-5), penalty


def test_a_quadratic_critic_shows_where_each_looks():
    matrix = RNG.normal(size=(16, 16))
    matrix = matrix + matrix.T

    def squared_slopes(images):  # of x'Ax/2
        return ((images.reshape(-1, 16).astype("float64") @ matrix) ** 2).sum(1)

    def critic(images):
        x = tf.reshape(images, (-1, 16))
        seen.append(images.numpy())
        return tf.reduce_sum(x @ tf.constant(matrix, tf.float32) * x, axis=1, keepdims=True) / 2

    for penalty in ALL:
        seen = []
        value = float(penalty(critic, REAL, FAKE, SEED))
        (looked,) = seen
        squared = squared_slopes(looked)
        if isinstance(penalty, (GradientPenalty, DRAGAN)):
            excess = np.sqrt(squared) - penalty.target
            excess = np.maximum(excess, 0) if getattr(penalty, "one_sided", False) else excess
            expected = penalty.weight * (excess**2).mean()
        else:
            expected = penalty.weight * squared.mean() / (1 if isinstance(penalty, ZeroCentered) else 2)
        assert value == pytest.approx(expected, rel=1e-4), penalty
        if isinstance(penalty, R1):
            np.testing.assert_array_equal(looked, REAL)
        elif isinstance(penalty, R2):
            np.testing.assert_array_equal(looked, FAKE)
        elif isinstance(penalty, (GradientPenalty, ZeroCentered)):
            share = (looked - FAKE) / (REAL - FAKE)
            mix = np.median(share.reshape(32, -1), axis=1)
            np.testing.assert_allclose(share.reshape(32, -1), np.tile(mix[:, None], 16), atol=2e-3)  # one an example
            assert 0 <= mix.min() < 0.2
            assert 0.8 < mix.max() <= 1
            assert len(np.unique(mix)) == 32
        elif penalty.normal is None:
            moved = looked - REAL
            assert moved.min() >= 0
            assert 0.2 * REAL.std() < moved.max() <= 0.5 * REAL.std()
            shares = moved.reshape(32, -1).max(1) / (0.5 * REAL.std())
            assert np.corrcoef(shares, np.sort(shares))[0, 1] < 0.9
            assert len(np.unique(shares)) == 32
        else:
            assert (looked - REAL).std() == pytest.approx(0.1, rel=0.1)


def test_weights_of_the_critic_get_the_penaltys_gradient():
    """By differences: the term as a function of one scale inside a curved critic."""
    direction = RNG.normal(size=(16, 1)).astype("float32")

    def value(scale, penalty):
        def critic(images):
            return tf.tanh(scale * tf.reshape(images, (-1, 16)) @ direction)

        return penalty(critic, REAL, FAKE, SEED)

    for penalty in ALL:
        scale = tf.Variable(0.4)
        with tf.GradientTape() as tape:
            term = value(scale, penalty)
        slope = float(tape.gradient(term, scale))
        step = 2e-3
        difference = float(value(tf.constant(0.4 + step), penalty) - value(tf.constant(0.4 - step), penalty)) / (
            2 * step
        )
        assert slope == pytest.approx(difference, rel=2e-2), penalty
        assert abs(slope) > 1e-2


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_a_flat_critic_gives_no_nan(penalty):
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        term = penalty(lambda images: weight * tf.reduce_sum(images, axis=(1, 2, 3))[:, None], REAL, FAKE, SEED)
    assert np.isfinite(float(term))
    assert np.isfinite(float(tape.gradient(term, weight)))


def test_tf_gan_agrees_on_the_gradient_penalty(tfgan):
    """Its slope term has 1e-10 under the root and its own random line: on a linear critic the line does not matter."""
    critic = linear(2.5)

    @tf.function
    def theirs():
        scope = tf.compat.v1.VariableScope(reuse=tf.compat.v1.AUTO_REUSE, name="d")
        return tfgan.losses.wargs.wasserstein_gradient_penalty(
            tf.constant(REAL), tf.constant(FAKE), None, lambda images, _: critic(images), discriminator_scope=scope
        )

    assert float(theirs()) == pytest.approx(float(GradientPenalty(1.0)(critic, REAL, FAKE, SEED)), rel=1e-4)


def small(penalties_, norm=False, precision="float32", **overrides):
    tz.runtime.setup(seed=0, precision=precision)
    images = keras.Input((4, 4, 1))
    hidden = layers.Dense(8)(layers.Flatten()(images))
    hidden = layers.BatchNormalization()(hidden) if norm else hidden
    critic = keras.Model(images, layers.Dense(1, dtype="float32")(layers.LeakyReLU(0.2)(hidden)))
    generator = keras.Sequential(
        [keras.Input((3,)), layers.Dense(16, "tanh"), layers.Reshape((4, 4, 1), dtype="float32")]
    )
    model = tz.GAN(generator, critic, objective=tz.objectives.Wasserstein(), penalties=penalties_, seed=0, **overrides)
    model.compile()
    return model


@pytest.mark.parametrize(
    ("penalty", "precision"),
    [*((penalty, "float32") for penalty in ALL), *((ALL[0], half) for half in ("mixed_bfloat16", "mixed_float16"))],
    ids=str,
)
def test_every_penalty_trains(penalty, precision):
    model = small((penalty,), precision=precision)
    history = model.fit(tf.data.Dataset.from_tensor_slices(REAL).batch(8), verbose=0).history
    assert np.isfinite(history[penalty.name]).all()
    assert set(history) == {"loss", "discriminator_loss", "generator_loss", penalty.name}


def test_lazy_penalties_act_every_so_many_steps_and_as_much_stronger():
    data = tf.data.Dataset.from_tensor_slices(REAL).batch(8)  # four steps
    model = small((R1(1e-3, every=4),))
    once = small((R1(1e-3),))
    first = once.fit(data.take(1), verbose=0).history["r1"][0]
    assert model.fit(data, verbose=0).history["r1"][0] == pytest.approx(4 * first / 4, rel=1e-4)


def test_wgan_gp_learns_a_line_where_the_critic_has_slope_one():
    """Two clouds 3 apart: the critic's distance estimate approaches 3, as Wasserstein-1 says, while G rests.

    The slope that pays is 1 + distance / (2 lambda): with lambda 100 it is 1.015.
    """
    tz.runtime.setup(seed=0)
    points = keras.Input((2,))
    hidden = layers.Dense(32, "relu")(layers.Dense(32, "relu")(points))
    critic = keras.Model(points, layers.Dense(1)(hidden))
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    generator.layers[0].set_weights([0.1 * np.eye(2), np.zeros(2)])
    model = tz.GAN(
        generator, critic, objective=tz.objectives.Wasserstein(), penalties=(GradientPenalty(100.0),), seed=0
    )
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(5e-3, beta_1=0.0, beta_2=0.9))
    shifted = 0.1 * RNG.normal(size=(256, 2)).astype("float32") + np.array([3.0, 0.0], "float32")
    logs = model.fit(tf.data.Dataset.from_tensor_slices(shifted).batch(64).repeat(100), verbose=0).history
    whole = tf.data.Dataset.from_tensor_slices(shifted).batch(256)
    loss = model.evaluate(whole, verbose=0, return_dict=True)["discriminator_loss"]
    assert loss == pytest.approx(-3.0, rel=0.06)
    assert logs["gradient_penalty"][0] < 2.0


def test_slopes_are_those_a_penalty_sees_and_move_nothing():
    model = small((GradientPenalty(10.0, target=2.0),))
    seen = penalties.gradient_norms(model, REAL)
    assert seen.shape == (32,)
    # between an image and itself there is only the image
    paid = model.adversary.penalise(model.penalties[0], tf.constant(REAL), tf.constant(REAL), None, 0)
    assert float(paid) == pytest.approx(10 * np.mean((seen - 2.0) ** 2), rel=1e-5)
    normed = small((), norm=True)
    before = normed.discriminator.get_weights()
    assert (penalties.gradient_norms(normed, REAL) > 0).all()
    for ours, theirs in zip(normed.discriminator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("penalty", ALL, ids=str)
def test_config_comes_back_equal(penalty):
    config = json.loads(json.dumps(penalty.get_config()))
    assert type(penalty).from_config(config) == penalty
    assert hash(type(penalty).from_config(config)) == hash(penalty)


def test_batch_normalisation_is_refused_by_the_gradient_penalty_alone():
    with pytest.raises(ValueError, match=r"BatchNormalization.*LayerNormalization"):
        small((GradientPenalty(),), norm=True)
    for penalty in (DRAGAN(), R1(), R2()):
        history = small((penalty,), norm=True).fit(tf.data.Dataset.from_tensor_slices(REAL).batch(8), verbose=0).history
        assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: R1(0.0), "weight=0.0"),
        (lambda: R1(1.0, every=0), "every=0"),
        (lambda: small((R1,)), r"give penalties such as tz.penalties.R1\(10.0\)"),
        (lambda: small((R1(), R1(2.0))), "'r1' twice"),
        (lambda: small(("gp",)), "penalties holds 'gp'"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_saved_with_the_model(tmp_path):
    model = small((DRAGAN(5.0), R1(1.0, every=2)))
    model.save(tmp_path / "x.keras")
    assert keras.models.load_model(tmp_path / "x.keras").penalties == (DRAGAN(5.0), R1(1.0, every=2))
    assert set(penalties.__dict__) >= {"GradientPenalty", "DRAGAN", "R1", "R2", "ZeroCentered"}


def test_a_penalty_called_by_hand_needs_no_seed():
    """Each call draws for itself; the penalty of a linear critic does not depend on what is drawn."""
    slope = np.array([[3.0], [4.0]], "float32")
    found = penalties.GradientPenalty(1.0)(lambda x: tf.matmul(x, slope), REAL_POINTS, REAL_POINTS + 1.0)
    assert float(found) == pytest.approx((5.0 - 1.0) ** 2, rel=1e-5)
    drawn = [float(penalties.DRAGAN(1.0)(lambda x: x[:, :1] ** 2, REAL_POINTS, REAL_POINTS)) for _ in range(2)]
    assert drawn[0] != drawn[1]


REAL_POINTS = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
