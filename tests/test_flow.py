"""RealNVP: log-determinants against autodiff, inverses, integrals, and the constant 8 exactly once."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import tfgan_zoo as tz
from tfgan_zoo.models.flow import NormalizingFlow
from tfgan_zoo.serialization import serializable


def shaken(model, scale=0.3, seed=0):
    """The model with weights as far from their start as training brings them."""
    rng = np.random.default_rng(seed)
    for network in {id(one): one for one in (model.flow, model.inference["flow"])}.values():
        rng = np.random.default_rng(seed)
        network.set_weights([weight + scale * rng.normal(size=weight.shape) for weight in network.get_weights()])
    return model


def jacobian(network, x):
    x = tf.constant(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        found = network(x, training=True)["latents"]
    rows = tape.batch_jacobian(found, x)
    return np.linalg.slogdet(np.reshape(rows, (len(x), found.shape[-1], -1)).astype("float64"))


@pytest.mark.parametrize("shape", [(2,), (4, 4, 1), (4, 4, 3)])
def test_log_det_is_the_jacobians(shape):
    model = shaken(tz.create("realnvp", image_shape=shape, width=8, couplings=2, seed=0), 0.05)
    x = np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")
    sign, log_det = jacobian(model.flow, x)
    for training in (True, False):
        np.testing.assert_allclose(model.flow(x, training=training)["log_det"], log_det, rtol=1e-4, atol=1e-4)
    assert np.all(sign != 0)


@pytest.mark.parametrize("shape", [(2,), (28, 28, 1)])
def test_encode_and_decode_are_inverses_after_training(shape):
    model = tz.create("realnvp", image_shape=shape, width=8, seed=0, ema_decay=0)
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    images = np.random.default_rng(0).uniform(-0.95, 0.95, size=(16, *shape)).astype("float32")
    model.fit(images, epochs=8, batch_size=8, verbose=0)
    np.testing.assert_allclose(model.decode(model.encode(images)), images, atol=1e-5)
    latents = np.asarray(model.encode(images))
    np.testing.assert_allclose(model.encode(model.decode(latents)), latents, atol=1e-3)


def test_every_pixel_reaches_a_latent_and_is_squeezed_once():
    """Untrained, a flow is a permutation of pixels, scaled."""
    model = tz.create("realnvp", image_shape=(8, 8, 3), width=4, ema_decay=0)
    rows = np.eye(192, dtype="float32").reshape(192, 8, 8, 3)
    latents = np.asarray(model.flow(rows)["latents"] - model.flow(rows * 0)["latents"])
    assert (np.count_nonzero(np.abs(latents) > 1e-4, axis=0) == 1).all()
    assert (np.count_nonzero(np.abs(latents) > 1e-4, axis=1) == 1).all()


def test_the_density_of_points_integrates_to_one():
    model = shaken(tz.create("realnvp", image_shape=(2,), width=16, seed=0), 0.1)
    draws = model.generate(2000, seed=0)
    low, high = draws.min(0) - 3.0 * draws.std(0), draws.max(0) + 3.0 * draws.std(0)
    x, y = (np.linspace(*ends, 801, dtype="float32") for ends in zip(low, high, strict=True))
    p = np.exp(np.asarray(model.log_prob(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)), "float64"))
    assert p.sum() * (x[1] - x[0]) * (y[1] - y[0]) == pytest.approx(1.0, abs=0.01)


def test_draws_have_the_density_that_log_prob_says():
    """The mean log-density of draws is minus the entropy: that of the base less the mean log-determinant."""
    model = shaken(tz.create("realnvp", image_shape=(2,), width=16, seed=0), 0.1)
    draws = model.generate(4000, seed=1)
    latents = np.asarray(model.draw_latents(4000, 1))
    log_det = np.asarray(model.inference["flow"](draws)["log_det"])
    expected = -0.5 * (latents**2).sum(-1) - math.log(2 * math.pi) + log_det
    np.testing.assert_allclose(model.log_prob(draws), expected, atol=1e-3)


@serializable
class UniformFlow(keras.Layer):
    """Takes the logit back, and uniform pixels to normal latents: under it, any image is as likely as any other."""

    alpha = 0.05

    def call(self, x):
        p = ops.sigmoid(x)
        y = ops.clip((p - self.alpha) / (1 - 2 * self.alpha), 1e-6, 1 - 1e-6)
        z = math.sqrt(2.0) * ops.erfinv(2.0 * y - 1.0)
        log_det = ops.log(p) + ops.log(1 - p) - math.log(1 - 2 * self.alpha) + 0.5 * (z**2 + math.log(2 * math.pi))
        return ops.reshape(z, (-1, math.prod(x.shape[1:]))), ops.sum(log_det, axis=(1, 2, 3))


def uniform(image_shape):
    x = keras.Input(image_shape)
    latents, log_det = UniformFlow(name="flow")(x)
    return NormalizingFlow(keras.Model(x, {"latents": latents, "log_det": log_det}), image_shape=image_shape)


def test_a_uniform_model_gives_exactly_eight_bits():
    """The logit's log-derivative counts once, and so do the 256 levels (Theis et al. 2016)."""
    model, rng = uniform((8, 8, 1)), np.random.default_rng(0)
    images = (rng.integers(0, 256, size=(12, 8, 8, 1)) / 127.5 - 1).astype("float32")
    np.testing.assert_allclose(model.log_prob(images, seed=3), 0.0, atol=2e-3)  # nats of 64 pixels: density 1
    model.compile()
    assert model.evaluate(images, return_dict=True, verbose=0)["bits_per_dim"] == pytest.approx(8.0, abs=1e-4)
    record = tz.evaluate(model, "digits", metrics=["likelihood"], verbose=False)
    assert record["scores"]["bits_per_dim_360"] == pytest.approx(8.0, abs=1e-4)
    assert record["scores"]["nats_360"] == pytest.approx(0.0, abs=2e-3)


