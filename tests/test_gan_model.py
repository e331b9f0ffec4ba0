"""The GAN model: Algorithm 1, its state, its noise, and Keras' own contract."""

import gc
import json
import subprocess
import sys
import textwrap
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.models.optimisation import averaged_copy, frozen_call

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(64, 8, 8, 1))).astype("float32")

ONE_NAN = IMAGES.copy()
ONE_NAN[3, 4, 4, 0] = np.nan


def batches(batch_size=16, images=IMAGES):
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size)


def small(**overrides):
    model = tz.create("dcgan", image_shape=(8, 8, 1), width=4, latent_dim=6, seed=7, **overrides)
    model.compile()
    return model


def arrays(network):
    return [np.array(weight) for weight in network.weights]


def moved(before, after):
    return [bool(np.abs(a - b).max() > 0) for a, b in zip(before, after, strict=True)]


def test_every_trainable_weight_moves_and_the_losses_are_logged():
    model = small()
    before = arrays(model.generator), arrays(model.discriminator), arrays(model.ema_network)
    history = model.fit(batches(), epochs=2, verbose=0).history
    assert set(history) == {"loss", "discriminator_loss", "generator_loss"}
    assert np.isfinite(list(history.values())).all()
    assert int(model.step) == 8
    for network, old in zip((model.generator, model.discriminator, model.ema_network), before, strict=True):
        assert all(moved(old, arrays(network)))


def test_the_first_losses_are_those_of_the_formulas():
    model = small()
    seeds = [model.noise_seed(purpose, 0) for purpose in ("critic", "generator")]
    twin_g, twin_d = averaged_copy(model.generator), averaged_copy(model.discriminator)
    twin_g.trainable = twin_d.trainable = True
    z_critic, z_generator = (model.prior.sample(16, 6, seed) for seed in seeds)
    fake = frozen_call(twin_g, z_critic)
    with tf.GradientTape() as tape:
        real_logits, fake_logits = frozen_call(twin_d, IMAGES[:16]), frozen_call(twin_d, fake)
        expected_d = model.objective.discriminator_loss(real_logits, fake_logits)
    optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    optimizer.apply(tape.gradient(expected_d, twin_d.trainable_variables), twin_d.trainable_variables)
    expected_g = model.objective.generator_loss(frozen_call(twin_d, frozen_call(twin_g, z_generator)))
    logs = model.fit(batches(images=IMAGES[:16]), verbose=0).history
    assert logs["discriminator_loss"][0] == pytest.approx(float(expected_d), rel=1e-5)
    assert logs["generator_loss"][0] == pytest.approx(float(expected_g), rel=1e-5)
    for ours, theirs in zip(arrays(model.discriminator)[:2], arrays(twin_d)[:2], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_each_player_moves_alone():
    model = small()
    images = tf.constant(IMAGES[:16])
    generator, discriminator = arrays(model.generator), arrays(model.discriminator)
    model.update_discriminator(images)
    assert not any(moved(generator, arrays(model.generator)))  # batch moments included
    after_critic = arrays(model.discriminator)
    assert all(moved(discriminator, after_critic))
    model.update_generator(images)
    assert not any(moved(after_critic, arrays(model.discriminator)))
    assert all(moved(generator, arrays(model.generator)))


def test_batch_moments_of_d_advance_once_an_update_on_real_images():
    images = keras.Input((8, 8, 1))
    normed = layers.BatchNormalization(momentum=0.75)(layers.Flatten()(images))
    critic = keras.Model(images, layers.Dense(1)(normed))
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(64), layers.Reshape((8, 8, 1))])
    model = tz.GAN(generator, critic, objective=tz.objectives.NonSaturating(), n_critic=2)
    model.compile()
    model.fit(batches(images=IMAGES[:16]), verbose=0)
    expected = np.zeros(64)
    for real in (IMAGES[0:16:2], IMAGES[1:16:2]):
        expected = 0.75 * expected + 0.25 * real.reshape(8, 64).mean(0)
    np.testing.assert_allclose(critic.layers[2].moving_mean, expected, atol=1e-6)


