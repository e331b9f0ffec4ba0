"""Minibatch discrimination and standard deviation against loops in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.layers import MinibatchDiscrimination, MinibatchStdDev

RNG = np.random.default_rng(0)


def discriminated(batch=6, kernels=4, dimensions=3):
    layer = MinibatchDiscrimination(kernels, dimensions)
    x = RNG.normal(size=(batch, 5)).astype("float32")
    layer.build(x.shape)
    layer.projection.assign(0.3 * RNG.normal(size=layer.projection.shape))
    return layer, x


def test_discrimination_counts_close_examples():
    layer, x = discriminated()
    projected = (x.astype("float64") @ layer.projection.numpy().astype("float64")).reshape(6, 4, 3)
    expected = np.zeros((6, 4))
    for i in range(6):
        for j in range(6):
            for b in range(4):
                expected[i, b] += np.exp(-np.abs(projected[i, b] - projected[j, b]).sum())
    outputs = np.asarray(layer(x))
    np.testing.assert_array_equal(outputs[:, :5], x)
    np.testing.assert_allclose(outputs[:, 5:], expected, rtol=1e-5)


def test_discrimination_is_the_batch_size_where_a_generator_repeats_itself_and_one_where_none_is_near():
    layer, x = discriminated()
    np.testing.assert_allclose(layer(np.repeat(x[:1], 6, axis=0))[:, 5:], 6.0)
    np.testing.assert_allclose(layer(x * 1e4)[:, 5:], 1.0)


def test_discrimination_follows_a_permutation_and_mixes_examples():
    layer, x = discriminated()
    order = RNG.permutation(6)
    outputs = np.asarray(layer(x))
    np.testing.assert_allclose(layer(x[order]), outputs[order], rtol=1e-5)
    x[5] += 1.0
    assert np.abs(np.asarray(layer(x))[:5, 5:] - outputs[:5, 5:]).min() > 1e-6


def channel(x, group):
    """The appended channel: examples i, i + N/G, i + 2N/G, ... are compared."""
    batch = len(x)
    appended = np.empty((*x.shape[:-1], 1))
    for start in range(batch // group):
        members = range(start, batch, batch // group)
        deviation = np.sqrt(x[list(members)].astype("float64").var(axis=0) + 1e-8).mean()
        appended[list(members)] = deviation
    return appended


@pytest.mark.parametrize("shape", [(5,), (3, 4, 2)])
@pytest.mark.parametrize(("batch", "group"), [(2, 2), (4, 4), (6, 6), (7, 7), (8, 4)])
def test_stddev_of_any_batch(shape, batch, group):
    x = RNG.normal(size=(batch, *shape)).astype("float32")
    expected = np.concatenate([x, channel(x, group)], axis=-1)
    free, fixed = keras.Input(shape), keras.Input(shape, batch_size=batch)
    layer = MinibatchStdDev()
    model = keras.Model(free, layer(free))
    assert model.output_shape == (None, *shape[:-1], shape[-1] + 1)
    unknown = tf.function(model, input_signature=[tf.TensorSpec((None, *shape))])
    for outputs in (layer(x), unknown(x), keras.Model(fixed, layer(fixed))(x)):
        np.testing.assert_allclose(outputs, expected, rtol=1e-5)


def test_stddev_is_nothing_with_a_finite_gradient_where_examples_are_equal():
    x = tf.ones((4, 2, 2, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        appended = MinibatchStdDev()(x)[..., -1]
    np.testing.assert_allclose(appended, 1e-4, rtol=1e-4)
    np.testing.assert_array_equal(tape.gradient(appended, x), np.zeros(x.shape))


@pytest.mark.parametrize("arguments", [{"kernels": 0}, {"dimensions": -1}, {"kernels": 2.0}, {"dimensions": True}])
def test_kernels_and_dimensions_are_positive_integers(arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))}=.*integer >= 1"):
        MinibatchDiscrimination(**arguments)


def test_discrimination_is_of_features():
    with pytest.raises(ValueError, match="put a Flatten layer before it"):
        MinibatchDiscrimination()(np.zeros((2, 4, 4, 3), "float32"))


@pytest.mark.parametrize("group_size", [0, 1, 4.0, True])
def test_groups_hold_at_least_two(group_size):
    with pytest.raises(ValueError, match=r"group_size=.*>= 2"):
        MinibatchStdDev(group_size)


def test_the_root_needs_an_epsilon():
    with pytest.raises(ValueError, match=r"epsilon=0.0.*> 0"):
        MinibatchStdDev(epsilon=0.0)
