"""Energy-based GANs: EBGAN's pulling-away term in G's update alone, BEGAN's control variable over a whole run."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.models.energy import pulling_away_term
from tfgan_zoo.models.optimisation import frozen_call
from tfgan_zoo.networks import dcgan, mlp

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(48, 2)).astype("float32")
ENERGY = tz.layers.ReconstructionEnergy


def arrays(network):
    return [np.array(weight) for weight in network.weights]


def moved(before, after):
    return [bool(np.abs(a - b).max() > 0) for a, b in zip(before, after, strict=True)]


# ---- the pulling-away term ----------------------------------------------------------------------------------------


def by_pairs(codes):
    """Zhao et al. 2017, Eq. 4, pair by pair."""
    total, count = 0.0, len(codes)
    for i in range(count):
        for j in range(count):
            if i != j:
                total += (codes[i] @ codes[j] / np.linalg.norm(codes[i]) / np.linalg.norm(codes[j])) ** 2
    return total / (count * (count - 1))


@pytest.mark.parametrize("shape", [(2, 3), (7, 5), (32, 2)])
def test_pulling_away_is_the_mean_squared_cosine_of_pairs(shape):
    codes = RNG.normal(0.3, 1.0, shape)
    assert float(pulling_away_term(tf.constant(codes, tf.float32))) == pytest.approx(by_pairs(codes), rel=1e-5)


def test_pulling_away_is_one_for_parallel_codes_and_nothing_for_orthogonal_ones():
    code = RNG.normal(size=(1, 6)).astype("float32")
    lengths = np.array([[1.0], [0.01], [-3.0], [50.0]], "float32")  # neither length nor sign counts
    assert float(pulling_away_term(lengths * code)) == pytest.approx(1.0, abs=1e-5)
    orthogonal = lengths * np.eye(4, 6, dtype="float32")
    assert float(pulling_away_term(orthogonal)) == pytest.approx(0.0, abs=1e-6)


def test_pulling_away_has_the_gradient_of_the_formula_and_none_that_is_not_finite():
    codes = RNG.normal(size=(5, 3))
    variable = tf.Variable(codes, dtype=tf.float32)
    with tf.GradientTape() as tape:
        term = pulling_away_term(variable)
    gradient, step = tape.gradient(term, variable).numpy(), 1e-5
    for index in [(0, 0), (2, 1), (4, 2)]:
        ahead, behind = codes.copy(), codes.copy()
        ahead[index] += step
        behind[index] -= step
        assert gradient[index] == pytest.approx((by_pairs(ahead) - by_pairs(behind)) / (2 * step), rel=1e-3, abs=1e-5)
    np.testing.assert_allclose((gradient * codes).sum(1), 0.0, atol=1e-6)  # longer codes are no further apart
    variable.assign(np.zeros((5, 3)))
    with tf.GradientTape() as tape:
        term = pulling_away_term(variable)
    assert np.isfinite(float(term))
    assert np.isfinite(tape.gradient(term, variable).numpy()).all()


def test_pulling_away_of_a_single_image_is_nothing():
    assert float(pulling_away_term(tf.ones((1, 3)))) == 0.0


def ebgan(**overrides):
    model = tz.create("ebgan", (2,), width=8, code_dim=3, latent_dim=4, seed=1, **overrides)
    model.compile(run_eagerly=True)
    return model


def twelve():
    return tf.data.Dataset.from_tensor_slices(POINTS[:12]).batch(12)


def test_only_the_generator_is_pulled_away():
    """The weight of the term changes nothing in D's update, and G's loss by the term of G's own codes."""
    updates = []
    for weight in (0.0, 5.0):
        tz.runtime.setup(seed=0)
        model = ebgan(pulling_away=weight)
        found = model.update_discriminator(tf.constant(POINTS[:12]))
        assert set(found) == {"discriminator_loss"}
        critic, before = arrays(model.discriminator), arrays(model.generator)
        codes = frozen_call(model.discriminator, frozen_call(model.generator, model.latents("generator", 12)))["codes"]
        found = model.update_generator(tf.constant(POINTS[:12]))
        assert not any(moved(critic, arrays(model.discriminator)))
        assert all(moved(before, arrays(model.generator)))
        if weight:
            assert float(found["pulling_away"]) == pytest.approx(5.0 * by_pairs(np.array(codes, "float64")), rel=1e-4)
            assert found["pulling_away"] > 0.1
        else:
            assert set(found) == {"generator_loss"}
        updates.append((critic, arrays(model.generator)))
    assert not any(moved(updates[0][0], updates[1][0]))
    assert any(moved(updates[0][1], updates[1][1]))


def test_ebgan_logs_its_losses_and_their_sum():
    model = ebgan(pulling_away=0.5)
    expected = model.evaluate(twelve(), verbose=0, return_dict=True)
    assert {"discriminator_loss", "generator_loss"} <= set(expected)
    logs = model.fit(twelve(), verbose=0).history
    assert set(logs) == {"loss", "discriminator_loss", "generator_loss", "pulling_away"}
    parts = ("discriminator_loss", "generator_loss", "pulling_away")
    assert logs["loss"][0] == pytest.approx(sum(logs[name][0] for name in parts), rel=1e-5)
    without = ebgan(pulling_away=0.0).fit(twelve(), verbose=0).history
    assert set(without) == {"loss", "discriminator_loss", "generator_loss"}


