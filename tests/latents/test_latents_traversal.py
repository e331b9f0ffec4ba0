"""Traversals and moves along directions: what varies, what stays, and in which order."""

import keras
import numpy as np
import pytest
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.latents import along, traversal


class Mirror:
    """A model whose images are its latents, three by two."""

    name, latent_dim, condition = "mirror", 6, None

    def draw_latents(self, num_images, seed):
        return tz.priors.Normal().sample(num_images, 6, (seed, 0))

    def draw(self, latents, condition=None):
        return keras.ops.reshape(latents, (-1, 3, 2, 1))


def test_one_coordinate_varies_along_a_row():
    values = [-2.0, 0.0, 1.0, 3.0]
    images = traversal(Mirror(), 4, values, rows=5, seed=7)
    assert images.shape == (20, 3, 2, 1)
    assert images.dtype == np.float32
    latents = images.reshape(5, 4, 6)
    expected = np.asarray(Mirror().draw_latents(5, 7))
    np.testing.assert_array_equal(latents[..., 4], np.tile(values, (5, 1)))
    for column in range(4):
        np.testing.assert_array_equal(np.delete(latents[:, column], 4, 1), np.delete(expected, 4, 1))


@pytest.mark.parametrize("coordinates", [range(1, 4), (3, 1, 2), np.array([5])])
def test_a_block_takes_the_values_in_its_own_order(coordinates):
    values = np.arange(2 * len(coordinates)).reshape(2, -1)
    latents = traversal(Mirror(), coordinates, values, rows=3).reshape(3, 2, 6)
    for row in latents:
        np.testing.assert_array_equal(row[:, list(coordinates)], values)
    rest = [i for i in range(6) if i not in coordinates]
    np.testing.assert_array_equal(latents[:, 0, rest], latents[:, 1, rest])
    assert len(np.unique(latents[:, 0, rest], axis=0)) == 3


def test_rows_are_the_seeds_whatever_varies_and_however_many():
    few = traversal(Mirror(), 0, [1.0], rows=2, seed=1).reshape(2, 6)
    many = traversal(Mirror(), 5, [0.0, 1.0], rows=9, seed=1).reshape(9, 2, 6)
    np.testing.assert_array_equal(few[:, 1:5], many[:2, 0, 1:5])
    assert np.abs(traversal(Mirror(), 0, [1.0], rows=2, seed=2).reshape(2, 6) - few).max() > 0.1


def small():
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    return tz.GAN(generator, discriminator, objective=tz.objectives.NonSaturating(), seed=0)


def test_a_model_draws_what_generate_draws():
    model = small()
    latents = np.array(model.draw_latents(3, 0))
    own = traversal(model, 2, latents[:, 2], rows=3, seed=0).reshape(3, 3, 2)
    np.testing.assert_allclose(own[range(3), range(3)], model.generate(3, seed=0), atol=1e-6)  # each at its own value


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((Mirror(), 6, [0.0]), "coordinates=6: .* 0 to 5"),
        ((Mirror(), -1, [0.0]), "coordinates=-1"),
        ((Mirror(), (1, 9), np.eye(2)), r"coordinates=\[1, 9\]"),
        ((Mirror(), (1, 1), np.eye(2)), "names one twice"),
        ((Mirror(), 1.5, [0.0]), "coordinates=1.5: give an integer"),
        ((Mirror(), True, [0.0]), "coordinates=True"),
        ((Mirror(), (), np.zeros((2, 0))), r"coordinates=\[\]"),
        ((Mirror(), 1, np.eye(2)), r"values has shape \(2, 2\): give \(columns,\)"),
        ((Mirror(), (1, 2), [0.0, 1.0]), r"values has shape \(2,\): give \(columns, 2\)"),
        ((Mirror(), (1, 2), np.eye(3)), r"give \(columns, 2\)"),
        ((Mirror(), 1, []), "values has shape"),
        ((Mirror(), 1, [0.0], 0), "rows=0"),
        ((Mirror(), 1, [0.0], 2.0), "rows=2.0"),
    ],
)
def test_refuses_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        traversal(*arguments)


def test_a_conditional_model_keeps_a_label_along_a_row():
    model = tz.create("cgan", image_shape=(8, 8, 1), width=4, seed=0)
    latents = np.array(model.draw_latents(3, 0))
    given = traversal(model, 2, latents[:, 2], rows=3, labels=[7, 1, 0]).reshape(3, 3, 8, 8, 1)
    np.testing.assert_allclose(given[range(3), range(3)], model.generate(3, labels=[7, 1, 0], seed=0), atol=1e-6)
    drawn = traversal(model, 2, latents[:, 2], rows=3).reshape(3, 3, 8, 8, 1)
    np.testing.assert_allclose(drawn[range(3), range(3)], model.generate(3, seed=0), atol=1e-6)
    with pytest.raises(ValueError, match="labels are"):
        traversal(model, 2, [0.0], rows=3, labels=[1])
    with pytest.raises(ValueError, match="is unconditional"):
        traversal(small(), 2, [0.0], rows=1, labels=[1])


def test_along_moves_every_latent_by_every_step_of_every_direction():
    directions, steps = np.array([[1.0, 0, 0, 0, 0, 2.0], [0, 0, 3.0, 0, 0, 0]]), [-1.0, 0.0, 0.5]
    latents = along(Mirror(), directions, steps, rows=2, seed=4).reshape(2, 2, 3, 6)
    start = np.asarray(Mirror().draw_latents(2, 4))
    for d in range(2):
        for r in range(2):
            for s, step in enumerate(steps):
                np.testing.assert_allclose(latents[d, r, s], start[r] + step * directions[d], atol=1e-6)
    np.testing.assert_array_equal(
        along(Mirror(), directions[1], steps, rows=2, seed=4), latents[1].reshape(-1, 3, 2, 1)
    )


def test_along_keeps_labels_where_they_belong():
    model = tz.create("cgan", image_shape=(8, 8, 1), width=4, seed=0)
    images = along(model, np.eye(2, model.latent_dim), [0.0, 1.0], rows=2, labels=[3, 5]).reshape(2, 2, 2, 8, 8, 1)
    for direction in range(2):
        np.testing.assert_allclose(images[direction, :, 0], model.generate(2, labels=[3, 5], seed=0), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((np.ones(5), [0.0]), r"directions has shape \(1, 5\): give latents \(n, 6\)"),
        ((np.full(6, np.nan), [0.0]), "directions holds NaN"),
        ((np.ones(6), 1.0), r"steps has shape \(\)"),
        ((np.ones(6), []), "steps has shape"),
        ((np.ones(6), [0.0], 0), "rows=0: ask for at least 1"),
    ],
)
def test_along_refuses_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        along(Mirror(), *arguments)
