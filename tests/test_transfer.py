"""A model that begins with another's weights, and a discriminator whose first layers rest."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz

RNG = np.random.default_rng(0)
SMALL = {"width": 2, "latent_dim": 4}


def images(size):
    return np.tanh(RNG.normal(size=(8, size, size, 1))).astype("float32")


def fitted(model, size):
    model.compile(run_eagerly=True)
    model.fit(tf.data.Dataset.from_tensor_slices(images(size)).batch(4), verbose=0)
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    tz.runtime.setup(seed=0)
    directory = tmp_path_factory.mktemp("run")
    (directory / "run").mkdir()
    model = fitted(tz.create("r3gan", (8, 8, 1), blocks=1, group_size=4, **SMALL), 8)
    model.save(directory / "run/last.keras")
    return model, directory


def test_the_same_size_is_copied_whole(saved, capsys):
    model, directory = saved
    again = tz.create("r3gan", (8, 8, 1), init_from=directory, blocks=1, group_size=4, **SMALL)
    assert "weights copied" in capsys.readouterr().out
    np.testing.assert_array_equal(again.generate(3, seed=0), model.generate(3, seed=0))
    for ours, theirs in zip(again.discriminator.weights, model.discriminator.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert int(again.step) == 0
    report = again.init_from(directory / "run/last.keras")
    assert not report.new
    assert not report.left


def test_a_larger_size_takes_what_it_has_in_common_and_says_what_is_new(saved):
    _, directory = saved
    larger = tz.create("r3gan", (16, 16, 1), blocks=1, group_size=4, channel_max=4, width=2, latent_dim=4)
    start = [np.array(weight) for weight in larger.generator.weights]
    report = larger.init_from(directory)
    assert report.copied
    assert report.new  # the layers of 16 x 16
    assert all(path.split("/")[0] in ("generator", "discriminator", "average of generator") for path in report.copied)
    moved = [not np.array_equal(old, weight) for old, weight in zip(start, larger.generator.weights, strict=True)]
    assert any(moved)
    assert f"{len(report.copied)} weights copied; {len(report.new)} new" in str(report)


def test_frozen_layers_rest_and_stay_frozen(saved, tmp_path):
    _, directory = saved
    model = tz.create("r3gan", (8, 8, 1), init_from=directory, freeze_d=2, blocks=1, group_size=4, **SMALL)
    weighted = [layer for layer in model.discriminator.layers if layer.weights]
    before = [[np.array(weight) for weight in layer.weights] for layer in weighted]
    fitted(model, 8)
    same = [
        all(np.array_equal(old, weight) for old, weight in zip(olds, layer.weights, strict=True))
        for olds, layer in zip(before, weighted, strict=True)
    ]
    assert same[:2] == [True, True]
    assert not any(same[2:])
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert loaded.freeze_d == 2
    assert len(loaded.discriminator.trainable_variables) == len(model.discriminator.trainable_variables)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda where: tz.create("r3gan", (8, 8, 1), init_from=where / "nowhere", **SMALL),
            "neither a .keras file nor",
        ),
        (lambda where: tz.create("vae", (8, 8, 1), init_from=where), "holds a GAN, and vae is a VAE"),
        (lambda where: tz.create("r3gan", (8, 8, 1), freeze_d=99, **SMALL), "freeze_d=99: give 0 to"),
    ],
)
def test_refuses_in_a_sentence(saved, make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(saved[1])
