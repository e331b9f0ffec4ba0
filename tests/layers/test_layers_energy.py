"""Reconstruction energies: norms of EBGAN and BEGAN, and their slopes at a perfect reconstruction."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.layers import ReconstructionEnergy

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(2,), (4, 5, 3)])
def test_the_energy_is_a_norm_or_a_mean(shape):
    x, y = RNG.normal(size=(2, 6, *shape)).astype("float32")
    difference = (x.astype("float64") - y).reshape(6, -1)
    norm, mean = np.linalg.norm(difference, axis=1), np.abs(difference).mean(axis=1)
    np.testing.assert_allclose(ReconstructionEnergy()([x, y]), norm[:, None], rtol=1e-5)
    np.testing.assert_allclose(ReconstructionEnergy(order=1)([x, y]), mean[:, None], rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_the_gradient_is_the_norms_and_nothing_at_zero(order):
    x = tf.constant(RNG.normal(size=(2, 3, 3, 1)), tf.float32)
    y = tf.stack([x[0], x[1] + 0.5])
    with tf.GradientTape() as tape:
        tape.watch(y)
        energy = ReconstructionEnergy(order)([x, y])
    gradient = tape.gradient(energy, y).numpy()
    assert abs(float(energy[0, 0])) < 1e-5
    np.testing.assert_array_equal(gradient[0], np.zeros((3, 3, 1)))
    np.testing.assert_allclose(gradient[1], 1 / 9 if order == 1 else 1 / 3, rtol=1e-4)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_it_is_float32_and_compares_images_as_they_come(policy):
    keras.config.set_dtype_policy(policy)
    images = keras.Input((4, 4, 1), dtype="float32")
    model = keras.Model(images, ReconstructionEnergy()([images, keras.layers.Dense(1)(images)]))
    x = RNG.normal(size=(3, 4, 4, 1)).astype("float32")
    assert model(x).dtype == model.output.dtype == "float32"
    assert model.output_shape == (None, 1)
    near = x * np.float32(1 + 1e-4)  # bfloat16 would not tell them apart
    assert float(ReconstructionEnergy()([x, near])[0, 0]) == pytest.approx(1e-4 * np.linalg.norm(x[0]), rel=1e-2)


@pytest.mark.parametrize("order", [0, 3, "2", None])
def test_other_orders_are_refused(order):
    with pytest.raises(ValueError, match=r"order=.*take 2 .* or 1"):
        ReconstructionEnergy(order)


@pytest.mark.parametrize("shapes", [[(2, 3)], [(2, 3), (2, 4)], [(2, 3)] * 3])
def test_it_takes_two_of_one_shape(shapes):
    inputs = [np.zeros(shape, "float32") for shape in shapes]
    with pytest.raises(ValueError, match="two tensors of one shape"):
        ReconstructionEnergy()(inputs if len(inputs) > 1 else inputs[0])


def test_its_output_shape_is_known_before_it_is_built():
    assert ReconstructionEnergy().compute_output_shape([(None, 8, 8, 1), (None, 8, 8, 1)]) == (None, 1)
