"""Grids and their doubling: squares as they always were, images that are not square, and nearest upsampling."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tfgan_zoo import layers
from tfgan_zoo.networks import began, dcgan, grids, resnet, upsampling

RANDOM = np.random.default_rng(0)
PLANS = {"dcgan": dcgan._plan, "resnet": resnet._plan, "began": began._plan}


def halved(size, base):
    """The rule of square images: halved until at most `base` is left."""
    times = 0
    while size > base:
        size, times = size // 2, times + 1
    return size, times


def test_squares_have_the_grids_they_had():
    assert dcgan.SIZES == (8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
    for name, sizes, base in (("dcgan", dcgan.SIZES, 7), ("resnet", resnet.SIZES, 7), ("began", began.SIZES[1:], 8)):
        for size in sizes:
            side, times = halved(size, base)
            assert PLANS[name]((size, size, 3)) == ((side, side), times), (name, size)
    assert began._plan((8, 8, 1)) == ((4, 4), 1)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("size", [(224, 176), (176, 224), (96, 64), (24, 40), (28, 32), (64, 256), (208, 176)])
def test_a_grid_doubled_is_the_image(name, size):
    (rows, columns), doublings = PLANS[name]((*size, 3))
    assert (rows * 2**doublings, columns * 2**doublings) == size
    assert 4 <= min(rows, columns) <= grids.LARGEST


def test_every_size_is_planned_or_refused_with_sizes_that_are_planned():
    for height, width in RANDOM.integers(4, 300, (60, 2)):
        try:
            dcgan._plan((height, width, 1))
        except ValueError as error:
            said = str(error)
            assert "\n" not in said
            if height != width:
                near = said.split("nearest sizes are ")[1].split(":")[0].split(" and ")
                for size in near:
                    rows, columns = map(int, size.split(" x "))
                    dcgan._plan((rows, columns, 1))
                    inside, around = rows <= height and columns <= width, rows >= height and columns >= width
                    assert inside or around


@pytest.mark.parametrize(("height", "width"), [(24, 40), (56, 32)])
def test_networks_of_images_that_are_not_square(height, width):
    shape = (height, width, 3)
    images, latents = RANDOM.uniform(-1, 1, (2, *shape)).astype("float32"), RANDOM.normal(size=(2, 5))
    for generator in (dcgan.generator(shape, 5, 2), resnet.generator(shape, 5, 2), began.generator(shape, 5, 2)):
        assert generator(latents).shape == (2, *shape)
    for critic in (dcgan.discriminator(shape, 2), resnet.discriminator(shape, 2)):
        assert critic(images).shape == (2, 1)
    for network in (began.autoencoder(shape, 4, 2), dcgan.autoencoder(shape, 4, 2, layers.ReconstructionEnergy())):
        assert network(images)["energy"].shape == (2, 1)


def test_height_and_width_are_not_exchanged():
    tall, wide = dcgan.generator((48, 32, 1), 3, 2), dcgan.generator((32, 48, 1), 3, 2)
    assert [layer.output.shape[1:3] for layer in tall.layers if isinstance(layer, keras.layers.Reshape)] == [(6, 4)]
    assert [layer.output.shape[1:3] for layer in wide.layers if isinstance(layer, keras.layers.Reshape)] == [(4, 6)]


# ---- upsampling ------------------------------------------------------------------------------------------------------


def test_each_pixel_comes_four_times():
    maps = RANDOM.normal(size=(2, 3, 5, 4)).astype("float32")
    np.testing.assert_array_equal(upsampling.nearest(maps), maps.repeat(2, axis=1).repeat(2, axis=2))
    np.testing.assert_array_equal(upsampling.nearest(maps), ops.image.resize(maps, (6, 10), interpolation="nearest"))
    assert upsampling.nearest(keras.KerasTensor((None, 3, 5, 4), "bfloat16")).shape == (None, 6, 10, 4)


def test_the_gradient_is_a_sum_over_four_pixels_and_compiles():
    maps, weights = (RANDOM.normal(size=shape).astype("float32") for shape in ((2, 3, 5, 4), (2, 6, 10, 4)))

    @tf.function(jit_compile=True)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(upsampling.nearest(x) * weights)
        return tape.gradient(loss, x)

    expected = weights.reshape(2, 3, 2, 5, 2, 4).sum(axis=(2, 4))
    np.testing.assert_allclose(gradient(tf.constant(maps)), expected, atol=1e-5)


def test_it_is_one_node_and_leaves_the_order_of_layers_alone():
    """Two nodes or more would move the shortcut's convolution before the residual's in the saved weights."""
    generator = resnet.generator((16, 16, 1), 3, 2)
    nodes = [operation for operation in generator.operations if isinstance(operation, upsampling.NearestUpsampling)]
    assert len(nodes) == 4
    sizes = [layer.kernel_size for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert sizes == [(3, 3), (1, 1), (3, 3), (3, 3), (1, 1), (3, 3), (3, 3)]
