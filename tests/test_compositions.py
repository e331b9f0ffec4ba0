"""Parts meet: every objective with every penalty, every entry on a handful of images, and the tricks of training."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo import objectives, penalties, registry
from tfgan_zoo.networks import dcgan, heads, mlp

RNG = np.random.default_rng(0)
SHAPES = {"mlp": (2,), "dcgan": (16, 16, 1)}
WIDTHS = {"mlp": 8, "dcgan": 2}
IMAGES = {name: np.tanh(RNG.normal(size=(6, *shape))).astype("float32") for name, shape in SHAPES.items()}
OBJECTIVES = [
    objectives.MinimaxGAN(),
    objectives.NonSaturating(real_label=0.9),
    objectives.LeastSquares(),
    objectives.Wasserstein(drift=1e-3),
    objectives.Hinge(),
    objectives.RelativisticAverage(),
    objectives.EnergyMargin(1.0),
    objectives.BoundaryEquilibrium(),
    objectives.LeCam(objectives.Hinge()),
    objectives.LeCam(objectives.BoundaryEquilibrium()),
    objectives.FeatureMatching(objectives.NonSaturating()),
]
PENALTIES = [
    penalties.GradientPenalty(),
    penalties.DRAGAN(),
    penalties.R1(),
    penalties.R2(every=2),
    penalties.ZeroCentered(),
]
COVERING = [(objective, PENALTIES[index % 5]) for index, objective in enumerate(OBJECTIVES)]
REST = [pair for pair in itertools.product(OBJECTIVES, PENALTIES) if pair not in COVERING]


def six(family="mlp", times=1):
    return tf.data.Dataset.from_tensor_slices(IMAGES[family]).batch(6).repeat(times)


def critic_for(objective, family, norm=True):
    """What the objective judges: an energy, or logits with the features beside them."""
    networks, shape = {"mlp": mlp, "dcgan": dcgan}[family], SHAPES[family]
    if objective.head == "energy":
        return networks.autoencoder(shape, 3, WIDTHS[family], tz.layers.ReconstructionEnergy(order=1))
    body = networks.body(
        shape, WIDTHS[family], **({} if norm or family == "mlp" else {"norm": layers.LayerNormalization})
    )
    return heads.discriminator(body, features=heads.features)


def composed(objective, family, given=(), norm=True, **arguments):
    generator = {"mlp": mlp, "dcgan": dcgan}[family].generator(SHAPES[family], 3, WIDTHS[family])
    critic = critic_for(objective, family, norm)
    model = tz.GAN(generator, critic, objective=objective, penalties=given, seed=0, **arguments)
    model.compile(run_eagerly=True)
    return model


def arrays(network):
    return [np.array(weight) for weight in network.weights]


def weights_of(model):
    return [np.array(weight) for weight in model.weights]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


# ---- objectives and penalties -------------------------------------------------------------------------------------


def takes_a_step(objective, penalty, family):
    """One finite step that moves both networks; or the one sentence there is about batch normalisation."""
    normed = family == "dcgan" and objective.head == "energy"  # the autoencoder's only normalisation
    if normed and isinstance(penalty, penalties.GradientPenalty):
        with pytest.raises(ValueError, match=r"BatchNormalization.*LayerNormalization"):
            composed(objective, family, (penalty,))
        return
    model = composed(objective, family, (penalty,), norm=not isinstance(penalty, penalties.GradientPenalty))
    before = arrays(model.generator), arrays(model.discriminator)
    logs = model.fit(six(family), verbose=0).history
    assert np.isfinite(list(logs.values())).all()
    expected = {"loss", "discriminator_loss", "generator_loss", penalty.name, *objective.initial_state()}
    means = {f"{kind}_{objective.head}" for kind in ("real", "fake", "generated") if objective.initial_state()}
    assert set(logs) == expected | means
    assert all(np.isfinite(weight).all() for weight in weights_of(model))
    assert not same(before[0], arrays(model.generator))
    assert not same(before[1], arrays(model.discriminator))


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize(("objective", "penalty"), COVERING, ids=str)
def test_objectives_and_penalties_compose(objective, penalty, family):
    takes_a_step(objective, penalty, family)


@pytest.mark.slow
@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize(("objective", "penalty"), REST, ids=str)
def test_every_objective_composes_with_every_penalty(objective, penalty, family):
    takes_a_step(objective, penalty, family)


def test_the_gradient_penalty_refuses_batch_normalisation_wherever_it_is():
    for objective in (objectives.Wasserstein(), objectives.BoundaryEquilibrium()):
        with pytest.raises(ValueError, match=r"BatchNormalization.*use keras.layers.LayerNormalization"):
            composed(objective, "dcgan", (penalties.GradientPenalty(),))


def test_minibatch_discrimination_goes_with_a_gradient_penalty():
    body = heads.after(mlp.body((2,), 8, 1), tz.layers.MinibatchDiscrimination(kernels=3, dimensions=2))
    model = tz.GAN(
        mlp.generator((2,), 3, 8),
        heads.discriminator(body),
        objective=objectives.Wasserstein(),
        penalties=(penalties.GradientPenalty(),),
        seed=0,
    )
    model.compile(run_eagerly=True)
    measures = model.discriminator.layers[-2].projection
    before = np.array(measures)
    logs = model.fit(six(), verbose=0).history
    assert np.isfinite(logs["gradient_penalty"]).all()
    assert np.abs(np.array(measures) - before).max() > 0


# ---- every entry on a handful of images ---------------------------------------------------------------------------


def takes_six(name, shape, run_eagerly=False, **numbers):
    model = tz.create(name, shape, width=8, seed=0, **numbers)
    model.compile(run_eagerly=run_eagerly)
    images = np.tanh(RNG.normal(size=(6, *shape))).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((images, np.arange(6, dtype="int32"))).batch(6)
    logs = model.fit(data, verbose=0).history
    assert np.isfinite(list(logs.values())).all()
    assert all(np.isfinite(weight).all() for weight in weights_of(model))
    assert int(model.step) == 1
    assert logs["loss"][0] == pytest.approx(sum(logs[loss][0] for loss in model.loss_names()), rel=1e-5, abs=1e-6)


GANS = [
    name for name in tz.list_models() if {"discriminator_learning_rate", "latent_dim"} <= {*registry.keywords(name)}
]
OF_IMAGES = {"progressive_gan", "stylegan", "stylegan2", "stylegan2_ada", "conditional_stylegan2_ada"}
OF_POINTS = [name for name in GANS if name not in OF_IMAGES]
HEAVY = {"dragan", "sngan", "projection_gan", "wgan_gp", "hinge_gan", "lsgan"}  # to run eagerly; parts of the others


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in OF_POINTS]
)
def test_six_points_are_a_batch(name):
    fewer = {"n_critic": 2} if registry.keywords(name)["n_critic"] > 2 else {}
    takes_six(name, (2,), run_eagerly=True, **fewer)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(2,), (28, 28, 1)], ids=str)
@pytest.mark.parametrize("name", GANS)
def test_six_images_are_a_batch(name, shape):
    """With the entry's own n_critic: slices of one or two."""
    if name in OF_IMAGES and shape == (2,):
        pytest.skip("it makes no points")
    takes_six(name, shape)


