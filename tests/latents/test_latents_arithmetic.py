"""Vector arithmetic and truncation: sums, noise, thresholds, and what a picture of them holds."""

import numpy as np
import pytest
import scipy.stats
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo.latents import (
    along,
    arithmetic,
    closed_form_directions,
    interpolate,
    invert,
    nearest,
    pca_directions,
    traversal,
    truncate,
    truncated,
    turn,
)

RNG = np.random.default_rng(0)


class Mirror:
    """A model whose images are its latents."""

    name, latent_dim, prior, condition = "mirror", 4, tz.priors.Normal(2.0), None

    def draw_latents(self, num_images, seed):
        return self.prior.sample(num_images, 4, (seed, 0))

    def draw(self, latents, condition=None):
        return np.reshape(latents, (-1, 2, 2, 1))


def test_the_sum_is_of_averages_and_the_noise_is_uniform_around_it():
    a, b, c = RNG.normal(size=(3, 3, 4))
    images = arithmetic(Mirror(), a, b[:2], c[:1], seed=5).reshape(9, 4)
    total = a.mean(0) - b[:2].mean(0) + c[0]
    np.testing.assert_allclose(images[4], total, atol=1e-6)
    noise = np.concatenate([arithmetic(Mirror(), a, b, c, seed=s).reshape(9, 4) for s in range(60)])
    noise = np.delete(noise.reshape(60, 9, 4) - (a - b + c).mean(0), 4, axis=1).ravel()
    assert np.abs(noise).max() <= 0.25 + 1e-5
    assert scipy.stats.kstest(noise, scipy.stats.uniform(-0.25, 0.5).cdf).pvalue > 0.01
    np.testing.assert_allclose(
        arithmetic(Mirror(), a, b, c, noise=0).reshape(9, 4)[[0, 8]], [(a - b + c).mean(0)] * 2, atol=1e-6
    )
    np.testing.assert_array_equal(arithmetic(Mirror(), a, b, c, seed=1), arithmetic(Mirror(), a, b, c, seed=1))


def test_a_turn_is_left_minus_right():
    left, right = RNG.normal(size=(4, 6)), RNG.normal(size=(3, 6))
    np.testing.assert_allclose(turn(left, right), left.mean(0) - right.mean(0), atol=1e-6)
    np.testing.assert_allclose(turn(right, left), -turn(left, right), atol=1e-6)


def test_a_conditional_sum_is_of_the_last_of_four_classes(tmp_path):
    cgan = tz.create("cgan", image_shape=(8, 8, 1), width=4, seed=0)
    a, b, c = np.asarray(cgan.draw_latents(9, 0)).reshape(3, 3, -1)
    images = arithmetic(cgan, a, b, c, labels=[1, 2, 3, 7], names=("x", "y", "z"), to=tmp_path / "a.png")
    latent = (a - b + c).mean(0, keepdims=True)
    np.testing.assert_allclose(images[4], np.asarray(cgan.draw(latent, np.array([7])))[0], atol=1e-5)
    assert np.abs(images[4] - np.asarray(cgan.draw(latent, np.array([3])))[0]).max() > 1e-4
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size[0] > picture.size[1] > 500
    with pytest.raises(ValueError, match="labels are"):
        arithmetic(cgan, a, b, c, labels=[1, 2, 3])


def test_truncated_numbers_follow_the_truncated_normal_law():
    drawn = RNG.normal(size=20_000)
    for threshold in (0.04, 0.5, 1.0, 2.0):
        numbers = truncated(drawn, threshold)
        assert np.abs(numbers).max() <= threshold
        assert scipy.stats.kstest(numbers, scipy.stats.truncnorm(-threshold, threshold).cdf).pvalue > 0.01
        np.testing.assert_array_equal(np.argsort(numbers), np.argsort(drawn))
        np.testing.assert_allclose(truncated(-drawn, threshold), -numbers)
    resampled = RNG.normal(size=60_000)
    resampled = resampled[np.abs(resampled) <= 0.5]  # as the paper does it
    assert scipy.stats.ks_2samp(truncated(drawn, 0.5), resampled).pvalue > 0.01
    np.testing.assert_allclose(truncated(drawn, 50.0), drawn, atol=1e-9)
    np.testing.assert_allclose(truncated([-5.5, 0.0, 5.5], 20.0), [-5.5, 0.0, 5.5], atol=1e-9)


