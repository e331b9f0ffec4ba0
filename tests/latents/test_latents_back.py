"""From images back: to the nearest of the data, and to a latent."""

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from scipy.spatial.distance import cdist

import tfgan_zoo as tz
from tfgan_zoo.latents import invert, nearest

RNG = np.random.default_rng(0)
DIGITS = tz.data.arrays("digits")[0]


def floats(images):
    return np.asarray(tz.pixels.from_uint8(images))


@pytest.fixture(scope="module")
def gan():
    return tz.create("gan", image_shape=(8, 8, 1), width=16, latent_dim=4, seed=0)


def test_copies_are_found_at_distance_0_and_the_rest_as_a_full_table_finds_them(tmp_path):
    samples = DIGITS[[700, 3, 41]]
    found = nearest(samples, "digits", num_images=3, neighbours=4, to=tmp_path / "a.png")
    np.testing.assert_array_equal(found.rows[:, 0], [700, 3, 41])
    np.testing.assert_allclose(found.distances[:, 0], 0.0, atol=1e-3)
    table = cdist(floats(samples).reshape(3, -1), floats(DIGITS).reshape(len(DIGITS), -1))
    np.testing.assert_array_equal(found.rows, table.argsort(axis=1)[:, :4])
    np.testing.assert_allclose(found.distances[:, 1:], np.sort(table, axis=1)[:, 1:4], rtol=1e-5)
    np.testing.assert_array_equal(found.images, floats(DIGITS[found.rows.ravel()]).reshape(3, 4, 8, 8, 1))
    np.testing.assert_array_equal(found.samples, floats(samples))
    with Image.open(tmp_path / "a.png") as picture:
        assert min(picture.size) > 400


def test_a_network_decides_what_is_near():
    mean = keras.Sequential([keras.Input((8, 8, 1)), layers.GlobalAveragePooling2D()])
    found = nearest(floats(DIGITS[:5]), "digits", num_images=5, neighbours=1, extractor=mean, split="test")
    means, there = (floats(images).mean(axis=(1, 2, 3)) for images in (DIGITS[:5], tz.data.arrays("digits", "test")[0]))
    np.testing.assert_allclose(found.distances[:, 0], np.abs(means[:, None] - there).min(1), atol=1e-5)
    assert np.abs(found.images[:, 0] - found.samples).max() > 0.5


def test_a_models_samples_are_its_generated_ones_and_the_data_is_brought_to_their_size():
    cgan = tz.create("cgan", image_shape=(16, 16, 3), width=4, seed=0)
    found = nearest(cgan, "digits", num_images=2, neighbours=1, labels=[3, 4], seed=5)
    np.testing.assert_allclose(found.samples, cgan.generate(2, labels=[3, 4], seed=5))
    assert found.images.shape == (2, 1, 16, 16, 3)


def test_images_that_are_no_squares_have_neighbours_of_their_own_shape():
    found = nearest(DIGITS[[4, 9], :5], DIGITS[:, :5], num_images=2, neighbours=1)
    np.testing.assert_array_equal(found.rows[:, 0], [4, 9])


def test_points_have_neighbours_too(tmp_path):
    data = RNG.normal(size=(50, 2)).astype("float32")
    found = nearest(data[:2] + 1e-4, data, num_images=2, neighbours=2, to=tmp_path / "a.png")
    np.testing.assert_array_equal(found.rows[:, 0], [0, 1])
    assert (tmp_path / "a.png").exists()


def test_the_latents_of_generated_images_are_found(gan, tmp_path):
    latents = np.asarray(gan.draw_latents(3, 9))
    images = gan.generate(3, seed=9)
    found = invert(gan, images, steps=200, to=tmp_path / "a.png", verbose=False)
    assert found.errors.max() < 1e-4
    np.testing.assert_allclose(found.images, images, atol=0.03)
    np.testing.assert_allclose(found.latents, latents, atol=0.1)
    np.testing.assert_allclose(found.images, np.asarray(gan.draw(found.latents)), atol=1e-6)
    spread = ((gan.generate(100, seed=1)[:, None] - images) ** 2).mean(axis=(2, 3, 4)).min(0)
    assert (found.errors < spread / 100).all()  # and a hundred draws are nowhere near
    with Image.open(tmp_path / "a.png") as picture:
        assert min(picture.size) > 300


