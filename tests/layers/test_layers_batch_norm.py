"""The fused kernel against Keras' composition: values, first and second derivatives, moments, and what falls back."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.layers import BatchNormalization

RNG = np.random.default_rng(0)
MAPS = (RNG.normal(size=(8, 5, 6, 3)) * 2 + 1).astype("float32")
UPSTREAM = RNG.normal(size=MAPS.shape).astype("float32")
WEIGHTS = [RNG.uniform(0.5, 1.5, 3).astype("float32") for _ in range(4)]


def pair(shape=MAPS.shape, **arguments):
    """Keras' layer and ours, with the same weights."""
    both = layers.BatchNormalization(momentum=0.9, **arguments), BatchNormalization(momentum=0.9, **arguments)
    for layer in both:
        layer.build(shape)
        layer.set_weights(WEIGHTS[: len(layer.weights)])
    return both


def derivatives(layer):
    """Outputs, gradients with respect to maps, scale and offset, those of a gradient penalty, and moments."""
    x = tf.constant(MAPS)
    with tf.GradientTape() as around:
        around.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cast(layer(x, training=True), tf.float32)
            total = tf.reduce_sum(UPSTREAM * y) + tf.reduce_sum(y**3)
        slopes = tape.gradient(total, [x, layer.gamma.value, layer.beta.value])
        penalty = tf.reduce_sum(slopes[0] ** 2)
    second = around.gradient(penalty, [x, layer.gamma.value])
    return [y, *slopes, *second, *layer.get_weights(), layer(x, training=False)]


@pytest.mark.parametrize(("dtype", "apart"), [("float32", 1e-5), ("mixed_bfloat16", 0.02), ("mixed_float16", 2e-3)])
def test_it_is_keras_layer(dtype, apart):
    keras_layer, fused = pair(dtype=dtype)
    assert fused.compute_dtype == keras_layer.compute_dtype
    for wanted, found in zip(derivatives(keras_layer), derivatives(fused), strict=True):
        wanted, found = (np.array(tf.cast(value, tf.float32)) for value in (wanted, found))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=apart * np.abs(wanted).max())
    assert np.abs(fused.get_weights()[2] - WEIGHTS[2]).max() > 0.01  # moments moved


def test_the_kernel_is_reached_in_training_and_only_there():
    fused = pair()[1]
    x = tf.TensorSpec((None, 5, 6, 3))
    for training in (True, False):
        graph = tf.function(lambda x, training=training: fused(x, training=training)).get_concrete_function(x).graph
        assert any(node.type == "FusedBatchNormV3" for node in graph.get_operations()) == training


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [((8, 3), {}), ((8, 4, 3), {}), ((8, 5, 6, 3), {"synchronized": True})],
)
def test_what_the_kernel_does_not_do_is_keras(shape, arguments):
    keras_layer, fused = pair(shape, **arguments)
    x = RNG.normal(size=shape).astype("float32")
    np.testing.assert_array_equal(fused(x, training=True), keras_layer(x, training=True))
    for wanted, found in zip(keras_layer.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("arguments", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_without_scale_or_offset_it_is_keras_layer(arguments):
    keras_layer, fused = pair(**arguments)
    np.testing.assert_allclose(fused(MAPS, training=True), keras_layer(MAPS, training=True), atol=1e-5)
    for wanted, found in zip(keras_layer.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_at_rest_and_for_one_pixel():
    keras_layer, fused = pair()
    fused.trainable = False
    fused(MAPS, training=True)
    np.testing.assert_array_equal(fused.get_weights()[2:] + fused.get_weights()[:2], WEIGHTS[2:] + WEIGHTS[:2])
    keras_layer, fused = pair((1, 1, 1, 3))
    one = MAPS[:1, :1, :1]
    np.testing.assert_allclose(fused(one, training=True), keras_layer(one, training=True), atol=1e-5)
    for wanted, found in zip(keras_layer.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_files_of_one_load_into_the_other(tmp_path):
    """A generator that an earlier version saved, with Keras' layers, and its weights."""
    new = tz.networks.dcgan.generator((8, 8, 1), 6, 4)
    keras_layers = lambda layer: (  # noqa: E731
        layers.BatchNormalization.from_config(layer.get_config())
        if isinstance(layer, BatchNormalization)
        else type(layer).from_config(layer.get_config())
    )
    old = keras.models.clone_model(new, clone_function=keras_layers)
    old.save(tmp_path / "old.keras")
    loaded = keras.models.load_model(tmp_path / "old.keras")
    assert not any(isinstance(layer, BatchNormalization) for layer in loaded.layers)
    old.save_weights(tmp_path / "old.weights.h5")
    new.load_weights(tmp_path / "old.weights.h5")
    z = RNG.normal(size=(3, 6)).astype("float32")
    np.testing.assert_array_equal(new(z), old(z))
    np.testing.assert_array_equal(loaded(z), old(z))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_in_half_precision_alone_the_moments_follow_as_keras_own_do(dtype):
    """Pure bfloat16 and float16, where Keras keeps the moments themselves in half precision."""
    x = tf.cast(2 + np.random.default_rng(0).normal(size=(8, 4, 4, 3)), dtype)
    ours, keras_own = tz.layers.BatchNormalization(dtype=dtype), keras.layers.BatchNormalization(dtype=dtype)
    for layer in (ours, keras_own):
        layer(x, training=True)
    assert ours.moving_mean.dtype == dtype
    np.testing.assert_allclose(
        np.asarray(ours.moving_mean, "float32"), np.asarray(keras_own.moving_mean, "float32"), rtol=0.02
    )
