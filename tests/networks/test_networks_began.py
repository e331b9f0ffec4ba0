"""The autoencoder pair: every size, the paper's figure, gradients, precision, and LiteRT."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tfgan_zoo.networks import began

PAPER = (32, 32, 3)
RANDOM = np.random.default_rng(0)


def convolutions(network):
    return [layer for layer in network.layers if isinstance(layer, layers.Conv2D)]


@pytest.mark.parametrize("size", began.SIZES)
def test_every_size(size):
    shape = (size, size, 1)
    assert began.generator(shape, 5, 1).output_shape == (None, *shape)
    shapes = {name: tensor.shape for name, tensor in began.autoencoder(shape, 3, 1).output.items()}
    assert shapes == {"energy": (None, 1), "codes": (None, 3), "reconstructions": (None, *shape)}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels):
    shape = (16, 16, channels)
    assert began.generator(shape, 5, 2)(ops.zeros((3, 5))).shape == (3, *shape)
    assert began.autoencoder(shape, 5, 2)(ops.zeros((3, *shape)))["reconstructions"].shape == (3, *shape)


def test_the_generator_is_the_figures_decoder():
    generator = began.generator(PAPER, 64, 128)
    assert [tensor.name for tensor in generator.inputs] == ["latents"]
    maps = [layer.output.shape[1:] for layer in convolutions(generator)]
    assert maps == [(size, size, 128) for size in (8, 8, 16, 16, 32, 32)] + [PAPER]
    assert generator.count_params() == 65 * 8 * 8 * 128 + 6 * (9 * 128 + 1) * 128 + (9 * 128 + 1) * 3
    kinds = {type(layer).__name__ for layer in generator.layers}
    assert not kinds & {"BatchNormalization", "Dropout", "Conv2DTranspose"}


def test_the_autoencoder_is_the_figure():
    network = began.autoencoder(PAPER, 64, 128)
    assert [tensor.name for tensor in network.inputs] == ["images"]
    maps = [layer.output.shape[1:] for layer in convolutions(network)]
    encoder = [(32, 32, 128)] * 3 + [(16, 16, 256)] * 3 + [(8, 8, 384)] * 3
    assert maps == encoder + [(size, size, 128) for size in (8, 8, 16, 16, 32, 32)] + [PAPER]
    assert [layer.strides[0] for layer in convolutions(network)[:9]] == [1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert all(layer.kernel_size == (3, 3) for layer in convolutions(network))
    assert [layer.activation.__name__ for layer in convolutions(network)] == ["elu"] * 15 + ["linear"]
    dense = [layer for layer in network.layers if isinstance(layer, layers.Dense)]
    assert [(layer.units, layer.activation.__name__) for layer in dense] == [(64, "linear"), (8 * 8 * 128, "linear")]
    for size in (32, 64, 128):
        last = next(
            layer for layer in began.autoencoder((size, size, 3), 4, 1).layers if isinstance(layer, layers.Flatten)
        )
        assert last.input.shape[1:3] == (8, 8)


def test_the_energy_is_the_mean_error():
    network = began.autoencoder((28, 28, 1), 4, 2)
    images = RANDOM.uniform(-1, 1, (3, 28, 28, 1)).astype("float32")
    outputs = network(images)
    error = np.abs(images - outputs["reconstructions"]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(outputs["energy"][:, 0], error, rtol=1e-5)


def test_reconstructions_pass_through_the_code():
    network = began.autoencoder((16, 16, 1), 4, 2)
    images = RANDOM.uniform(-1, 1, (3, 16, 16, 1)).astype("float32")
    before = network(images)["reconstructions"]
    kernel = network.get_layer("codes").kernel
    kernel.assign(ops.zeros_like(kernel))
    after = np.array(network(images)["reconstructions"])
    assert np.ptp(np.array(before), axis=0).max() > 0
    assert np.ptp(after, axis=0).max() == 0


def test_the_autoencoder_learns_an_image():
    keras.utils.set_random_seed(0)
    network = began.autoencoder((8, 8, 1), 4, 8)
    images = RANDOM.uniform(-1, 1, (4, 8, 8, 1)).astype("float32")
    optimizer = keras.optimizers.Adam(3e-3)
    optimizer.build(network.trainable_weights)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = ops.mean(network(images)["energy"])
        optimizer.apply(tape.gradient(loss, network.trainable_weights))
        return loss

    energies = [float(step()) for _ in range(100)]
    assert energies[-1] < 0.5 * energies[0]


def test_every_weight_gets_a_gradient():
    generator, critic = began.generator((28, 28, 1), 6, 4), began.autoencoder((28, 28, 1), 4, 4)
    with tf.GradientTape() as tape:
        loss = ops.mean(critic(generator(RANDOM.normal(size=(4, 6))))["energy"])
    weights = generator.trainable_weights + critic.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(gradient).max() > 0, weight.path


def test_labels_stand_beside_latents():
    for label_dim in (None, 3):
        generator = began.generator((16, 16, 1), 6, 2, num_classes=10, label_dim=label_dim)
        assert [tensor.name for tensor in generator.inputs] == ["latents", "labels"]
        assert generator([np.zeros((2, 6)), np.array([0, 9])]).shape == (2, 16, 16, 1)


def test_saved_and_loaded(tmp_path):
    generator, critic = began.generator((16, 16, 1), 5, 2), began.autoencoder((16, 16, 1), 5, 2)
    images = np.array(generator(RANDOM.normal(size=(2, 5))))
    assert np.abs(images).max() <= 1
    critic.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for name, output in critic(images).items():
        np.testing.assert_array_equal(loaded(images)[name], output)


def test_half_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    generator, critic = began.generator((16, 16, 1), 5, 2), began.autoencoder((16, 16, 1), 5, 2)
    assert convolutions(critic)[0].compute_dtype == "bfloat16"
    images = generator(RANDOM.normal(size=(2, 5)))
    assert images.dtype == "float32"
    assert {output.dtype.name for output in critic(images).values()} == {"float32"}


def test_litert_draws_the_same(as_tflite):
    generator = began.generator((28, 28, 1), 5, 2)
    runner = as_tflite(generator)
    latents = RANDOM.normal(size=(3, 5)).astype("float32")
    np.testing.assert_allclose(runner(latents=latents)["images"], generator(latents), atol=1e-5)


@pytest.mark.parametrize(
    "network", [lambda shape: began.generator(shape, 5, 1), lambda shape: began.autoencoder(shape, 5, 1)]
)
@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((30, 30, 3), r"image_shape=\(30, 30, 3\).*8, 10, 12.*nearest is 28 x 28"),
        ((256, 256, 3), "nearest is 128 x 128"),
        ((218, 178, 3), r"nearest sizes are 208 x 176 and 224 x 192: load images with image_size=.*resize='crop' or"),
        ((2,), "take networks.mlp"),
    ],
)
def test_refuses_in_a_sentence(network, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        network(shape)