def test_noise_below_the_levels_is_drawn_anew_and_stays_within():
    model = tz.create("realnvp", image_shape=(8, 8, 1), width=4)
    images = np.full((2, 8, 8, 1), 1.0, "float32")
    assert np.ptp(model.log_prob(images, seed=0)) > 0
    assert not np.array_equal(model.log_prob(images, seed=0), model.log_prob(images, seed=1))
    np.testing.assert_array_equal(model.log_prob(images, seed=1), model.log_prob(images, seed=1))
    top, _ = model._logits(images, 1.0)  # y = 1
    np.testing.assert_allclose(tf.sigmoid(top), 0.95, atol=1e-6)


def test_images_stay_finite_however_small_the_scales_become():
    model = tz.create("realnvp", image_shape=(8, 8, 1), width=8, couplings=2, seed=0)
    for coupling in model.inference["flow"].get_layer("flow").coupled:
        bias = np.array(coupling.last.bias)
        bias[: len(bias) // 2] = -1e4  # a scale of sigmoid(-1e4) would be 0
        coupling.last.bias.assign(bias)
    latents = model.draw_latents(8, 0)
    assert np.isfinite(model.generate(8, seed=0)).all()
    assert np.isfinite(model.inference["flow"].get_layer("flow").inverse(latents)).all()


def test_a_flow_learns_a_ring():
    model = tz.create("realnvp", image_shape=(2,), width=32, seed=0)
    model.compile(optimizer=keras.optimizers.Adam(3e-3))
    points = tz.data.arrays("ring8", split="train[:4096]")[0]
    history = model.fit(points, epochs=6, batch_size=128, verbose=0).history["nll"]
    assert min(history) < history[0] - 1.0  # at this rate the last epoch can be one of the few that jump


def test_temperature_and_signatures():
    model = shaken(tz.create("realnvp", image_shape=(8, 8, 1), width=4, seed=0), 0.05)
    function, specs, example = model.endpoints()["sample_at_temperature"]
    assert [spec.name for spec in specs] == ["num_images", "seed", "temperature"]
    np.testing.assert_allclose(
        function(**example | {"temperature": 1.0})["images"], model.generate(2, seed=0), atol=1e-6
    )
    cold = function(**example | {"temperature": 0.0})["images"]
    np.testing.assert_allclose(cold[0], cold[1], atol=1e-6)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: tz.create("realnvp", image_shape=(30, 28, 1)),
            r"30, 28, 1\): scales=2 squeezes .* nearest is 32 x 28",
        ),
        (lambda: tz.create("realnvp", image_shape=(28, 28, 1), scales=0), "at least 1"),
        (lambda: tz.create("realnvp", image_shape=(28, 28, 1), alpha=0.5), r"alpha=0.5"),
        (lambda: NormalizingFlow(tz.networks.mlp.generator((8, 8, 1), 4, 4), image_shape=(8, 8, 1)), "flow must give"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
