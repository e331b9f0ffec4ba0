"""SpectralNorm against the singular values and gradients of NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgan_zoo.layers import SpectralNorm
from tfgan_zoo.models.optimisation import frozen_call

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(4, 6, 6, 3)).astype("float32")
KINDS = {
    "dense": (lambda: layers.Dense(5), IMAGES[:, 0, 0], lambda w: w.T),
    "conv": (lambda: layers.Conv2D(5, 3), IMAGES, lambda w: w.reshape(-1, 5).T),
    "transposed": (lambda: layers.Conv2DTranspose(5, 4, 2), IMAGES, lambda w: w.transpose(2, 0, 1, 3).reshape(5, -1)),
    "embedding": (lambda: layers.Embedding(7, 5), np.arange(4), lambda w: w.T),
}


def made(kind, **arguments):
    """A layer, built, with an input and its kernel as a float64 matrix (outputs, everything else)."""
    make, inputs, as_matrix = KINDS[kind]
    layer = SpectralNorm(make(), **arguments)
    layer(inputs)
    return layer, inputs, as_matrix(np.asarray(layer.kernel, "float64"))


def ratio(layer, inputs):
    """By how much the wrapper divides; the biases are still 0."""
    plain, normalized = np.asarray(layer.layer(inputs), "float64"), np.asarray(layer(inputs), "float64")
    quotient = plain[np.abs(plain) > 1e-2] / normalized[np.abs(plain) > 1e-2]
    np.testing.assert_allclose(quotient, quotient.mean(), rtol=1e-4)
    return quotient.mean()


@pytest.mark.parametrize("kind", KINDS)
def test_it_divides_by_the_largest_singular_value(kind):
    layer, inputs, matrix = made(kind, steps=20)
    stored = layer.kernel.numpy()
    for _ in range(10):
        layer(inputs, training=True)
    assert ratio(layer, inputs) == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-4)
    np.testing.assert_array_equal(layer.kernel, stored)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 3])
def test_a_training_call_takes_its_power_iterations(kind, steps):
    layer, inputs, matrix = made(kind, steps=steps)
    u = layer.u.numpy().astype("float64")
    assert np.linalg.norm(u) == pytest.approx(1.0, rel=1e-6)
    assert ratio(layer, inputs) == pytest.approx(np.linalg.norm(matrix.T @ u), rel=1e-4)
    trained = layer(inputs, training=True)
    for _ in range(steps):
        u = matrix @ matrix.T @ u
        u /= np.linalg.norm(u)
    np.testing.assert_allclose(layer.u, u, atol=1e-5)
    np.testing.assert_allclose(trained, layer(inputs), atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_flows_through_sigma(training):
    layer, _, matrix = made("dense")
    weights = RNG.normal(size=(3, 5)).astype("float32")  # the loss is linear in the normalised kernel
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * layer(np.eye(3, dtype="float32"), training=training))
    gradient = tape.gradient(loss, layer.kernel.value)
    u = layer.u.numpy().astype("float64")
    v = matrix.T @ u
    sigma = np.linalg.norm(v)
    v /= sigma
    outer = weights.T.astype("float64")  # dL / d(W / sigma), (outputs, inputs)
    expected = (outer - (outer * matrix).sum() / sigma * u @ v.T) / sigma
    np.testing.assert_allclose(gradient, expected.T, rtol=1e-4, atol=1e-5)
    assert np.abs(gradient - (outer / sigma).T).max() > 1e-2  # what it would be if sigma were a constant


def test_the_gradient_is_that_of_finite_differences():
    layer, inputs, _ = made("transposed")
    kernel = layer.kernel.numpy().copy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs) ** 2)
    gradient = tape.gradient(loss, layer.kernel.value).numpy().astype("float64")
    for _ in range(3):
        direction = RNG.normal(size=kernel.shape).astype("float32")
        direction /= np.linalg.norm(direction)
        sides = []
        for step in (1e-2, -1e-2):
            layer.kernel.assign(kernel + step * direction)
            sides.append((layer(inputs).numpy().astype("float64") ** 2).sum())
        assert (sides[0] - sides[1]) / 2e-2 == pytest.approx((gradient * direction).sum(), rel=1e-2, abs=1e-2)


def network():
    images = keras.Input((6, 6, 3))
    x = layers.LeakyReLU()(SpectralNorm(layers.Conv2D(4, 3))(images))
    x = layers.LeakyReLU()(SpectralNorm(layers.Conv2DTranspose(5, 4, 2))(x))
    return keras.Model(images, SpectralNorm(layers.Dense(2), steps=2, name="head")(layers.Flatten()(x)))


def states(model):
    return [variable.numpy() for variable in model.non_trainable_variables]


def test_only_training_moves_u():
    model = network()
    before = states(model)
    model(IMAGES)
    model(IMAGES, training=False)
    model.predict(IMAGES, verbose=0)
    frozen = frozen_call(model, IMAGES)
    for one, same in zip(before, states(model), strict=True):
        np.testing.assert_array_equal(one, same)
    moved = model(IMAGES, training=True)
    np.testing.assert_allclose(frozen, moved, atol=1e-6)
    assert all(np.abs(one - other).max() > 1e-3 for one, other in zip(before, states(model), strict=True))


def test_frozen_call_gives_the_gradient_of_a_call():
    model = network()
    gradients = []
    for call in (lambda: frozen_call(model, IMAGES), lambda: model(IMAGES, training=True)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(call() ** 2)
        gradients.append(tape.gradient(loss, [weight.value for weight in model.trainable_weights]))
    for one, same in zip(*gradients, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, same, atol=1e-6)


def test_saved_cloned_and_copied_networks_are_the_same_network(tmp_path):
    model = network()
    model(IMAGES, training=True)
    model.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    cloned = keras.models.clone_model(model)
    assert np.abs(cloned(IMAGES) - model(IMAGES)).max() > 1e-4
    cloned.set_weights(model.get_weights())
    for other in (loaded, cloned):
        assert other.get_layer("head").steps == 2
        for one, same in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(one, same)
        np.testing.assert_array_equal(other(IMAGES), model(IMAGES))
        other(IMAGES, training=True)
        assert np.abs(states(other)[0] - states(model)[0]).max() > 1e-3  # its own u, not a shared one


def test_a_compiled_graph_moves_u_and_learns():
    model = network()
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
    before = states(model)
    losses = model.fit(IMAGES, np.ones((4, 2)), batch_size=4, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert np.abs(before[0] - states(model)[0]).max() > 1e-3


def test_regularisers_see_the_kernel_that_is_stored_and_activities_are_paid_once():
    layer = SpectralNorm(layers.Dense(5, kernel_regularizer="l2", activity_regularizer=keras.regularizers.L2(0.1)))
    outputs = np.asarray(layer(IMAGES[:, 0, 0]), "float64")
    expected = [0.1 * (outputs**2).sum() / 4, 0.01 * (np.asarray(layer.kernel, "float64") ** 2).sum()]
    np.testing.assert_allclose(sorted(map(float, layer.losses)), sorted(expected), rtol=1e-5)


def test_the_dtype_is_the_layers_unless_given_and_then_is_both():
    assert SpectralNorm(layers.Dense(2, dtype="mixed_bfloat16")).compute_dtype == "bfloat16"
    given = SpectralNorm(layers.Dense(2, dtype="mixed_bfloat16"), dtype="float32")
    assert given.layer.compute_dtype == given.compute_dtype == "float32"


@pytest.mark.parametrize("layer", [layers.ReLU(), layers.DepthwiseConv2D(3), layers.LSTM(2)], ids=lambda x: x.name)
def test_layers_without_a_known_kernel_are_refused(layer):
    with pytest.raises(ValueError, match=f"layer={type(layer).__name__}: SpectralNorm wraps Dense"):
        SpectralNorm(layer)


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_steps_are_a_positive_integer(steps):
    with pytest.raises(ValueError, match=r"steps=.*integer >= 1"):
        SpectralNorm(layers.Dense(2), steps=steps)


def test_a_kernel_of_zeros_stays_one_and_has_a_finite_gradient():
    layer = SpectralNorm(keras.layers.Dense(3, kernel_initializer="zeros", use_bias=False))
    x = tf.ones((2, 4))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(x, training=True))
    np.testing.assert_array_equal(layer(x), np.zeros((2, 3)))
    np.testing.assert_allclose(tape.gradient(total, layer.kernel.value), 2 * np.ones((4, 3)))