def test_a_last_batch_smaller_than_n_critic_does_no_harm():
    model = composed(objectives.LeCam(objectives.Hinge()), "mlp", n_critic=4)
    model.fit(tf.data.Dataset.from_tensor_slices(np.repeat(IMAGES["mlp"], 3, axis=0)).batch(16), verbose=0)
    assert np.isfinite([float(value) for value in model.state.values()]).all()
    assert np.isfinite(list(model.fit(six(), verbose=0).history.values())).all()


# ---- historical averaging -----------------------------------------------------------------------------------------


def test_history_is_the_squared_distance_from_the_mean_of_the_past():
    """Salimans et al. 2016, Sec. 3.3: |theta - 1/t sum theta_i|^2, over theta_0 to the last step's."""
    model = composed(objectives.NonSaturating(), "mlp", historical_averaging=0.5)
    past = {"generator": [arrays(model.generator)], "discriminator": [arrays(model.discriminator)]}
    for _ in range(4):
        logs = model.fit(six(), verbose=0).history
        for name, seen in past.items():
            means = [np.mean(weight, axis=0, dtype="float64") for weight in zip(*seen, strict=True)]
            expected = 0.5 * sum(((now - mean) ** 2).sum() for now, mean in zip(seen[-1], means, strict=True))
            assert logs[f"{name}_history"][0] == pytest.approx(expected, rel=1e-3, abs=1e-9)
            assert (expected > 0) == (len(seen) > 1)
            seen.append(arrays(getattr(model, name)))
    assert logs["loss"][0] == pytest.approx(sum(logs[name][0] for name in model.loss_names()), rel=1e-5)


