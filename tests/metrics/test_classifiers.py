"""The shipped classifiers are as good as their sidecars say, small, and load anywhere."""

import os

import keras
import numpy as np
import pytest

from tfgan_zoo import data, files, pixels
from tfgan_zoo.metrics import classifier, classifier_for, features

NEEDED = {"digits": 0.98, "fashion_mnist": 0.91}


def test_split(dataset):
    """Images in [-1, 1] and labels of the test split; a skip where the dataset is not prepared, but not in CI."""
    try:
        stored, labels = data.arrays(dataset, "test")
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    return np.asarray(pixels.from_uint8(stored)), labels


test_split.__test__ = False


@pytest.mark.parametrize("dataset", NEEDED)
def test_accuracy_on_the_test_split(dataset):
    images, labels = test_split(dataset)
    found = classifier.accuracy(classifier_for(dataset).model, images, labels)
    assert found >= NEEDED[dataset]
    assert found == pytest.approx(files.read_json(features.WEIGHTS / f"{dataset}.json")["test_accuracy"], abs=2e-3)


@pytest.mark.parametrize("dataset", NEEDED)
def test_files_are_small_and_the_sidecar_is_theirs(dataset):
    path = features.WEIGHTS / f"{dataset}.keras"
    card = files.read_json(path.with_suffix(".json"))
    extractor = classifier_for(dataset)
    assert path.stat().st_size <= 1e6
    assert card["sha256"] == features.sha256_of(extractor.model)
    assert card["sha256"].startswith(extractor.hash)
    assert len(extractor.hash) == 16
    assert {"test_accuracy", "command", "seed"} <= set(card)
    assert getattr(extractor.model, "optimizer", None) is None
    assert extractor.image_shape == tuple(card["image_shape"])
    assert not any(isinstance(layer, keras.layers.Resizing) for layer in extractor.model.layers)


def test_a_batch_gives_features_and_probabilities():
    extractor = classifier_for("digits")
    images = np.random.default_rng(0).uniform(-1, 1, (5, 8, 8, 1)).astype("float32")
    found = extractor(images)
    assert found["features"].shape == (5, 32)
    assert found["probabilities"].shape == (5, 10)
    np.testing.assert_allclose(found["probabilities"].sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(extractor(images[:2])["features"], found["features"][:2], rtol=1e-4, atol=1e-5)


def test_the_hash_survives_saving_again(tmp_path):
    model = classifier_for("digits").model
    model.save(tmp_path / "again.keras")
    again = keras.saving.load_model(tmp_path / "again.keras")
    assert features.sha256_of(again) == features.sha256_of(model)
    again.set_weights([weight + 1 for weight in again.get_weights()])
    assert features.sha256_of(again) != features.sha256_of(model)


def test_a_shipped_classifier_stays_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        features._load.cache_clear()
        mixed = classifier_for("digits")
        assert mixed.model.get_layer("features").compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")
        features._load.cache_clear()


def test_other_datasets_are_told_what_to_do():
    with pytest.raises(ValueError, match=r"'cifar10', only for digits and fashion_mnist.*extractor=your_keras_model"):
        classifier_for("cifar10")
    with pytest.raises(ValueError, match=r"Unknown classifier recipe 'digit'. Did you mean 'digits'"):
        classifier.train("digit")


def test_other_weights_than_the_sidecars_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "WEIGHTS", tmp_path)
    model = classifier.build(classifier.RECIPES["digits"], (8, 8, 1), 10)
    model.save(tmp_path / "digits.keras")
    files.write_json(tmp_path / "digits.json", {"sha256": "0" * 64})
    with pytest.raises(ValueError, match=r"not the file that digits.json describes"):
        classifier_for("digits")


@pytest.mark.slow
def test_training_saves_a_model_that_has_learned(tmp_path, monkeypatch):
    short = classifier.Recipe((16, 16), 3, feature_width=8, epochs=6, batch_size=32, shift=0.05)
    monkeypatch.setitem(classifier.RECIPES, "digits", short)
    card = classifier.train("digits", seed=3, out=tmp_path, verbose=0)
    assert card["test_accuracy"] > 0.5
    assert card["seed"] == 3
    monkeypatch.setattr(features, "WEIGHTS", tmp_path)
    assert classifier_for("digits").width == 8
