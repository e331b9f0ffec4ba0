"""The residual pair: every size, the papers' tables, what is wrapped, precision, and LiteRT."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tfgan_zoo.layers import SpectralNorm
from tfgan_zoo.networks import resnet, upsampling

CIFAR = (32, 32, 3)
RANDOM = np.random.default_rng(0)
WEIGHTED = (keras.layers.Dense, keras.layers.Conv2D)


def of(network, *kinds):
    return [layer for layer in network.layers if isinstance(layer, kinds)]


def test_sizes_are_four_to_seven_doubled_twice_or_more():
    assert resnet.SIZES == (16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)


@pytest.mark.parametrize("size", resnet.SIZES)
def test_every_size(size):
    shape = (size, size, 1)
    body = resnet.body(shape, 2)
    assert resnet.generator(shape, 5, 1).output_shape == (None, *shape)
    assert body.output_shape == (None, 2)
    assert 4 <= of(body, keras.layers.ReLU)[-1].output.shape[1] <= 14


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels):
    shape = (16, 16, channels)
    assert resnet.generator(shape, 5, 2)(ops.zeros((3, 5))).shape == (3, *shape)
    assert resnet.discriminator(shape, 2)(ops.zeros((3, *shape))).shape == (3, 1)


def test_the_generator_is_table_4a_of_miyato_et_al():
    generator = resnet.generator(CIFAR, 128, 256)
    assert [tensor.name for tensor in generator.inputs] == ["latents"]
    assert [layer.output.shape[1:] for layer in of(generator, keras.layers.Add)] == [
        (8, 8, 256),
        (16, 16, 256),
        (32, 32, 256),
    ]
    kernels = 128 * 4 * 4 * 256 + 3 * (2 * 9 + 1) * 256 * 256 + 9 * 256 * 3
    assert generator.count_params() == kernels + 3 + 7 * 4 * 256
    assert len(of(generator, keras.layers.BatchNormalization)) == 7


def test_the_body_is_table_4b_of_miyato_et_al():
    body = resnet.body(CIFAR, 128)
    assert [tensor.name for tensor in body.inputs] == ["images"]
    assert [layer.output.shape[1:3] for layer in of(body, keras.layers.Add)] == [(16, 16), (8, 8), (8, 8), (8, 8)]
    first = (9 + 1) * 3 * 128 + 9 * 128 * 128 + 3 * 128
    second, plain = (2 * 9 + 1) * 128 * 128 + 3 * 128, 2 * 9 * 128 * 128 + 2 * 128
    assert body.count_params() == first + second + 2 * plain
    assert resnet.discriminator(CIFAR, 128).count_params() == body.count_params() + 128
    assert resnet.discriminator(CIFAR, 128, bias=True).count_params() == body.count_params() + 128 + 1
    assert not of(body, keras.layers.BatchNormalization)


def test_the_weights_of_residuals_have_twice_glorots_variance():
    body = resnet.body(CIFAR, 64)
    for layer in of(body, keras.layers.Conv2D):
        size, _, before, after = layer.kernel.shape
        gain = 2.0 if size == 3 else 1.0
        kernel = np.array(layer.kernel)
        assert kernel.var() == pytest.approx(gain * 2 / (size * size * (before + after)), rel=0.2)
        assert np.abs(kernel).max() <= (6 * gain / (size * size * (before + after))) ** 0.5


def test_features_are_summed_or_averaged():
    summed, averaged = resnet.body(CIFAR, 4), resnet.body(CIFAR, 4, pool=ops.mean)
    averaged.set_weights(summed.get_weights())
    images = RANDOM.uniform(-1, 1, (3, *CIFAR)).astype("float32")
    np.testing.assert_allclose(summed(images), 64 * averaged(images), rtol=1e-5)


def test_a_shortcut_may_be_pooled_or_doubled_on_either_side_of_its_1x1():
    maps = RANDOM.normal(size=(2, 8, 8, 3)).astype("float32")
    one, pool = keras.layers.Conv2D(5, 1, bias_initializer="ones"), keras.layers.AveragePooling2D(2)
    np.testing.assert_allclose(one(pool(maps)), pool(one(maps)), atol=1e-5)
    np.testing.assert_allclose(one(upsampling.nearest(maps)), upsampling.nearest(one(maps)), atol=1e-5)


def test_every_weight_gets_a_gradient():
    generator, critic = resnet.generator((28, 28, 1), 6, 8), resnet.discriminator((28, 28, 1), 8, bias=True)
    with tf.GradientTape() as tape:
        logits = critic(generator(RANDOM.normal(size=(8, 6)), training=True), training=True)
        loss = ops.mean(ops.softplus(-logits))
    weights = generator.trainable_weights + critic.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(gradient).max() > 1e-8, weight.path


def test_the_generators_biases_would_vanish():
    generator = resnet.generator(CIFAR, 6, 4)
    biased = [layer for layer in of(generator, *WEIGHTED) if layer.use_bias]
    assert [layer.output.shape[1:] for layer in biased] == [CIFAR]


def test_labels_stand_beside_latents():
    for label_dim in (None, 3):
        generator = resnet.generator((16, 16, 1), 6, 2, num_classes=10, label_dim=label_dim)
        assert [tensor.name for tensor in generator.inputs] == ["latents", "labels"]
        assert generator([np.zeros((2, 6)), np.array([0, 9])]).shape == (2, 16, 16, 1)


def test_wrap_reaches_every_weighted_layer():
    for network, count in (
        (resnet.body(CIFAR, 2, wrap=SpectralNorm), 10),
        (resnet.discriminator(CIFAR, 2, wrap=SpectralNorm), 11),
        (resnet.generator(CIFAR, 5, 2, wrap=SpectralNorm), 11),
    ):
        assert not of(network, *WEIGHTED)
        assert len(of(network, SpectralNorm)) == count
    critic = resnet.discriminator((16, 16, 1), 8, wrap=SpectralNorm)
    images = RANDOM.uniform(-1, 1, (4, 16, 16, 1))
    update = tf.function(lambda: critic(images, training=True))
    for _ in range(50):
        update()
    for layer in of(critic, SpectralNorm):
        kernel = ops.reshape(layer._normalized_kernel(False), (-1, layer.kernel.shape[-1]))
        assert np.linalg.norm(kernel, 2) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("wrap", [None, SpectralNorm])
def test_saved_and_loaded(wrap, tmp_path):
    latents, images = RANDOM.normal(size=(2, 5)), RANDOM.normal(size=(2, 16, 16, 1))
    for network, inputs in (
        (resnet.generator((16, 16, 1), 5, 4, wrap=wrap), latents),
        (resnet.discriminator((16, 16, 1), 4, wrap=wrap, pool=ops.mean), images),
    ):
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras")
        np.testing.assert_array_equal(loaded(inputs), network(inputs))


def test_half_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    generator, body = resnet.generator((16, 16, 1), 5, 4), resnet.body((16, 16, 1), 4)
    critic = resnet.discriminator((16, 16, 1), 4, wrap=SpectralNorm)
    assert of(generator, keras.layers.Conv2D)[0].compute_dtype == "bfloat16"
    images = generator(np.zeros((2, 5)))
    for output in (images, body(images), critic(images)):
        assert output.dtype == "float32"


def test_litert_draws_the_same(as_tflite):
    generator = resnet.generator((28, 28, 1), 5, 2)
    for layer in of(generator, keras.layers.BatchNormalization):
        layer.moving_mean.assign(RANDOM.normal(0.0, 0.1, layer.moving_mean.shape))
    runner = as_tflite(generator)
    latents = RANDOM.normal(size=(3, 5)).astype("float32")
    np.testing.assert_allclose(runner(latents=latents)["images"], generator(latents), atol=1e-5)


@pytest.mark.parametrize("network", [lambda shape: resnet.generator(shape, 5, 1), lambda shape: resnet.body(shape, 1)])
@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((8, 8, 1), r"image_shape=\(8, 8, 1\).*16, 20, 24.*nearest is 16 x 16"),
        ((30, 30, 3), "nearest is 28 x 28"),
        ((256, 256, 3), "nearest is 128 x 128"),
        ((218, 178, 3), r"nearest sizes are 208 x 176 and 224 x 192: load images with image_size=.*resize='crop' or"),
        ((2,), "take networks.mlp"),
    ],
)
def test_refuses_in_a_sentence(network, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        network(shape)
