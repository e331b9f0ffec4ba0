"""What `load`, `arrays` and `info` promise about every source that needs no file."""

import itertools
import logging
import pathlib
import warnings

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo import data
from tfgan_zoo.data import bundled, memory_budget, pipeline, splits


def batches(dataset):
    return list(dataset.as_numpy_iterator())


def test_digits_have_their_splits():
    description = data.info("digits")
    assert description.num_images == {"train": 1077, "validation": 360, "test": 360}
    assert description.image_shape == (8, 8, 1)
    assert description.num_classes == 10
    parts = [data.arrays("digits", split) for split in ("train", "validation", "test")]
    assert [len(images) for images, _ in parts] == [1077, 360, 360]
    for images, labels in parts:
        assert images.dtype == np.uint8
        assert labels.dtype == np.int32
        assert (images.min(), images.max()) == (0, 255)
        share = np.bincount(labels, minlength=10) / len(labels)
        assert share.min() > 0.09
        assert share.max() < 0.11


def test_digits_splits_make_up_the_whole_and_share_nothing():
    from sklearn.datasets import load_digits

    def multiset(images):
        return sorted(image.tobytes() for image in images)

    bundle = np.round(load_digits().data.reshape(-1, 8, 8, 1) * (255 / 16)).astype("uint8")
    parts = [data.arrays("digits", split)[0] for split in ("train", "validation", "test")]
    assert multiset(np.concatenate(parts)) == multiset(bundle)
    tags = [{image.tobytes() for image in part} for part in parts]
    assert all(not (tags[i] & tags[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_digits_split_is_the_same_in_every_process():
    import zlib

    assert [zlib.crc32(data.arrays("digits", split)[0].tobytes()) for split in ("train", "validation", "test")] == [
        1675505063,
        1950970135,
        2422666898,
    ]


def test_batches_are_float32_in_the_zoos_range_with_int32_labels():
    dataset = data.load("digits", batch_size=50)
    assert dataset.element_spec[0] == tf.TensorSpec((50, 8, 8, 1), tf.float32)
    assert dataset.element_spec[1] == tf.TensorSpec((50,), tf.int32)
    images = np.concatenate([images for images, _ in batches(dataset)])
    assert images.min() == -1.0
    assert images.max() == 1.0


@pytest.mark.parametrize(("drop", "count", "last"), [(True, 10, 100), (False, 11, 77)])
def test_cardinality_is_known_and_true(drop, count, last):
    dataset = data.load("digits", batch_size=100, drop_remainder=drop)
    found = batches(dataset)
    assert int(dataset.cardinality()) == len(found) == len(dataset) == count
    assert len(found[-1][0]) == last


def test_pixels_keep_their_labels_through_the_shuffle():
    images, labels = data.arrays("digits")
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    batch, told = batches(data.load("digits", batch_size=1077))[0]
    pixels = np.round((batch + 1) * 127.5).astype("uint8")
    assert [label_of[image.tobytes()] for image in pixels] == told.tolist()


def test_pixels_are_not_in_the_graph():
    images = np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1)).astype("uint8")
    waiting, sizes = [data.load(images, batch_size=10)], []
    while waiting:
        dataset = waiting.pop()
        waiting += dataset._inputs()
        sizes += [function.function.graph.as_graph_def().ByteSize() for function in dataset._functions()]
    assert len(sizes) >= 2
    assert max(sizes) < 20_000 < images.nbytes


def test_options_shard_by_data_and_stay_deterministic():
    options = data.load("digits").options()
    assert options.experimental_distribute.auto_shard_policy == tf.data.experimental.AutoShardPolicy.DATA
    assert options.deterministic is True
    assert options.autotune.enabled is False  # or the end of `take` waits for its thread, with nothing to do


def test_what_an_epoch_leaves_out_is_said_once(caplog):
    with caplog.at_level(logging.INFO, "tfgan_zoo"), warnings.catch_warnings():
        warnings.simplefilter("error")
        data.load("digits", batch_size=50)
        assert [record.message for record in caplog.records] == [
            "digits/train: each epoch leaves out 27 of 1,077 images, the rest of batches of 50"
        ]
        caplog.clear()
        data.load("digits", batch_size=359)  # 3 × 359 = 1,077
        data.load("digits", batch_size=50, drop_remainder=False)
        assert not caplog.records
    with pytest.warns(UserWarning, match="leaves out 477 of 1,077 images"):
        data.load("digits", batch_size=600)


@pytest.mark.parametrize("name", bundled.MIXTURES)
def test_points_have_the_moments_of_their_density(name):
    centres, deviation = bundled.MIXTURES[name]
    description = data.info(name)
    assert description.image_shape == (2,)
    assert description.num_classes == len(centres)
    assert description.num_images == {"train": 50_000, "test": 10_000}
    points, labels = data.arrays(name)
    assert points.shape == (50_000, 2)
    assert points.dtype == np.float32
    noise = points - centres[labels]
    assert np.abs(noise.mean(axis=0)).max() < 5 * deviation / 50_000**0.5
    assert np.abs(noise.std(axis=0) / deviation - 1).max() < 0.02
    share = np.bincount(labels) * len(centres) / 50_000
    assert share.min() > 0.9
    assert share.max() < 1.1
    assert not np.array_equal(data.arrays(name, "test")[0], points[:10_000])


def test_centres_of_the_toys():
    np.testing.assert_allclose(np.linalg.norm(bundled.MIXTURES["ring8"][0], axis=1), 1.0)
    grid = bundled.MIXTURES["grid25"][0]
    assert len(np.unique(grid, axis=0)) == 25
    np.testing.assert_allclose(grid.mean(axis=0), 0.0)
    assert (grid.min(), grid.max()) == (-2.0, 2.0)


def test_points_are_not_converted_like_pixels():
    points, labels = batches(data.load("gaussian", batch_size=10_000))[0]
    assert points.dtype == np.float32
    np.testing.assert_allclose(points.mean(axis=0), 5.0, atol=0.05)
    assert set(labels) == {0}


def test_slices_follow_the_grammar():
    whole, labels = data.arrays("digits")
    for split, expected in {
        "train[:100]": slice(0, 100),
        "train[-50:]": slice(-50, None),
        "train[10%:20%]": slice(108, 215),
        "train[5:7]": slice(5, 7),
        "train[:-1000]": slice(0, 77),
    }.items():
        images, told = data.arrays("digits", split)
        np.testing.assert_array_equal(images, whole[expected])
        np.testing.assert_array_equal(told, labels[expected])
    both, _ = data.arrays("digits", "train+test[:3]")
    np.testing.assert_array_equal(both, np.concatenate([whole, data.arrays("digits", "test")[0][:3]]))


def test_percentages_tile_a_split():
    parts = [splits.pieces(f"train[{k}%:{k + 1}%]", {"train": 1077}, "digits")[0][1:] for k in range(100)]
    assert parts[0][0] == 0
    assert parts[-1][1] == 1077
    assert all(left[1] == right[0] for left, right in itertools.pairwise(parts))


def test_digits_can_be_resized_and_coloured():
    images, _ = data.arrays("digits", image_size=16, channels=3)
    assert images.shape == (1077, 16, 16, 3)
    assert np.ptp(images, axis=3).max() == 0
    assert abs(images.mean() - data.arrays("digits")[0].mean()) < 3


def test_uint8_arrays_with_and_without_labels():
    images = np.arange(4 * 6 * 5, dtype="uint8").reshape(4, 6, 5)
    found, labels = data.arrays(images)
    np.testing.assert_array_equal(found[..., 0], images)
    assert labels is None
    assert data.info(images).num_classes is None
    alone = batches(data.load(images, batch_size=2))
    assert len(alone) == 2
    assert alone[0].shape == (2, 6, 5, 1)
    column = np.array([[0], [1], [2], [1]])
    assert data.arrays((images, column))[1].tolist() == [0, 1, 2, 1]
    assert data.info([images, column]).num_classes == 3


def test_float_arrays_stay_float():
    images = np.random.default_rng(0).uniform(-1, 1, (8, 4, 4, 3))
    found, _ = data.arrays(images)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, images.astype("float32"))
    batch = batches(data.load(images, batch_size=8, shuffle=False))[0]
    np.testing.assert_array_equal(batch, found)
    small, _ = data.arrays(images, image_size=2, channels=1)
    assert small.shape == (8, 2, 2, 1)
    assert np.abs(small).max() <= 1.0


