"""Dropout and GaussianNoise: their moments, their state, and the same noise in any compilation and on any replica."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.layers import Dropout, GaussianNoise

ONES = np.ones((400, 50), "float32")
KINDS = [Dropout(0.3, seed=1), GaussianNoise(0.5, seed=1)]


def drawn(layer, inputs=ONES):
    return np.array(type(layer).from_config(layer.get_config())(inputs, training=True))


def test_dropout_drops_its_share_and_keeps_the_mean():
    values = drawn(Dropout(0.3, seed=1))
    assert set(np.unique(values)) == {0.0, np.float32(1.0) / np.float32(0.7)}
    assert (values == 0).mean() == pytest.approx(0.3, abs=0.02)  # three standard deviations of 20,000 are 0.01
    assert (drawn(Dropout(0.0, seed=1)) == 1).all()


def test_noise_has_its_deviation_and_no_mean():
    values = drawn(GaussianNoise(0.5, seed=1)) - 1.0
    assert values.mean() == pytest.approx(0.0, abs=0.02)
    assert values.std() == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize("layer", KINDS, ids=lambda layer: layer.name)
def test_it_acts_in_training_alone_and_never_twice_alike(layer):
    np.testing.assert_array_equal(layer(ONES), ONES)
    np.testing.assert_array_equal(layer(ONES, training=False), ONES)
    before = np.array(layer.seed_generator.state)
    first, second = np.array(layer(ONES, training=True)), np.array(layer(ONES, training=True))
    assert (first != second).mean() > 0.1
    np.testing.assert_array_equal(np.array(layer.seed_generator.state), [before[0], before[1] + 2])
    half = layer(tf.cast(ONES, tf.bfloat16), training=True)
    assert np.isfinite(np.array(half, "float32")).all()


@pytest.mark.parametrize("layer", KINDS, ids=lambda layer: layer.name)
def test_the_same_compiled_and_shared_out(layer, monkeypatch):
    expected = drawn(layer)
    for jit in (False, True):
        copy = type(layer).from_config(layer.get_config())
        compiled = tf.function(lambda x, copy=copy: copy(x, training=True), jit_compile=jit)
        np.testing.assert_allclose(compiled(ONES), expected, atol=1e-6)
    monkeypatch.setattr(noise, "shared", lambda draw, count: draw(2 * count)[count:])  # the second of two replicas
    np.testing.assert_allclose(drawn(layer, ONES[:200]), expected[200:], atol=1e-6)


def test_it_saves_and_refuses(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Dropout(0.5, seed=2), GaussianNoise(1.0)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in model.layers]
    with pytest.raises(ValueError, match=r"rate=1\.0: .*\[0, 1\)"):
        Dropout(1.0)
    with pytest.raises(ValueError, match=r"stddev=-1: .*not negative"):
        GaussianNoise(-1)