def test_rows_are_thresholds_of_one_seeds_latents_in_the_priors_scale(tmp_path):
    latents = truncate(Mirror(), [1e9, 1.0, 0.1], num_images=50, seed=3).reshape(3, 50, 4)
    drawn = np.asarray(Mirror().draw_latents(50, 3))
    np.testing.assert_allclose(latents[0], drawn, atol=1e-5)
    assert 1.8 < np.abs(latents[1]).max() <= 2.0
    assert 0.18 < np.abs(latents[2]).max() <= 0.2
    np.testing.assert_array_equal(np.sign(latents[2]), np.sign(drawn))
    np.testing.assert_array_equal(truncate(Mirror(), 1.0, 8, seed=3).reshape(8, 4), latents[1, :8])
    cgan = tz.create("cgan", image_shape=(8, 8, 1), width=4, prior=tz.priors.Normal(), seed=0)
    images = truncate(cgan, [20.0, 0.1], 3, labels=[2, 5, 9], seed=1, to=tmp_path / "a.png")
    np.testing.assert_allclose(images[:3], cgan.generate(3, labels=[2, 5, 9], seed=1), atol=1e-5)
    assert (tmp_path / "a.png").stat().st_size > 1000


class Boxed(Mirror):
    prior = tz.priors.Uniform()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: truncate(Boxed(), 1.0), r"draws its latents from Uniform.*prior=tz.priors.Normal\(\)"),
        (lambda: truncate(Mirror(), 0.0), "threshold=.*0.0.*: give a positive number"),
        (lambda: truncate(Mirror(), np.nan), "give a positive number"),
        (lambda: truncate(Mirror(), [[1.0]]), r"threshold has shape \(1, 1\)"),
        (lambda: truncate(Mirror(), 1.0, 0), "num_images=0: ask for at least 1"),
        (lambda: turn(np.ones((2, 3)), np.ones((2, 4))), "left has 3 coordinates and right 4"),
        (lambda: turn(np.ones(3), np.ones((2, 3))), r"left has shape \(3,\)"),
        (lambda: arithmetic(Mirror(), *np.ones((3, 3, 5))), r"a has shape \(3, 5\): give latents \(n, 4\)"),
        (lambda: arithmetic(Mirror(), *np.ones((3, 3, 4)), noise=-1.0), "noise=-1.0"),
        (lambda: arithmetic(Mirror(), *np.ones((3, 0, 4))), r"a has shape \(0, 4\)"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


class Denoiser:
    """A model whose images come from no latent."""

    name, condition, image_shape, prior = "denoiser", None, (2, 2, 1), tz.priors.Normal()

    def generate(self, num_images, labels=None, seed=None):
        return np.zeros((num_images, 2, 2, 1), "float32")


@pytest.mark.parametrize(
    "call",
    [
        lambda m: interpolate(m, [(0, 1)]),
        lambda m: traversal(m, 0, [0.0]),
        lambda m: along(m, np.ones(4), [0.0]),
        lambda m: arithmetic(m, *np.zeros((3, 1, 4))),
        lambda m: truncate(m, 1.0),
        lambda m: invert(m, np.zeros((1, 2, 2, 1), "float32")),
        closed_form_directions,
        pca_directions,
    ],
)
def test_what_has_no_latents_is_refused_in_a_sentence(call):
    with pytest.raises(ValueError, match="denoiser has no latents: give a model with draw_latents"):
        call(Denoiser())


def test_what_has_latents_and_no_generator_has_no_directions_in_it_but_neighbours_are_anyones():
    with pytest.raises(ValueError, match="mirror has no generator to look into"):
        pca_directions(Mirror())
    with pytest.raises(ValueError, match="mirror has no generator to look into"):
        closed_form_directions(Mirror())
    data = np.zeros((3, 2, 2, 1), "float32")
    assert nearest(Denoiser(), data, num_images=2, neighbours=1).distances.max() == 0