def test_ebgan_is_saved_with_its_weight(tmp_path):
    model = ebgan(pulling_away=0.25, objective=tz.objectives.EnergyMargin(3.0))
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert type(loaded) is tz.EBGAN
    assert loaded.pulling_away == 0.25
    assert loaded.objective == tz.objectives.EnergyMargin(3.0)
    np.testing.assert_array_equal(loaded.generate(3, seed=0), model.generate(3, seed=0))


# ---- BEGAN --------------------------------------------------------------------------------------------------------


def began(**overrides):
    tz.runtime.setup(seed=2)
    objective = tz.objectives.BoundaryEquilibrium(gamma=0.8, rate=0.005)
    model = tz.create("began", (2,), width=8, latent_dim=4, code_dim=2, seed=3, objective=objective, **overrides)
    model.compile()
    return model


def one_step_an_epoch():
    return tf.data.Dataset.from_tensor_slices(3 * POINTS).batch(48)


def test_k_and_convergence_follow_the_logged_energies_and_go_on_after_saving(tmp_path):
    model = began()
    kept = tz.callbacks.Checkpoint(tmp_path / "run", every=25)
    first = model.fit(one_step_an_epoch(), epochs=25, verbose=0, callbacks=[kept]).history
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert loaded.objective == model.objective
    assert float(loaded.state["k"]) == float(model.state["k"]) == first["k"][-1]
    rest = model.fit(one_step_an_epoch(), epochs=25, verbose=0).history
    assert loaded.fit(one_step_an_epoch(), epochs=3, verbose=0).history == {name: of[:3] for name, of in rest.items()}
    resumed = began()
    continued = resumed.fit(one_step_an_epoch(), epochs=28, verbose=0, callbacks=[kept])
    assert continued.epoch == [25, 26, 27]
    assert continued.history == {name: of[:3] for name, of in rest.items()}

    logs = {name: np.array(first[name] + rest[name]) for name in first}
    assert set(logs) == {
        *("loss", "discriminator_loss", "generator_loss"),
        *("real_energy", "fake_energy", "generated_energy", "k", "convergence"),
    }
    k = 0.0
    for step in range(50):
        real, fake, generated = (logs[f"{kind}_energy"][step] for kind in ("real", "fake", "generated"))
        assert logs["discriminator_loss"][step] == pytest.approx(real - k * fake, rel=1e-5)
        assert logs["generator_loss"][step] == pytest.approx(generated, rel=1e-6)
        k = min(max(k + 0.005 * (0.8 * real - generated), 0.0), 1.0)
        assert logs["k"][step] == pytest.approx(k, abs=1e-5)
        assert logs["convergence"][step] == pytest.approx(real + abs(0.8 * real - generated), rel=1e-5)
    assert 0.05 < logs["k"][24] < logs["k"][49] < 1.0
    np.testing.assert_allclose(logs["loss"], logs["discriminator_loss"] + logs["generator_loss"], rtol=1e-5)


def test_one_step_of_state_in_eager_is_that_of_the_last_critic_update():
    """With n_critic=2 the anchors follow the second slice's real and fake images, and k G's own images."""
    seen = []

    class Spy(tz.GAN):
        def critic_losses(self, *arguments):
            found = super().critic_losses(*arguments)
            seen.append(found)
            return found

    template = began()
    objective = tz.objectives.LeCam(template.objective, decay=0.5)
    model = Spy(template.generator, template.discriminator, objective=objective, n_critic=2, seed=0)
    model.compile(run_eagerly=True)
    logs = model.fit(one_step_an_epoch(), verbose=0).history
    assert len(seen) == 2
    assert float(seen[0]["real_energy"]) != float(seen[1]["real_energy"])
    assert float(model.state["real_anchor"]) == pytest.approx(0.5 * float(seen[1]["real_energy"]), rel=1e-6)
    assert float(model.state["fake_anchor"]) == pytest.approx(0.5 * float(seen[1]["fake_energy"]), rel=1e-6)
    k = 0.005 * (0.8 * float(seen[1]["real_energy"]) - logs["generated_energy"][0])
    assert k > 0
    assert float(model.state["k"]) == pytest.approx(k, rel=1e-5)


def test_evaluation_leaves_the_state_alone_and_claims_none():
    model = began()
    model.compile(run_eagerly=True)
    model.fit(one_step_an_epoch(), epochs=2, verbose=0)
    before = {name: float(value) for name, value in model.state.items()}
    found = model.evaluate(one_step_an_epoch(), verbose=0, return_dict=True)
    assert {name: float(value) for name, value in model.state.items()} == before
    assert before["k"] > 0
    assert "k" not in found


