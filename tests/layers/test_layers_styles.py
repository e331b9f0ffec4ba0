"""Layers of style generators against closed forms, NumPy and SciPy."""

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from keras import layers

import tfgan_zoo.layers as tl

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


# ---- equalised rate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fan_in", "gain", "multiplier"), [(16, 1.0, 1.0), (400, 2.0**0.5, 1.0), (64, 3.0, 0.01)])
def test_unit_inputs_give_a_variance_of_gain_squared_for_any_fan_in(fan_in, gain, multiplier):
    layer = tl.EqualizedRate(layers.Dense(256), gain, multiplier)
    outputs = np.asarray(layer(normal(512, fan_in)))
    assert outputs.std() == pytest.approx(gain, rel=0.1)
    assert np.asarray(layer.layer.kernel).std() == pytest.approx(1 / multiplier, rel=0.1)


def test_a_convolutions_fan_in_counts_its_window():
    layer = tl.EqualizedRate(layers.Conv2D(8, 3, padding="valid"))
    layer.build((None, 8, 8, 4))
    layer.layer.bias.assign(normal(8))
    x = normal(3, 8, 8, 4)
    expected = tf.nn.conv2d(x, layer.layer.kernel / 6.0, 1, "VALID") + layer.layer.bias
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_adam_moves_what_is_used_by_its_rate_times_the_scale():
    layer = tl.EqualizedRate(layers.Dense(4), gain=2.0, lr_multiplier=0.1)
    x = normal(1, 25)
    layer(x)
    before = np.asarray(layer.layer.kernel) * layer.scale, 0.1 * np.asarray(layer.layer.bias)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    adam = keras.optimizers.Adam(1e-3, epsilon=1e-12)
    adam.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
    after = np.asarray(layer.layer.kernel) * layer.scale, 0.1 * np.asarray(layer.layer.bias)
    np.testing.assert_allclose(np.abs(after[0] - before[0]), 1e-3 * 0.1 * 2.0 / 5.0, rtol=0.02)
    np.testing.assert_allclose(np.abs(after[1] - before[1]), 1e-3 * 0.1, rtol=0.02)


# ---- norms and styles -----------------------------------------------------------------------------------------------


def test_pixels_have_a_mean_square_of_one():
    outputs = np.asarray(tl.PixelNorm()(5.0 * normal(2, 3, 4, 7)))
    np.testing.assert_allclose((outputs**2).mean(-1), 1.0, rtol=1e-5)


def test_a_style_sets_each_maps_mean_and_deviation():
    styles = normal(3, 10)
    outputs = np.asarray(tl.AdaIN()([2.0 + 3.0 * normal(3, 6, 7, 5), styles]))
    np.testing.assert_allclose(outputs.mean((1, 2)), styles[:, 5:], atol=1e-5)
    np.testing.assert_allclose(outputs.std((1, 2)), np.abs(1.0 + styles[:, :5]), rtol=1e-4, atol=1e-5)


def weights_of_each(layer, styles):
    """(N, k, k, in, out): Eq. 1 and 3 of Karras et al. 2020, image by image."""
    kernel = np.asarray(layer.kernel, "float64") / np.sqrt(np.prod(layer.kernel.shape[:-1]))
    own = kernel[None] * styles[:, None, None, :, None]
    if layer.demodulate:
        own = own / np.sqrt((own**2).sum((1, 2, 3), keepdims=True) + 1e-8)
    return own.astype("float32")


