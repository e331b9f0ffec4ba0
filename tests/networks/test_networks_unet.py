"""The U-Net at the sizes and channels users have, its null label, and sentences for the sizes it cannot halve."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.networks import unet


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (12, 20, 4), (8, 8, 1)])
@pytest.mark.parametrize("patch", [1, 2])
def test_every_size_and_channel(shape, patch):
    """Any sides that it halves, and 1, 3 or 4 channels."""
    network = unet.unet(shape, 4, patch=patch)
    assert network([tf.zeros((2, *shape)), tf.zeros(2)]).shape == (2, *shape)


@pytest.mark.parametrize(("up_blocks", "multipliers"), [(1, (1, 2)), (2, (1, 2, 2)), (None, (1,))])
def test_it_joins_all_maps_of_the_way_down(up_blocks, multipliers):
    network = unet.unet((8, 8, 1), 4, multipliers=multipliers, up_blocks=up_blocks, attention=(), num_classes=3)
    assert network([tf.zeros((2, 8, 8, 1)), tf.zeros(2), tf.constant([0, 3])]).shape == (2, 8, 8, 1)


def test_patches_are_pixels_rearranged():
    x = tf.reshape(tf.range(2.0 * 4 * 6 * 3), (2, 4, 6, 3))
    patches = unet.Patches()(x)
    np.testing.assert_array_equal(patches, tf.nn.space_to_depth(x, 2))
    np.testing.assert_array_equal(unet.Pixels()(patches), x)


@pytest.mark.parametrize(
    "make", [lambda: unet.unet((8, 8, 1), 4, num_classes=3), lambda: unet.dense((2,), 8, num_classes=3)]
)
def test_the_null_label_has_a_row_of_its_own(make):
    """The label for none is embedded behind the classes."""
    network = make()
    (embedding,) = [layer for layer in network.layers if "embedding" in layer.name and hasattr(layer, "input_dim")]
    assert embedding.input_dim == 4


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: unet.unet((30, 28, 1), 4, patch=2),
            r"does not divide 30 x 28; the nearest size is 32 x 28",
        ),
        (lambda: unet.unet((2,), 4), "for points take networks.unet.dense"),
        (lambda: unet.unet((8, 8, 1), 6), "width=6"),
        (lambda: unet.unet((8, 8, 1), 4, up_blocks=3), "up_blocks=3"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
