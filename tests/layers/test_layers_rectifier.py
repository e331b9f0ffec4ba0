"""The rectifier for penalised critics: Keras' values and gradients, a gradient of the gradient without dead ends."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.layers import Rectifier

RNG = np.random.default_rng(0)


def critic(rectifier):
    images = keras.Input((8, 8, 1))
    x = rectifier(0.2)(keras.layers.Conv2D(4, 3, strides=2)(images))
    x = rectifier(0.0)(keras.layers.Conv2D(4, 3)(x))
    return keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(x)))


def penalised(network, images):
    """Value and weight gradients of mean |grad D|^2, and the operations of the graph that computes them."""

    @tf.function
    def compute():
        weights = [weight.value for weight in network.trainable_variables]
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(images)
                logits = network(images)
            value = tf.reduce_mean(tf.reduce_sum(inner.gradient(logits, images) ** 2, (1, 2, 3)))
        return value, [g for g in outer.gradient(value, weights) if g is not None]

    value, gradients = compute()
    kinds = [operation.type for operation in compute.get_concrete_function().graph.get_operations()]
    return float(value), gradients, sum("Conv2D" in kind for kind in kinds)


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_values_and_slopes_are_keras(slope):
    x = tf.constant([[-2.0, -1e-3, 0.0, 1e-3, 3.0]])
    expected, ours = keras.layers.LeakyReLU(slope), Rectifier(slope)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        values = expected(x), ours(x)
    np.testing.assert_allclose(values[1], values[0], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(values[1], x), tape.gradient(values[0], x), rtol=1e-6)


def test_a_penalty_is_the_same_with_fewer_convolutions():
    theirs, ours = critic(keras.layers.LeakyReLU), critic(Rectifier)
    ours.set_weights(theirs.get_weights())
    images = tf.constant(RNG.normal(size=(3, 8, 8, 1)), tf.float32)
    (value, gradients, many), (same, found, few) = penalised(theirs, images), penalised(ours, images)
    assert same == pytest.approx(value, rel=1e-5)
    assert few < many
    kernels = [g for g in gradients if np.abs(g).max() > 0]  # biases have none: Keras says zero, ours nothing
    assert len(kernels) == len(found) == 3
    for expected, gradient in zip(kernels, found, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("slope", [-0.1, 1.0])
def test_slopes_that_are_none(slope):
    with pytest.raises(ValueError, match=r"slope=.*from 0 to below 1"):
        Rectifier(slope)
