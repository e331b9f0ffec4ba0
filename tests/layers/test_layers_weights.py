"""ClipWeights and Orthogonal: what is done to weights and what they pay."""

import keras
import numpy as np
import pytest

from tfgan_zoo.layers import ClipWeights, Orthogonal

RNG = np.random.default_rng(0)


def test_clipping_moves_only_what_is_outside():
    weights = np.array([-3.0, -0.2, -0.1, 0.0, 0.2, 0.21, 5.0], "float32")
    clipped = np.array([-0.2, -0.2, -0.1, 0.0, 0.2, 0.2, 0.2], "float32")
    np.testing.assert_array_equal(ClipWeights(0.2)(weights), clipped)


def test_fit_keeps_clipped_weights_in_their_box_and_lets_others_leave_it():
    layer = keras.layers.Dense(3, kernel_constraint=ClipWeights(0.05))
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit(RNG.normal(size=(32, 4)), RNG.normal(size=(32, 1)) + 5, epochs=2, verbose=0)
    assert np.abs(layer.kernel).max() == np.float32(0.05)
    assert np.abs(model.layers[1].kernel).max() > 0.05


@pytest.mark.parametrize("shape", [(6, 4), (3, 3, 2, 5)])
def test_orthogonal_sums_squared_inner_products_of_different_filters(shape):
    kernel = RNG.normal(size=shape)
    filters = kernel.reshape(-1, shape[-1]).T
    products = [a @ b for i, a in enumerate(filters) for j, b in enumerate(filters) if i != j]
    value = Orthogonal(0.3)(kernel.astype("float32"))
    assert float(value) == pytest.approx(0.3 * np.square(products).sum(), rel=1e-5)


def test_orthogonal_filters_of_any_length_pay_nothing():
    directions, _ = np.linalg.qr(RNG.normal(size=(8, 4)))
    kernel = (directions * [0.1, 1.0, 2.0, 30.0]).astype("float32")
    assert float(Orthogonal(1.0)(kernel)) < 1e-8
    kernel[:, 0] = kernel[:, 1]
    assert float(Orthogonal(1.0)(kernel)) == pytest.approx(2.0, rel=1e-5)


def test_a_layer_adds_the_price_of_its_kernel_in_float32_under_half_precision():
    layer = keras.layers.Dense(4, kernel_regularizer=Orthogonal(0.1), dtype="mixed_bfloat16")
    layer(RNG.normal(size=(2, 6)))
    kernel = np.asarray(layer.kernel, "float64")
    gram = kernel.T @ kernel
    assert float(layer.losses[0]) == pytest.approx(0.1 * (gram**2).sum() - 0.1 * (np.diag(gram) ** 2).sum(), rel=1e-4)


@pytest.mark.parametrize("limit", [0.0, -0.1, float("inf"), float("nan")])
def test_a_limit_is_positive(limit):
    with pytest.raises(ValueError, match=r"limit=.*limit > 0"):
        ClipWeights(limit)


@pytest.mark.parametrize("weight", [-1e-4, float("inf"), float("nan")])
def test_a_weight_is_not_negative(weight):
    with pytest.raises(ValueError, match=r"weight=.*>= 0"):
        Orthogonal(weight)
