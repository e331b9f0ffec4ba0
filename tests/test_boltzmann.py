"""Restricted Boltzmann machines: exact sums, gradients by finite differences, brackets of Z, chains that go on."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import tfgan_zoo as tz
from tfgan_zoo import noise
from tfgan_zoo.likelihoods import Bernoulli
from tfgan_zoo.networks import boltzmann

SHAPE, UNITS = (2, 3, 1), 4
ALL = np.array(list(itertools.product((-1.0, 1.0), repeat=6)), "float32").reshape(-1, *SHAPE)


def made(stddev=0.8, centred=True, **numbers):
    model = tz.create("rbm", image_shape=SHAPE, width=UNITS, centred=centred, **{"seed": 0} | numbers)
    rng, layer = np.random.default_rng(0), model.energy.get_layer("boltzmann")
    for weight in layer.trainable_weights + ([layer.visible_offset, layer.hidden_offset] if centred else []):
        weight.assign(stddev * rng.normal(size=weight.shape))
    return model


def data(count=50):
    return np.where(np.random.default_rng(1).random((count, *SHAPE)) < 0.7, 1.0, -1.0).astype("float32")


def test_free_energy_sums_hidden_states_and_probabilities_sum_to_one():
    model = made()
    kernel, visible, hidden = (np.asarray(one, "float64") for one in model.layer.parameters())
    codes, bits = np.array(list(itertools.product((0, 1), repeat=UNITS))), (ALL.reshape(-1, 6) + 1) / 2
    joint = bits @ visible[:, None] + (codes @ hidden)[None] + bits @ kernel @ codes.T  # (64, 16)
    np.testing.assert_allclose(model.free_energy(ALL), -np.log(np.exp(joint).sum(1)), atol=1e-5)
    assert model.exact_log_partition() == pytest.approx(math.log(np.exp(joint).sum()), abs=1e-6)
    assert np.exp(np.asarray(model.log_prob(ALL), "float64")).sum() == pytest.approx(1.0, abs=1e-5)
    wide = tz.create("rbm", image_shape=(1, 3, 1), width=6, seed=0)  # summed over the visible side
    bits = np.array(list(itertools.product((-1.0, 1.0), repeat=3)), "float32").reshape(-1, 1, 3, 1)
    assert np.exp(np.asarray(wide.log_prob(bits), "float64")).sum() == pytest.approx(1.0, abs=1e-5)


def gradient(model, images, samples, weights=None):
    """Of the free-energy difference, samples held fixed; `weights` of samples, or their mean."""
    with tf.GradientTape() as tape:
        energies = model.energy(samples)
        mean = tf.reduce_mean(energies) if weights is None else tf.reduce_sum(weights * energies)
        loss = tf.reduce_mean(model.energy(images)) - mean
    variables = model.energy.trainable_variables
    return [np.asarray(one) for one in tape.gradient(loss, variables)]


@pytest.mark.parametrize("centred", [False, True])
def test_the_difference_with_the_models_own_weights_is_the_exact_gradient(centred):
    """Against finite differences of the mean exact log-likelihood; a wrong sign would be seen."""
    model, images = made(centred=centred), data()
    exact = gradient(model, images, ALL, tf.exp(model.log_prob(ALL)))
    layer = model.energy.get_layer("boltzmann")
    for weight, slopes in zip(layer.trainable_weights, exact, strict=True):
        start = np.asarray(weight)
        for index in [np.unravel_index(i, start.shape) for i in (0, start.size - 1)]:
            found = []
            for step in (0.01, -0.01):
                moved = start.copy()
                moved[index] += step
                weight.assign(moved)
                bits = np.asarray(model.free_energy(images), "float64")
                found.append(bits.mean() + model.exact_log_partition())
            weight.assign(start)
            assert slopes[index] == pytest.approx((found[0] - found[1]) / 0.02, abs=3e-3)


def test_many_steps_of_gibbs_give_the_exact_gradient():
    model, images = made(0.5), data()
    exact = gradient(model, images, ALL, tf.exp(model.log_prob(ALL)))
    start = tf.constant(np.tile((images.reshape(-1, 6) + 1) / 2, (400, 1)))
    apart = []
    for steps in (1, 50):
        samples = model._images(model.gibbs(start, steps, tf.constant([1, 2])))
        found = gradient(model, images, samples)
        apart.append(max(np.abs(one - other).max() for one, other in zip(found, exact, strict=True)))
    assert apart[1] < 0.02 < apart[0] or apart[1] < 0.5 * apart[0]


def test_one_update_by_hand():
    """Hinton 2002: W += rate (v'h of the data - of the samples); here only the visible biases, and no couplings."""
    model = tz.create("rbm", image_shape=(1, 2, 1), width=3, seed=0, centred=False, persistent=False)
    layer = model.energy.get_layer("boltzmann")
    layer.kernel.assign(np.zeros((2, 3)))
    layer.visible_bias.assign([-30.0, 0.0])  # so that samples are black in the first pixel, and data white
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    model.train_on_batch(np.ones((8, 1, 2, 1), "float32"))
    assert float(layer.visible_bias[0]) == pytest.approx(-29.9)  # rises towards the data
    assert float(layer.visible_bias[1]) > 0.0


def test_a_flipped_unit_changes_the_free_energy_by_its_row_alone():
    layer = made().layer
    bits, chosen = tf.constant((ALL.reshape(-1, 6) + 1) / 2), tf.range(64) % 6
    kernel, visible, hidden = layer.parameters()
    other = tf.abs(bits - tf.one_hot(chosen, 6))
    change = layer.flipped(bits, hidden + bits @ kernel, chosen, kernel, visible)
    np.testing.assert_allclose(change, layer(other) - layer(bits), atol=1e-5)


def test_recentring_changes_no_probability():
    model = made()
    before = np.asarray(model.log_prob(ALL))
    model.layer.recentre(np.random.default_rng(0).random(6).astype("float32"), np.full(4, 0.3, "float32"), 0.7)
    np.testing.assert_allclose(model.log_prob(ALL), before, atol=1e-5)


def test_annealed_importance_sampling_brackets_the_exact_value():
    model = made(1.5)
    exact = model.exact_log_partition()
    (low, low_error), (high, high_error) = (
        model.log_partition(chains=400, temperatures=200, reverse=reverse) for reverse in (False, True)
    )
    assert abs(low - exact) < 4 * low_error + 1e-3
    assert abs(high - exact) < 4 * high_error + 1e-3
    few = [model.log_partition(chains=40, temperatures=2, seed=seed)[0] for seed in range(20)]
    assert np.mean(few) < exact  # from below, on average
    back = [model.log_partition(chains=40, temperatures=2, seed=seed, reverse=True)[0] for seed in range(20)]
    assert np.mean(back) > exact


def test_draws_have_the_models_probabilities():
    model = made(gibbs_steps=60)
    draws = model.generate(5000, seed=0)
    index = ((draws.reshape(-1, 6) > 0) @ (2 ** np.arange(6)[::-1])).astype(int)
    counts = np.bincount(index, minlength=64) / len(draws)
    np.testing.assert_allclose(counts, np.exp(np.asarray(model.log_prob(ALL))), atol=5 * math.sqrt(0.25 / 5000))


def test_philox_of_rows_is_philox():
    """Salmon et al. 2011, the known answer of Philox4x32-10 for a counter and a key of zeros."""
    known = np.array([0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8])
    drawn = noise.of_rows(tf.zeros((1, 2), tf.uint32), 0, 4)
    np.testing.assert_array_equal(drawn[0], ((known >> 8) * 2.0**-24).astype("float32"))
    many = np.asarray(noise.of_rows(tf.constant(np.arange(200).reshape(100, 2), tf.uint32), 3, 101))
    assert many.shape == (100, 101)
    assert abs(many.mean() - 0.5) < 0.01
    assert len(np.unique(many)) > 10_000


def test_normal_of_rows_is_normal_and_a_row_depends_on_its_key_and_the_step_alone():
    keys = tf.constant(np.arange(400).reshape(200, 2), tf.uint32)
    drawn = np.asarray(noise.normal_of_rows(keys, 7, 99))
    assert drawn.shape == (200, 99)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(drawn[:40]) - np.eye(40)).max() < 0.5
    np.testing.assert_allclose(noise.normal_of_rows(keys[3:5], tf.constant(7), 99), drawn[3:5], atol=1e-5)
    assert np.abs(np.asarray(noise.normal_of_rows(keys, 8, 99)) - drawn).max() > 1.0