def test_critic_steps_see_disjoint_slices_and_the_generator_one_slice_of_latents():
    seen, asked = [], []

    class Spy(tz.GAN):
        def critic_losses(self, real, fake, told, latents, index):
            seen.append(real.numpy())
            assert len(fake) == len(real) == len(latents)
            return super().critic_losses(real, fake, told, latents, index)

        def latents(self, purpose, count, index=0):
            drawn = super().latents(purpose, count, index)
            asked.append((purpose, drawn.numpy()))
            return drawn

    template = small()
    spy = Spy(template.generator, template.discriminator, objective=template.objective, n_critic=5, seed=0)
    spy.compile(run_eagerly=True)
    spy.fit(batches(20, IMAGES[:20]), verbose=0)
    assert [len(real) for real in seen] == [4] * 5
    together = np.concatenate(seen).reshape(20, -1)
    assert len(np.unique(together, axis=0)) == 20
    np.testing.assert_array_equal(np.sort(together, 0), np.sort(IMAGES[:20].reshape(20, -1), 0))
    assert [purpose for purpose, _ in asked] == ["critic"] * 5 + ["generator"]
    assert len(np.unique(np.concatenate([drawn for _, drawn in asked]), axis=0)) == 24


def test_ema_warms_up_averages_weights_and_copies_moments():
    model = small(ema_decay=0.25)
    expected = arrays(model.generator)
    for step in range(1, 5):
        model.fit(batches(images=IMAGES[:16]), verbose=0)
        decay = min(0.25, (1 + step) / (10 + step))
        for index, weight in enumerate(model.generator.weights):
            kept = decay if weight.trainable else 0.0
            expected[index] = kept * expected[index] + (1 - kept) * np.array(weight)
    for ours, theirs in zip(arrays(model.ema_network), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_without_decay_the_generator_itself_is_asked():
    model = small(ema_decay=0.0)
    assert model.ema_network is model.generator
    model.fit(batches(), verbose=0)
    np.testing.assert_array_equal(model(model.draw_latents(3, 0)), model.generator(model.draw_latents(3, 0)))


def test_generate_depends_on_the_seed_and_the_row_alone():
    model = small()
    few, many = model.generate(3, seed=5), model.generate(600, seed=5)
    assert (few.dtype, few.shape) == (np.float32, (3, 8, 8, 1))
    assert 0 < np.abs(few).max() <= 1
    np.testing.assert_allclose(few, many[:3], atol=1e-6)
    np.testing.assert_allclose(np.concatenate(list(model.stream(600, seed=5, batch_size=7))), many, atol=1e-6)
    np.testing.assert_array_equal(model.draw_latents(3, 5), model.draw_latents(600, 5)[:3])
    assert np.abs(model.generate(3, seed=6) - few).max() > 1e-4
    assert np.abs(model.generate(3) - model.generate(3)).max() > 1e-4
    compiled = tf.function(lambda seed: model.draw_latents(300, seed), jit_compile=True)
    np.testing.assert_array_equal(compiled(tf.constant(5)), model.draw_latents(300, 5))  # a live seed
    live = tf.function(model.draw_latents)
    for count in (1, 256, 257, 600):
        np.testing.assert_array_equal(live(tf.constant(count), tf.constant(5)), model.draw_latents(count, 5))
    np.testing.assert_allclose(model(model.draw_latents(3, 5)), few, atol=1e-6)


def test_two_runs_with_one_seed_are_one_run_and_jit_draws_the_same_noise():
    def run(**compile_arguments):
        tz.runtime.setup(seed=3)
        model = tz.create("gan", image_shape=(8, 8, 1), width=8)
        model.compile(**compile_arguments)
        return model, model.fit(batches(), epochs=2, verbose=0).history["loss"]

    (first, losses), (second, same) = run(), run()
    assert losses == same
    for a, b in zip(arrays(first), arrays(second), strict=True):
        np.testing.assert_array_equal(a, b)
    tz.runtime.setup(seed=3)
    plain = tz.create("gan", image_shape=(8, 8, 1), width=8, dropout=0.0)
    jitted = keras.models.clone_model(plain.generator), keras.models.clone_model(plain.discriminator)
    jitted = tz.GAN(*jitted, objective=plain.objective, prior=plain.prior, seed=plain.seed)
    jitted.set_weights(plain.get_weights())
    plain.compile(jit_compile=False)
    jitted.compile(jit_compile=True)
    expected = plain.fit(batches(), verbose=0).history["loss"]
    assert jitted.fit(batches(), verbose=0).history["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["dcgan", "gan"])
def test_saved_and_loaded_it_generates_the_same_and_takes_the_same_next_steps(name, tmp_path):
    overrides = {"dropout": 0.5} if name == "gan" else {}
    model = tz.create(name, image_shape=(8, 8, 1), width=8, **overrides)
    model.compile()
    model.fit(batches(), epochs=2, verbose=0)
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert int(loaded.step) == int(model.step) == 8
    np.testing.assert_array_equal(loaded.generate(5, seed=1), model.generate(5, seed=1))
    for optimizer in ("generator_optimizer", "discriminator_optimizer"):
        for a, b in zip(getattr(model, optimizer).variables, getattr(loaded, optimizer).variables, strict=True):
            np.testing.assert_array_equal(a, b)
    assert model.fit(batches(), verbose=0).history == loaded.fit(batches(), verbose=0).history
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_changes_nothing_and_keras_callbacks_work(tmp_path):
    model = small()
    before = [np.array(v) for v in model.variables if "loss" not in v.path]
    first = model.evaluate(batches(), verbose=0, return_dict=True)
    for a, b in zip(before, [np.array(v) for v in model.variables if "loss" not in v.path], strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.evaluate(batches(), verbose=0, return_dict=True) == first
    stop = keras.callbacks.EarlyStopping("val_discriminator_loss", mode="max", patience=0, baseline=100.0)
    keep = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_loss", save_best_only=True)
    board = keras.callbacks.TensorBoard(tmp_path / "board")
    history = model.fit(
        IMAGES, epochs=5, batch_size=16, validation_data=batches(), callbacks=[stop, keep, board], verbose=0
    )
    assert len(history.epoch) == 2
    assert {"val_loss", "val_discriminator_loss", "val_generator_loss"} <= set(history.history)
    assert list(tmp_path.glob("board/train/events*"))
    assert keras.models.load_model(tmp_path / "best.keras").generate(1, seed=0).shape == (1, 8, 8, 1)


def test_terminate_on_nan_ends_training():
    model = small()
    model.generator.set_weights([np.full_like(weight, np.nan) for weight in model.generator.get_weights()])
    history = model.fit(batches(), epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1


def test_arrays_train_like_datasets():
    uint8 = np.asarray(tz.pixels.to_uint8(IMAGES))
    model = small()
    history = model.fit(uint8, np.zeros(64, "int32"), batch_size=16, epochs=2, validation_split=0.25, verbose=0)
    assert int(model.step) == 6
    assert "val_loss" in history.history


def test_user_networks_dict_heads_penalties_and_regularizers():
    class Ridge:
        name = "ridge"

        def __call__(self, critic, real, fake, seed=None):
            assert critic(real).shape[1:] == (1,)
            return 3.0 * tf.reduce_mean(critic(real) ** 2)

    images = keras.Input((8, 8, 1))
    body = layers.Dense(4, kernel_regularizer=keras.regularizers.L2(50.0))(layers.Flatten()(images))
    critic = keras.Model(images, {"logits": layers.Dense(1)(body), "features": body})
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(64, "tanh"), layers.Reshape((8, 8, 1))])
    model = tz.GAN(generator, critic, objective=tz.objectives.MinimaxGAN(), penalties=(Ridge(),), seed=0)
    model.compile(discriminator_optimizer=keras.optimizers.SGD(1e-3))
    assert isinstance(model.generator_optimizer, keras.optimizers.Adam)
    before = np.abs(critic.layers[2].kernel).mean()
    history = model.fit(batches(), epochs=2, verbose=0).history
    assert np.mean(history["ridge"]) > 0
    assert np.abs(critic.layers[2].kernel).mean() < 0.7 * before  # L2(50) at 1e-3 takes a tenth a step


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_weights_losses_and_images_in_float32(precision):
    tz.runtime.setup(seed=0, precision=precision)
    model = small()
    assert model.generator.layers[1].compute_dtype == precision.removeprefix("mixed_")
    scaled = isinstance(model.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")
    history = model.fit(batches(), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert model.generate(2, seed=0).dtype == np.float32
    assert {weight.dtype for weight in model.ema_network.weights} == {"float32"}
    iterations = model.discriminator_optimizer.inner_optimizer if scaled else model.discriminator_optimizer
    assert int(iterations.iterations) == 8  # no step was skipped for overflow


def graph_of_a_step():
    model = tz.create("gan", image_shape=(2,), width=4, dropout=0.0)
    model.compile(keras.optimizers.SGD(), keras.optimizers.SGD())
    step = tf.function(model.train_step, autograph=False)
    return weakref.ref(step.get_concrete_function(tf.TensorSpec((8, 2))).graph)


@pytest.mark.parametrize("precision", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)])
def test_nothing_is_left_of_a_trained_model(precision):
    tz.runtime.setup(seed=0, precision=precision)
    graph = graph_of_a_step()
    for _ in range(2):  # the function goes first, and its end takes the graph apart
        gc.collect()
    assert graph() is None  # nor of the weights, which it holds


@pytest.mark.slow
def test_two_replicas_train_like_one_device():
    script = """
    import numpy as np, tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    import tfgan_zoo as tz
    def run():
        tz.runtime.setup(seed=1)
        model = tz.create("gan", image_shape=(2,), width=16, n_critic=2, dropout=0.0)
        model.compile()
        start = model.get_weights()
        points = np.random.default_rng(0).normal(size=(48, 2)).astype("float32")
        model.fit(tf.data.Dataset.from_tensor_slices(points).batch(16), verbose=0)
        return start, model.get_weights()
    start, one = run()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        same, two = run()
    assert all((a == b).all() for a, b in zip(start, same))
    assert max(abs(a - b).max() for a, b in zip(start, one)) > 1e-4
    print(max(abs(a - b).max() for a, b in zip(one, two)))
    """
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    assert float(result.stdout) < 1e-5


# ---- bad input: one sentence each ---------------------------------------------------------------------------------


def networks(image_shape=(8, 8, 1), **tail):
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(64), layers.Reshape((8, 8, 1))])
    critic = keras.Sequential([keras.Input(image_shape), layers.Flatten(), layers.Dense(**({"units": 1} | tail))])
    return generator, critic


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: {"critic": networks((8, 8, 3))[1]},
            r"generator makes images \(8, 8, 1\), but discriminator reads \(8, 8",
        ),
        (lambda: {"critic": networks(units=2)[1]}, r"must be logits \(None, 1\)"),
        (lambda: {"critic": networks(activation="sigmoid")[1]}, "ends in a sigmoid"),
        (lambda: {"critic": keras.Sequential([layers.Dense(1)])}, "give a functional model"),
        (lambda: {"critic": "dcgan"}, "discriminator is str"),
        (lambda: {"objective": tz.objectives.NonSaturating}, r"write NonSaturating\(\)"),
        (lambda: {"objective": "hinge"}, "objective='hinge': give an objective"),
        (lambda: {"n_critic": 0}, "n_critic=0"),
        (lambda: {"n_critic": 2.5}, "n_critic=2.5"),
        (lambda: {"ema_decay": 1.0}, r"ema_decay=1.0.*\[0, 1\)"),
    ],
)
def test_construction_refuses(make, sentence):
    given = make()
    generator, critic = networks()
    arguments = {"objective": tz.objectives.NonSaturating()} | given
    critic = arguments.pop("critic", critic)
    with pytest.raises(ValueError, match=sentence):
        tz.GAN(generator, critic, **arguments)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (
            lambda: batches(images=np.zeros((16, 8, 8, 3), "float32")),
            r"images are \(8, 8, 3\), but dcgan makes \(8, 8, 1\)",
        ),
        (lambda: batches(images=IMAGES * 200), r"belong in \[-1, 1\]"),
        (lambda: batches(images=ONE_NAN), "NaN or infinity"),
        (lambda: batches(images=(IMAGES * 0).astype("uint8")), "images are uint8"),
        (lambda: batches().take(0), "dataset is empty"),
        (lambda: batches(1), "holds 1 image"),
        (lambda: IMAGES[:0], r"shape \(0, 8, 8, 1\)"),
        (lambda: IMAGES * 200, r"\[-1, 1\]"),
    ],
)
def test_fit_refuses_before_the_first_step(dataset, sentence):
    model = small()
    with pytest.raises(ValueError, match=sentence):
        model.fit(dataset(), verbose=0)
    assert int(model.step) == 0


