"""Both players at once: the update in closed form, what is computed once, and what stays as in the alternation."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.models.optimisation import averaged_copy

POINTS = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
RATE = 0.1


def linear(**options):
    """G(z) = z A + a, D(x) = x b, plain descent."""
    tz.runtime.setup(seed=0)
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="out")], name="generator")
    critic = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)], name="discriminator")
    options = {"objective": tz.objectives.Wasserstein(), "seed": 5, "ema_decay": 0} | options
    model = tz.GAN(generator, critic, **options)
    model.compile(keras.optimizers.SGD(RATE), keras.optimizers.SGD(RATE))
    return model


def one_step(model, points=POINTS):
    model.fit(tf.data.Dataset.from_tensor_slices(points).batch(len(points)), verbose=0)
    return [np.array(weight) for weight in (*model.generator.weights, *model.discriminator.weights)]


def test_one_step_is_simultaneous_descent_and_not_the_alternation():
    """Wasserstein: D loses mean D(fake) - mean D(real), G loses -mean D(fake), both at the old (A, a, b)."""
    model = linear(simultaneous=True)
    latents = np.array(model.latents("critic", 8))
    matrix, offset = (np.array(weight, "float64") for weight in model.generator.weights)
    [slope] = (np.array(weight, "float64") for weight in model.discriminator.weights)
    fake = latents @ matrix + offset
    moved = slope + RATE * (POINTS.mean(0) - fake.mean(0))[:, None]
    expected = matrix + RATE * np.outer(latents.mean(0), slope), offset + RATE * slope[:, 0], moved
    for found, wanted in zip(one_step(model), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    in_turn = one_step(linear())  # its G answers the D that has moved, and sees latents of its own
    np.testing.assert_allclose(in_turn[1], offset + RATE * in_turn[2][:, 0], rtol=0, atol=1e-6)
    assert np.abs(in_turn[1] - expected[1]).max() > 1e-3


def test_images_pass_once_through_g_and_twice_through_d():
    calls = []

    @keras.saving.register_keras_serializable("tests")
    class Counted(layers.Layer):
        def call(self, inputs):
            calls.append(self.name)
            return inputs

    def counted(**options):
        generator = keras.Sequential([keras.Input((3,)), layers.Dense(2), Counted(name="g")])
        critic = keras.Sequential([keras.Input((2,)), Counted(name="d"), layers.Dense(1)])
        model = tz.GAN(generator, critic, objective=tz.objectives.NonSaturating(), seed=0, ema_decay=0, **options)
        model.compile(run_eagerly=True)
        calls.clear()
        one_step(model)
        return calls.count("g"), calls.count("d")

    assert counted(simultaneous=True) == (1, 2)
    assert counted() == (2, 3)


def test_state_moves_as_in_the_alternation():
    """D's moments on real images alone, G's once, the average after G; the losses are those of the formulas."""
    images = np.tanh(np.random.default_rng(1).normal(size=(16, 8, 8, 1))).astype("float32")
    model = tz.create("dcgan", (8, 8, 1), width=4, latent_dim=6, seed=7, simultaneous=True, ema_decay=0.5)
    model.compile()
    generator, critic = averaged_copy(model.generator), averaged_copy(model.discriminator)
    generator.trainable = critic.trainable = True
    fake = generator(model.latents("critic", 16), training=True)
    real_logits = critic(images, training=True)
    moments = [np.array(weight) for weight in (*generator.non_trainable_weights, *critic.non_trainable_weights)]
    fake_logits = critic(fake, training=True)
    logs = model.fit(tf.data.Dataset.from_tensor_slices(images).batch(16), verbose=0).history
    assert logs["discriminator_loss"][0] == pytest.approx(
        float(model.objective.discriminator_loss(real_logits, fake_logits)), rel=1e-5
    )
    assert logs["generator_loss"][0] == pytest.approx(float(model.objective.generator_loss(fake_logits)), rel=1e-5)
    state = (*model.generator.non_trainable_weights, *model.discriminator.non_trainable_weights)
    assert moments
    for found, wanted in zip(state, moments, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    for average, weight, before in zip(
        model.ema_network.weights, model.generator.weights, generator.weights, strict=True
    ):
        if weight.trainable:
            kept = 2 / 11
            np.testing.assert_allclose(average, kept * before + (1 - kept) * weight, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dragan", {}),
        ("began", {}),
        ("acgan", {"num_classes": 3, "augmentations": (tz.augmentations.DiffAugment(),)}),
        ("improved_gan", {"num_classes": 3}),
        ("gan", {"objective": tz.objectives.RelativisticAverage(), "historical_averaging": 1e-3}),
    ],
)
def test_every_hook_plays_along(name, options):
    """Penalties, conditions, codes, state, comparisons: the same names in the logs, finite, and both players move."""
    images = np.tanh(np.random.default_rng(1).normal(size=(8, 8, 8, 1))).astype("float32")
    labels = np.resize([0, 1, 2], 8).astype("int32")

    model = tz.create(name, (8, 8, 1), width=4, seed=7, simultaneous=True, **options)
    model.compile(run_eagerly=True)
    start = [network.get_weights() for network in (model.generator, model.discriminator)]
    logs = model.fit(tf.data.Dataset.from_tensor_slices((images, labels)).batch(8), verbose=0).history
    assert set(logs) == {"loss", *model.loss_names(), *model.monitor_names()}
    assert np.isfinite([values[0] for values in logs.values()]).all()
    for network, before in zip((model.generator, model.discriminator), start, strict=True):
        moved = [not np.array_equal(a, b) for a, b in zip(network.get_weights(), before, strict=True)]
        assert np.mean(moved) > 0.8
    assert type(model).from_config(model.get_config()).simultaneous is True


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"simultaneous": True, "n_critic": 2}, "simultaneous=True with n_critic=2: .* set n_critic=1"),
        ({"simultaneous": "yes"}, "simultaneous='yes': give True .* or False"),
    ],
)
def test_it_refuses(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        linear(**options)
