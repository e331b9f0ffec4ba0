"""Sources on disk and TFDS names: folders, idx, .npz, and pictures of every mode."""

import gzip
import struct
import warnings

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tfgan_zoo import data
from tfgan_zoo.data import catalogue

RED, HALF_RED, CLEAR = (255, 0, 0, 255), (255, 0, 0, 128), (255, 0, 0, 0)


def save(folder, name, picture):
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / name)


def grey(value, size=(6, 6)):
    return Image.new("L", size, value)


def class_folders(folder):
    for label, name in enumerate(("cats", "dogs")):
        for index in range(3):
            save(folder / name, f"{index}.png", grey(100 * label + index))


def test_plain_folder_has_images_only(tmp_path):
    for index in range(5):
        save(tmp_path, f"{index}.png", grey(50 * index))
    (tmp_path / "notes.txt").write_text("not a picture")
    images, labels = data.arrays(tmp_path)
    assert labels is None
    np.testing.assert_array_equal(images[:, 0, 0, 0], [0, 50, 100, 150, 200])
    description = data.info(str(tmp_path))
    assert description.num_images == {"train": 5}
    assert description.image_shape == (6, 6, 1)
    assert description.class_names is None
    assert data.load(tmp_path, batch_size=5).element_spec.shape == (5, 6, 6, 1)


def test_class_folders_are_labels(tmp_path):
    class_folders(tmp_path)
    images, labels = data.arrays(tmp_path)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert data.info(tmp_path).class_names == ("cats", "dogs")
    part, told = data.arrays(tmp_path, "train[2:4]")
    assert part[:, 0, 0, 0].tolist() == [2, 100]
    assert told.tolist() == [0, 1]


def test_split_folders(tmp_path):
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "val")
    save(tmp_path / "test" / "dogs", "a.png", grey(7))
    save(tmp_path / "test" / "dogs", "b.png", grey(8))
    assert data.info(tmp_path).num_images == {"train": 6, "validation": 6, "test": 2}
    images, labels = data.arrays(tmp_path, "test")
    assert images[:, 0, 0, 0].tolist() == [7, 8]
    assert labels.tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"no split 'dev'. It has 'train', 'validation', 'test'"):
        data.arrays(tmp_path, "dev")


@pytest.mark.parametrize(
    ("picture", "channels", "pixel"),
    [
        (Image.new("RGB", (4, 4), (10, 20, 30)), 1, [18]),  # 0.299·10 + 0.587·20 + 0.114·30 = 18.2
        (Image.new("RGB", (4, 4), (10, 20, 30)), 4, [10, 20, 30, 255]),
        (grey(9, (4, 4)), 3, [9, 9, 9]),
        (grey(9, (4, 4)), 4, [9, 9, 9, 255]),
        (Image.new("RGBA", (4, 4), HALF_RED), 4, list(HALF_RED)),
        (Image.new("RGBA", (4, 4), HALF_RED), 3, [255, 127, 127]),
        (Image.new("RGBA", (4, 4), CLEAR), 3, [255, 255, 255]),
        (Image.new("LA", (4, 4), (0, 0)), 1, [255]),
        (Image.new("RGB", (4, 4), (200, 0, 0)).convert("P"), 3, [200, 0, 0]),
        (Image.new("1", (4, 4), 1), 1, [255]),
        (Image.fromarray(np.full((4, 4), 32896, "uint16")), 1, [128]),  # 16 bits: 128 · 257
        (Image.fromarray(np.full((4, 4), 65535, "uint16")), 3, [255, 255, 255]),
    ],
    ids=lambda value: value.mode if hasattr(value, "mode") else str(value),
)
def test_every_mode_becomes_the_channels_wanted(tmp_path, picture, channels, pixel):
    for index in range(2):
        save(tmp_path, f"{index}.png", picture)
    images, _ = data.arrays(tmp_path, channels=channels)
    assert images.dtype == np.uint8
    assert images.shape == (2, 4, 4, channels)
    if picture.mode == "P":
        assert np.abs(images[0, 0, 0].astype(int) - pixel).max() <= 10  # the palette has no such red
    else:
        assert images[0, 0, 0].tolist() == pixel


