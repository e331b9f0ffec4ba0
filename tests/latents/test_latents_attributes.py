"""Directions of attributes: found where it is known which they are, and judged by what they change."""

import keras
import numpy as np
import pytest

import tfgan_zoo as tz

SIDE = (4, 4, 1)


@pytest.fixture(scope="module")
def model():
    """Its first coordinate makes the left half bright, the second the right half; the third does nothing."""
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape(SIDE)])
    halves = np.zeros((3, 4, 4), "float32")
    halves[0, :, :2] = halves[1, :, 2:] = 1.0
    generator.layers[0].set_weights([halves.reshape(3, 16), np.zeros(16)])
    critic = tz.networks.mlp.discriminator(SIDE, 4)
    return tz.GAN(generator, critic, objective=tz.objectives.Hinge(), ema_decay=0.0, seed=0)


def left_is_bright(images):
    return images[:, :, :2].mean((1, 2, 3)) > 0.2


def test_the_direction_is_the_coordinate_that_makes_the_attribute_and_flips_it(model, tmp_path):
    found = tz.latents.attribute_direction(model, left_is_bright, 800)
    assert found.vector[0] > 0.98
    assert np.linalg.norm(found.vector) == pytest.approx(1.0, abs=1e-5)
    assert found.accuracy > 0.95
    assert 0.3 < found.share < 0.5
    assert tz.latents.flip_attribute(model, found, left_is_bright, to=tmp_path / "x.png") > 0.95
    assert (tmp_path / "x.png").exists()
    beside = found._replace(vector=np.array([0.0, 0.0, 1.0], "float32"))
    assert tz.latents.flip_attribute(model, beside, left_is_bright) == 0.0


def test_styles_are_where_a_style_model_is_moved():
    style = tz.create("stylegan2", (8, 8, 1), width=2, latent_dim=4, style_dim=5, depth=1, seed=0)
    bright = float(np.median(style.generate(100, seed=0).mean((1, 2, 3))))
    found = tz.latents.attribute_direction(style, lambda images: images.mean((1, 2, 3)) > bright, 200)
    assert found.vector.shape == (5,)
    assert found.accuracy > 0.6


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda model: tz.latents.attribute_direction(model, lambda x: np.ones(len(x)), 50), "says the same of all 50"),
        (lambda model: tz.latents.attribute_direction(model, lambda x: x, 50), "let it say one word of each"),
        (lambda model: tz.latents.attribute_direction(model, left_is_bright, 5), "num_latents=5"),
    ],
)
def test_refuses_in_a_sentence(model, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(model)
