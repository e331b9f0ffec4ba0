"""Virtual batch normalisation against the moments of R + 1 rows, computed for each row by itself."""

import keras
import numpy as np
import pytest
from keras import layers

from tfgan_zoo.layers import VirtualBatchNormalization, WithoutReference, WithReference

RNG = np.random.default_rng(0)
SIZE = 5


@pytest.mark.parametrize("shape", [(7,), (3, 4, 2)])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_each_row_is_normalised_with_the_reference_and_itself(shape, shift):
    x = (2.0 * RNG.normal(size=(SIZE + 4, *shape)) + shift).astype("float32")
    layer = VirtualBatchNormalization(SIZE, epsilon=0.01)
    layer.build(x.shape)
    scale, offset = RNG.normal(size=(2, shape[-1]))
    layer.set_weights([scale, offset])

    def normalized(rows, by):
        axes = tuple(range(by.ndim - 1))
        return (rows - by.mean(axes)) / np.sqrt(by.var(axes) + 0.01) * scale + offset

    exact = x.astype("float64")
    reference = exact[:SIZE]
    expected = [normalized(reference, reference)]
    expected += [normalized(row[None], np.concatenate([reference, row[None]])) for row in exact[SIZE:]]
    np.testing.assert_allclose(layer(x), np.concatenate(expected), rtol=1e-4, atol=1e-4)


def generator():
    latents = keras.Input((6,))
    x = WithReference(SIZE)(latents)
    x = layers.ReLU()(VirtualBatchNormalization(SIZE)(layers.Dense(4 * 4 * 3)(x)))
    x = layers.Conv2DTranspose(5, 4, 2, "same")(layers.Reshape((4, 4, 3))(x))
    x = layers.ReLU()(VirtualBatchNormalization(SIZE)(x))
    x = layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh")(x)
    return keras.Model(latents, WithoutReference(SIZE)(x))


def test_an_image_does_not_depend_on_the_rest_of_its_batch():
    model = generator()
    latents = RNG.normal(size=(6, 6)).astype("float32")
    images = np.asarray(model(latents))
    assert images.shape == (6, 16, 16, 1)
    assert model.output_shape == (None, 16, 16, 1)
    others = latents * 50.0
    for i in range(6):
        others[i] = latents[i]
        np.testing.assert_allclose(model(others)[i], images[i], atol=1e-6)
        np.testing.assert_allclose(model(latents[i : i + 1])[0], images[i], atol=1e-6)
        others[i] *= 50.0
    np.testing.assert_allclose(model(latents, training=True), images, atol=1e-6)


def test_an_image_depends_on_the_reference():
    model = generator()
    latents = RNG.normal(size=(2, 6)).astype("float32")
    images = np.asarray(model(latents))
    reference = model.layers[1].reference
    assert reference.shape == (SIZE, 6)
    assert 0.5 < np.std(reference) < 1.5  # as latents, not as weights
    reference.assign(reference * 3.0)
    assert np.abs(model(latents) - images).max() > 1e-3


def test_the_reference_is_kept_and_never_trained(tmp_path):
    model = generator()
    assert [weight.path for weight in model.non_trainable_weights] == [model.layers[1].reference.path]
    model.compile("sgd", "mse")
    before = model.layers[1].reference.numpy()
    latents = RNG.normal(size=(4, 6)).astype("float32")
    model.fit(latents, np.zeros((4, 16, 16, 1)), verbose=0)
    model.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(loaded.layers[1].reference, before)
    np.testing.assert_allclose(loaded(latents), model(latents), atol=1e-6)


def test_with_and_without_are_inverse():
    x = RNG.normal(size=(3, 2, 2, 4)).astype("float32")
    layer = WithReference(SIZE, initializer="ones")
    np.testing.assert_array_equal(layer(x), np.concatenate([np.ones((SIZE, 2, 2, 4)), x]))
    np.testing.assert_array_equal(WithoutReference(SIZE)(layer(x)), x)


@pytest.mark.parametrize("layer", [WithReference, VirtualBatchNormalization, WithoutReference])
@pytest.mark.parametrize("size", [0, 1, -3, 2.5, True])
def test_a_reference_has_at_least_two_rows(layer, size):
    with pytest.raises(ValueError, match=r"reference_size=.*>= 2"):
        layer(size)


@pytest.mark.parametrize("epsilon", [0.0, -1e-3, float("nan")])
def test_epsilon_is_positive(epsilon):
    with pytest.raises(ValueError, match=r"epsilon=.*> 0"):
        VirtualBatchNormalization(4, epsilon=epsilon)
