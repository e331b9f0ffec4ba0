"""Clusters in place of classes: of one size, the same for an image wherever it lies, and scored as no classes."""

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo.data import clusters

RNG = np.random.default_rng(0)


def noise_of(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def test_a_tree_halves_along_the_longest_axis_and_each_half_along_its_own():
    # two clouds far apart along x; the left one is long in y, the right one in z
    left = np.array([[-9, y, 0] for y in (-3, -2, 2, 3)])
    right = np.array([[9, 0, z] for z in (-3, -2, 2, 3)])
    axes, cuts = clusters.grown(np.concatenate([left, right]).astype("float32"), depth=2)
    np.testing.assert_allclose(np.abs(axes), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(cuts, 0.0, atol=1e-6)


@pytest.mark.parametrize("num_clusters", [2, 8, 16])
def test_training_images_fall_into_clusters_of_one_size(num_clusters):
    images = noise_of(80, 6, 5, 3)
    found, labels = tz.data.arrays(tz.data.Clustered(images, num_clusters))
    np.testing.assert_array_equal(found, images)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(labels, minlength=num_clusters), 80 // num_clusters)


def test_what_is_alike_lies_together():
    _, truth = tz.data.arrays("digits")
    _, labels = tz.data.arrays(tz.data.Clustered("digits", 16))
    most = sum(np.bincount(truth[labels == cluster]).max() for cluster in range(16)) / len(truth)
    by_chance = np.bincount(truth).max() / len(truth)
    assert most > 0.5 > 3 * by_chance


def test_brightness_and_contrast_do_not_part_images():
    images = np.asarray(noise_of(40, 8, 8, 3), "float32") / 127.5 - 1
    np.testing.assert_allclose(clusters.small(images), clusters.small(0.3 * images - 0.4), atol=1e-5)
    flat = clusters.small(np.full((2, 8, 8, 3), 0.25, "float32"))
    np.testing.assert_allclose(flat, 0.0, atol=1e-3)


def test_a_source_with_clusters_is_described_and_its_test_images_lie_in_those_of_training():
    source = tz.data.Clustered("digits", 4)
    info = tz.data.info(source)
    assert (info.num_classes, info.class_names) == (4, ("cluster 0", "cluster 1", "cluster 2", "cluster 3"))
    train, labels = tz.data.arrays(source, "train")
    _, of_few = tz.data.arrays(source, "train[10:20]")
    np.testing.assert_array_equal(of_few, labels[10:20])
    _, held = tz.data.arrays(source, "test")
    assert set(held) == set(range(4))
    again = tz.data.arrays(tz.data.Clustered("digits", 4), "train")[1]
    np.testing.assert_array_equal(again, labels)
    batch, told = next(iter(tz.data.load(source, batch_size=32, shuffle=False)))
    np.testing.assert_array_equal(told, labels[:32])
    assert batch.shape == (32, *train.shape[1:])


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_a_folder_of_pictures_is_clustered_as_it_is_read(tmp_path, cache):
    for number, image in enumerate(noise_of(40, 20, 24, 3)):
        Image.fromarray(image).save(tmp_path / f"{number:02}.png")
    source = tz.data.Clustered(tz.data.HeldOut(tmp_path), 4)
    read = tz.data.load(source, image_size=16, batch_size=8, shuffle=False, cache=cache, verbose=False)
    told = np.concatenate([labels for _, labels in read])
    np.testing.assert_array_equal(np.bincount(told), 8)  # of 32 that are not held out
    assert tz.data.fingerprint(source) == tz.data.fingerprint(tmp_path)  # by which its extractor is found


@pytest.mark.parametrize("number", [0, 1, 3, 12, 2.0, True])
def test_a_number_that_is_no_power_of_two_is_refused(number):
    with pytest.raises(ValueError, match=r"num_clusters=.* is no power of two: give 2, 4, 8, 16, 32"):
        tz.data.Clustered("digits", number)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("ring8", "ring8 is points, and Clustered is for images"),
        ("edges2shapes", "edges2shapes is pairs, and Clustered is for images"),
        (noise_of(7, 4, 4, 1), "has 7 training images, too few for 8 clusters"),
    ],
    ids=["points", "pairs", "few"],
)
def test_what_has_no_clusters_is_refused_before_it_is_read(source, sentence):
    with pytest.raises(ValueError, match=sentence):
        tz.data.info(tz.data.Clustered(source, 8))


def test_a_model_of_clusters_is_scored_evenly_on_the_images_as_they_are(tmp_path):
    source = tz.data.Clustered("digits", 16)
    model = tz.create("cgan", (8, 8, 1), num_classes=16, width=4, seed=0)
    model.name_classes_of(tz.data.info(source))
    for reference, said in ((source, "clusters are of one size"), ("digits", "the reference has other classes")):
        record = tz.evaluate(model, reference, num_images=64, metrics=("fd",), floor=False, verbose=False)
        assert record["protocol"]["labels"] == f"uniform: {said}"
        assert "fd_classifier_64" in record["scores"]
    tz.export(model, tmp_path / "served", formats=("tflite",))
    served = tz.load_exported(tmp_path / "served")
    record = tz.evaluate(served, "digits", num_images=64, metrics=("fd",), floor=False, verbose=False)
    assert record["protocol"]["labels"] == "uniform: the reference has other classes"


def test_conditional_models_say_that_clusters_can_stand_in_for_classes():
    info = tz.data.info(noise_of(8, 8, 8, 1))
    with pytest.raises(ValueError, match=r"has no classes, but 'cgan' needs .* --clusters 32"):
        tz.registry.keywords_from("cgan", info)


def test_labels_of_clusters_and_of_classes_are_kept_apart_where_features_are_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv("TFGAN_ZOO_CACHE", str(tmp_path))
    model = tz.create("cgan", (8, 8, 1), num_classes=10, width=4, seed=0)
    of_clusters = tz.create("cgan", (8, 8, 1), num_classes=16, width=4, seed=0)
    asked = {"num_images": 64, "metrics": ("fd",), "floor": False, "verbose": False}
    tz.evaluate(of_clusters, tz.data.Clustered("digits", 16), **asked)
    record = tz.evaluate(model, "digits", **asked)
    assert record["protocol"]["labels"] == "drawn like the reference's"
