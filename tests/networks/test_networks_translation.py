"""Networks of image to image: the papers' counts of weights, what a patch sees, and what their traps would do."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgan_zoo.layers import InstanceNormalization
from tfgan_zoo.networks import translation

COLOUR, RNG = (256, 256, 3), np.random.default_rng(0)


@pytest.mark.parametrize(
    ("network", "weights"),
    [
        (lambda: translation.unet(COLOUR, 3, 64), 54_413_955),
        (lambda: translation.patches(COLOUR, 64, source_shape=COLOUR), 2_768_705),
        (lambda: translation.resnet(COLOUR, 3, 64, 9, bias=True), 11_378_179),
        (lambda: translation.resnet((128, 128, 3), 3, 64, 6, bias=True), 7_837_699),
        (lambda: translation.patches(COLOUR, 64, affine=False, bias=True), 2_764_737),
        (lambda: translation.told((128, 128, 3), 64, 6, 5), 8_430_528),
        (lambda: translation.domains((128, 128, 3), 64, 5), 44_762_048),
        (lambda: translation.domains((128, 128, 3), 64, 8), 44_786_624),
    ],
)
def test_as_many_weights_as_the_papers_networks(network, weights):
    """As their released code prints."""
    assert network().count_params() == weights


def test_a_bias_before_a_norm_is_left_out_unless_asked_for():
    """It cancels: the networks agree but for as many weights as there are such channels."""
    lean, full = (translation.resnet((16, 16, 3), 3, 4, 2, bias=bias) for bias in (False, True))
    assert full.count_params() - lean.count_params() == 4 + 8 + 16 + 2 * 2 * 16 + 8 + 4


def test_a_patch_is_70_pixels():
    network = translation.patches(COLOUR, 1)
    assert network.output_shape == (None, 30, 30, 1)
    field, jump = 1, 1
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            field, jump = field + (layer.kernel_size[0] - 1) * jump, jump * layer.strides[0]
    assert (field, jump) == (70, 8)


def test_instance_norm_is_of_each_map_of_each_image():
    """Keras-GAN normalised along another axis; and inference is training."""
    x = RNG.normal(3.0, 5.0, size=(4, 6, 5, 7)).astype("float32")
    plain, affine = InstanceNormalization(affine=False), InstanceNormalization()
    for layer in (plain, affine):
        y = np.asarray(layer(x))
        np.testing.assert_allclose(y.mean(axis=(1, 2)), 0, atol=1e-5)
        np.testing.assert_allclose(y.std(axis=(1, 2)), 1, atol=1e-4)
        np.testing.assert_allclose(layer(x, training=True), y)
        np.testing.assert_allclose(layer(x[:1]), y[:1], atol=1e-6)
    assert (plain.count_params(), affine.count_params()) == (0, 14)


def test_instance_norm_and_its_gradients_are_keras_own_also_of_maps_far_from_0():
    x, wanted = (tf.constant(RNG.normal(size=(2, 4, 4, 3)), tf.float32) for _ in "xw")
    ours, keras_own = InstanceNormalization(), layers.GroupNormalization(-1, epsilon=1e-5)
    found = []
    for layer in (ours, keras_own):
        layer.build(x.shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) * wanted)
        found.append(tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_variables)]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    flat = 100.0 + 1e-2 * RNG.normal(size=(1, 4, 4, 3))  # whose mean of squares has no digits for the variance
    exact = (flat - flat.mean((1, 2), keepdims=True)) / np.sqrt(flat.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(ours(flat.astype("float32")), exact, atol=2e-2)


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 3), (30, 22, 3), (64, 48, 1)])
def test_a_unet_of_any_size_ends_in_a_bottleneck_that_lives(shape):
    network = translation.unet(shape, 3, 4)
    assert network.output_shape == (None, *shape[:2], 3)
    sources = RNG.uniform(-1, 1, size=(1, *shape)).astype("float32")
    factors = np.ones((1, network.inputs[1].shape[1]), "float32")
    assert np.abs(np.asarray(network([sources, factors]))).max() <= 1.0
    maps = [layer.output for layer in network.layers if isinstance(layer, layers.Conv2D)][: len(skips(network)) + 1]
    assert min(maps[-1].shape[1:3]) == 1
    inner = type(network)(network.inputs, maps[-1])([sources, factors])
    assert np.abs(np.asarray(inner)).max() > 1e-6  # a norm of one pixel would leave nothing


def skips(network):
    return [layer for layer in network.layers if isinstance(layer, layers.Concatenate)]


def test_factors_drop_units():
    network = translation.unet((16, 16, 1), 1, 4)
    sources, width = RNG.uniform(-1, 1, size=(1, 16, 16, 1)).astype("float32"), network.inputs[1].shape[1]
    whole, none = (np.asarray(network([sources, np.full((1, width), value, "float32")])) for value in (1, 0))
    assert np.abs(whole - none).max() > 1e-4
    assert len(translation.unet((16, 16, 1), 1, 4, dropout=0.0).inputs) == 1


def test_no_checkerboard():
    """A constant image stays one inside; and a transposed kernel is a multiple of its stride."""
    network = translation.resnet((64, 64, 3), 3, 4, 1)
    image = np.asarray(network(np.full((1, 64, 64, 3), 0.3, "float32")))
    assert np.ptp(image[:, 24:40, 24:40], axis=(1, 2)).max() < 1e-4  # far from edges, which are padded with zeros
    for network in (translation.unet((16, 16, 3), 3, 4), translation.told((16, 16, 3), 4, 1, 2)):
        doubling = [layer for layer in network.layers if isinstance(layer, layers.Conv2DTranspose)]
        assert doubling
        assert all(size % 2 == 0 for layer in doubling for size in layer.kernel_size)
    upper = layers.Conv2DTranspose(1, 3, strides=2, padding="same")  # what the paper's kernel of 3 would draw
    assert np.ptp(np.asarray(upper(np.ones((1, 8, 8, 1), "float32")))[0, 4:12, 4:12]) > 1e-2


@pytest.mark.parametrize("classes", [False, True])
def test_the_output_depends_on_what_it_is_told(classes):
    network = translation.told((16, 16, 3), 8, 2, 2, classes=classes)
    image = tf.constant(RNG.uniform(-1, 1, size=(1, 16, 16, 3)), tf.float32)
    given = ([0], [1]) if classes else ([[1.0, 0.0]], [[0.0, 1.0]])
    one, other = (np.asarray(network([image, tf.constant(told)])) for told in given)
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: translation.unet((2,), 2, 8), "pix2pix translates images; for points take 'gan'"),
        (lambda: translation.unet((4, 4, 3), 3, 8), "sides of 8 pixels or more"),
        (lambda: translation.unet((16, 16, 3), 3, 8, depth=5), "from 2 to 4 times"),
        (lambda: translation.resnet((30, 28, 3), 3, 8, 1), r"multiples of 4; the nearest size is 32 x 28|is 28 x 28"),
        (lambda: translation.told((18, 16, 3), 8, 1, 2), "StarGAN's generator halves its maps twice"),
        (lambda: translation.patches((16, 16, 3), 8, source_shape=(32, 32, 3)), "a pair has one height and width"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