def test_fit_refuses_a_batch_smaller_than_n_critic_and_an_uncompiled_model():
    model = small(n_critic=5)
    with pytest.raises(ValueError, match=r"holds 4 images, but n_critic=5.*320"):
        model.fit(batches(4), verbose=0)
    with pytest.raises(ValueError, match="validation_split takes its share of an array"):
        model.fit(batches(), validation_split=0.5, verbose=0)
    with pytest.raises(ValueError, match="not compiled"):
        tz.create("dcgan", image_shape=(8, 8, 1), width=4).fit(batches(), verbose=0)
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="One optimizer was given for both"):
        model.compile(optimizer, optimizer)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_images": 0}, "num_images=0"),
        ({"num_images": 2.5}, "num_images=2.5"),
        ({"num_images": 2, "seed": -1}, "seed=-1"),
        ({"num_images": 2, "seed": 0.5}, "seed=0.5"),
        ({"num_images": 2, "labels": [0, 1]}, "unconditional"),
    ],
)
def test_generate_refuses(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        small().generate(**arguments)


def test_critic_steps_in_a_loop_are_those_of_a_step_without_one():
    def trained(eagerly):
        template = small()
        networks, parts = (template.generator, template.discriminator), {"objective": template.objective, "seed": 0}
        model = tz.GAN(*networks, **parts, n_critic=4)
        model.compile(run_eagerly=eagerly)
        model.fit(batches(16, IMAGES[:32]), verbose=0)
        return arrays(model)

    tz.runtime.setup(seed=0)
    looped = trained(eagerly=False)
    tz.runtime.setup(seed=0)
    for one, other in zip(looped, trained(eagerly=True), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def through(tensor):
    """What a tensor copies: TensorFlow's optimizer takes IdentityN apart; then an output waits for one input alone."""
    return through(tensor.op.inputs[tensor.value_index]) if tensor.op.type == "IdentityN" else tensor


def test_nothing_moves_before_every_gradient_is_there():
    # the slope below a Wasserstein critic's end needs its kernel, whose own slope does not: without care it moves first
    model = tz.create("wgan_gp", image_shape=(8, 8, 1), width=4, latent_dim=6, n_critic=1, penalties=(), seed=7)
    model.compile()
    step = tf.function(model.train_step).get_concrete_function(tf.TensorSpec((16, 8, 8, 1)))
    kernel = model.discriminator.layers[-1].kernel.value
    [handle] = [inner for outer, inner in step.graph.captures if outer is kernel.handle]
    [update] = [one for one in handle.consumers() if one.type.startswith(("Assign", "ResourceApply"))]
    waiting, before = [update], set()
    while waiting:
        operation = waiting.pop()
        before.add(operation)
        needed = [through(tensor).op for tensor in operation.inputs] + list(operation.control_inputs)
        waiting += [one for one in needed if one not in before]
    slopes = [one for one in step.graph.get_operations() if one.type == "Conv2DBackpropFilter"]
    shapes = [tuple(weight.shape) for weight in model.discriminator.trainable_variables if len(weight.shape) == 4]
    assert {tuple(one.outputs[0].shape) for one in slopes if one in before} >= set(shapes)


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"beta_1": 0.0, "beta_2": 0.9, "epsilon": 1e-3},
        {"global_clipnorm": 0.1},
        {"weight_decay": 0.1},
        {"gradient_accumulation_steps": 2},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)},
    ],
    ids=lambda numbers: "-".join(numbers) or "plain",
)
def test_adam_as_one_kernel_is_keras_adam(numbers, how):
    def trained(apply):
        weights = [keras.Variable(np.ones(shape, "float32")) for shape in ((3, 2), (2,))]
        optimizer, random = keras.optimizers.Adam(**numbers), np.random.default_rng(0)
        optimizer.build(weights)

        def step(*gradients):
            apply(optimizer, gradients, weights)

        step = step if how == "eager" else tf.function(step, autograph=False, jit_compile=how == "xla")
        for _ in range(7):
            step(*(tf.constant(random.normal(size=weight.shape), tf.float32) for weight in weights))
        assert "update_step" not in vars(optimizer)
        return [np.array(weight) for weight in (*weights, *optimizer.variables)]

    keras_own = trained(lambda optimizer, gradients, weights: optimizer.apply(gradients, weights))
    for ours, theirs in zip(trained(tz.runtime.update), keras_own, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_what_a_networks_layers_add_to_the_loss_counts_in_each_pass():
    """D's activity regularisers on real and on generated images, weights' penalties once; G's step has none of D's."""
    weight, decay = 0.1, 0.01
    images = keras.Input((8, 8, 1))
    x = layers.Dense(3, activity_regularizer=keras.regularizers.L2(weight))(layers.Flatten()(images))
    critic = keras.Model(images, layers.Dense(1, kernel_regularizer=keras.regularizers.L2(decay))(x))
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(64), layers.Reshape((8, 8, 1))])
    model = tz.GAN(generator, critic, objective=tz.objectives.NonSaturating(), seed=0)
    totals = []
    model._total, total = lambda *given: totals.append(float(total(*given))) or total(*given), model._total
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    logs = model.fit(batches(images=IMAGES[:16]), verbose=0).history
    fake = model.synthesize(None, 16, 0)[0]
    model.step.assign(0)
    fake = model.synthesize(None, 16, 0)[0]
    hidden = [np.array(keras.Model(images, x)(batch)) for batch in (IMAGES[:16], fake)]
    added = sum(weight * (one**2).sum() / 16 for one in hidden)  # Keras divides by the batch
    added += decay * (np.array(critic.layers[-1].kernel) ** 2).sum()
    assert totals[0] == pytest.approx(logs["discriminator_loss"][0] + added, rel=1e-5)
    assert totals[1] == pytest.approx(logs["generator_loss"][0], rel=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [("adam",), (keras.optimizers.Adam(3e-4),), ("adam", "rmsprop"), (), {"optimizer": "adam"}],
    ids=["a name", "one", "two names", "none", "by keyword"],
)
def test_optimizers_by_name_one_for_all_or_one_each(arguments):
    model = small()
    named = arguments if isinstance(arguments, dict) else {}
    model.compile(*(() if named else arguments), **named)
    first, second = model.generator_optimizer, model.discriminator_optimizer
    assert first is not second
    assert model.optimizer is first
    kinds = [type(one).__name__ for one in (first, second)]
    assert kinds == (["Adam", "RMSprop"] if arguments == ("adam", "rmsprop") else ["Adam", "Adam"])
    assert np.isfinite(model.fit(batches(), verbose=0).history["loss"]).all()


