"""Attributes beside images: tables of two kinds, arrays, and datasets that keep them."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tfgan_zoo import data

NAMES = ("Smiling", "Male", "Young")
COUNT = 9


def bits(index):
    """The attributes of picture number `index`."""
    return [index % 2, index // 2 % 2, index // 4 % 2]


def fill(folder, count=COUNT):
    """Grey pictures whose level is ten times their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.new("L", (6, 6), 10 * index).save(folder / f"{index:03d}.png")
    return folder


def csv_table(path, count=COUNT, names=NAMES):
    lines = [",".join(("file", *names))] + [f"{i:03d}.png," + ",".join(map(str, bits(i))) for i in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def celeba_table(path, count=COUNT):
    lines = [str(count), " ".join(NAMES) + " "]
    lines += [f"{i:03d}.png " + "  ".join(f"{2 * bit - 1:2d}" for bit in bits(i)) for i in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def check(images, attributes, names=NAMES):
    columns = [NAMES.index(name) for name in names]
    assert attributes.dtype == np.float32
    for image, values in zip(images, attributes, strict=True):
        assert values.tolist() == [bits(image[0, 0, 0] // 10)[column] for column in columns]


@pytest.mark.parametrize("table", [csv_table, celeba_table])
def test_a_table_beside_a_folder(tmp_path, table):
    source = data.WithAttributes(fill(tmp_path / "in"), table(tmp_path / f"{table.__name__}.{table.__name__[:3]}"))
    described = data.info(source)
    assert described.attribute_names == NAMES
    assert described.num_classes is None
    images, attributes = data.arrays(source)
    assert attributes.shape == (COUNT, 3)
    check(images, attributes)
    check(*data.arrays(source, "train[2:5]"))


def test_chosen_attributes_in_a_chosen_order(tmp_path):
    names = ("Young", "Smiling")
    source = data.WithAttributes(fill(tmp_path / "in"), csv_table(tmp_path / "table.csv"), names)
    assert data.info(source).attribute_names == names
    check(*data.arrays(source), names)
    with pytest.raises(ValueError, match=r"Unknown attribute of .*'Smilling'\. Did you mean 'Smiling'"):
        data.info(data.WithAttributes(tmp_path / "in", tmp_path / "table.csv", ("Smilling",)))


@pytest.mark.parametrize("cache", ["memory", "file", "none"])
def test_every_cache_keeps_them_beside_their_images(tmp_path, cache):
    source = data.WithAttributes(fill(tmp_path / "in"), csv_table(tmp_path / "table.csv"))
    dataset = data.load(source, batch_size=3, seed=4, cache=cache, verbose=False)
    assert dataset.element_spec[1].shape == (3, 3)
    seen = []
    for epoch in (0, 1):
        data.set_epoch(epoch)
        for images, attributes in dataset.as_numpy_iterator():
            pixels = np.round((images + 1) * 127.5).astype("uint8")
            check(pixels, attributes)
            seen += pixels[:, 0, 0, 0].tolist()
    assert sorted(seen[:COUNT]) == sorted(seen[COUNT:]) == [10 * index for index in range(COUNT)]
    assert seen[:COUNT] != seen[COUNT:]
    plain = data.load(tmp_path / "in", batch_size=3, seed=4)
    data.set_epoch(0)
    order = [image[0, 0, 0] for batch in plain.as_numpy_iterator() for image in (batch + 1) * 127.5]
    assert np.round(order).tolist() == seen[:COUNT]


def test_a_changed_table_is_read_anew(tmp_path):
    source = data.WithAttributes(fill(tmp_path / "in"), csv_table(tmp_path / "table.csv"))
    first = data.arrays(source, cache="file", verbose=False)[1]
    text = (tmp_path / "table.csv").read_text().replace("000.png,0", "000.png,1")
    (tmp_path / "table.csv").write_text(text)
    second = data.arrays(source, cache="file", verbose=False)[1]
    assert (first != second).sum() == 1


def test_splits_and_class_folders_are_found_in_the_table(tmp_path):
    fill(tmp_path / "in" / "train" / "cats", 3)
    fill(tmp_path / "in" / "test" / "cats", 5)
    source = data.WithAttributes(tmp_path / "in", csv_table(tmp_path / "table.csv"))
    check(*data.arrays(source, "test"))
    text = (tmp_path / "table.csv").read_text().replace("001.png,1", "cats/001.png,0")
    (tmp_path / "table.csv").write_text(text)
    assert data.arrays(source)[1][1].tolist() == [0, 0, 0]


def test_other_numbers_stay_as_they_are(tmp_path):
    (tmp_path / "table.csv").write_text("name,age,glad\n000.png,31,true\n001.png,-1,False\n002.png,0.5,1\n")
    _, attributes = data.arrays(data.WithAttributes(fill(tmp_path / "in", 3), tmp_path / "table.csv"))
    assert attributes.tolist() == [[31, 1], [-1, 0], [0.5, 1]]


def test_an_array_beside_an_array():
    images = np.arange(4 * 16, dtype="uint8").reshape(4, 4, 4, 1)
    values = np.array([[1, -1], [-1, -1], [1, 1], [-1, 1]])
    source = data.WithAttributes(images, values, ("a", "b"))
    assert data.info(source).attribute_names == ("a", "b")
    found, attributes = data.arrays(source, "train[1:3]")
    np.testing.assert_array_equal(found, images[1:3])
    assert attributes.tolist() == [[0, 0], [1, 1]]
    assert data.load(source, batch_size=2).element_spec[1].shape == (2, 2)


@pytest.fixture
def prepared(tmp_path):
    """A dataset with TFDS' own feature, as celeb_a has it."""
    features = {"image": tfds.features.Image(shape=(6, 6, 1)), "attributes": dict.fromkeys(NAMES, np.bool_)}
    identity = tfds.core.dataset_info.DatasetIdentity(
        name="faces", version="1.0.0", data_dir=str(tmp_path / "faces"), module_name=__name__
    )
    (tmp_path / "faces").mkdir()
    info = tfds.core.DatasetInfo(builder=identity, features=tfds.features.FeaturesDict(features))
    writer = tfds.core.SequentialWriter(info, max_examples_per_shard=4)
    writer.initialize_splits(["train"])
    for index in range(COUNT):
        attributes = {name: bool(bit) for name, bit in zip(NAMES, bits(index), strict=True)}
        image = np.full((6, 6, 1), 10 * index, "uint8")
        writer.add_examples({"train": [{"image": image, "attributes": attributes}]})
    writer.close_all()
    return tmp_path / "faces"


def test_a_dataset_that_keeps_them(prepared):
    assert data.arrays(prepared)[1] is None
    assert data.info(data.WithAttributes(prepared)).attribute_names == tuple(sorted(NAMES))
    check(*data.arrays(data.WithAttributes(prepared)), sorted(NAMES))
    source = data.WithAttributes(prepared, names=NAMES)
    check(*data.arrays(source, "train[3:]"))
    check(*data.arrays(data.WithAttributes(prepared, names=("Male",))), ("Male",))
    images, attributes = next(data.load(source, batch_size=4, cache="none", verbose=False).as_numpy_iterator())
    check(np.round((images + 1) * 127.5).astype("uint8"), attributes)


def test_they_are_written_too(tmp_path):
    source = data.WithAttributes(fill(tmp_path / "in"), csv_table(tmp_path / "table.csv"))
    out = data.write(source, tmp_path / "out", verbose=False)
    check(*data.arrays(data.WithAttributes(out)), sorted(NAMES))
    check(*data.arrays(data.WithAttributes(out, names=NAMES)))
    assert data.check(source, batch_size=3, verbose=False).wrong == []


def test_celeba_has_forty():
    described = data.info(data.WithAttributes("celeb_a"))
    assert len(described.attribute_names) == 40
    assert described.image_shape == (218, 178, 3)
    assert {"Smiling", "Male", "Young"} < set(described.attribute_names)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,a\n000.png,1\n", r"has no line for 2 of 3 pictures of in/train: 001\.png, 002\.png"),
        ("name,a\n000.png,1,2\n", r"000\.png has 2 values for 1 attributes"),
        ("name,a\n000.png,blond\n", r"000\.png has the value 'blond', which is no number"),
        ("name,a\n", "holds no attributes"),
        ("", "holds no attributes"),
    ],
)
def test_a_bad_table_gets_a_sentence(tmp_path, text, sentence):
    (tmp_path / "table.csv").write_text(text)
    source = data.WithAttributes(fill(tmp_path / "in", 3), tmp_path / "table.csv")
    with pytest.raises(ValueError, match=sentence):
        data.load(source, batch_size=2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("digits",), "digits keeps no attributes of its own. Give table="),
        (("digits", "gone.csv"), "There is no table gone.csv"),
        (("digits", np.zeros((4, 2))), "table has shape"),
        ((np.zeros((4, 4, 4), "uint8"), np.zeros((3, 2))), r"table has shape \(3, 2\), but the array has 4 train"),
        ((np.zeros((4, 4, 4), "uint8"), np.zeros((4, 2)), ("a",)), "names has 1 entries for 2 columns"),
        (("shapes", np.zeros((4, 2))), "table is an array, but shapes is none"),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        data.load(data.WithAttributes(*arguments))


def test_a_table_needs_names_of_files(tmp_path):
    csv_table(tmp_path / "table.csv")
    with pytest.raises(ValueError, match="digits is no folder of pictures"):
        data.load(data.WithAttributes("digits", tmp_path / "table.csv"))
