"""Two images an example: pairs that stay pairs, and two domains that are shuffled apart."""

import numpy as np
import pytest
from PIL import Image

from tfgan_zoo import data
from tfgan_zoo.data import order

COUNT = 10


def numbered(index, offset=0, size=(6, 8)):
    """A picture that carries its number in its pixels, and which is its left side."""
    pixels = np.full((*size, 3), 60 + 10 * index + offset, "uint8")
    pixels[:, 0] = 250
    return pixels


def save(folder, name, pixels):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def side_by_side(tmp_path):
    for index in range(COUNT):
        both = np.concatenate([numbered(index), numbered(index, 5)], axis=1)
        save(tmp_path / "both", f"{index}.png", both)
    return tmp_path / "both"


@pytest.fixture
def two_folders(tmp_path):
    for index in range(COUNT):
        save(tmp_path / "sources", f"{index}.png", numbered(index))
        save(tmp_path / "targets", f"{index}.bmp", numbered(index, 5))
    return tmp_path / "sources", tmp_path / "targets"


def pixels(batch):
    return np.round((batch + 1) * 127.5).astype(int)


def number(images):
    """The number of each image, times ten, from the level of most of its pixels."""
    return np.array([int(np.median(image)) - 60 for image in images])


def all_kinds(side_by_side, two_folders):
    arrays = [np.stack([numbered(index, offset) for index in range(COUNT)]) for offset in (0, 5)]
    return data.Pairs(side_by_side), data.Pairs(*two_folders), data.Pairs(*arrays)


def test_every_kind_of_pairs_is_the_same(side_by_side, two_folders):
    for source in all_kinds(side_by_side, two_folders):
        described = data.info(source)
        assert described.is_pairs
        assert described.image_shape == (6, 8, 3)
        assert described.num_images == {"train": COUNT}
        sources, targets = data.arrays(source)
        assert sources.shape == targets.shape == (COUNT, 6, 8, 3)
        np.testing.assert_array_equal(number(sources), 10 * np.arange(COUNT))
        np.testing.assert_array_equal(targets[:, :, 1:], sources[:, :, 1:] + 5)
        part, _ = data.arrays(source, "train[3:5]", image_size=(12, 16))
        assert number(part).tolist() == [30, 40]
        backward = data.Pairs(source.source, source.target, reverse=True)
        np.testing.assert_array_equal(data.arrays(backward)[0], targets)


@pytest.mark.parametrize("cache", ["memory", "file", "none"])
def test_batches_keep_pairs_together_in_one_order(side_by_side, two_folders, cache):
    batches = []
    for source in all_kinds(side_by_side, two_folders):
        dataset = data.load(source, batch_size=5, seed=2, cache=cache, verbose=False)
        assert [spec.shape for spec in dataset.element_spec] == [(5, 6, 8, 3)] * 2
        batches.append([np.stack(batch) for batch in dataset.as_numpy_iterator()])
    for others in zip(*batches, strict=True):
        np.testing.assert_array_equal(others[0], others[1])
        np.testing.assert_array_equal(others[0], others[2])
    sources, targets = pixels(np.concatenate(batches[0], axis=1))
    np.testing.assert_array_equal(targets[:, :, 1:], sources[:, :, 1:] + 5)
    assert sorted(number(sources)) == list(range(0, 10 * COUNT, 10))


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_crops_and_flips_are_of_both_alike(two_folders, cache):
    dataset = data.load(
        data.Pairs(*two_folders),
        image_size=(6, 8),
        crop_from=(7, 9),
        flip=True,
        batch_size=5,
        cache=cache,
        verbose=False,
    )
    sources, targets = pixels(np.concatenate([np.stack(batch) for batch in dataset.as_numpy_iterator()], axis=1))
    marked = sources > 200  # the bright column, wherever it is now
    np.testing.assert_allclose((targets - sources)[~marked], 5, atol=3)
    assert marked[:, :, :3].any()
    assert marked[:, :, -3:].any()


