"""A family of 25 lines that nobody has prepared for: it learns, draws by steps, and everything else comes with it."""

import inspect
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo import noise, registry
from tfgan_zoo.serialization import serializable


@serializable
class Toy(tz.GenerativeModel):
    """A denoiser: x0 from x at a level, and from there to the next level (DDIM with eta 0)."""

    def __init__(self, denoiser, **model):
        super().__init__({"denoiser": denoiser}, image_shape=denoiser.output_shape[1:], **model)

    def loss_names(self):
        return ("denoising_loss",)

    def batch_losses(self, images, condition, training):
        rows = tf.shape(images)[0]
        eps = noise.shared(lambda n: noise.normal((n, *self.image_shape), self.noise_seed("eps")), rows)
        level = noise.shared(lambda n: noise.uniform((n, 1, 1, 1), self.noise_seed("level")), rows)
        clean = self.denoiser([tf.sqrt(1 - level) * images + tf.sqrt(level) * eps, level[:, 0, 0]], training=training)
        return {"denoising_loss": tf.reduce_mean((clean - images) ** 2)}

    def start(self, rows, seed):
        return {"noise": noise.normal((rows, *self.image_shape), seed)}

    def draw(self, noise, condition=None):
        for level, after in ((1.0, 0.6), (0.6, 0.2), (0.2, 0.0)):
            clean = self.inference["denoiser"]([noise, tf.ones_like(noise[:, 0, 0]) * level], training=False)
            eps = (noise - np.sqrt(1 - level) * clean) / np.sqrt(level)
            noise = np.sqrt(1 - after) * clean + np.sqrt(after) * eps
        return noise


def toy(image_shape, *, width=16, learning_rate=3e-3, **model):
    """The toy as an entry of the zoo."""
    x, level = keras.Input(image_shape), keras.Input((1,))
    y = layers.Concatenate()([layers.Flatten()(x), level])
    y = layers.Dense(math.prod(image_shape), activation="tanh")(layers.Dense(width, activation="relu")(y))
    optimizer = {"denoiser_optimizer": keras.optimizers.Adam(learning_rate)}
    return Toy(keras.Model([x, level], layers.Reshape(image_shape)(y)), name="toy", **optimizer | model)


@pytest.fixture
def entry(monkeypatch):
    """The toy, registered for one test."""
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))
    tz.register(toy, extends=Toy)
    return "toy"


def trained(entry, epochs=2, **overrides):
    model = tz.create(entry, image_shape=(8, 8, 1), seed=0, **overrides)
    model.compile()
    history = model.fit(tz.data.load("digits"), epochs=epochs, verbose=0).history
    return model, history


def test_it_is_short():
    lines = [line.strip() for line in inspect.getsource(Toy).splitlines()]
    assert len([line for line in lines if line and not line.startswith('"""')]) <= 25


def test_it_learns_draws_by_steps_is_saved_and_scored(entry, tmp_path):
    model, history = trained(entry, epochs=6, ema_decay=0.9)
    assert history["denoising_loss"][-1] < 0.7 * history["denoising_loss"][0]
    few, many = model.generate(3, seed=1), model.generate(300, seed=1)
    np.testing.assert_allclose(few, many[:3], atol=1e-5)
    np.testing.assert_allclose(np.concatenate(list(model.stream(300, seed=1, batch_size=7))), many, atol=1e-5)
    model.save(tmp_path / "toy.keras")
    loaded = keras.models.load_model(tmp_path / "toy.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    np.testing.assert_allclose(loaded.generate(3, seed=1), few, atol=1e-6)
    record = tz.evaluate(model, "digits", metrics="all", verbose=False)
    assert {"fd_classifier_360", "kid_classifier_360", "precision_classifier_360"} <= set(record["scores"])
    assert not any(name.startswith("path_length") for name in record["scores"])  # it has no latents


def test_it_is_exported_to_saved_model_and_litert(entry, tmp_path):
    model, _ = trained(entry, epochs=1)
    card = tz.export(model, tmp_path / "toy", formats=("saved_model", "tflite", "tflite_batch1"))
    assert set(card["formats"]["saved_model"]["signatures"]) == {"serving_default", "sample", "sample_png"}
    for name in ("saved_model", "tflite", "tflite_batch1"):
        served = tz.load_exported(tmp_path / "toy", format=name)
        np.testing.assert_allclose(served.generate(300, seed=4)[250:], model.generate(300, seed=4)[250:], atol=1e-4)
    assert tz.verify(tmp_path / "toy").keys() == card["formats"].keys()


def test_it_goes_on_where_it_was_stopped(entry, tmp_path):
    def fitted(directory, *parts):
        for epochs in parts:
            tz.runtime.setup(seed=0)
            model = tz.create(entry, image_shape=(8, 8, 1), seed=0, ema_decay=0.9)
            model.compile()
            images = tz.data.load("digits")
            model.fit(images, epochs=epochs, verbose=0, callbacks=[tz.callbacks.Checkpoint(directory)])
        return model.get_weights()

    for one, other in zip(fitted(tmp_path / "a", 3), fitted(tmp_path / "b", 1, 3), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow  # test_tuning.py searches a family of its own, too
def test_it_is_searched(entry, tmp_path):
    space = {"width": [4, 8], "learning_rate": (1e-4, 1e-2, "log")}
    report = tz.tuning.search(
        entry, "digits", space=space, max_trials=2, epochs=1, directory=tmp_path / "search", quiet=True
    )
    assert report is not None
    assert (tmp_path / "search" / "ranking.md").exists()
