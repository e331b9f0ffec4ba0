"""Objectives against closed forms in float64 and against TF-GAN."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.objectives import (
    BoundaryEquilibrium,
    EnergyMargin,
    FeatureMatching,
    Hinge,
    LeastSquares,
    LeCam,
    MinimaxGAN,
    NonSaturating,
    Objective,
    RelativisticAverage,
    Wasserstein,
)

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
    (
        EnergyMargin(2.5),
        lambda r, f: r.mean() + np.maximum(2.5 - f, 0).mean(),
        lambda r, f: np.ones_like(r) / len(r),
        lambda r, f: -1.0 * (f < 2.5) / len(f),
        lambda r, f: f.mean(),
        lambda r, f: np.ones_like(f) / len(f),
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
    assert FeatureMatching().needs_real
    assert FeatureMatching(EnergyMargin()).needs_real
    assert LeCam(RelativisticAverage()).needs_real
    alone = (MinimaxGAN, NonSaturating, LeastSquares, Wasserstein, Hinge, EnergyMargin, BoundaryEquilibrium, LeCam)
    assert not any(cls().needs_real for cls in alone)


def test_an_objective_says_which_heads_it_looks_at():
    logits = (MinimaxGAN(), NonSaturating(), LeastSquares(), Wasserstein(), Hinge(), RelativisticAverage())
    assert {(one.head, one.generator_head) for one in (*logits, LeCam(Hinge()))} == {("logits", "logits")}
    energies = (EnergyMargin(), BoundaryEquilibrium(), LeCam(BoundaryEquilibrium()))
    assert {(one.head, one.generator_head) for one in energies} == {("energy", "energy")}
    around = FeatureMatching(EnergyMargin()), LeCam(FeatureMatching(EnergyMargin()))
    assert {(one.head, one.generator_head) for one in around} == {("energy", "features")}


# ---- objectives with state, and around another one ----------------------------------------------------------------

ANCHORS = {"real_anchor": 0.7, "fake_anchor": -1.2}


@pytest.mark.parametrize("k", [0.0, 0.3, 1.0])
def test_boundary_equilibrium_subtracts_k_times_the_energy_of_generated_images(k):
    objective, state = BoundaryEquilibrium(), {"k": tf.constant(k), "convergence": tf.constant(5.0)}
    real, fake = REAL.astype("float32"), FAKE.astype("float32")
    value, gradient = value_and_gradient(lambda x: objective.discriminator_loss(x, fake, state), REAL)
    assert value == pytest.approx(REAL.mean() - k * FAKE.mean(), rel=1e-5)
    np.testing.assert_allclose(gradient, 1 / len(REAL), rtol=1e-6)
    _, gradient = value_and_gradient(lambda x: objective.discriminator_loss(real, x, state), FAKE)
    np.testing.assert_allclose(gradient, -k / len(FAKE), rtol=1e-6)
    value, gradient = value_and_gradient(objective.generator_loss, FAKE)
    assert value == pytest.approx(FAKE.mean(), rel=1e-5)
    np.testing.assert_allclose(gradient, 1 / len(FAKE), rtol=1e-6)


INSIDE = [  # what LeCam stands around, its state, its D's loss, dD/d real, dD/d fake
    (
        Hinge(),
        {},
        lambda r, f: np.maximum(1 - r, 0).mean() + np.maximum(1 + f, 0).mean(),
        lambda r, f: -1.0 * (r < 1) / len(r),
        lambda r, f: (f > -1) / len(f),
    ),
    (
        NonSaturating(0.9),
        {},
        lambda r, f: (0.9 * softplus(-r) + 0.1 * softplus(r)).mean() + softplus(f).mean(),
        lambda r, f: (sigmoid(r) - 0.9) / len(r),
        lambda r, f: sigmoid(f) / len(f),
    ),
    (
        BoundaryEquilibrium(),
        {"k": 0.4, "convergence": 0.0},
        lambda r, f: r.mean() - 0.4 * f.mean(),
        lambda r, f: np.ones_like(r) / len(r),
        lambda r, f: -0.4 * np.ones_like(f) / len(f),
    ),
]


@pytest.mark.parametrize("case", INSIDE, ids=lambda case: type(case[0]).__name__)
def test_le_cam_pulls_each_output_to_the_other_kinds_anchor(case):
    inside, state, d_loss, d_real, d_fake = case
    objective = LeCam(inside, weight=0.2)
    assert set(objective.initial_state()) == {*state, *ANCHORS}
    state = {name: tf.constant(value) for name, value in (state | ANCHORS).items()}
    real, fake = REAL.astype("float32"), FAKE.astype("float32")
    value, gradient = value_and_gradient(lambda x: objective.discriminator_loss(x, fake, state), REAL)
    pull = ((REAL + 1.2) ** 2).mean() + ((FAKE - 0.7) ** 2).mean()
    assert value == pytest.approx(d_loss(REAL, FAKE) + 0.2 * pull, rel=1e-5)
    np.testing.assert_allclose(gradient, d_real(REAL, FAKE) + 0.4 * (REAL + 1.2) / len(REAL), rtol=1e-4, atol=1e-7)
    _, gradient = value_and_gradient(lambda x: objective.discriminator_loss(real, x, state), FAKE)
    np.testing.assert_allclose(gradient, d_fake(REAL, FAKE) + 0.4 * (FAKE - 0.7) / len(FAKE), rtol=1e-4, atol=1e-7)
    assert float(objective.generator_loss(fake)) == float(inside.generator_loss(fake))


def test_feature_matching_is_the_squared_distance_of_mean_features():
    real, fake = RNG.normal(1.0, 2.0, (64, 5)), RNG.normal(0.0, 1.0, (32, 5))
    apart = real.mean(0) - fake.mean(0)
    value, gradient = value_and_gradient(
        lambda x: FeatureMatching().generator_loss(x, tf.constant(real, "float32")), fake
    )
    assert value == pytest.approx((apart**2).sum(), rel=1e-5)
    np.testing.assert_allclose(gradient, np.tile(-2 * apart / 32, (32, 1)), rtol=1e-4, atol=1e-7)
    logits = REAL.astype("float32"), FAKE.astype("float32")
    for inside in (Hinge(), NonSaturating(0.8)):
        assert float(FeatureMatching(inside).discriminator_loss(*logits)) == float(inside.discriminator_loss(*logits))
    state = {"k": 0.5, "convergence": 0.0}
    expected = BoundaryEquilibrium().discriminator_loss(*logits, state)
    assert float(FeatureMatching(BoundaryEquilibrium()).discriminator_loss(*logits, state)) == float(expected)


def states(objective, means):
    """The state after every step, in float32, as the model keeps it."""
    state, found = {name: tf.constant(value) for name, value in objective.initial_state().items()}, []
    for real, fake, generated in means.astype("float32"):
        state = objective.next_state(state, tf.constant(real), tf.constant(fake), tf.constant(generated))
        found.append({name: float(value) for name, value in state.items()})
    return {name: np.array([one[name] for one in found]) for name in found[0]}


@pytest.mark.parametrize("wrap", [lambda inside: inside, LeCam, FeatureMatching])
def test_k_follows_its_recurrence_and_stays_in_its_bounds(wrap):
    rng = np.random.default_rng(1)
    means = rng.uniform(0.5, 1.5, (50, 3))
    means[:, 2] = np.where(np.arange(50) % 25 < 12, 0.2, 2.0) * means[:, 2]  # generated: easy, then hard, twice
    k, expected, convergence, above, below = 0.0, [], [], 0, 0
    for real, _, generated in means:
        moved = k + 0.3 * (0.6 * real - generated)
        above, below = above + (moved > 1), below + (moved < 0)
        k = min(max(moved, 0.0), 1.0)
        expected.append(k)
        convergence.append(real + abs(0.6 * real - generated))
    assert above >= 3
    assert below >= 3
    assert sum(0 < k < 1 for k in expected) >= 10
    found = states(wrap(BoundaryEquilibrium(gamma=0.6, rate=0.3)), means)
    np.testing.assert_allclose(found["k"], expected, atol=1e-5)
    np.testing.assert_allclose(found["convergence"], convergence, rtol=1e-5)
    assert (found["k"][np.array(expected) == 1.0] == 1.0).all()
    assert (found["k"][np.array(expected) == 0.0] == 0.0).all()


@pytest.mark.parametrize("decay", [0.0, 0.9])
@pytest.mark.parametrize("wrap", [lambda inside: inside, FeatureMatching])
def test_anchors_are_averages_that_forget(decay, wrap):
    means = np.random.default_rng(2).normal(size=(30, 3))
    found = states(wrap(LeCam(Hinge(), decay=decay)), means)
    assert set(found) == {"real_anchor", "fake_anchor"}
    for column, name in enumerate(("real_anchor", "fake_anchor")):
        for step in (1, 2, 30):
            weights = (1 - decay) * decay ** np.arange(step)[::-1]
            assert found[name][step - 1] == pytest.approx((weights * means[:step, column]).sum(), abs=1e-5)


def test_most_objectives_keep_no_state():
    for objective in (MinimaxGAN(), LeastSquares(), EnergyMargin(), FeatureMatching(RelativisticAverage())):
        assert objective.initial_state() == {}
        assert objective.next_state({}, 1.0, 2.0, 3.0) == {}


def test_an_objective_without_losses_says_so():
    class Empty(Objective):
        pass

    with pytest.raises(TypeError, match="Empty defines no discriminator_loss"):
        Empty().discriminator_loss(REAL, FAKE)
    with pytest.raises(TypeError, match="Empty defines no generator_loss"):
        Empty().generator_loss(FAKE)


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
    "objective",
    [
        MinimaxGAN(),
        NonSaturating(real_label=0.9),
        *(case[0] for case in CLOSED_FORMS),
        BoundaryEquilibrium(gamma=0.3, rate=0.01),
        LeCam(Hinge(), weight=0.1, decay=0.9),
        LeCam(BoundaryEquilibrium(gamma=0.7)),
        FeatureMatching(NonSaturating(real_label=0.8)),
        FeatureMatching(LeCam(LeastSquares(-1.0, 1.0, 0.0), weight=2.0)),
    ],
    ids=str,
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


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: EnergyMargin(0.0), "margin=0.0"),
        (lambda: EnergyMargin(-1.0), "margin=-1.0"),
        (lambda: EnergyMargin(float("nan")), "margin=nan"),
        (lambda: BoundaryEquilibrium(gamma=0.0), r"gamma=0.0.*\(0, 1\]"),
        (lambda: BoundaryEquilibrium(gamma=1.1), r"gamma=1.1.*\(0, 1\]"),
        (lambda: BoundaryEquilibrium(rate=0.0), "rate=0.0"),
        (lambda: BoundaryEquilibrium(rate=float("nan")), "rate=nan"),
        (lambda: LeCam(Hinge), "objective=<class .*Hinge.*goes around an objective"),
        (lambda: LeCam("hinge"), "objective='hinge': LeCam goes around"),
        (lambda: LeCam(Hinge(), weight=0.0), "weight=0.0"),
        (lambda: LeCam(Hinge(), decay=1.0), r"decay=1.0.*\[0, 1\)"),
        (lambda: LeCam(Hinge(), decay=-0.1), "decay=-0.1"),
        (lambda: FeatureMatching(None), "objective=None: FeatureMatching goes around"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_the_ends_of_the_ranges_are_allowed():
    assert BoundaryEquilibrium(gamma=1.0).gamma == 1.0
    assert LeCam(Hinge(), decay=0.0).decay == 0.0
    assert EnergyMargin(1e-3).margin == 1e-3