@pytest.mark.slow
def test_two_replicas_train_like_one_device():
    """Weights, k and anchors after three steps of BEGAN under LeCam; and of ACGAN, each replica with its labels."""
    script = """
    import keras, numpy as np, tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    import tfgan_zoo as tz
    rng = np.random.default_rng(0)
    points, labels = (3 * rng.normal(size=(48, 2))).astype("float32"), (np.arange(48) % 3).astype("int32")
    control = tz.objectives.LeCam(tz.objectives.BoundaryEquilibrium(gamma=0.8, rate=0.1), decay=0.5)
    def run(name, **numbers):
        tz.runtime.setup(seed=1)
        model = tz.create(name, image_shape=(2,), width=16, ema_decay=0.5, **numbers)
        model.compile()
        start = model.get_weights()
        logs = model.fit(tf.data.Dataset.from_tensor_slices((points, labels)).batch(16), verbose=0).history
        state = {name: float(keras.ops.convert_to_numpy(value)) for name, value in model.state.items()}
        return start, model.get_weights(), state, logs
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice())
    for name, numbers in (("began", {"objective": control}), ("acgan", {"num_classes": 3, "n_critic": 2})):
        start, one, state, logs = run(name, **numbers)
        with strategy.scope():
            same, two, shared, seen = run(name, **numbers)
        assert all((a == b).all() for a, b in zip(start, same))
        assert max(abs(a - b).max() for a, b in zip(start, one)) > 1e-4
        assert max(abs(a - b).max() for a, b in zip(one, two)) < 1e-5, name
        assert state.keys() == shared.keys()
        assert all(abs(state[key] - shared[key]) < 1e-5 for key in state), (state, shared)
        assert all(abs(logs[key][0] - seen[key][0]) < 1e-4 for key in logs), (logs, seen)
        if name == "began":
            assert 0.01 < state["k"] < 1 and state["real_anchor"] > 0.1, state
    print("alike")
    """
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.split()[-1] == "alike"


# ---- bad input: one sentence each ---------------------------------------------------------------------------------


def generator():
    return mlp.generator((2,), 3, 4)


def coded(*names):
    """A discriminator of points with these of the heads "energy", "codes" and "logits"."""
    points = keras.Input((2,))
    codes = layers.Dense(3)(points)
    energy = ENERGY()([points, layers.Dense(2)(codes)])
    heads = {"energy": energy, "codes": codes, "logits": layers.Dense(1)(codes)}
    return keras.Model(points, {name: heads[name] for name in names})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: tz.EBGAN(generator(), coded("energy", "codes"), objective=tz.objectives.Hinge()),
            r"objective=Hinge\(\) judges 'logits', but discriminator gives 'energy', 'codes'",
        ),
        (
            lambda: tz.EBGAN(generator(), coded("logits", "codes"), objective=tz.objectives.EnergyMargin()),
            r"objective=EnergyMargin\(\) judges 'energy', but discriminator gives 'logits', 'codes'.*autoencoder",
        ),
        (
            lambda: tz.GAN(generator(), mlp.discriminator((2,), 4), objective=tz.objectives.BoundaryEquilibrium()),
            r"objective=BoundaryEquilibrium\(\) judges 'energy', but discriminator gives 'logits'",
        ),
        (
            lambda: tz.create("gan", (2,), width=4, objective=tz.objectives.LeCam(tz.objectives.EnergyMargin())),
            r"objective=LeCam\(\) judges 'energy', but discriminator gives 'logits'",
        ),
        (
            lambda: tz.create("began", (2,), width=4, objective=tz.objectives.NonSaturating()),
            r"objective=NonSaturating\(\) judges 'logits', but discriminator gives 'energy', 'codes'",
        ),
        (
            lambda: tz.GAN(generator(), mlp.discriminator((2,), 4), objective=tz.objectives.FeatureMatching()),
            r"compares 'features', but discriminator gives 'logits'.*return its last hidden layer as 'features'",
        ),
        (
            lambda: tz.EBGAN(generator(), coded("energy"), objective=tz.objectives.EnergyMargin()),
            r"gives no 'codes', which the pulling-away term compares.*pulling_away=0",
        ),
        (lambda: ebgan(pulling_away=-0.1), "pulling_away=-0.1"),
        (lambda: ebgan(pulling_away=float("nan")), "pulling_away=nan"),
        pytest.param(
            lambda: tz.EBGAN(generator(), "dcgan", objective=tz.objectives.EnergyMargin()),
            "discriminator is str",
        ),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_without_the_term_no_codes_are_needed():
    model = tz.EBGAN(generator(), coded("energy"), objective=tz.objectives.EnergyMargin(), pulling_away=0)
    assert model.loss_names() == ("discriminator_loss", "generator_loss")


@pytest.mark.parametrize("order", [1, 2])
def test_the_energies_of_autoencoders_are_their_errors(order):
    """mlp's and dcgan's: not negative, and what the energy head says of images and their reconstructions."""
    for make, shape in ((mlp.autoencoder, (2,)), (dcgan.autoencoder, (8, 8, 1))):
        heads = make(shape, 3, 2, ENERGY(order))(np.tanh(RNG.normal(size=(5, *shape))).astype("float32"))
        assert set(heads) == {"energy", "codes"}
        assert heads["energy"].shape == (5, 1)
        assert heads["codes"].shape == (5, 3)
        assert (np.array(heads["energy"]) > 0).all()