def test_an_optimizer_of_no_network_is_answered():
    with pytest.raises(ValueError, match=r"Unknown optimizer of 'dcgan' 'g_optimizer'.*generator_optimizer"):
        small().compile(g_optimizer="adam")
    with pytest.raises(ValueError, match="3 optimizers were given: dcgan takes generator_optimizer, discrimin"):
        small().compile("adam", "adam", "adam")


def test_a_callback_of_the_rate_moves_both_optimizers_by_one_factor():
    model = small()
    model.compile(keras.optimizers.Adam(4e-4), keras.optimizers.Adam(1e-3))
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 4e-4 * 0.5**epoch)
    model.fit(batches(), epochs=3, verbose=0, callbacks=[schedule])
    rates = [float(one.learning_rate) for one in (model.generator_optimizer, model.discriminator_optimizer)]
    assert rates == pytest.approx([1e-4, 2.5e-4])


def test_a_model_that_is_not_compiled_is_saved_and_cloned(tmp_path):
    model = tz.create("dcgan", image_shape=(8, 8, 1), width=4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not loaded.compiled
    np.testing.assert_allclose(loaded.generate(2, seed=0), model.generate(2, seed=0), atol=1e-6)
    assert type(model).from_config(model.get_config()).get_config() == model.get_config()


def _generator(**last):
    return keras.Sequential([keras.Input((3,)), layers.Dense(64, **last), layers.Reshape((8, 8, 1))])


def _critic(*outputs):
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), *(outputs or [layers.Dense(1)])])


