"""PixelCNN: probabilities sum to 1, no pixel sees the future or misses the past, a cache samples what none does."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Bernoulli, Categorical, DiscretizedLogisticMixture
from tfgan_zoo.models.autoregressive import ConditionalPixelCNN, PixelCNN
from tfgan_zoo.models.raster import Raster


def made(image_shape, likelihood=Bernoulli(), classes=None, depth=3, **numbers):  # noqa: B008
    told = {"num_classes": classes} if classes else {}
    name = "conditional_pixelcnn" if classes else "pixelcnn"
    numbers = {"width": 6, "seed": 0, "ema_decay": 0} | told | numbers
    model = tz.create(name, image_shape=image_shape, likelihood=likelihood, depth=depth, **numbers)
    rng = np.random.default_rng(0)
    model.network.set_weights([one + 0.2 * rng.normal(size=one.shape) for one in model.network.get_weights()])
    return model


def all_binary(height, width):
    bits = itertools.product((-1.0, 1.0), repeat=height * width)
    return np.array(list(bits), "float32").reshape(-1, height, width, 1)


def test_probabilities_of_all_binary_images_sum_to_one():
    images = all_binary(3, 3)
    assert len(images) == 2**9
    assert np.exp(np.asarray(made((3, 3, 1)).log_prob(images), "float64")).sum() == pytest.approx(1.0, abs=1e-5)
    model = made((3, 3, 1), classes=3)
    for label in range(3):
        each = model._log_prob(model.network, tf.constant(images), tf.fill((512,), label))
        assert np.exp(np.asarray(each, "float64")).sum() == pytest.approx(1.0, abs=1e-5)
    assert np.exp(np.asarray(model.log_prob(images), "float64")).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("likelihood", [Categorical(3), DiscretizedLogisticMixture(2)], ids=["levels", "mixture"])
def test_probabilities_of_every_level_sum_to_one(likelihood):
    levels = 3 if likelihood == Categorical(3) else 256
    model, values = made((1, 2, 1), likelihood), np.linspace(-1, 1, levels, dtype="float32")
    images = np.stack(np.meshgrid(values, values), -1).reshape(-1, 1, 2, 1)
    assert np.exp(np.asarray(model.log_prob(images), "float64")).sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_earlier_value_reaches_and_no_later_one(channels, training):
    """Raster order, and R before G before B in a pixel; the blind spot of masked kernels is not there."""
    model = made((4, 5, channels), depth=5)
    images = tf.constant(np.random.default_rng(1).uniform(-1, 1, (1, 4, 5, channels)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(images)
        parameters = tf.reshape(model.network(images, training=training), (1, -1))
    size = 20 * channels
    jacobian = np.abs(np.asarray(tape.batch_jacobian(parameters, images)).reshape(size, size))
    assert (jacobian[np.triu_indices(size)] == 0).all()
    assert (jacobian[np.tril_indices(size, -1)] > 0).all()


@pytest.mark.parametrize(
    ("likelihood", "shape", "classes"),
    [
        (Bernoulli(), (5, 4, 1), 3),
        (DiscretizedLogisticMixture(2), (4, 5, 3), None),
        (Categorical(7), (4, 4, 1), None),
    ],
    ids=["bits", "mixture", "levels"],
)
def test_sampling_by_cache_is_naive_sampling(likelihood, shape, classes):
    model = made(shape, likelihood, classes)
    fractions, labels = model.start(5, [1, 2])["fractions"], tf.constant([0, 1, 2, 0, 1]) if classes else None
    drawing = Raster(model.network, model.likelihood, model.num_classes)
    cached, naive = (way(fractions, labels) for way in (drawing.by_cache, drawing.naively))
    np.testing.assert_allclose(cached, naive, atol=1e-6)
    assert np.std(cached) > 0.1


def test_draws_come_as_often_as_their_probability_says():
    model, images = made((2, 2, 1)), all_binary(2, 2)
    draws = model.generate(20_000, seed=0)
    weights = 2 ** np.arange(4)[::-1]
    counts = np.bincount(((draws.reshape(-1, 4) > 0) @ weights), minlength=16) / len(draws)
    expected = np.exp(np.asarray(model.log_prob(images)))
    np.testing.assert_allclose(counts, expected, atol=5 * math.sqrt(0.25 / 20_000))


def test_complete_keeps_what_is_known_and_draws_the_rest_given_it():
    model = made((4, 4, 1), DiscretizedLogisticMixture(2))
    images = np.random.default_rng(0).uniform(-1, 1, (3, 4, 4, 1)).astype("float32")
    mask = np.zeros((4, 4))
    mask[:2] = 1
    done = model.complete(images, mask, seed=1)
    np.testing.assert_array_equal(done[:, :2], images[:, :2])
    assert not np.allclose(done[:, 2:], images[:, 2:])
    np.testing.assert_array_equal(model.complete(images, np.ones((4, 4)), seed=1), images)
    np.testing.assert_allclose(model.complete(images, np.zeros((4, 4)), seed=1), model.generate(3, seed=1), atol=1e-6)
    other = model.complete(-images, mask, seed=1)
    assert not np.allclose(other[:, 2:], done[:, 2:])  # what is drawn depends on what is told


def test_a_network_without_a_cache_is_asked_for_whole_images():
    x = keras.Input((3, 3, 1))
    padded = keras.layers.ZeroPadding2D(((1, 0), (0, 0)))(x)[:, :3]
    y = keras.layers.Conv2D(1, 1)(padded)  # of the pixel above alone
    model = PixelCNN(keras.Model(x, y[..., None]), likelihood=Bernoulli(), seed=0)
    assert set(np.unique(model.generate(4, seed=0))) == {-1.0, 1.0}
    images = all_binary(3, 3)
    assert np.exp(np.asarray(model.log_prob(images), "float64")).sum() == pytest.approx(1.0, abs=1e-5)


def test_bits_are_binarised_by_the_seed():
    model, grey = made((4, 4, 1)), np.zeros((2, 4, 4, 1), "float32")
    assert not np.array_equal(model.log_prob(grey, seed=0), model.log_prob(grey, seed=1))
    np.testing.assert_array_equal(model.log_prob(grey, seed=1), model.log_prob(grey, seed=1))
    assert model.likelihood_protocol["binarisation"] == "dynamic"


def test_it_learns_the_order_of_stripes():
    """Of rows that are all white or all black, only the first pixel of each is uncertain: 4 bits of 16."""
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((256, 4, 1, 1)) < 0.5, 1.0, -1.0).astype("float32")
    model = made((4, 4, 1), width=8)
    model.compile(optimizer=keras.optimizers.Adam(0.02))
    stripes = np.broadcast_to(rows, (256, 4, 4, 1))
    model.fit(stripes, epochs=10, batch_size=32, verbose=0)
    nats = -np.mean(model.log_prob(stripes))
    assert 4 * math.log(2) - 0.15 < nats < 4 * math.log(2) + 0.3


def network(*last):
    x = keras.Input((4, 4, 1))
    y = x
    for layer in last:
        y = layer(y)
    return keras.Model(x, y[..., None])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("pixelcnn", image_shape=(2,)), "orders pixels; for points take 'realnvp'"),
        (
            lambda: PixelCNN(network(keras.layers.BatchNormalization()), likelihood=Bernoulli()),
            "BatchNormalization, whose moments tell a pixel",
        ),
        (lambda: PixelCNN(network(), likelihood=Categorical(4)), r"needs likelihood.channels\(1\) parameters"),
        (
            lambda: ConditionalPixelCNN(network(), likelihood=Bernoulli(), num_classes=3),
            "network has no input for labels",
        ),
        (lambda: made((4, 4, 1)).complete(np.zeros((2, 4, 4, 1)), np.ones((3, 4))), r"mask is .*give 1 for pixels"),
        (
            lambda: made((4, 4, 1), Bernoulli(binarise=False)).check_images(tf.zeros((2, 4, 4, 1))),
            r"images are grey.*dynamic.*static",
        ),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_a_mixtures_quantiles_are_the_inverse_of_its_probabilities():
    """Each level is drawn by as large a share of fractions as it has probability; Salimans et al. 2017, Eq. 2."""
    likelihood, rng = DiscretizedLogisticMixture(3), np.random.default_rng(0)
    logits, locations, scales = rng.normal(size=3), rng.uniform(-1.2, 1.2, size=3), rng.uniform(-4, -1, size=3)
    parameters = np.concatenate([logits, locations, scales]).astype("float32")[None]
    levels = (np.arange(256) / 127.5 - 1).astype("float32")[:, None]
    expected = np.exp(np.asarray(likelihood.log_prob(levels, np.repeat(parameters, 256, axis=0)), "float64"))
    fractions = ((np.arange(20_000) + 0.5) / 20_000).astype("float32")[:, None]
    drawn = np.asarray(likelihood.quantile(fractions, np.repeat(parameters, 20_000, axis=0)))
    assert (np.diff(drawn[:, 0]) >= 0).all()
    counts = np.bincount(np.round((drawn[:, 0] + 1) * 127.5).astype(int), minlength=256) / 20_000
    np.testing.assert_allclose(counts, expected, atol=2e-4)
    assert float(likelihood.mean(parameters)[0, 0]) == pytest.approx(float((levels[:, 0] * expected).sum()), abs=0.005)