def test_splits_are_matched_each(tmp_path):
    for split, count in (("train", 4), ("val", 2)):
        for index in range(count):
            for side, offset in (("a", 0), ("b", 5)):
                save(tmp_path / side / split / "class", f"{index}.png", numbered(index, offset))
    source = data.Pairs(tmp_path / "a", tmp_path / "b")
    assert data.info(source).num_images == {"train": 4, "validation": 2}
    assert number(data.arrays(source, "validation")[1]).tolist() == [5, 15]


def test_grey_and_coloured_pairs_have_the_channels_of_the_coloured(tmp_path):
    for index in range(2):
        save(tmp_path / "edges", f"{index}.png", numbered(index)[..., 0])
        save(tmp_path / "photos", f"{index}.jpg", numbered(index, 5))
    edges, photos = data.arrays(data.Pairs(tmp_path / "edges", tmp_path / "photos"))
    assert edges.shape == photos.shape == (2, 6, 8, 3)
    assert data.arrays(data.Pairs(tmp_path / "edges", tmp_path / "photos"), channels=1)[1].shape == (2, 6, 8, 1)


def test_corrupt_pairs_are_left_out_together(two_folders):
    (two_folders[1] / "3.bmp").write_bytes(b"nothing")
    source = data.Pairs(*two_folders)
    with pytest.raises(ValueError, match=r"1 of 10 pictures cannot be read: .*3\.png and .*3\.bmp"):
        data.load(source, batch_size=3)
    with pytest.warns(UserWarning, match="Left out 1 of 10"):
        sources, targets = data.arrays(source, skip_corrupt=True)
    assert len(sources) == len(targets) == 9
    assert 30 not in number(sources)


def test_pairs_without_partners_and_other_mistakes(side_by_side, two_folders, tmp_path):
    save(two_folders[0], "lonely.png", numbered(1))
    with pytest.raises(ValueError, match=r"1 pictures of .* have no partner of the same name: .*targets has no lonely"):
        data.load(data.Pairs(*two_folders))
    (two_folders[0] / "lonely.png").unlink()
    save(two_folders[0], "3.bmp", numbered(1))
    with pytest.raises(ValueError, match=r"3\.bmp and .*3\.png differ by their suffix only"):
        data.load(data.Pairs(*two_folders))
    save(side_by_side, "odd.png", numbered(1, size=(6, 15)))
    with pytest.raises(ValueError, match=r"1 of 11 pictures cannot be read: .*odd\.png"):
        data.load(data.Pairs(side_by_side), image_size=8)
    with pytest.raises(ValueError, match=r"Pairs\('digits'\) has no target"):
        data.load(data.Pairs("digits"))
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        data.load(data.Pairs(tmp_path / "gone"))
    with pytest.raises(ValueError, match="Pairs need as many"):
        data.load(data.Pairs(np.zeros((3, 4, 4), "uint8"), np.zeros((4, 4, 4), "uint8")))
    with pytest.raises(ValueError, match="are pairs: only single images can be written"):
        data.write(data.Pairs(side_by_side), tmp_path / "out")


def test_pairs_can_be_checked(two_folders):
    found = data.check(data.Pairs(*two_folders), batch_size=5, verbose=False)
    assert not found.wrong
    assert found.parts["train"].sizes == {(6, 8): COUNT}


# ---- two domains -----------------------------------------------------------------------------------------------------


def domain(count, offset=0):
    return np.stack([numbered(index, offset) for index in range(count)])


def epoch_of(dataset, epoch=0):
    """The numbers of both domains in an epoch."""
    data.set_epoch(epoch)
    return [
        np.concatenate([number(pixels(batch)) for batch in side])
        for side in zip(*dataset.as_numpy_iterator(), strict=True)
    ]


def test_the_larger_domain_comes_once_and_the_smaller_goes_round():
    dataset = data.load(data.Unpaired(domain(4), domain(12, 5)), batch_size=6)
    assert int(dataset.cardinality()) == 2
    assert [spec.shape for spec in dataset.element_spec] == [(6, 6, 8, 3)] * 2
    small, large = epoch_of(dataset)
    assert sorted(large) == [10 * index + 5 for index in range(12)]
    rounds = small.reshape(3, 4)
    assert all(sorted(one) == [0, 10, 20, 30] for one in rounds)
    orders = {tuple(epoch_of(dataset, epoch)[0][4 * k : 4 * k + 4]) for epoch in range(6) for k in range(3)}
    assert len(orders) > 6  # of 18 drawn from 24