def test_keys_are_every_bit_of_their_fractions():
    wanted = np.array([[0, 1], [4095, 4096], [2**23 + 1, 2**24 - 1]], "uint32")
    fractions = (wanted * 2.0**-24).astype("float32")
    np.testing.assert_array_equal(noise.keys(tf.constant(fractions)), wanted)


def test_chains_persist_and_resume_bit_equal(tmp_path):
    def run(stop):
        tz.runtime.setup(seed=0)
        model = tz.create("rbm", image_shape=SHAPE, width=UNITS, chains=8, seed=0)
        model.compile()
        for part in np.split(data(48), 3):
            model.train_on_batch(part)
            if stop:
                model.save(tmp_path / "rbm.keras")
                model = keras.models.load_model(tmp_path / "rbm.keras")
        return model

    one, other = run(False), run(True)
    np.testing.assert_array_equal(one.chain, other.chain)
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    before = np.array(one.chain)
    one.evaluate(data(), verbose=0)
    np.testing.assert_array_equal(one.chain, before)


def test_it_learns_likelier_images():
    model, images = tz.create("rbm", image_shape=SHAPE, width=8, seed=0), data(256)
    images[:, 1] = images[:, 0]  # rows alike: 3 bits of 6
    model.compile(optimizer=keras.optimizers.Adam(0.03))
    before = np.mean(model.log_prob(images))
    model.fit(images, epochs=40, batch_size=64, verbose=0)
    after = np.mean(model.log_prob(images))
    assert after > before + 0.8
    assert after < -3 * 0.6  # no more than the entropy of three pixels allows


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("rbm", image_shape=SHAPE, k=0), "k=0: give a whole number, at least 1"),
        (lambda: tz.create("rbm", image_shape=(2,)), "binary units; for points take 'realnvp'"),
        (lambda: made().log_partition(temperatures=1), "temperatures=1: give a whole number, at least 2"),
        (lambda: tz.create("rbm", image_shape=(5, 5, 1), width=30).exact_log_partition(), "too many to"),
        (
            lambda: tz.create("rbm", image_shape=SHAPE, likelihood=Bernoulli(binarise=False)).check_images(
                tf.zeros((2, *SHAPE))
            ),
            r"images are grey.*dynamic.*static",
        ),
        (
            lambda: tz.RBM(boltzmann.restricted(SHAPE, 3, centred=False), likelihood=tz.likelihoods.Bernoulli()),
            r"centred=True: this energy has no offsets.*restricted.*or give centred=False",
        ),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