@pytest.mark.parametrize(("size", "demodulate"), [(3, True), (3, False), (1, False)])
def test_modulated_convolution_is_a_convolution_of_each_images_own_weights(size, demodulate):
    layer, x, styles = tl.ModulatedConv2D(5, size, demodulate), normal(4, 6, 7, 3), normal(4, 3)
    found = layer([x, styles])
    own = weights_of_each(layer, styles)
    expected = [tf.nn.conv2d(one[None], weights, 1, "SAME")[0] for one, weights in zip(x, own, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_doubling_is_zeros_between_pixels_then_the_weights_then_the_filter():
    layer, x, styles = tl.ModulatedConv2D(4, up=True), normal(2, 5, 4, 3), normal(2, 3)
    found = np.asarray(layer([x, styles]))
    own, taps = weights_of_each(layer, styles), np.array([1, 3, 3, 1]) / 8
    for image, weights, ours in zip(x, own, found, strict=True):
        for out in range(4):
            spread = sum(
                scipy.signal.convolve2d(zeros_between(image[..., i]), weights[:, :, i, out], "full") for i in range(3)
            )
            filtered = 4.0 * scipy.signal.convolve2d(np.pad(spread, 1), np.outer(taps, taps), "valid")
            np.testing.assert_allclose(ours[..., out], filtered, atol=1e-5)


def zeros_between(image):
    wide = np.zeros((2 * image.shape[0] - 1, 2 * image.shape[1] - 1))
    wide[::2, ::2] = image
    return wide


def test_demodulated_maps_have_unit_variance_whatever_the_style():
    layer, x = tl.ModulatedConv2D(64), normal(8, 16, 16, 48)
    styles = 10.0 * np.abs(normal(8, 48)) + 0.1
    outputs = np.asarray(layer([x, styles]))
    assert outputs[:, 1:-1, 1:-1].std() == pytest.approx(1.0, rel=0.05)
    np.testing.assert_allclose(layer([x, 3.0 * styles]), outputs, rtol=1e-3, atol=1e-4)
    colours = tl.ModulatedConv2D(3, 1, demodulate=False)
    np.testing.assert_allclose(colours([x, 3.0 * styles]), 3.0 * colours([x, styles]), rtol=1e-3, atol=1e-3)


def test_gradients_of_gradients_of_modulated_convolutions_exist():
    """Path length: the slope of an image with respect to its styles, differentiated by the weights."""
    layer, x, styles = tl.ModulatedConv2D(4, up=True), tf.constant(normal(2, 4, 4, 3)), tf.constant(normal(2, 3))
    layer([x, styles])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(styles)
            total = tf.reduce_sum(layer([x, styles]) ** 2)
        length = tf.reduce_sum(inner.gradient(total, styles) ** 2)
    assert float(tf.reduce_sum(tf.abs(outer.gradient(length, layer.kernel.value)))) > 0


def test_noise_is_new_in_training_and_fixed_otherwise():
    layer, x = tl.NoiseInjection(2, seed=1), normal(3, 4, 5, 2)
    np.testing.assert_array_equal(layer(x, training=True), x)  # it starts without any
    layer.strength.assign(0.5)
    first, second = (np.asarray(layer(x, training=True)) - x for _ in range(2))
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_allclose(first[..., 0], first[..., 1], atol=1e-6)
    assert np.abs(first[0] - first[1]).max() > 0.1
    fixed = np.asarray(layer(x)) - x
    np.testing.assert_allclose(fixed, np.broadcast_to(fixed[:1, ..., :1], fixed.shape), atol=1e-6)
    again = tl.NoiseInjection.from_config(layer.get_config())
    again.build(x.shape)
    np.testing.assert_array_equal(again.fixed, layer.fixed)
    other = tl.NoiseInjection(3)
    other.build(x.shape)
    assert np.abs(other.fixed - layer.fixed).max() > 0.1


def test_the_moving_mean_moves_in_training_alone():
    layer, x = tl.MovingMean(0.75), 2.0 + normal(64, 3)
    layer(x)
    np.testing.assert_array_equal(layer.mean, np.zeros(3))
    for step in (1, 2):
        np.testing.assert_array_equal(layer(x, training=True), x)
        np.testing.assert_allclose(layer.mean, (1 - 0.75**step) * x.mean(0), rtol=1e-5)


def test_images_are_clipped_when_they_are_shown_and_not_while_they_are_learned_from():
    x = np.array([[-3.0, -0.5, 2.0]], "float32")
    np.testing.assert_array_equal(tl.Clipped()(x), [[-1.0, -0.5, 1.0]])
    np.testing.assert_array_equal(tl.Clipped()(x, training=True), x)


# ---- filters --------------------------------------------------------------------------------------------------------


def upfirdn(image, taps, gain, up=1, down=1, padding=(0, 0)):
    """`scipy.signal.upfirdn` along both axes of what is padded with zeros after its zeros were put in between."""
    for axis in (0, 1):
        spread = np.apply_along_axis(lambda row: scipy.signal.upfirdn([1.0], row, up), axis, image)
        rest = [(0, 0)] * image.ndim
        rest[axis] = (padding[0], padding[1] + up - 1)  # SciPy leaves out the zeros behind the last
        wide = np.pad(spread, rest)
        image = np.apply_along_axis(lambda row: scipy.signal.upfirdn(taps, row, 1, 1), axis, wide)
        keep = slice(len(taps) - 1, -(len(taps) - 1), down)
        image = image[keep] if axis == 0 else image[:, keep]
    return gain * image


BINOMIAL = {2: np.array([1, 1]) / 2, 3: np.array([1, 2, 1]) / 4, 4: np.array([1, 3, 3, 1]) / 8}


@pytest.mark.parametrize(("taps", "padding"), [(3, 1), (4, 1), (4, 2), (2, 0)])
def test_blur_is_scipys_filter(taps, padding):
    x = normal(1, 6, 8, 2)
    found = np.asarray(tl.Blur(taps, padding)(x))
    for channel in range(2):
        expected = upfirdn(x[0, ..., channel], BINOMIAL[taps], 1.0, padding=(padding, padding))
        np.testing.assert_allclose(found[0, ..., channel], expected, atol=1e-6)


@pytest.mark.parametrize("taps", [2, 4, 6])
def test_resampling_is_scipys_upfirdn(taps):
    filter_ = BINOMIAL.get(taps, np.array([1, 5, 10, 10, 5, 1]) / 32)
    x = normal(1, 6, 8, 1)
    before, after = (taps + 2 - 1) // 2, (taps - 2) // 2
    expected = upfirdn(x[0, ..., 0], filter_, 4.0, up=2, padding=(before, after))
    np.testing.assert_allclose(tl.FilteredUpsampling(taps)(x)[0, ..., 0], expected, atol=1e-5)
    before, after = (taps - 2 + 1) // 2, (taps - 2) // 2
    expected = upfirdn(x[0, ..., 0], filter_, 1.0, down=2, padding=(before, after))
    np.testing.assert_allclose(tl.FilteredDownsampling(taps)(x)[0, ..., 0], expected, atol=1e-6)


def test_a_constant_stays_inside_and_an_impulse_keeps_its_sum():
    ones = np.ones((1, 8, 8, 1), "float32")
    for layer in (tl.Blur(3), tl.FilteredUpsampling(), tl.FilteredDownsampling()):
        np.testing.assert_allclose(np.asarray(layer(ones))[:, 2:-2, 2:-2], 1.0, atol=1e-6)
    impulse = np.zeros((1, 8, 8, 1), "float32")
    impulse[0, 4, 3] = 1.0
    assert float(np.sum(tl.FilteredUpsampling()(impulse))) == pytest.approx(4.0, rel=1e-6)
    assert float(np.sum(tl.Blur(4)(impulse))) == pytest.approx(1.0, rel=1e-6)


# ---- groups, attention, conditional normalisation -------------------------------------------------------------------


def test_groups_are_convolved_each_by_itself():
    layer, x = tl.GroupedConv2D(2), normal(2, 5, 5, 6)
    found = np.asarray(layer(x))
    for group in range(3):
        part = slice(2 * group, 2 * group + 2)
        expected = tf.nn.conv2d(x[..., part], layer.kernel[..., part], 1, "SAME") + layer.bias[part]
        np.testing.assert_allclose(found[..., part], expected, atol=1e-5)


def test_attention_starts_as_nothing_and_shares_out_over_keys():
    layer, x = tl.SelfAttention(), normal(2, 4, 6, 16)
    np.testing.assert_array_equal(layer(x), x)
    shares = np.asarray(layer.attention(x))
    assert shares.shape == (2, 24, 6)
    np.testing.assert_allclose(shares.sum(-1), 1.0, rtol=1e-5)
    assert np.abs(shares.sum(1) - 24 / 6).max() > 1e-3  # it is not over queries
    layer.theta.kernel.assign(0.0 * layer.theta.kernel)
    layer.sigma.assign(1.0)
    gathered = tf.nn.max_pool2d(layer.g(x), 2, 2, "VALID")
    mean = tf.reduce_mean(gathered, (1, 2), keepdims=True)
    np.testing.assert_allclose(layer(x), x + layer.o(tf.broadcast_to(mean, (2, 4, 6, 8))), atol=1e-4)


def test_conditional_norm_is_batch_norm_scaled_by_what_is_told():
    layer, x, told = tl.ConditionalBatchNormalization(), 3.0 + 2.0 * normal(8, 4, 4, 3), normal(8, 5)
    plain = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(layer([x, told], training=True), plain, atol=1e-4)
    layer.scale.kernel.assign(normal(5, 3))
    layer.shift.kernel.assign(normal(5, 3))
    scale, shift = (told @ np.asarray(one.kernel) for one in (layer.scale, layer.shift))
    expected = plain * (1 + scale[:, None, None]) + shift[:, None, None]
    np.testing.assert_allclose(layer([x, told], training=True), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: tl.EqualizedRate(layers.BatchNormalization()), "wraps Dense and Conv2D"),
        (lambda: tl.EqualizedRate(layers.Dense(1), lr_multiplier=0.0), "lr_multiplier=0.0"),
        (lambda: tl.ModulatedConv2D(4, 2), "kernel_size=2"),
        (lambda: tl.ModulatedConv2D(0), "filters=0"),
        (lambda: tl.ModulatedConv2D(4)([normal(1, 4, 4, 3), normal(1, 2)]), "styles have 2 numbers for maps of 3"),
        (lambda: tl.FilteredUpsampling(3), "taps=3: .* even"),
        (lambda: tl.Blur(1), "taps=1"),
        (lambda: tl.Blur(3, -1), "padding=-1"),
        (lambda: tl.MovingMean(1.0), "momentum=1.0"),
        (lambda: tl.GroupedConv2D(4)(normal(1, 4, 4, 6)), "group_size=4 does not divide 6"),
        (lambda: tl.SelfAttention()(normal(1, 4, 5, 6)), "even sides"),
        (lambda: tl.Rectifier(0.2, gain=0.0), "gain=0.0"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