def test_domains_are_shuffled_apart():
    images = domain(18)
    one, other = epoch_of(data.load(data.Unpaired(images, images), batch_size=6, seed=1))
    assert sorted(one) == sorted(other)
    assert np.mean(one == other) < 0.35
    alone = data.load(images, batch_size=6, seed=1)
    data.set_epoch(0)
    np.testing.assert_array_equal(one, np.concatenate([number(pixels(batch)) for batch in alone.as_numpy_iterator()]))


def test_the_order_is_a_function_of_seed_epoch_and_step():
    source = data.Unpaired(domain(5), domain(9, 5))
    first = epoch_of(data.load(source, batch_size=3, seed=7), epoch=4)
    again = epoch_of(data.load(source, batch_size=3, seed=7), epoch=4)
    np.testing.assert_array_equal(first, again)
    skipped = epoch_of(data.load(source, batch_size=3, seed=7).skip(1), epoch=4)
    np.testing.assert_array_equal(np.array(skipped), np.array(first)[:, 3:])
    for other in ({"seed": 8}, {"seed": 7}):
        others = epoch_of(data.load(source, batch_size=3, **other), epoch=5)
        assert not np.array_equal(first, others)
    stored = epoch_of(data.load(source, batch_size=4, shuffle=False, drop_remainder=False))
    assert stored[1].tolist() == [10 * index + 5 for index in range(9)]
    assert stored[0].tolist() == [10 * (index % 5) for index in range(9)]


def test_passes_and_streams_are_permutations_of_their_own():
    import tensorflow as tf

    def rows(stream, count=50, length=200):
        zero = tf.constant(0, tf.int64)
        return order.rows_going_round(3, zero + 2, zero, count, length, True, length, stream).numpy().reshape(-1, count)

    found = np.concatenate([rows(0), rows(1)])
    assert all(sorted(one) == list(range(50)) for one in found)
    assert len({tuple(one) for one in found}) == 8
    public = tf.random.experimental.index_shuffle(tf.range(50, dtype=tf.int64), tf.constant([3, 2], tf.int64), 49)
    np.testing.assert_array_equal(found[0], public)


def test_folders_trainA_and_trainB_are_two_domains(tmp_path):
    for name, count in (("trainA", 3), ("trainB", 4), ("testA", 2), ("testB", 2)):
        for index in range(count):
            save(tmp_path / name, f"{index}.png", numbered(index, 5 * name.endswith("B")))
    source = data.Unpaired(tmp_path)
    assert data.info(source).num_images == {"train": 4, "test": 2}
    one, two = data.arrays(source)
    assert (len(one), len(two)) == (3, 4)
    assert number(data.arrays(source, "test")[1]).tolist() == [5, 15]
    assert int(data.load(source, batch_size=2, image_size=4).cardinality()) == 2


def test_splits_of_a_name_that_end_in_letters_are_two_domains():
    described = data.info(data.Unpaired("cycle_gan/horse2zebra"))
    assert set(described.num_images) <= {"train", "test"}
    with pytest.raises(ValueError, match=r"Unpaired\('digits'\) needs two domains"):
        data.load(data.Unpaired("digits"))
    with pytest.raises(ValueError, match="Unpaired is two sources"):
        data.fingerprint(data.Unpaired("digits", "shapes"))


def test_any_two_sources_with_labels_or_without():
    dataset = data.load(data.Unpaired("digits", "shapes"), "test", image_size=16, channels=3, batch_size=32)
    digits, shapes = next(dataset.as_numpy_iterator())
    assert digits.shape == shapes.shape == (32, 16, 16, 3)
    assert np.ptp(digits, axis=3).max() == 0
    assert np.ptp(shapes, axis=3).max() > 1