def test_float_arrays_in_zero_to_one_are_warned_about():
    images = np.random.default_rng(0).uniform(0, 1, (8, 4, 4, 1)).astype("float32")
    with pytest.warns(UserWarning, match=r"give x \* 2 - 1"):
        data.load(images, batch_size=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.load(images * 2 - 1, batch_size=4)


def test_arrays_of_points():
    points = np.random.default_rng(0).normal(5, 9, (20, 2)).astype("float32")
    assert data.info(points).is_points
    np.testing.assert_array_equal(batches(data.load(points, batch_size=20, shuffle=False))[0], points)


IMAGES = np.zeros((4, 8, 8, 1), "uint8")
NAN = np.full((4, 4, 4, 1), np.nan)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"source": "digit"}, "Unknown data source 'digit'. Did you mean 'digits'"),
        ({"source": "fashion_mnits"}, "Did you mean 'fashion_mnist'"),
        ({"source": "./nowhere"}, "There is no file or folder nowhere"),
        ({"source": "not/a/path"}, "There is no file or folder not/a/path"),
        ({"source": "celeb_a_hq/999"}, "TFDS refuses 'celeb_a_hq/999'"),
        ({"source": "gone.npz"}, "There is no file or folder gone.npz"),
        ({"source": pathlib.Path("digits")}, "There is no file or folder digits"),
        ({"source": 3}, "source is a int"),
        ({"source": "digits", "split": "training"}, "has no split 'training'. It has 'train', 'validation', 'test'"),
        ({"source": "digits", "split": "train[:5"}, "is not understood"),
        ({"source": "digits", "split": "train[:2000]"}, "reaches beyond the 1,077 images"),
        ({"source": "digits", "split": "train[9:9]"}, "selects no image"),
        ({"source": "digits", "split": "train[:1]"}, "has 1 image. Give at least two"),
        ({"source": "digits", "split": "test", "batch_size": 512}, "batch_size=512, but digits/test has 360 images"),
        ({"source": "digits", "batch_size": 0}, "batch_size=0 is not a number of images"),
        ({"source": "digits", "batch_size": 2.5}, "batch_size=2.5 is not a number of images"),
        ({"source": "digits", "image_size": -8}, "image_size=-8 is not a side in pixels"),
        ({"source": "digits", "image_size": (8, 0)}, r"image_size=(8, 0) is not a side"),
        ({"source": "digits", "channels": 2}, "channels=2 is not 1 (grey), 3 (RGB) or 4 (RGBA)"),
        ({"source": "ring8", "image_size": 8}, "ring8 is points"),
        ({"source": IMAGES[:0]}, "there is nothing in it"),
        ({"source": IMAGES[:1], "batch_size": 1}, "has 1 image. Give at least two"),
        ({"source": IMAGES[0, 0]}, "images has shape (8, 1)"),
        ({"source": IMAGES.transpose(0, 3, 1, 2).repeat(2, 1)}, "images has shape (4, 2, 8, 8)"),
        ({"source": IMAGES.astype("int64")}, "images has dtype int64"),
        ({"source": NAN}, "64 values that are NaN"),
        ({"source": np.full((4, 4, 4, 1), 255.0)}, "values from 255 to 255, and [-1, 1] is allowed"),
        ({"source": (IMAGES, np.arange(3))}, "labels has 3 entries, but there are 4 images"),
        ({"source": (IMAGES, np.eye(4))}, "labels has shape (4, 4)"),
        ({"source": (IMAGES, np.arange(4) + 0.5)}, "is not whole"),
        ({"source": (IMAGES, np.arange(4) - 2)}, "labels goes down to -2"),
        ({"source": (IMAGES, np.array(list("abcd")))}, "labels has dtype <U1"),
    ],
)
def test_bad_input_gets_a_sentence(arguments, sentence):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        data.load(**arguments)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_batches_larger_than_the_data_are_fine_for_scoring():
    found = batches(data.load("digits", split="test", batch_size=512, shuffle=False, drop_remainder=False))
    assert [len(images) for images, _ in found] == [360]


def test_no_room_is_said_before_decoding():
    memory_budget.check((1000, 10, 10, 3), available=1_000_000)
    with pytest.raises(MemoryError, match=r"10,000 images of shape \(10, 10, 3\).*smaller image_size"):
        memory_budget.check((10_000, 10, 10, 3), available=1_000_000)


def test_two_replicas_share_each_batch():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"], tf.distribute.ReductionToOneDevice())
    dataset = strategy.experimental_distribute_dataset(pipeline.load("digits", batch_size=100))
    assert sum(len(strategy.experimental_local_results(labels)[0]) for _, labels in dataset) == 1000