def test_latents_of_a_uniform_prior_stay_in_it_and_those_of_a_normal_one_need_not(gan):
    far = np.asarray(gan.draw(np.full((1, 4), 3.0, "float32")))
    found = invert(gan, far, steps=50, learning_rate=0.5, verbose=False)
    assert np.abs(found.latents).max() == 1.0
    free = tz.GAN(gan.generator, gan.discriminator, objective=gan.objective, prior=tz.priors.Normal())
    free = invert(free, far, steps=50, learning_rate=0.5, verbose=False)
    assert np.abs(free.latents).max() > 2.0
    assert free.errors[0] < found.errors[0]


def test_more_starts_never_find_less_and_a_seed_repeats(gan):
    images = floats(DIGITS[:2])
    one, four = (invert(gan, images, steps=20, restarts=count, verbose=False) for count in (1, 4))
    assert (four.errors <= one.errors + 1e-7).all()
    again = invert(gan, images, steps=20, restarts=4, verbose=False)
    np.testing.assert_array_equal(again.latents, four.latents)


def test_features_are_matched_where_an_extractor_says_what_counts(gan):
    mean = keras.Sequential([keras.Input((8, 8, 1)), layers.GlobalAveragePooling2D()])
    target = gan.generate(1, seed=3)
    found = invert(gan, target, extractor=mean, steps=100, restarts=2, verbose=False)
    np.testing.assert_allclose(found.images.mean(), target.mean(), atol=1e-3)
    assert found.errors[0] < 1e-6


def test_a_conditional_model_is_inverted_within_the_classes_that_are_given():
    cgan = tz.create("cgan", image_shape=(8, 8, 1), width=4, latent_dim=4, seed=0)
    images = cgan.generate(2, labels=[3, 8], seed=1)
    right, wrong = (invert(cgan, images, labels=told, steps=150, verbose=False) for told in ([3, 8], [4, 9]))
    assert (right.errors < wrong.errors).all()
    np.testing.assert_allclose(right.images, images, atol=0.05)


def test_points_are_inverted_too(tmp_path):
    model = tz.create("gan", image_shape=(2,), width=8, latent_dim=2, seed=0)
    found = invert(model, model.generate(3, seed=2), restarts=30, to=tmp_path / "a.png", verbose=False)
    assert found.errors.max() < 1e-4


POINTS = tz.create("gan", image_shape=(2,), width=8, latent_dim=2, seed=0)
NETWORK = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda g: nearest(g, "digits", neighbours=0), "neighbours=0"),
        (lambda g: nearest(g, DIGITS[:3], neighbours=4), "neighbours=4, but the split 'train' has 3"),
        (lambda g: nearest(DIGITS[:3], "digits", num_images=4), r"images has shape \(3, 8, 8, 1\), and num_images=4"),
        (lambda g: nearest(DIGITS, "digits", labels=[1]), "labels tell a model"),
        (lambda g: nearest(g, "ring8"), "ring8 is points"),
        (lambda g: nearest(POINTS, "ring8", extractor=NETWORK), "points are their own features"),
        (lambda g: nearest(g, "digits", extractor="inception"), "extractor must be a keras.Model"),
        (lambda g: invert(g, DIGITS[:2, :4]), r"images has shape \(2, 4, 8, 1\): gan makes"),
        (lambda g: invert(g, DIGITS[:0]), "images has shape"),
        (lambda g: invert(g, DIGITS[:2].astype("float32")), r"run from 0 to 255: they belong in \[-1, 1\]"),
        (lambda g: invert(g, np.full((1, 8, 8, 1), np.nan, "float32")), "not finite"),
        (lambda g: invert(g, DIGITS[:2], labels=[0, 1]), "is unconditional"),
        (lambda g: invert(tz.create("cgan", (8, 8, 1), width=4), DIGITS[:2]), "give labels=, the class of each"),
        (lambda g: invert(g, DIGITS[:2], steps=0), "steps=0"),
        (lambda g: invert(g, DIGITS[:2], learning_rate=0.0), "learning_rate=0.0"),
        (lambda g: invert(POINTS, np.zeros((1, 2)), extractor=NETWORK), "points are their own features"),
    ],
)
def test_refuses_in_a_sentence(gan, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(gan)
