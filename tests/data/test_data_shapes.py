"""Drawn shapes: a full factorial without twins, its splits and factors, and the drawing itself."""

import itertools

import numpy as np
import pytest

from tfgan_zoo import data
from tfgan_zoo.data import shapes

LEVELS = tuple(map(len, shapes.factors().values()))
FIRST = [[2, 6, 2, 1, 0, 2, 0], [2, 3, 2, 0, 3, 4, 0], [0, 6, 1, 2, 2, 3, 2]]


def everything():
    return np.concatenate([shapes.factor_indices(split) for split in shapes.COUNTS])


def test_every_combination_comes_once_in_one_split():
    indices = everything()
    assert len(indices) == np.prod(LEVELS) == sum(shapes.COUNTS.values())
    assert len(np.unique(np.ravel_multi_index(indices.T, LEVELS))) == len(indices)
    assert list(shapes.factors()) == ["shape", "hue", "size", "x", "y", "rotation", "background"]


def test_the_splits_are_the_same_in_every_process():
    assert shapes.factor_indices("train[:3]").tolist() == FIRST
    for split in shapes.COUNTS:  # of all values alike, and not in their order
        indices = shapes.factor_indices(split)
        for column, level in enumerate(LEVELS):
            share = np.bincount(indices[:, column], minlength=level) * level / len(indices)
            assert np.abs(share - 1).max() < 0.12, (split, column)


def test_no_two_images_are_the_same():
    few = everything()
    few = few[(few[:, 1] == 3) & (few[:, 6] == 1) & (few[:, 3] == 2)]  # other hues and backgrounds differ by colour
    images = shapes.render(few, 32)
    assert len(np.unique(images.reshape(len(few), -1), axis=0)) == len(few)


def test_factors_follow_rows_and_slices():
    for split in ("test[100:140]", "validation[-7:]+train[:5]"):
        images, labels = data.arrays("shapes", split)
        indices = shapes.factor_indices(split)
        np.testing.assert_array_equal(images, shapes.render(indices))
        np.testing.assert_array_equal(labels, indices[:, 0])
    described = data.info("shapes")
    assert described.class_names == shapes.factors()["shape"]
    assert described.num_images == shapes.COUNTS
    assert described.image_shape == (32, 32, 3)


def test_memory_and_stream_draw_the_same_batches():
    found = [
        data.load("shapes", "test[:60]", image_size=(24, 40), batch_size=20, seed=5, cache=cache, verbose=False)
        for cache in ("memory", "none")
    ]
    assert found[0].element_spec[0].shape == (20, 24, 40, 3)
    for (images, labels), (others, other_labels) in zip(*found, strict=True):
        np.testing.assert_array_equal(images, others)
        np.testing.assert_array_equal(labels, other_labels)


def base(**values):
    """Indices of one image, with some factors chosen."""
    chosen = {"shape": 2, "hue": 0, "size": 1, "x": 1, "y": 1, "rotation": 0, "background": 0} | values
    return np.array([list(chosen.values())])


def covered(indices, image_size=64):
    """Where a shape is, and how much of each pixel it covers."""
    image = shapes.render(indices, image_size)[0].astype(float)
    away = np.abs(image - shapes.factors()["background"][indices[0, 6]])
    away = away[..., np.argmax(away.max(axis=(0, 1)))]
    return away / away.max()


def centre(cover):
    rows, columns = np.indices(cover.shape)
    return (rows * cover).sum() / cover.sum(), (columns * cover).sum() / cover.sum()


@pytest.mark.parametrize("shape", range(LEVELS[0]))
def test_each_factor_does_what_it_is_called(shape):
    start = covered(base(shape=shape))
    row, column = centre(start)
    moved = centre(covered(base(shape=shape, x=2)))
    np.testing.assert_allclose(moved, (row, column + 0.3 * 32), atol=0.1)
    moved = centre(covered(base(shape=shape, y=2)))
    np.testing.assert_allclose(moved, (row + 0.3 * 32, column), atol=0.1)
    assert covered(base(shape=shape, size=2)).sum() / start.sum() == pytest.approx((0.5 / 0.4) ** 2, rel=0.02)
    turned = covered(base(shape=shape, x=1, y=1, rotation=2))
    assert turned.sum() == pytest.approx(start.sum(), rel=0.02)
    middle = 32 * (1 - 0.15) - 0.5
    np.testing.assert_allclose(centre(turned), (middle + column - middle, middle - (row - middle)), atol=0.1)
    np.testing.assert_allclose(covered(base(shape=shape, hue=4, background=3)), start, atol=0.03)


def test_hue_and_background_are_colours():
    image = shapes.render(base(shape=4, hue=0, background=1), 64)[0]
    assert image[0, 0].tolist() == [90, 90, 90]
    red, green, blue = image[28, 27].astype(int)
    assert red > 200
    assert max(green, blue) < 60


def test_edges_are_antialiased_and_shapes_lie_within():
    for shape, size, x, y, turn in itertools.product(range(LEVELS[0]), (0, 2), (0, 3), (0, 3), (0, 1, 2)):
        cover = covered(base(shape=shape, size=size, x=x, y=y, rotation=turn), 32)
        assert max(cover[0].max(), cover[-1].max(), cover[:, 0].max(), cover[:, -1].max()) < 0.6
        assert ((cover > 0.1) & (cover < 0.9)).sum() > 3
    fine = covered(base(size=2), 128).reshape(32, 4, 32, 4).mean(axis=(1, 3))
    assert np.abs(fine - covered(base(size=2), 32)).mean() < 0.01


def test_sizes_and_channels():
    images, _ = data.arrays("shapes", "test[:4]", image_size=np.int64(64), channels=1)
    assert images.shape == (4, 64, 64, 1)
    assert shapes.render(shapes.factor_indices("test[:2]"), (128, 96)).shape == (2, 128, 96, 3)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: data.load("shapes", image_size=8), "drawn with sides of 16 to 256 pixels"),
        (lambda: shapes.render(base(), 300), "drawn with sides of 16 to 256 pixels"),
        (lambda: shapes.render(base(shape=5)), "out of range"),
        (lambda: shapes.render(np.zeros((3, 6), "int32")), r"It must be integers \(N, 7\)"),
        (lambda: shapes.factor_indices("dev"), "has no split 'dev'"),
    ],
)
def test_bad_input_gets_a_sentence(act, sentence):
    with pytest.raises(ValueError, match=sentence):
        act()
