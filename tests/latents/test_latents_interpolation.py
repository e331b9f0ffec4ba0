"""Lines and great circles between latents, and grids of images on them."""

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo.latents import interpolate, lerp, slerp

RNG = np.random.default_rng(0)
SHARES = np.linspace(0.0, 1.0, 7)


def test_lerp_is_the_straight_line():
    start, end = RNG.normal(size=(2, 3, 5))
    way = lerp(start, end, SHARES)
    assert way.shape == (3, 7, 5)
    for number, share in enumerate(SHARES):
        np.testing.assert_allclose(way[:, number], start + share * (end - start))
    np.testing.assert_array_equal(lerp(start, end, 0.5), (start + end) / 2)


def test_slerp_in_the_plane_turns_by_a_share_of_the_angle():
    for angle in (0.3, 1.0, np.pi / 2, 3.0):
        end = [2 * np.cos(0.4 + angle), 2 * np.sin(0.4 + angle)]
        way = slerp([2 * np.cos(0.4), 2 * np.sin(0.4)], end, SHARES)
        expected = 2 * np.stack([np.cos(0.4 + SHARES * angle), np.sin(0.4 + SHARES * angle)], axis=1)
        np.testing.assert_allclose(way, expected, atol=1e-12)


def test_slerp_is_whites_formula_where_lengths_are_equal():
    start, end = RNG.normal(size=(2, 20, 50))
    end *= np.linalg.norm(start, axis=1, keepdims=True) / np.linalg.norm(end, axis=1, keepdims=True)
    omega = np.arccos(np.sum(start * end, 1) / np.sum(start**2, 1))[:, None]
    for share in SHARES:
        white = (np.sin((1 - share) * omega) * start + np.sin(share * omega) * end) / np.sin(omega)
        np.testing.assert_allclose(slerp(start, end, share), white, atol=1e-12)