@pytest.mark.slow
def test_history_pulls_the_weights_back():
    def wander(weight):
        tz.runtime.setup(seed=0)
        model = composed(objectives.Wasserstein(), "mlp", historical_averaging=weight)
        model.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), run_eagerly=True)
        start = [arrays(network) for network in (model.generator, model.discriminator)]
        model.fit(six(times=5), verbose=0)
        ends = [arrays(network) for network in (model.generator, model.discriminator)]
        return [sum(((a - b) ** 2).sum() for a, b in zip(*pair, strict=True)) for pair in zip(start, ends, strict=True)]

    free, held = wander(0.0), wander(5.0)
    assert min(free) > 0
    assert held[0] < 0.7 * free[0]
    assert held[1] < 0.7 * free[1]


def test_history_is_saved_with_the_model(tmp_path):
    model = composed(objectives.LeCam(objectives.Hinge()), "mlp", historical_averaging=0.5)
    model.fit(six(), verbose=0)
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert loaded.historical_averaging == 0.5
    loaded.run_eagerly = True
    again = [one.fit(six(), verbose=0).history for one in (model, loaded)]
    assert again[0] == again[1]
    assert again[0]["generator_history"][0] > 0
    assert same(weights_of(model), weights_of(loaded))


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_history_has_no_negative_weight(weight):
    with pytest.raises(ValueError, match=r"historical_averaging=.*give a weight, or 0 for none"):
        composed(objectives.Hinge(), "mlp", historical_averaging=weight)


def test_history_is_kept_apart_for_networks_of_one_name():
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="net")
    critic = keras.Sequential([keras.Input((2,)), layers.Dense(1)], name="net")
    model = tz.GAN(generator, critic, objective=objectives.Hinge(), historical_averaging=1.0, seed=0)
    model.compile(run_eagerly=True)
    model.fit(six(), verbose=0)
    assert int(model.step) == 1


# ---- augmentations ------------------------------------------------------------------------------------------------


class Spy:
    """Keeps what it is shown and shows D something else."""

    def __init__(self, change):
        self.change, self.shown, self.seeds = change, [], []

    def __call__(self, images, seed, step):
        self.shown.append(np.array(images))
        self.seeds.append(tuple(np.array(seed)))
        return self.change(images)


@pytest.mark.parametrize(
    ("objective", "calls"), [(objectives.NonSaturating(), 2 * 2 + 1), (objectives.RelativisticAverage(), 2 * 2 + 2)]
)
def test_every_image_that_is_judged_is_augmented_once_with_noise_of_its_own(objective, calls):
    spy = Spy(lambda images: images)
    model = composed(objective, "mlp", n_critic=2, augmentations=(spy,))
    model.fit(six(), verbose=0)
    assert len(spy.shown) == calls
    assert len(set(spy.seeds)) == calls
    assert [len(images) for images in spy.shown] == [3] * calls
    real = [images for images in spy.shown if np.isin(images, IMAGES["mlp"]).all()]
    np.testing.assert_array_equal(real[0], IMAGES["mlp"][0::2])
    for compared in real[1:]:
        np.testing.assert_array_equal(compared, IMAGES["mlp"][1::2])
    assert len(real) == calls // 2  # each slice, and what a comparing generator is compared with
    fakes = np.concatenate([images for images in spy.shown if not np.isin(images, IMAGES["mlp"]).all()])
    assert len(np.unique(fakes, axis=0)) == len(fakes) == 9


def test_the_discriminator_sees_nothing_but_augmented_images():
    """Where all of them become 0, D gives them all one logit, and G has no gradient."""
    model = composed(objectives.NonSaturating(), "mlp", augmentations=(Spy(lambda images: 0.0 * images),))
    before, logit = arrays(model.generator), model.discriminator(np.zeros((1, 2)))["logits"].numpy().item()
    logs = model.fit(six(), verbose=0).history
    assert logs["discriminator_loss"][0] == pytest.approx(np.logaddexp(0, logit) + np.logaddexp(0, -logit), rel=1e-5)
    assert logs["generator_loss"][0] == pytest.approx(np.logaddexp(0, -logit), rel=0.05)  # after D's first update
    assert same(before, arrays(model.generator))


