"""TF-GAN's metrics on real features: two splits of the digits through their classifier."""

import importlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo import data, pixels
from tfgan_zoo.metrics import classifier_for, frechet_distance, inception_score, kernel_distance, sliced


@pytest.fixture(scope="module")
def images():
    return [np.asarray(pixels.from_uint8(data.arrays("digits", split)[0])) for split in ("train", "test")]


@pytest.fixture(scope="module")
def found(images):
    return [classifier_for("digits")(part) for part in images]


def test_on_the_frechet_distance(found, tfgan):
    real, fake = (part["features"] for part in found)
    expected = float(tfgan.eval.frechet_classifier_distance_from_activations(tf.constant(real), tf.constant(fake)))
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-3)  # TF-GAN works in float32


def test_on_the_kernel_distance(found, tfgan):
    real, fake = (part["features"][:360].astype(np.float64) for part in found)
    theirs = tfgan.eval.kernel_classifier_distance_and_std_from_activations
    expected, _ = theirs(tf.constant(real), tf.constant(fake), max_block_size=360)
    assert kernel_distance(real, fake, subset_size=360, num_subsets=1)[0] == pytest.approx(float(expected), rel=1e-6)


def test_on_the_score_of_a_classifier(found, tfgan):
    probabilities = found[0]["probabilities"]
    expected = float(tfgan.eval.classifier_score_from_logits(tf.math.log(tf.maximum(probabilities, 1e-30))))
    assert inception_score(probabilities, splits=1)[0] == pytest.approx(expected, rel=1e-4)


def test_on_laplacian_pyramids(images, tfgan):
    theirs = importlib.import_module("tensorflow_gan.python.eval.sliced_wasserstein")
    expected = theirs.laplacian_pyramid(tf.constant(images[1]), 2)
    for ours, other in zip(sliced.laplacian_pyramid(images[1], 2), expected, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-5)


def test_on_the_distance_between_patches(images, tfgan):
    theirs = importlib.import_module("tensorflow_gan.python.eval.sliced_wasserstein")
    places = list(np.random.default_rng(0).integers(2, size=(2, 360, 4)))
    real = sliced._patches(images[0][:360], 0, 1, places, 7)
    fake = sliced._patches(np.clip(images[1][:360] * 0.5, -1, 1) ** 3, 0, 1, places, 7)
    directions = np.random.default_rng(1).normal(size=(3000, real.shape[1])).astype(np.float32)
    expected = float(theirs._sliced_wasserstein(tf.constant(real), tf.constant(fake), 1, 3000))
    assert sliced._distance(real, fake, directions) == pytest.approx(expected, rel=0.02)  # other directions