def test_lengths_change_linearly_and_the_way_back_is_the_way():
    start, end = RNG.normal(size=(2, 10, 8)) * [[[3.0]], [[0.5]]]
    way = slerp(start, end, SHARES)
    first, last = np.linalg.norm(start, axis=1), np.linalg.norm(end, axis=1)
    np.testing.assert_allclose(np.linalg.norm(way, axis=2), np.outer(first, 1 - SHARES) + np.outer(last, SHARES))
    np.testing.assert_allclose(slerp(end, start, SHARES), way[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(way[:, [0, -1]], np.stack([start, end], 1), atol=1e-12)


def test_parallel_latents_are_joined_by_the_straight_line():
    start = RNG.normal(size=(4, 6))
    for factor in (1.0, 2.5, 1.0 + 1e-13):
        np.testing.assert_allclose(
            slerp(start, factor * start, SHARES), lerp(start, factor * start, SHARES), atol=1e-12
        )
    nearly = start + 1e-7 * RNG.normal(size=(4, 6))
    np.testing.assert_allclose(slerp(start, nearly, SHARES), lerp(start, nearly, SHARES), atol=1e-12)


@pytest.mark.parametrize("factor", [-1.0, -3.0, -1.0 - 1e-13])
def test_opposite_latents_are_joined_by_half_a_great_circle(factor):
    start = RNG.normal(size=(5, 4))
    way = slerp(start, factor * start, SHARES)
    assert np.isfinite(way).all()
    first = np.linalg.norm(start, axis=1)
    np.testing.assert_allclose(np.linalg.norm(way, axis=2), np.outer(first, 1 - SHARES - factor * SHARES))
    directions = way / np.linalg.norm(way, axis=2, keepdims=True)
    angles = np.arccos(np.clip(np.sum(directions[:, :-1] * directions[:, 1:], 2), -1, 1))
    np.testing.assert_allclose(angles, np.pi / 6, atol=1e-7)
    np.testing.assert_allclose(way[:, -1], factor * start, atol=1e-7)


def test_a_latent_of_no_length_has_the_others_direction():
    end = np.array([3.0, 4.0])
    np.testing.assert_allclose(slerp(np.zeros(2), end, SHARES), np.outer(SHARES, end), atol=1e-15)
    np.testing.assert_allclose(slerp(end, np.zeros(2), 0.25), 0.75 * end)
    np.testing.assert_array_equal(slerp(np.zeros(2), np.zeros(2), SHARES), np.zeros((7, 2)))


@pytest.mark.parametrize("path", [lerp, slerp])
def test_a_column_of_shares_has_one_for_each_pair(path):
    start, end = RNG.normal(size=(2, 5, 4))
    shares = RNG.uniform(size=(5, 1))
    each = [path(a, b, share) for a, b, (share,) in zip(start, end, shares, strict=True)]
    np.testing.assert_allclose(path(start, end, shares), each, rtol=1e-12)


@pytest.mark.parametrize(
    ("path", "arguments", "sentence"),
    [
        (lerp, (np.ones((3, 2)), np.ones((3, 2)), np.zeros((2, 1))), r"shares has shape \(2, 1\)"),
        (lerp, (np.zeros(3), np.zeros(4), 0.5), r"start is \(3,\) and end \(4,\)"),
        (lerp, (1.0, 2.0, 0.5), r"start is \(\)"),
        (slerp, (np.ones((2, 1)), np.ones((2, 1)), 0.5), "latents of 1 coordinate have none; take lerp"),
        (slerp, (np.ones(2), np.ones(2), np.zeros((2, 2))), r"shares has shape \(2, 2\)"),
    ],
)
def test_paths_refuse_in_a_sentence(path, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        path(*arguments)


@pytest.fixture(scope="module")
def gan():
    return tz.create("gan", image_shape=(8, 8, 1), width=8, seed=0)


def test_a_row_leads_from_one_seeds_image_to_anothers(gan, tmp_path):
    pairs = [(0, 1), (5, 3)]
    images = interpolate(gan, pairs, columns=4, to=tmp_path / "a.png")
    assert images.shape == (8, 8, 8, 1)
    assert images.dtype == np.float32
    ends = images.reshape(2, 4, 8, 8, 1)[:, [0, -1]]
    for row, pair in enumerate(pairs):
        for end, seed in enumerate(pair):
            np.testing.assert_allclose(ends[row, end], gan.generate(1, seed=seed)[0], atol=1e-6)
    middle = gan.draw(lerp(gan.draw_latents(1, 0), gan.draw_latents(1, 1), 0.5).astype("float32"))
    straight = interpolate(gan, pairs, columns=3, path=lerp)
    np.testing.assert_allclose(straight[1], np.asarray(middle)[0], atol=1e-6)
    assert np.abs(straight[1] - interpolate(gan, pairs, columns=3)[1]).max() > 1e-4
    with Image.open(tmp_path / "a.png") as picture:
        assert min(picture.size) > 300
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_conditional_row_keeps_its_first_seeds_class_or_the_one_that_is_given():
    cgan = tz.create("cgan", image_shape=(8, 8, 1), width=4, seed=0)
    drawn = interpolate(cgan, [(4, 1), (2, 9)], columns=2)
    np.testing.assert_allclose(drawn[0], cgan.generate(1, seed=4)[0], atol=1e-6)
    np.testing.assert_allclose(drawn[2], cgan.generate(1, seed=2)[0], atol=1e-6)
    given = interpolate(cgan, [(4, 1), (2, 9)], columns=2, labels=[6, 3])
    np.testing.assert_allclose(given[1], cgan.generate(1, labels=[6], seed=1)[0], atol=1e-6)
    np.testing.assert_allclose(given[3], cgan.generate(1, labels=[3], seed=9)[0], atol=1e-6)


def test_points_are_walked_and_scattered(tmp_path):
    model = tz.create("gan", image_shape=(2,), width=8, latent_dim=3, seed=0)
    points = interpolate(model, [(0, 1), (1, 2)], columns=5, to=tmp_path / "a.png")
    assert points.shape == (10, 2)
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([(0, 1, 2)],), "give pairs of seeds"),
        (([],), "give pairs of seeds"),
        (([(0.5, 1.0)],), "give pairs of seeds"),
        (([(-1, 1)],), "give pairs of seeds"),
        (([(0, 1)], 1), "columns=1: a way has a start and an end"),
        (([(0, 1)], 2.5), "columns=2.5"),
        (([(0, 1)], 3, slerp, [1]), "is unconditional"),
    ],
)
def test_interpolation_refuses_in_a_sentence(gan, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        interpolate(gan, *arguments)
