"""Folders, pictures and arrays as people have them: read whole and truly, or answered by one sentence."""

import re
import struct
import warnings
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_zoo import data, errors
from tfgan_zoo.data import catalogue

PIXELS = np.arange(4 * 5 * 5, dtype="uint8").reshape(4, 5, 5)


def tree(folder, *paths):
    """A folder of small pictures, or of text where the ending is none of a picture."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith((".txt", ".heic", ".db")):
            (folder / path).write_text("no picture")
        else:
            kind = "JPEG" if path.endswith((".jfif", ".jpe")) else None
            Image.new("L", (4, 4), len(path)).save(folder / path, format=kind)
    return folder


# ---- folders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("Training", "Testing"), ("train", "test")),
        (("Train", "Valid", "Test"), ("train", "validation", "test")),
        (("train", "val"), ("train", "validation")),
        (("training_set", "test-set", "dev"), ("train", "validation", "test")),
        (("TRAIN IMAGES", "validation_images"), ("train", "validation")),
    ],
)
def test_splits_by_the_names_that_they_have(tmp_path, names, splits):
    tree(tmp_path, *(f"{name}/{kind}/1.png" for name in names for kind in ("cats", "dogs")), "annotations/all.txt")
    found = data.info(tmp_path)
    assert found.class_names == ("cats", "dogs")
    assert tuple(found.num_images.items()) == tuple((split, 2) for split in splits)


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (("cats/1.png", "dogs/1.png", "test/1.png"), "holds test, named as a split, beside cats, dogs"),
        (("bus/1.png", "car/1.png", "train/1.png"), "holds train, named as a split, beside bus, car"),
        (("train/1.png", "stray.png"), "holds train, named as a split, beside stray.png"),
        (("val/1.png", "Validation/1.png", "train/1.png"), "are both the split 'validation'"),
        (
            ("chest/train/a/1.png", "chest/test/a/1.png"),
            "chest holds test, named as a split, where a class is expected",
        ),
        (("train/train/a/1.png", "train/train/b/1.png"), "holds only train, named as a split and no class"),
        (("trainA/1.png", "trainB/1.png", "testA/1.png"), "holds two domains, testA, trainA, trainB, and no classes"),
        (("a.heic", "b.txt"), "holds no pictures"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*left out")
def test_splits_and_classes_that_cannot_be_told_apart(tmp_path, paths, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        data.info(tree(tmp_path, *paths))
    assert "\n" not in str(caught.value)


def test_a_class_named_as_a_split_within_a_split(tmp_path):
    found = data.info(tree(tmp_path, "train/bus/1.png", "train/train/1.png", "test/bus/1.png", "test/train/1.png"))
    assert found.class_names == ("bus", "train")
    assert found.num_images == {"train": 2, "test": 2}


def test_two_domains_by_other_names(tmp_path):
    tree(tmp_path, "TrainA/1.png", "Train_B/1.png", "Train_B/2.png", "testingA/1.png", "testB/1.png")
    assert data.info(data.Unpaired(tmp_path)).num_images == {"train": 2, "test": 1}


def test_hidden_copies_do_not_count(tmp_path):
    tree(tmp_path, "cats/1.png", "dogs/1.png", "cats/.ipynb_checkpoints/1.png", "__MACOSX/cats/1.png")
    tree(tmp_path, ".thumbnails/1.png", "cats/._1.png", "dogs/@eaDir/1.png", "dogs/Thumbs.db", "train/.hidden/1.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = data.info(tmp_path)
    assert found.num_images == {"train": 2}
    assert found.class_names == ("cats", "dogs")


def test_every_ending_that_pillow_reads_and_a_word_on_others(tmp_path):
    tree(tmp_path, "a.jfif", "b.jpe", "c.png", "d.JPG", "e.tga", "f.jp2", "g.pcx")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.info(tmp_path).num_images == {"train": 7}
    tree(tmp_path, "notes.txt", "x.heic")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match=r"left out 3 of 10 files, no .*: gone\.png, notes\.txt, x\.heic"):
        assert data.info(tmp_path).num_images == {"train": 7}


def test_linked_classes_count_and_links_back_do_not(tmp_path):
    elsewhere = tree(tmp_path / "elsewhere", "1.png", "2.png")
    folder = tree(tmp_path / "pictures", "cats/1.png")
    (folder / "dogs").symlink_to(elsewhere)
    (folder / "cats" / "up").symlink_to(folder)
    assert data.arrays(folder)[1].tolist() == [0, 1, 1]


def test_numbered_classes_are_in_the_order_of_their_numbers(tmp_path):
    tree(tmp_path, *(f"{number}/{'a' * number}.png" for number in range(1, 12)))
    assert data.info(tmp_path).class_names == tuple(map(str, range(1, 12)))
    images, labels = data.arrays(tmp_path)
    assert labels.tolist() == list(range(11))
    assert images[:, 0, 0, 0].tolist() == [len(f"{number}/{'a' * number}.png") for number in range(1, 12)]


# ---- pictures --------------------------------------------------------------------------------------------------------


def save_twice(folder, picture, suffix, **options):
    for name in "ab":
        picture.save(folder / f"{name}.{suffix}", **options)


def write_grey_12(path, values):
    """A row of 12-bit grey as TIFF."""
    bits = "".join(f"{value:012b}" for value in values)
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    tags = ((256, len(values)), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, len(raw)))
    content = b"II*\0" + struct.pack("<I", 8 + len(raw)) + raw + struct.pack("<H", len(tags))
    path.write_bytes(content + b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags) + bytes(4))


def test_grey_of_12_and_16_bits_is_scaled(tmp_path):
    for name in "ab":
        write_grey_12(tmp_path / f"{name}.tif", [0, 2048, 4095, 16])
    assert data.arrays(tmp_path)[0][0].ravel().tolist() == [0, 128, 255, 1]
    for name in "ab":
        (tmp_path / f"{name}.tif").unlink()
        (tmp_path / f"{name}.pgm").write_bytes(b"P5 4 1 4095\n" + struct.pack(">4H", 0, 2048, 4095, 16))
    assert data.arrays(tmp_path)[0][0].ravel().tolist() == [0, 128, 255, 1]


@pytest.mark.parametrize(
    ("pixels", "options", "says"),
    [
        (np.full((2, 3), 0.5, "float32"), {}, "its pixels are floats, which have no known range"),
        (np.full((2, 3), 70_000, "int32"), {}, "its pixels are 32-bit or signed integers of no known range"),
        (np.full((2, 3), 300, "uint16"), {"tiffinfo": {339: 2}}, "its pixels are 32-bit or signed integers"),
    ],
)
def test_numbers_of_no_known_range_are_refused(tmp_path, pixels, options, says):
    save_twice(tmp_path, Image.fromarray(pixels), "tif", **options)
    with pytest.raises(ValueError, match=says) as caught:
        data.load(tmp_path, batch_size=2)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8, 9])
@pytest.mark.parametrize(
    ("suffix", "mode"), [("tif", "RGB"), ("tif", "L"), ("tif", "I;16"), ("png", "L"), ("webp", "RGB")]
)
def test_pictures_are_turned_as_exif_says(tmp_path, suffix, mode, orientation):
    pixels = np.arange(0, 240, 10, dtype="uint8").reshape(4, 6)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(pixels.astype("uint16") * 257) if mode == "I;16" else Image.fromarray(pixels).convert(mode)
    save_twice(tmp_path, image, suffix, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    turns = {2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 6: np.rot90(pixels, -1), 8: np.rot90(pixels)}
    expected = turns.get(orientation, pixels)
    images = data.arrays(tmp_path)[0]
    assert data.info(tmp_path).image_shape[:2] == expected.shape
    np.testing.assert_array_equal(images[0, ..., 0], expected)


@pytest.mark.parametrize("size", [None, 4])
def test_a_picture_too_large_to_be_meant_is_one_corrupt_picture(tmp_path, size):
    tree(tmp_path, "a.png", "b.png", "c.png")
    content = (tmp_path / "b.png").read_bytes()
    header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + content[24:29]
    (tmp_path / "b.png").write_bytes(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])
    with pytest.raises(ValueError, match=r"1 of 3 pictures cannot be read: .*b\.png; .*exceeds limit"):
        data.load(tmp_path, batch_size=2, image_size=size)
    with pytest.warns(UserWarning, match="Left out 1 of 3"):
        assert len(data.arrays(tmp_path, image_size=size, skip_corrupt=True)[0]) == 2
    assert "1 of 3 images cannot be read" in data.check(tmp_path, size, batch_size=2, verbose=False).wrong[0]


# ---- arrays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (PIXELS > 4, "True is white in images.astype('uint8') * 255"),
        (PIXELS.astype("uint16"), "run from 0 to 99, and images.astype('uint8') keeps them"),
        (PIXELS.astype("uint16") * 600, "run from 0 to 59400: scale them so that black is -1 and white is 1"),
        ((PIXELS > 4) * 1, "run from 0 to 1: scale them"),
        (PIXELS.astype("int16") - 50, "run from -50 to 49: scale them"),
        (PIXELS * 2.5, "Pixels from 0 to 255: images / 127.5 - 1"),
        (PIXELS * 600.0, "values from 0 to 59400, and [-1, 1] is allowed. Rescale them"),
        (PIXELS.astype("U3"), "images has dtype <U3"),
        (PIXELS.astype("timedelta64[s]"), "images has dtype timedelta64[s]"),
        (PIXELS * 1e300, "99 values that are NaN, infinite or too large"),
    ],
)
def test_advice_does_no_harm(images, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        data.load(images, batch_size=2)
    if images.max() > 255 or images.dtype.kind == "f":
        assert "astype('uint8')" not in str(caught.value)


def test_round_off_beyond_the_range_is_clipped():
    images = np.linspace(-1.0000002, 1.0000002, 100).reshape(4, 5, 5).astype("float32")
    found, _ = data.arrays(images)
    np.testing.assert_array_equal(found[..., 0], np.clip(images, -1, 1))


def test_zeros_and_ones_as_pixels_are_warned_about():
    with pytest.warns(UserWarning, match=r"no value above 1, all but black. If 1 is white, give x \* 255"):
        data.info((PIXELS > 4).astype("uint8"))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (list("abcd"), "np.unique(labels, return_inverse=True)[1] numbers what is there"),
        ([b"a"] * 4, "labels has dtype |S1"),
        ([0, np.nan, 1, 1], "labels has dtype float64 and is not whole"),
        (np.zeros(4, [("a", "u1")]), "labels has dtype [('a', 'u1')]"),
        ([0, 2**40, 1, 1], "labels goes up to 1099511627776"),
        ([0, np.inf, 1, 1], "labels goes up to inf"),
        ([-3, 0, 1, 1], "labels goes down to -3"),
        ([-1] * 4, "labels is -1 throughout"),
        (np.arange(5), "labels has 5 entries, but there are 4 images"),
        (np.zeros(4, "timedelta64[s]"), "labels has dtype timedelta64[s]"),
    ],
)
def test_labels_that_are_none_are_refused_in_arrays_and_files(tmp_path, labels, says):
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=labels)
    for source in (
        (PIXELS, labels),
        {"image": PIXELS, "label": labels},
        tmp_path / "a.npz",
        np.load(tmp_path / "a.npz"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            data.info(source)


def test_booleans_and_whole_floats_are_classes(tmp_path):
    for labels in ([False, True, True, False], [0.0, 1.0, 1.0, 0.0]):
        np.savez(tmp_path / "a.npz", images=PIXELS, labels=labels)
        assert data.info(tmp_path / "a.npz").num_classes == 2
        assert data.arrays(tmp_path / "a.npz")[1].tolist() == [0, 1, 1, 0]


def test_a_damaged_npz_is_one_sentence(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=np.random.default_rng(0).integers(0, 9, (40, 50, 50)).astype("uint8"))
    content = bytearray(path.read_bytes())
    content[20_000] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz is (damaged|no \.npz file)"):
        data.load(path)


@pytest.mark.parametrize(
    "source",
    [
        (PIXELS, [0, 1, 2, 1]),
        [PIXELS, [0, 1, 2, 1]],
        {"image": PIXELS, "label": [0, 1, 2, 1]},
        {"images": PIXELS, "labels": np.array([[0], [1], [2], [1]])},
        (tf.constant(PIXELS), tf.constant([0, 1, 2, 1])),
        (list(PIXELS), (0, 1, 2, 1)),
    ],
)
def test_arrays_lists_and_dicts_mix(source):
    images, labels = data.arrays(source)
    np.testing.assert_array_equal(images[..., 0], PIXELS)
    assert labels.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("source", [list(PIXELS), list(PIXELS[:2]), (PIXELS, None), {"image": PIXELS}])
def test_lists_of_images_and_pairs_without_labels(source):
    images, labels = data.arrays(source)
    np.testing.assert_array_equal(images[..., 0], PIXELS[: len(images)])
    assert labels is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (tf.data.Dataset.range(3), "source is a tf.data.Dataset"),
        (((PIXELS, PIXELS), (PIXELS, PIXELS)), "Give one of them, source[0]"),
        ({"train": PIXELS}, "source is a dict of 'train'. It needs 'image'"),
        (["a.png", "b.png"], "source is a list of str"),
        ([PIXELS[0], PIXELS[1, :3]], "makes no array"),
        ([], "source is a list"),
    ],
)
def test_what_is_no_source_gets_a_sentence(source, says):
    for function in (data.info, data.load):
        with pytest.raises(ValueError, match=re.escape(says)) as caught:
            function(source)
        assert "\n" not in str(caught.value)


# ---- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("fashion-mnist", "'fashion_mnist'?"),
        ("Fashion MNIST", "'fashion_mnist'?"),
        ("CIFAR-10", "'cifar10'?"),
        ("CelebA-HQ", "'celeb_a_hq'?"),
        ("Digits", "'digits'?"),
        ("fashion_mnits", "'fashion_mnist'"),
    ],
)
def test_hyphens_and_capitals(name, meant):
    with pytest.raises(ValueError, match=re.escape(f"Did you mean {meant}")):
        data.info(name)


@pytest.mark.parametrize("name", ["photos", "my_faces", "data", "train", "cats", "faces64"])
def test_a_missing_folder_is_said_to_be_missing_and_no_list_is_long(name):
    with pytest.raises(ValueError, match=f"Unknown data source '{name}'. No file or folder is called so") as caught:
        data.info(name)
    assert "mean" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_folder_below_one_named_as_a_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"TFDS refuses 'mnist/train': .* no file or folder of this name") as caught:
        data.info("mnist/train")
    assert len(str(caught.value)) < 400
    tree(tmp_path, "mnist/train/a/1.png")
    assert data.info("mnist/train").num_images == {"train": 1}


def test_errors_name_a_dozen_at_most():
    assert str(errors.unknown("thing", "zzz", "abc")) == "Unknown thing 'zzz'. Known: a, b, c."
    assert len(str(errors.unknown("thing", "zzz", catalogue.names()))) < 400
    assert "Did you mean 'wgan_gp'?" in str(errors.unknown("model", "WGAN-GP", ["wgan_gp", "wgan", "gan"]))


# ---- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "plain"),
    [
        ({"image_size": np.int64(4)}, {"image_size": 4}),
        ({"image_size": np.array([4, 6])}, {"image_size": (4, 6)}),
        ({"channels": np.uint8(3), "seed": np.int32(2)}, {"channels": 3, "seed": 2}),
        ({"image_size": np.int8(4), "crop_from": np.int16(5)}, {"image_size": 4, "crop_from": 5}),
        (
            {"image_size": np.array([4, 9]), "resize": "pad", "background": np.array([7, 7, 7])},
            {"image_size": (4, 9), "resize": "pad", "background": 7},
        ),
    ],
)
def test_numpy_numbers_are_numbers(tmp_path, arguments, plain):
    for source in (PIXELS, tree(tmp_path, "a.png", "b.png")):
        one, two = (data.load(source, batch_size=np.int64(2), **given) for given in (arguments, plain))
        for left, right in zip(one.as_numpy_iterator(), two.as_numpy_iterator(), strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"seed": None}, "seed=None does not fix an order"),
        ({"seed": "a"}, "seed='a' does not"),
        ({"seed": 1.5}, "seed=1.5 does not"),
        ({"seed": 2**70}, "does not fix an order"),
        ({"channels": 3.0}, "channels=3.0 is not 1"),
        ({"channels": True}, "channels=True is not 1"),
        ({"image_size": np.float32(4)}, "image_size=4.0 is not a side"),
    ],
)
def test_arguments_that_are_no_numbers(arguments, says):
    with pytest.raises(ValueError, match=says):
        data.load(PIXELS, batch_size=2, **arguments)


def test_a_last_batch_of_one_image_is_said():
    images = np.zeros((9, 4, 4, 1), "uint8")
    with pytest.warns(UserWarning, match=r"the last of the batches of 4 holds 1 image.*batch_size=5"):
        data.load(images, batch_size=4, drop_remainder=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for batch_size in (1, 5, 9):
            data.load(images, batch_size=batch_size, drop_remainder=False)


@pytest.mark.parametrize("table", [[[0, 1]] * 4, np.ones((4, 2), bool)])
def test_attributes_as_lists(table):
    assert data.arrays(data.WithAttributes(PIXELS, table))[1].dtype == np.float32


@pytest.mark.parametrize("table", [[["a", "b"]] * 4, np.full((4, 2), np.nan)])
def test_attributes_that_are_no_numbers(table):
    with pytest.raises(ValueError, match="Give numbers such as 0 and 1"):
        data.info(data.WithAttributes(PIXELS, table))
