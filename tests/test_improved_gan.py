"""The recipe of few labels: what it leaves, what it labels, and a second run that trains nothing."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from recipes import improved_gan
from tfgan_zoo.networks import improved

FLAGS = {"epochs": 1, "batch_size": 200, "width": 8, "labels": "20", "seeds": 1, "quiet": True}


@pytest.mark.slow
def test_it_leaves_errors_and_an_export_and_the_same_command_trains_nothing_more(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    record = improved_gan.main(out=out, **FLAGS)
    found = json.loads((out / "run/errors_1.json").read_text())
    assert list(found) == ["('semi-supervised', 20, 0)", "('alone', 20, 0)"]
    assert all(0.0 <= error <= 1.0 for error in found.values())
    served = {path.name for path in out.iterdir()}
    assert {"1", "generator.tflite", "generator.keras", "samples.png", "errors.png", "card.json", "run"} <= served
    assert json.loads((out / "card.json").read_text())["about"]["test_errors"] == found

    def train(*arguments):
        raise AssertionError("a finished run trained again")

    monkeypatch.setattr(improved_gan, "trained", train)
    assert improved_gan.main(out=out, **FLAGS) == record
    assert "is done already" in capsys.readouterr().out


def test_a_pair_that_is_known_is_not_trained_again(tmp_path, monkeypatch):
    class Trained(Exception):
        pass

    def train(kind, count, seed, config, callbacks):
        seen.append((kind, count, seed))
        if len(seen) == 3:
            raise Trained
        gan = tz.create("improved_gan", (8, 8, 1), width=4)
        gan.compile()
        return gan

    monkeypatch.setattr(improved_gan, "trained", train)
    jobs = [(kind, count, 0) for kind in ("semi-supervised", "alone") for count in (50, 20)]
    for expected in (jobs[:3], [jobs[0], jobs[2], jobs[3]]):
        seen = []
        with pytest.raises(Trained):
            improved_gan.main(out=tmp_path / "out", **FLAGS | {"labels": "20,50"})
        assert seen == expected


def test_half_of_a_batch_is_labelled_alike_over_classes_and_the_rest_is_not(monkeypatch):
    seen = []

    def fit(model, data, **arguments):
        seen.extend((images.numpy(), labels.numpy()) for images, labels in data)

    monkeypatch.setattr(tz.SemiSupervisedGAN, "fit", fit)
    monkeypatch.setattr(keras.optimizers.Adam, "finalize_variable_values", lambda optimizer, variables: None)
    config = {"dataset": "digits", "epochs": 1, "batch_size": 100, "width": 4}
    improved_gan.trained("semi-supervised", 20, 0, config, ())
    assert len(seen) == 1077 // 50
    assert all((labels[:50] >= 0).all() and (labels[50:] == -1).all() for _, labels in seen)
    pairs = {(images[row].tobytes(), labels[row]) for images, labels in seen for row in range(50)}
    assert len(pairs) == 20
    assert [sum(label == one for _, label in pairs) for one in range(10)] == [2] * 10


def test_ds_hidden_units_keep_their_length_and_noise_does_not_touch_answers():
    body = improved.body((8, 8, 1), 16)
    network = keras.Model(body.input, keras.layers.Dense(3)(body.output))
    network.compile(keras.optimizers.Adam(0.1), "mse")
    images = np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 1)).astype("float32")
    network.fit(images, np.ones((8, 3)), verbose=0, epochs=3)
    kernels = [layer.kernel for layer in body.layers if isinstance(layer, keras.layers.Dense)]
    assert len(kernels) == 5
    for kernel in kernels:
        np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), improved.GAIN, rtol=1e-4)
    np.testing.assert_array_equal(body(images), body(images))
    assert tf.reduce_max(abs(body(images, training=True) - body(images, training=True))) > 0.1