def test_the_majority_chooses_the_channels(tmp_path):
    save(tmp_path, "a.png", grey(3))
    save(tmp_path, "b.png", Image.new("RGB", (6, 6), (1, 2, 3)))
    save(tmp_path, "c.jpg", Image.new("CMYK", (6, 6)))
    images, _ = data.arrays(tmp_path)
    assert data.info(tmp_path).image_shape == (6, 6, 3)
    assert images[0, 0, 0].tolist() == [3, 3, 3]


def test_arrays_and_pictures_are_converted_alike(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 4)).astype("uint8")
    for index, image in enumerate(pixels):
        save(tmp_path, f"{index}.png", Image.fromarray(image))
    for channels in (1, 3, 4):
        from_files, from_array = data.arrays(tmp_path, channels=channels)[0], data.arrays(pixels, channels=channels)[0]
        assert np.abs(from_files.astype(int) - from_array).max() <= 1


def test_exif_says_which_way_is_up(tmp_path):
    picture = Image.new("RGB", (8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    for name in ("a.jpg", "b.jpg"):
        picture.save(tmp_path / name, exif=exif)
    assert data.info(tmp_path).image_shape == (8, 4, 3)
    assert data.arrays(tmp_path)[0].shape == (2, 8, 4, 3)


def test_mixed_sizes_ask_for_one(tmp_path):
    save(tmp_path, "a.png", grey(0, (8, 6)))
    save(tmp_path, "b.png", grey(0, (8, 6)))
    save(tmp_path, "c.png", grey(0, (5, 5)))
    assert data.info(tmp_path).image_shape == (None, None, 1)
    with pytest.raises(ValueError, match=r"different sizes: 6×8 \(2\), 5×5 \(1\). Give one, such as image_size=64"):
        data.load(tmp_path, batch_size=2)
    assert data.arrays(tmp_path, image_size=4)[0].shape == (3, 4, 4, 1)


def test_crop_is_central_and_resize_is_antialiased(tmp_path):
    stripes = np.zeros((64, 96), "uint8")
    stripes[:, 16:80:2] = 255  # every other column: a filter that does not average would see only one of them
    stripes[:, :16] = stripes[:, 80:] = 77
    for name in ("a.png", "b.png"):
        save(tmp_path, name, Image.fromarray(stripes))
    images, _ = data.arrays(tmp_path, image_size=8)
    assert images.shape == (2, 8, 8, 1)
    inner = images[:, :, 1:-1].astype(int)
    assert np.abs(inner - 128).max() < 12


def test_corrupt_files_are_named_and_may_be_skipped(tmp_path):
    class_folders(tmp_path)
    whole = (tmp_path / "cats" / "1.png").read_bytes()
    (tmp_path / "cats" / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dogs" / "0.png").write_bytes(b"no picture at all")
    with pytest.raises(
        ValueError, match=r"2 of 6 pictures cannot be read: .*cats.1\.png, .*dogs.0\.png.*skip_corrupt=True"
    ):
        data.arrays(tmp_path)
    with pytest.warns(UserWarning, match="Left out 2 of 6 pictures") as caught:
        images, labels = data.arrays(tmp_path, skip_corrupt=True)
    assert len(caught) == 1
    assert images[:, 0, 0, 0].tolist() == [0, 2, 101, 102]
    assert labels.tolist() == [0, 0, 1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(data.arrays(tmp_path, "train[4:]", skip_corrupt=True)[0]) == 2  # only whole files asked for


def test_many_corrupt_files_are_counted_and_five_named(tmp_path):
    for index in range(8):
        (tmp_path / f"{index}.png").write_bytes(b"")
    for image_size in (None, 8):
        with pytest.raises(ValueError, match="None of the 8 pictures can be read") as caught:
            data.arrays(tmp_path, image_size=image_size, skip_corrupt=True)
        assert str(caught.value).count(".png") == 5


def test_empty_and_mixed_folders(tmp_path):
    with pytest.raises(ValueError, match="holds no pictures"):
        data.info(tmp_path)
    class_folders(tmp_path)
    save(tmp_path, "stray.png", grey(0))
    with pytest.raises(ValueError, match=r"1 pictures beside its class folders \(stray.png"):
        data.info(tmp_path)


def test_one_picture_is_too_few(tmp_path):
    save(tmp_path, "only.png", grey(0))
    with pytest.raises(ValueError, match=r"has 1 image\. Give at least two"):
        data.load(tmp_path, batch_size=1)


def write_idx(path, array, kind=8):
    content = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_folder(tmp_path, suffix):
    rng = np.random.default_rng(0)
    stored = {}
    for prefix, split, count in (("train", "train", 9), ("t10k", "test", 4)):
        stored[split] = rng.integers(0, 256, (count, 5, 6)).astype("uint8"), rng.permutation(count).astype("uint8")
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{suffix}", stored[split][0])
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{suffix}", stored[split][1])
    description = data.info(tmp_path)
    assert description.num_images == {"train": 9, "test": 4}
    assert description.image_shape == (5, 6, 1)
    assert description.num_classes == 9
    for split, (pixels, told) in stored.items():
        images, labels = data.arrays(tmp_path, split)
        np.testing.assert_array_equal(images[..., 0], pixels)
        np.testing.assert_array_equal(labels, told)


def test_damaged_idx_files(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    write_idx(path, np.zeros((3, 4, 4), "uint8"))
    assert data.arrays(tmp_path)[1] is None
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match="is cut short: 43 of 48 bytes"):
        data.arrays(tmp_path)
    write_idx(path, np.zeros((3, 4, 4), "uint8"), kind=13)
    with pytest.raises(ValueError, match="is not an idx file of unsigned bytes"):
        data.info(tmp_path)
    packed = tmp_path / "train-images-idx3-ubyte.gz"
    write_idx(packed, np.random.default_rng(0).integers(0, 256, (30, 9, 9)).astype("uint8"))
    path.unlink()
    packed.write_bytes(packed.read_bytes()[:-900])
    with pytest.raises(ValueError, match="is damaged"):
        data.arrays(tmp_path)


def test_npz_of_both_kinds(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3)).astype("uint8")
    np.savez(tmp_path / "plain.npz", images=images)
    assert data.info(tmp_path / "plain.npz").num_classes is None
    np.testing.assert_array_equal(data.arrays(tmp_path / "plain.npz")[0], images)
    np.savez_compressed(
        tmp_path / "keras.npz", x_train=images[..., 0], y_train=np.arange(6), x_test=images[:2, ..., 0], y_test=[0, 1]
    )
    description = data.info(str(tmp_path / "keras.npz"))
    assert description.num_images == {"train": 6, "test": 2}
    assert description.image_shape == (4, 4, 1)
    assert description.num_classes == 6
    found, labels = data.arrays(tmp_path / "keras.npz", "train[-2:]")
    np.testing.assert_array_equal(found[..., 0], images[4:, ..., 0])
    assert labels.tolist() == [4, 5]


def test_npz_that_cannot_be_used(tmp_path):
    np.savez(tmp_path / "other.npz", pictures=np.zeros((3, 4, 4), "uint8"))
    with pytest.raises(ValueError, match=r"holds 'pictures'\. It needs 'images'"):
        data.info(tmp_path / "other.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK no zip")
    with pytest.raises(ValueError, match=r"is no \.npz file of numbers"):
        data.info(tmp_path / "broken.npz")
    np.savez(tmp_path / "object.npz", images=np.array([None, {}], dtype=object))
    with pytest.raises(ValueError, match=r"images\.npy holds Python objects"):
        data.load(tmp_path / "object.npz")
    (tmp_path / "data.csv").write_text("a,b")
    with pytest.raises(ValueError, match=r"of files only \.npz is read"):
        data.info(tmp_path / "data.csv")


@pytest.fixture
def mocked(monkeypatch):
    """TFDS with random images in place of files: 20 for training and 8 for testing."""
    found = catalogue.find

    def with_splits(name, data_dir=None):
        builder = found(name, data_dir)
        names = tfds.core.ShardedFileTemplate(builder.data_dir, dataset_name=builder.name, filetype_suffix="tfrecord")
        parts = [
            tfds.core.SplitInfo(name=split, shard_lengths=[count], num_bytes=0, filename_template=names)
            for split, count in (("train", 20), ("test", 8))
        ]
        builder.info.set_splits(tfds.core.splits.SplitDict(parts))
        return builder

    monkeypatch.setattr(catalogue, "find", with_splits)
    monkeypatch.setattr("tfgan_zoo.data.catalogue.check_reachable", lambda builder: None)
    with tfds.testing.mock_data(num_examples=20):
        yield


@pytest.mark.usefixtures("mocked")
@pytest.mark.parametrize(("name", "shape"), [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))])
def test_tfds_names(tmp_path, name, shape):
    dataset = data.load(name, batch_size=5, data_dir=tmp_path)
    assert dataset.element_spec[0].shape == (5, *shape)
    images, labels = data.arrays(name, data_dir=tmp_path)
    assert images.shape == (20, *shape)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32
    assert set(labels) <= set(range(10))
    assert data.info(name, data_dir=tmp_path).num_classes == 10
    assert data.arrays(name, image_size=8, channels=1, data_dir=tmp_path)[0].shape == (20, 8, 8, 1)


@pytest.mark.usefixtures("mocked")
def test_tfds_pictures_of_many_sizes_and_features(tmp_path):
    images, labels = data.arrays("celeb_a", image_size=16, data_dir=tmp_path)
    assert images.shape == (20, 16, 16, 3)
    assert labels is None
    with pytest.raises(ValueError, match=r"cats_vs_dogs has images of different sizes\. Give image_size"):
        data.arrays("cats_vs_dogs", data_dir=tmp_path)
    images, labels = data.arrays("cats_vs_dogs", image_size=16, data_dir=tmp_path)
    assert images.shape == (20, 16, 16, 3)
    assert labels.shape == (20,)
    with pytest.raises(ValueError, match="imdb_reviews has no image"):
        data.info("imdb_reviews", data_dir=tmp_path)


def test_a_failed_download_is_one_sentence(tmp_path, monkeypatch):
    def fail(self, **_):
        raise ConnectionError("no route to host\nand many more lines")

    monkeypatch.setattr(catalogue, "check_reachable", lambda builder: None)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(
        RuntimeError, match=r"mnist is not prepared in .* \(ConnectionError: no route to host\)"
    ) as caught:
        data.load("mnist", data_dir=tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(RuntimeError, match=r"python -m tfgan_zoo\.data\.fashion_mnist"):
        data.load("fashion_mnist", data_dir=tmp_path)


def test_a_folder_with_a_data_sets_name_is_not_taken_in_silence(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match=r"'digits' is the data set of that name.*: that is './digits'"):
        assert data.info("digits").num_classes == 10
    with pytest.raises(ValueError, match="digits"):
        data.info("./digits")  # an empty folder


def test_places_that_do_not_answer_are_told_at_once(tmp_path, monkeypatch):
    import socket
    import time
    import types
    import urllib.request

    from tfgan_zoo.data import catalogue

    monkeypatch.setattr(urllib.request, "getproxies", dict)
    refused = socket.socket()
    refused.bind(("127.0.0.1", 0))  # and does not listen
    port = refused.getsockname()[1]
    builder = types.SimpleNamespace(
        data_dir=f"{tmp_path}/mine/1.0.0",
        info=types.SimpleNamespace(full_name="mine/1.0.0"),
        url_infos={f"http://127.0.0.1:{port}/mine.zip": None},
    )
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1 does not answer"):
        catalogue.check_reachable(builder)
    assert time.monotonic() - begin < 10
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/mine.zip.INFO").touch()
    catalogue.check_reachable(builder)  # what was downloaded before needs no network
    refused.listen()
    (tmp_path / "downloads/mine.zip.INFO").unlink()
    catalogue.check_reachable(builder)
    refused.close()