def _with_labels(shape):
    z, labels = keras.Input((3,)), keras.Input(shape, dtype="int32")
    x = layers.Concatenate()([z, keras.ops.cast(keras.ops.reshape(labels, (-1, 10 if shape else 1)), "float32")])
    return keras.Model([z, labels], layers.Reshape((8, 8, 1))(layers.Dense(64)(x)))


def _frozen(network):
    network.trainable = False
    return network


def _rank_4():
    z = keras.Input((1, 1, 3))
    return keras.Model(z, layers.Reshape((8, 8, 1))(layers.Dense(64)(layers.Flatten()(z))))


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: (_generator(), _frozen(_critic())), "discriminator has no weights to train"),
        (
            lambda: (_generator(), _critic(keras.Sequential([layers.Dense(1, "sigmoid")]))),
            "objectives take logits",
        ),
        (lambda: (_generator(activation="tanh"), _critic(layers.Dense(2), layers.Softmax())), "ends in a sigmoid"),
        (lambda: (keras.Sequential([_generator(), layers.Activation("sigmoid")]), _critic()), "end it with tanh"),
        (lambda: (_rank_4(), _critic()), r"latents of shape \(1, 1, 3\)"),
        (lambda: (_with_labels(()), _critic()), "second input, but nothing is told"),
        (lambda: (_generator(), _critic(layers.Dense(2))), "must be logits"),
    ],
)
def test_networks_of_ones_own_that_cannot_work_are_answered(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        tz.GAN(*build(), objective=tz.objectives.Hinge())


def test_labels_come_as_integers():
    with pytest.raises(ValueError, match=r"second input is \(10,\), but labels come as int32 \(N,\).*one_hot"):
        tz.ConditionalGAN(_with_labels((10,)), _with_images(), num_classes=10, objective=tz.objectives.Hinge())


def _with_images():
    x, labels = keras.Input((8, 8, 1)), keras.Input((), dtype="int32")
    return keras.Model([x, labels], layers.Dense(1)(layers.Flatten()(x)))


def test_latents_of_no_coordinate_and_negative_rates_are_refused():
    with pytest.raises(ValueError, match=r"latents of shape \(0,\)"):
        tz.create("gan", image_shape=(8, 8, 1), width=4, latent_dim=0)
    with pytest.raises(ValueError, match=r"learning_rate=-0.001"):
        tz.create("gan", image_shape=(8, 8, 1), width=4, learning_rate=-1e-3).compile()
    with pytest.raises(ValueError, match=r"penalties=R1.*give a tuple"):
        tz.create("gan", image_shape=(8, 8, 1), width=4, penalties=tz.penalties.R1(1.0))


@pytest.mark.parametrize("objective", ["NonSaturating", "LeastSquares", "Hinge", "Wasserstein", "RelativisticAverage"])
def test_a_discriminator_of_patches(objective):
    """Isola et al. 2017: one logit a patch, averaged; a patch that covers the image is the usual discriminator."""
    patches = _critic(layers.Reshape((8, 8, 1)), layers.Conv2D(1, 3, 2, "same"))
    model = tz.GAN(
        _generator(activation="tanh"),
        patches,
        objective=getattr(tz.objectives, objective)(),
        penalties=(tz.penalties.R1(1.0),),
        seed=0,
    )
    model.compile()
    before = arrays(model.discriminator)
    assert np.isfinite(model.fit(batches(), verbose=0).history["loss"]).all()
    assert moved(before, arrays(model.discriminator))[0]  # a bias does not matter to differences
