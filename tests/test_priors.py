"""Priors: what the generator is fed; above all InfoGAN's codes, their layout, distribution and rows."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.priors import Codes, Normal, Uniform

SEED = tf.constant([3, 4])
MANY = 20_000
BUG = "priors.py: Codes checks neither that categorical is a tuple nor that continuous is an integer"
THREE = Codes(categorical=(10, 3), continuous=2)


def drawn(prior=THREE, num_images=MANY, latent_dim=20, seed=SEED):
    return np.array(prior.sample(num_images, latent_dim, seed))


def test_codes_are_noise_then_one_hots_then_continuous():
    latents = drawn()
    assert (latents.dtype, latents.shape) == (np.float32, (MANY, 20))
    assert THREE.code_dim == 15
    noise, ten, three, continuous = np.split(latents, [5, 15, 18], axis=1)
    for one_hots in (ten, three):
        assert set(np.unique(one_hots)) == {0.0, 1.0}
        np.testing.assert_array_equal(one_hots.sum(1), 1.0)
    assert np.abs(noise).max() > 2  # normal
    assert np.abs(continuous).max() <= 1


def test_categories_are_drawn_evenly_and_apart_from_one_another():
    latents = drawn()
    ten, three = latents[:, 5:15].argmax(1), latents[:, 15:18].argmax(1)
    table = np.zeros((10, 3))
    np.add.at(table, (ten, three), 1)
    chi_squared = ((table - MANY / 30) ** 2 / (MANY / 30)).sum()  # of 29 degrees of freedom
    assert 29 - 4 * np.sqrt(58) < chi_squared < 29 + 4 * np.sqrt(58)


def test_continuous_codes_are_uniform_and_the_noise_is_its_prior():
    latents = drawn()
    continuous = latents[:, 18:]
    assert continuous.min() < -0.999
    assert continuous.max() > 0.999
    np.testing.assert_allclose(continuous.var(0), 1 / 3, rtol=0.03)
    np.testing.assert_allclose(continuous.mean(0), 0.0, atol=0.02)
    quarters = np.histogram(continuous, bins=4, range=(-1, 1))[0] / continuous.size
    np.testing.assert_allclose(quarters, 0.25, atol=0.01)
    np.testing.assert_allclose(latents[:, :5].std(0), 1.0, rtol=0.03)
    narrow = drawn(Codes((2,), 0, noise=Normal(0.1)), latent_dim=10)[:, :8]
    np.testing.assert_allclose(narrow.std(0), 0.1, rtol=0.03)
    flat = drawn(Codes((2,), 0, noise=Uniform(2.0, 3.0)), latent_dim=10)[:, :8]
    assert (flat.min() >= 2.0, flat.max() <= 3.0) == (True, True)
    assert flat.mean() == pytest.approx(2.5, abs=0.01)


def test_coordinates_do_not_know_of_one_another():
    latents = drawn(Codes((2, 2), 3), latent_dim=11)
    columns = np.delete(latents, [5, 7], axis=1)  # a one-hot's second coordinate is one minus its first
    correlations = np.corrcoef(columns.T) - np.eye(9)
    assert np.abs(correlations).max() < 0.035  # five standard errors


@pytest.mark.parametrize("prior", [THREE, Codes((4,), 0), Codes((), 3), Codes((2, 2, 2), 1, Uniform())], ids=str)
def test_rows_nest(prior):
    many = drawn(prior, 50)
    np.testing.assert_array_equal(drawn(prior, 7), many[:7])
    np.testing.assert_array_equal(drawn(prior, 50), many)
    assert not np.array_equal(drawn(prior, 50, seed=tf.constant([3, 5])), many)


@pytest.mark.parametrize("jit", [False, True])
def test_graphs_draw_the_same_for_live_numbers_of_rows_and_seeds(jit):
    live = [tf.TensorSpec((), "int32"), tf.TensorSpec((2,), "int32")]
    compiled = tf.function(lambda count, seed: THREE.sample(count, 20, seed), input_signature=live, jit_compile=jit)
    np.testing.assert_array_equal(compiled(7, SEED), drawn(num_images=7))


def test_codes_may_fill_the_latent():
    latents = drawn(THREE, 100, latent_dim=15)
    assert latents.shape == (100, 15)
    np.testing.assert_array_equal(latents[:, :13].sum(1), 2.0)


def test_split_gives_back_what_was_put_together():
    latents = drawn(num_images=9)
    blocks, continuous = THREE.split(latents)
    np.testing.assert_array_equal(np.concatenate([latents[:, :5], *blocks, continuous], axis=1), latents)
    assert [block.shape for block in (*blocks, continuous)] == [(9, 10), (9, 3), (9, 2)]
    heads = np.arange(30.0).reshape(2, 15)  # of as many coordinates as there are codes
    blocks, continuous = THREE.split(heads)
    np.testing.assert_array_equal(np.concatenate([*blocks, continuous], axis=1), heads)
    blocks, continuous = Codes((), 3).split(heads)
    assert (blocks, continuous.shape) == ([], (2, 3))
    blocks, continuous = Codes((4,), 0).split(heads)
    assert (blocks[0].shape, continuous.shape) == ((2, 4), (2, 0))


@pytest.mark.parametrize("prior", [THREE, Codes((), 1), Codes((4,), 0, Uniform(0.0, 2.0)), Normal(0.5), Uniform()])
def test_config_comes_back_equal_and_hashable(prior):
    back = type(prior).from_config(json.loads(json.dumps(prior.get_config())))
    assert back == prior
    assert hash(back) == hash(prior)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Codes((1,)), r"categorical=\(1,\).*such as \(10,\)"),
        (lambda: Codes((10, 0)), r"categorical=\(10, 0\)"),
        (lambda: Codes((2.5,)), r"categorical=\(2.5,\)"),
        (lambda: Codes((True,)), r"categorical=\(True,\)"),
        pytest.param(lambda: Codes(10), "categorical=10"),
        (lambda: Codes((10,), -1), "continuous=-1"),
        pytest.param(lambda: Codes((10,), 1.5), "continuous=1.5"),
        (lambda: Codes((), 0), "continuous=0: give at least one code"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
