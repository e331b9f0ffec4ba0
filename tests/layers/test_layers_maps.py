"""What a U-Net is made of, against Keras' own layers and by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo.layers as tl

RNG = np.random.default_rng(0)


def some(*shape):
    return tf.constant(RNG.normal(size=shape), tf.float32)


@pytest.mark.parametrize(("groups", "channels"), [(1, 6), (3, 6), (6, 6), (8, 32)])
def test_group_norm_and_its_gradients_are_keras(groups, channels):
    ours, keras_own = tl.GroupNormalization(groups), keras.layers.GroupNormalization(groups, epsilon=1e-5)
    x, way = 0.5 + 2.0 * some(4, 5, 3, channels), some(4, 5, 3, channels)
    gamma, beta = some(channels), some(channels)
    results = []
    for layer in (ours, keras_own):
        layer.build(x.shape)
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(way * tf.sin(y))
        results.append((y, *tape.gradient(total, [x, layer.gamma.value, layer.beta.value])))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4, rtol=1e-3)


def test_a_modulated_norm_is_scaled_and_shifted_image_by_image():
    layer, x, told = tl.GroupNormalization(2), some(3, 4, 4, 8), some(3, 16)
    layer.build([tuple(x.shape), tuple(told.shape)])
    layer.gamma.assign(some(8))
    layer.beta.assign(some(8))
    plain = layer(x)
    scale, shift = told[:, None, None, :8], told[:, None, None, 8:]
    np.testing.assert_allclose(layer([x, told]), plain * (1.0 + scale) + shift, atol=1e-5)
    way = some(3, 4, 4, 8)

    def total(told):
        return tf.reduce_sum(way * layer([x, told]))

    with tf.GradientTape() as tape:
        tape.watch(told)
        loss = total(told)
    moved = tf.one_hot([5], 16) * tf.constant([[0.0], [1.0], [0.0]])
    slope = (total(told + 1e-2 * moved) - total(told - 1e-2 * moved)) / 2e-2
    np.testing.assert_allclose(tape.gradient(loss, told)[1, 5], slope, rtol=1e-2)


def test_group_norm_refuses_groups_that_do_not_divide():
    with pytest.raises(ValueError, match="groups=4 do not divide 6 channels"):
        tl.GroupNormalization(4)(some(1, 2, 2, 6))


def test_attention_is_softmax_of_products():
    layer, x = tl.PixelAttention(), some(2, 3, 2, 4)
    y = layer(x)
    pixels = np.asarray(x).reshape(2, 6, 4)
    query, key, value = np.split(pixels @ np.asarray(layer.asked.kernel), 3, axis=-1)
    scores = np.exp(query @ key.transpose(0, 2, 1) / 2.0)
    expected = (scores / scores.sum(-1, keepdims=True)) @ value
    np.testing.assert_allclose(y, expected.reshape(2, 3, 2, 4), atol=1e-5)
    alone = np.asarray(x)[:, :1, :1]  # a pixel that has only itself to ask
    np.testing.assert_allclose(layer(alone)[:, 0, 0], (alone[:, 0, 0] @ layer.asked.kernel)[:, 8:], atol=1e-5)


def test_times_are_embedded_in_float32_under_half_precision():
    """In bfloat16 t = 700 and 701 would be one time."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        embedded = tl.TimeEmbedding(32)(tf.constant([700.0, 701.0]))
    finally:
        keras.config.set_dtype_policy("float32")
    assert embedded.dtype == "float32"
    assert np.abs(embedded[0] - embedded[1]).max() > 0.5
    np.testing.assert_allclose(embedded, tl.TimeEmbedding(32)(tf.constant([700.0, 701.0])), atol=1e-6)