def test_penalties_act_where_the_discriminator_looks():
    seen = []

    class Watch:
        name = "watch"

        def __call__(self, critic, real, fake, seed=None):
            seen.append((np.array(real), np.array(fake)))
            return 0.0 * tf.reduce_mean(critic(real))

    spy = Spy(lambda images: images + 5.0)
    composed(objectives.Hinge(), "mlp", (Watch(),), augmentations=(spy,)).fit(six(), verbose=0)
    ((real, fake),) = seen
    np.testing.assert_allclose(real, spy.shown[0] + 5.0)
    np.testing.assert_allclose(fake, spy.shown[1] + 5.0)


def test_instance_noise_fades_as_a_run_goes_on():
    model = composed(objectives.NonSaturating(), "mlp", augmentations=(tz.augmentations.InstanceNoise(1.0, steps=2),))
    for stddev in (1.0, 0.5, 0.0, 0.0):
        noise = np.array(model.adversary.augment(tf.zeros((4000, 2)), "real"))
        assert noise.std() == pytest.approx(stddev, rel=0.05)
        assert np.isfinite(list(model.fit(six(), verbose=0).history.values())).all()


# ---- rates, monitors, the sum -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_POINTS)
def test_two_time_scales(name):
    """Heusel et al. 2017: D's rate is its own where one is given."""
    own = tz.create(name, (2,), width=4, learning_rate=1e-3, discriminator_learning_rate=4e-3)
    rates = [one["config"]["learning_rate"] for one in own.default_optimizers.values()]
    assert rates == pytest.approx([1e-3, 4e-3])


@pytest.mark.parametrize(("name", "rate"), [("gan", 3e-3), ("wgan", 3e-3), ("sngan", 3e-3), ("infogan", 2e-4)])
def test_without_a_rate_of_its_own_d_has_gs_or_its_papers(name, rate):
    model = tz.create(name, (2,), width=4, learning_rate=3e-3)
    rates = [one["config"]["learning_rate"] for one in model.default_optimizers.values()]
    assert rates == pytest.approx([3e-3, rate])


def test_a_rate_of_its_own_is_how_fast_d_moves():
    steps = []
    for rate in (1e-3, 4e-3):
        tz.runtime.setup(seed=0)
        model = tz.create("gan", (2,), width=4, seed=0, learning_rate=1e-3, discriminator_learning_rate=rate)
        model.compile(run_eagerly=True)
        before = arrays(model.discriminator)
        model.fit(six(), verbose=0)
        steps.append(max(np.abs(a - b).max() for a, b in zip(before, arrays(model.discriminator), strict=True)))
    assert steps[0] == pytest.approx(1e-3, rel=0.02)  # Adam's first step is its rate
    assert steps[1] == pytest.approx(4e-3, rel=0.02)


def test_monitors_are_shown_and_not_minimised():
    class Watched(tz.GAN):
        def auxiliary(self, heads, told, latents=None):
            return {"huge": 1e6 * tf.reduce_mean(heads["logits"] ** 2)} if latents is None else {}

        def generator_auxiliary(self, heads, told, latents):
            return {"vast": 1e6 * tf.reduce_mean(heads["logits"] ** 2)}

        def monitor_names(self):
            return (*super().monitor_names(), "huge", "vast")

    ended = []
    for cls in (tz.GAN, Watched):
        tz.runtime.setup(seed=0)
        model = composed(objectives.Hinge(), "mlp")
        model = cls(model.generator, model.discriminator, objective=model.objective, seed=0)
        model.compile(run_eagerly=True)
        logs = model.fit(six(times=3), verbose=0).history
        ended.append((logs["loss"], weights_of(model)))
    assert logs["huge"][0] > 100
    assert logs["vast"][0] > 100
    assert ended[0][0] == ended[1][0]
    assert same(ended[0][1], ended[1][1])


def test_the_loss_is_the_sum_of_the_losses():
    model = composed(
        objectives.LeCam(objectives.BoundaryEquilibrium(rate=0.5)),
        "mlp",
        (penalties.R1(2.0), penalties.R2(3.0)),
        historical_averaging=1.0,
    )
    logs = model.fit(six(times=3), verbose=0).history
    parts = ("discriminator_loss", "generator_loss", "r1", "r2", "discriminator_history", "generator_history")
    monitors = ("real_energy", "fake_energy", "generated_energy", "k", "convergence", "real_anchor", "fake_anchor")
    assert set(logs) == {"loss", *parts, *monitors}
    assert logs["loss"][0] == pytest.approx(sum(logs[name][0] for name in parts), rel=1e-5)
    assert sum(logs[name][0] for name in monitors) > 0.1
