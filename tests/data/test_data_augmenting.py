"""Random crops and flips: which pixels they keep, and by what they are chosen."""

import numpy as np
import pytest

from tfgan_zoo import data


def images(count=400, height=6, width=9):
    """Images whose pixels say where they were."""
    rows, columns = np.mgrid[:height, :width]
    return np.broadcast_to((10 * rows + columns)[None, ..., None], (count, height, width, 1)).astype("uint8")


def epoch_of(dataset, epoch=0):
    data.set_epoch(epoch)
    return np.concatenate([np.round((batch + 1) * 127.5).astype(int) for batch in dataset.as_numpy_iterator()])


def test_half_of_the_images_are_mirrored():
    found = epoch_of(data.load(images(), batch_size=100, flip=True))
    mirrored = found[:, 0, 0, 0] == 8
    assert 0.4 < mirrored.mean() < 0.6
    np.testing.assert_array_equal(found[mirrored], images(mirrored.sum())[:, :, ::-1])
    np.testing.assert_array_equal(found[~mirrored], images((~mirrored).sum()))


def test_windows_lie_everywhere_and_are_whole():
    dataset = data.load(images(), image_size=(4, 5), crop_from=(6, 9), batch_size=100)
    assert dataset.element_spec.shape == (100, 4, 5, 1)
    found = epoch_of(dataset)
    tops, lefts = found[:, 0, 0, 0] // 10, found[:, 0, 0, 0] % 10
    expected = images(1)[0, ..., 0].astype(int)
    for window, top, left in zip(found[..., 0], tops, lefts, strict=True):
        np.testing.assert_array_equal(window, expected[top : top + 4, left : left + 5])
    for places, number in ((tops, 3), (lefts, 5)):
        share = np.bincount(places, minlength=number) * number / len(places)
        assert len(share) == number
        assert share.min() > 0.6
        assert share.max() < 1.4
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.2


def test_draws_are_a_function_of_seed_epoch_and_step():
    def load(**options):
        return data.load(images(), batch_size=100, crop_from=(6, 9), image_size=(4, 5), flip=True, **options)

    first = epoch_of(load(seed=1), epoch=3)
    np.testing.assert_array_equal(first, epoch_of(load(seed=1), epoch=3))
    np.testing.assert_array_equal(first[200:], epoch_of(load(seed=1).skip(2), epoch=3))
    for other in (epoch_of(load(seed=2), epoch=3), epoch_of(load(seed=1), epoch=4)):
        assert np.mean((first == other).all(axis=(1, 2, 3))) < 0.2
    assert np.mean((first[:100] == first[100:200]).all(axis=(1, 2, 3))) < 0.2


def test_images_are_brought_to_the_larger_size_first(tmp_path):
    source = np.repeat(np.repeat(images(20), 2, axis=1), 2, axis=2)
    found = epoch_of(data.load(source, image_size=(4, 5), crop_from=(6, 9), batch_size=20))
    assert np.abs(found[:, 0, 0, 0] % 10 + 4 - found[:, 0, -1, 0] % 10).max() <= 2
    floats = data.load((source / 127.5 - 1).astype("float32"), image_size=4, crop_from=np.int64(5), batch_size=20)
    assert floats.element_spec.shape == (20, 4, 4, 1)


def test_labels_stay_with_their_images():
    pixels = np.repeat(np.arange(40, dtype="uint8"), 16).reshape(40, 4, 4, 1)
    for batch, labels in data.load((pixels, np.arange(40)), batch_size=10, flip=True).as_numpy_iterator():
        np.testing.assert_array_equal(np.round((batch[:, 0, 0, 0] + 1) * 127.5), labels)


def test_nothing_is_drawn_unless_asked_for():
    np.testing.assert_array_equal(epoch_of(data.load(images(100), batch_size=100)), images(100))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"crop_from": 9}, "crop_from=9 needs image_size"),
        ({"crop_from": 6, "image_size": 8}, "crop_from=6 is smaller than image_size=8"),
        ({"crop_from": (9, 7), "image_size": 8}, r"crop_from=\(9, 7\) is smaller"),
        ({"crop_from": 0, "image_size": 8}, "crop_from=0 is not a side in pixels"),
    ],
)
def test_bad_input_gets_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        data.load("digits", **arguments)
    with pytest.raises(ValueError, match="points: crop_from and flip do not apply"):
        data.load("ring8", flip=True)
