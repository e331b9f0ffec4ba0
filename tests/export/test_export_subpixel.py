"""A transposed convolution and the convolution it is written as are one function."""

import keras
import numpy as np
import pytest

from tfgan_zoo.export.subpixel import with_convolutions

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)


def random_weights(network):
    random = np.random.default_rng(0)
    network.set_weights([random.normal(size=w.shape) for w in network.get_weights()])
    return network


def kinds(network):
    return [type(layer).__name__ for layer in network._flatten_layers() if isinstance(layer, CONVOLUTIONS)]


@pytest.mark.parametrize(
    ("kernel", "stride"), [(1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (5, 3), (4, 4), ((5, 4), 2)]
)
def test_the_two_give_the_same(kernel, stride):
    x = keras.Input((5, 4, 3))
    y = keras.layers.Conv2DTranspose(2, kernel, stride, "same", activation="tanh")(x)
    network = random_weights(keras.Model(x, y))
    copy = with_convolutions(network)
    assert kinds(network) == ["Conv2DTranspose"]
    assert kinds(copy) == ["_Subpixel"]
    assert copy.output_shape == network.output_shape
    images = np.random.default_rng(1).normal(size=(2, 5, 4, 3)).astype("float32")
    np.testing.assert_allclose(copy(images), network(images), atol=2e-5)
    assert np.std(network(images)) > 0.1


def test_a_whole_network_keeps_its_moments_and_what_cannot_be_turned():
    layers = keras.layers
    x = keras.Input((4, 4, 3))
    inner = keras.Sequential([keras.Input((4, 4, 3)), layers.Conv2DTranspose(4, 5, 2, "same", use_bias=False)])
    y = layers.BatchNormalization()(inner(x))
    for options in ({"strides": 1, "padding": "same"}, {"strides": 2}, {"strides": (2, 1), "padding": "same"}):
        y = layers.Conv2DTranspose(3, 3, **options)(y)
    network = keras.Model(x, layers.Conv2DTranspose(1, 4, 2, "same")(y))
    random_weights(network)
    network.layers[2].moving_variance.assign(np.full(4, 2.0))
    copy = with_convolutions(network)
    assert kinds(copy).count("_Subpixel") == 2
    assert kinds(copy).count("Conv2DTranspose") == 3
    images = np.random.default_rng(1).normal(size=(2, 4, 4, 3)).astype("float32")
    wanted = np.asarray(network(images, training=False))
    np.testing.assert_allclose(copy(images, training=False), wanted, atol=1e-5 * np.abs(wanted).max())


def test_a_network_that_cannot_be_cloned_or_has_none_stays_itself():
    x = keras.Input((4, 4, 3))
    plain = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    turned = keras.layers.Conv2DTranspose(2, 4, 2, "same")(x)
    code = keras.Model(x, keras.layers.Lambda(lambda y: y + 1)(turned))
    assert with_convolutions(plain) is plain
    assert with_convolutions(code) is code
