"""The recipes about latents: what their numbers mean on a model and on data where they are known."""

import numpy as np
import pytest
import typer

import tfgan_zoo as tz
from recipes import latent_walk, nearest_neighbours, vector_arithmetic

SIDE = 16


def run_in(directory, **config):
    """What the recipes ask of a run."""
    run = tz.Run(directory, {"dataset": "digits", "image_size": SIDE} | config)
    run.directory.mkdir(parents=True)
    return run


class Album:
    """A model that remembers its training images: the nearest of 16 of them to where the latent points, a little."""

    name, latent_dim, condition, image_shape, prior = "album", 8, None, (SIDE, SIDE, 1), tz.priors.Normal()

    def __init__(self):
        images, _ = tz.data.arrays("digits", image_size=SIDE)
        self.pages = np.asarray(tz.pixels.from_uint8(images[:16]))
        self.marks = np.random.default_rng(0).normal(size=(16, 8))

    def draw_latents(self, num_images, seed):
        return self.prior.sample(num_images, 8, (seed, 0))

    def draw(self, latents, condition=None):
        return self.pages[(np.asarray(latents) @ self.marks.T).argmax(1)]

    def generate(self, num_images, labels=None, seed=0):
        return self.draw(self.draw_latents(num_images, seed))


def test_copies_are_told_from_new_images(tmp_path):
    found = nearest_neighbours.scores(Album(), run_in(tmp_path / "a"))
    assert found["nearest_pixels_ratio"] < 0.01
    assert found["nearest_features_ratio"] < 0.01
    assert found["nearest_pixels_test_images"] > 1


def test_a_memorised_walk_jumps_and_a_smooth_one_does_not(tmp_path):
    run = run_in(tmp_path / "a")
    jumps = latent_walk.scores(Album(), run)
    smooth = latent_walk.scores(
        tz.create("gan", image_shape=(SIDE, SIDE, 1), width=8, prior=tz.priors.Normal(), seed=0), run
    )
    for path in ("walk", "lines"):
        assert jumps[f"{path}_largest_step"] > 2.5 > 2.0 > smooth[f"{path}_largest_step"] >= 1.0
        assert 0.0 <= smooth[f"{path}_near_real"] <= 1.0
    assert smooth["walk_least_length"] > 0.9
    assert 0.65 < smooth["lines_least_length"] < 0.8  # orthogonal latents of one length: 1 / sqrt(2)


def test_a_sum_of_a_and_b_and_b_is_a_and_the_turn_makes_many_an_a(tmp_path):
    found = vector_arithmetic.scores(Album(), run_in(tmp_path / "a", a=3, b=3, c=3))
    assert found.get("sum_is_3", 0) > 0.5  # a - a + a
    assert sum(share for name, share in found.items() if name != "turned") == pytest.approx(1.0)
    assert 0.0 <= found["turned"] <= 1.0


def test_classes_that_are_not_there_are_refused_before_training(tmp_path):
    with pytest.raises(typer.BadParameter, match="10 is no class: digits has classes 0 to 9"):
        vector_arithmetic.main(a=10, out=tmp_path / "a")
    with pytest.raises(ValueError, match="No classifier is shipped for 'ring8'"):
        vector_arithmetic.main(dataset="ring8", out=tmp_path / "a")
    assert not (tmp_path / "a").exists()
