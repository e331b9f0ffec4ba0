"""Damaged pictures, any layout of folders, any array: read as Pillow and NumPy say, or refused in a sentence."""

import collections
import io
import pathlib
import re
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from tfgan_zoo import data
from tfgan_zoo.data import corrupt_files, decoding, finding
from tfgan_zoo.data.source import Wanted

FORMATS = {  # ending: modes
    "png": ("L", "RGB", "RGBA", "P", "1", "LA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "gif": ("P", "L"),
    "bmp": ("L", "RGB", "1", "P"),
    "webp": ("RGB", "RGBA"),
    "tif": ("L", "RGB", "RGBA", "CMYK", "P", "I;16", "I", "F"),
    "ppm": ("L", "RGB", "1", "I"),
    "tga": ("L", "RGB", "RGBA", "P"),
    "jp2": ("L", "RGB", "RGBA", "I;16"),
}
FEW, MANY = pytest.param("few", id="few"), pytest.param("many", id="many", marks=pytest.mark.slow)


def sentence(error):
    """Whether an error is one of ours: a sentence of one line that no library wrote."""
    return isinstance(error, ValueError | FileNotFoundError) and "\n" not in str(error) and 20 < len(str(error)) < 900


# ---- pictures --------------------------------------------------------------------------------------------------------


def picture(random, mode):
    """A picture of random pixels."""
    shape = tuple(random.integers(1, 12, 2))
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 2**16, shape).astype("uint16"))
    if mode in ("I", "F"):
        return Image.fromarray(random.integers(0, 2**16, shape).astype({"I": "int32", "F": "float32"}[mode]))
    made = Image.fromarray(random.integers(0, 256, (*shape, 4)).astype("uint8"))
    return made.convert("RGB").convert(mode) if mode in ("P", "1", "CMYK") else made.convert(mode)


def write_mutated(random, path, mode):
    """Write a picture, turned by EXIF or not, and then change a few bytes, or cut it, or leave it whole."""
    exif = Image.Exif()
    exif[0x0112] = int(random.integers(0, 10))
    turned = {"exif": exif} if path.suffix in (".png", ".jpg", ".tif", ".webp") and random.random() < 0.5 else {}
    picture(random, mode).save(path, **turned)
    content = bytearray(path.read_bytes())
    for _ in range(random.integers(0, 4)):
        at, kind = int(random.integers(len(content) or 1)), random.integers(4)
        if kind == 0:
            content[at : at + 1] = random.bytes(1)
        elif kind == 1:
            content[at : at + 1] = bytes([content[at] ^ (1 << int(random.integers(8)))]) if content else b""
        elif kind == 2:
            content[at:at] = random.bytes(int(random.integers(1, 5)))
        elif random.random() < 0.3:
            del content[at:]
    path.write_bytes(content)


def as_pillow_says(path):
    """Pixels (H, W, 3) over white as floats; None if they have no known range.

    Raises:
        Exception: whatever Pillow raises.
    """
    with Image.open(io.BytesIO(path.read_bytes())) as opened:  # by a path it mixes up the pixels of a turned TIFF
        opened.load()
        mode, kind = opened.mode, opened.format
        bits = opened.tag_v2.get(258, (16,))[0] if kind == "TIFF" else 16
        turned = ImageOps.exif_transpose(opened)
        if mode == "F" or (mode == "I" and kind != "PPM"):
            return None
        if mode.startswith("I"):
            grey = np.asarray(turned) / (2**bits - 1) * 255
            return np.stack([grey] * 3, axis=-1)
        if mode not in ("RGBA", "RGBa", "LA", "La", "PA") and "transparency" not in turned.info:
            return np.asarray(turned.convert("RGB"), float)
        pixels = np.asarray(turned.convert("RGBA"), float)
        return pixels[..., :3] * pixels[..., 3:] / 255 + 255 - pixels[..., 3:]


@pytest.mark.parametrize("amount", [FEW, MANY])
@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_are_read_as_pillow_reads_them_or_named(amount, tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10**6)  # a bomb begins at twice as many
    random, expected, reasons = np.random.default_rng(0), {}, collections.Counter()
    for index in range({"few": 150, "many": 2000}[amount]):
        suffix = list(FORMATS)[index % len(FORMATS)]
        path = tmp_path / f"{index:04d}.{suffix}"
        write_mutated(random, path, random.choice(FORMATS[suffix]))
        try:
            expected[path] = as_pillow_says(path)
        except Exception:
            expected[path] = None
        try:
            found = decoding.decode(path, Wanted(channels=3))
        except corrupt_files.UNREADABLE as error:
            found = error
        if isinstance(found, Exception):
            assert expected[path] is None, f"{path}: {found}"
            assert "\n" not in corrupt_files.reason(found)
            reasons[type(found).__name__] += 1
            continue
        assert expected[path] is not None, path
        assert found.shape == expected[path].shape, path
        assert np.abs(found - expected[path]).max() <= 1.0, path
        assert decoding.header(path)[:2] == found.shape[:2], path
    readable = [path for path, pixels in expected.items() if pixels is not None]
    assert len(readable) > 0.3 * len(expected)
    assert sum(reasons.values()) > 0.2 * len(expected)
    images, _ = data.arrays(tmp_path, image_size=6, channels=3, skip_corrupt=True, verbose=False)
    assert len(images) == len(readable)
    with pytest.raises(ValueError, match="pictures cannot be read") as caught:
        data.load(tmp_path, image_size=6, cache="none", verbose=False)
    assert sentence(caught.value)


# ---- folders ---------------------------------------------------------------------------------------------------------

PLACES = ("train", "Training", "TEST", "val", "Valid", "test_set", "cats", "dogs", "2", "10", "1", "trainA", "testB")
PLACES += ("train_images", ".ipynb_checkpoints", "__MACOSX", ".thumbnails", "class 3", "class 20", "éa", "notes")
NAMES = ("a.png", "b.PNG", "c.jfif", "d.jpe", "e.txt", "f.heic", ".g.png", "Thumbs.db", "10.bmp", "2.gif", "no_ending")
HIDDEN = (".", "__MACOSX", "Thumbs.db")


def by_number(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


@pytest.mark.parametrize("amount", [FEW, MANY])
def test_folders_of_any_layout_are_read_whole_or_refused(amount, tmp_path):
    random, outcomes = np.random.default_rng(1), collections.Counter()
    whole = Image.new("L", (2, 2))
    for index in range({"few": 80, "many": 500}[amount]):
        folder, visible, others = tmp_path / str(index), 0, 0
        folder.mkdir()
        places = [pathlib.Path(*random.choice(PLACES, size=depth)) for depth in random.integers(0, 4, 4)]
        for place in dict.fromkeys(places[: random.integers(1, 5)]):
            (folder / place).mkdir(parents=True, exist_ok=True)
            for name in random.choice(NAMES, size=random.integers(0, 3), replace=False):
                is_picture = pathlib.Path(name).suffix.lower() in (".png", ".jfif", ".jpe", ".bmp", ".gif")
                with open(folder / place / name, "wb") as file:
                    whole.save(file, format={".bmp": "BMP", ".gif": "GIF"}.get(pathlib.Path(name).suffix, "PNG"))
                if not any(part.startswith(HIDDEN) for part in (*place.parts, name)):
                    visible, others = visible + is_picture, others + (not is_picture)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                found = finding.find(folder)
            except ValueError as error:
                found = error
        if isinstance(found, ValueError):
            assert sentence(found), found
            assert "holds" in str(found) or "class folders" in str(found)
            assert visible or "holds no pictures" in str(found)
            outcomes[str(found).replace(str(folder), "")[:20]] += 1
            continue
        info = found.info
        assert sum(info.num_images.values()) == visible, sorted(folder.rglob("*"))
        if list(info.num_images) == ["train"] and found.rows("train", Wanted(1)).file_name(0):
            assert bool(others) == bool(said) or any(part.is_dir() for part in folder.iterdir())
        if info.class_names:
            assert list(info.class_names) == sorted(info.class_names, key=by_number)
            for split in info.num_images:
                rows = found.rows(split, Wanted(1, 1))
                _, labels = rows.read(range(rows.shape[0]))
                named = [rows.file_name(row).split("/")[0] for row in range(rows.shape[0])]
                assert [info.class_names[label] for label in labels] == named
        outcomes["read"] += 1
    assert len(outcomes) > 3
    assert outcomes["read"] > 5


# ---- arrays ----------------------------------------------------------------------------------------------------------

DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64", "uint64", "float16", "float32", "float64", "bool")
DTYPES += ("complex64", "object", "U3", "S2", "datetime64[s]", "timedelta64[s]", "bfloat16", "struct")
SHAPES = (
    (4, 5, 6),
    (4, 5, 6, 1),
    (4, 5, 6, 3),
    (4, 5, 6, 4),
    (4, 5, 6, 2),
    (4, 3, 5, 6),
    (4, 2),
    (4, 3),
    (4,),
    (),
    (0, 2, 2),
)
RANGES = (
    (0, 255),
    (0, 1),
    (-1, 1),
    (-1.0000002, 1.0000002),
    (0, 65535),
    (-128, 127),
    (0, 4095),
    (0, 1e9),
    (-1, np.nan),
)
LABELS = (None, "range", "list", "bool", "float", "strings", "bytes", "nan", "inf", "huge", "negative", "struct")
LABELS += ("one-hot", "column", "short", "objects", "minus one")


def array(random, dtype, shape, low, high):
    values = np.asarray(random.uniform(low, high if np.isfinite(high) else 1.0, shape))
    if np.isnan(high) and values.size:
        values.flat[0] = np.nan
    if dtype == "struct":
        return np.zeros(shape, [("a", "u1")])
    with np.errstate(all="ignore"):
        return np.asarray(tf.cast(values, tf.bfloat16)) if dtype == "bfloat16" else values.astype(dtype)


def labels_of(kind):
    return {
        "range": np.arange(4),
        "list": [0, 1, 2, 1],
        "bool": np.array([True, False, True, True]),
        "float": np.array([0.0, 1.0, 2.0, 2.0]),
        "strings": np.array(list("abcd")),
        "bytes": np.array([b"a"] * 4),
        "nan": np.array([0, np.nan, 1, 1]),
        "inf": [0, np.inf, 1, 1],
        "huge": np.array([0, 2**40, 1, 1]),
        "negative": np.array([-2, 0, 1, 1]),
        "struct": np.zeros(4, [("a", "u1")]),
        "one-hot": np.eye(4),
        "column": np.arange(4)[:, None],
        "short": [0, 1],
        "objects": np.array([0, None, "a", 1], object),
        "minus one": [-1] * 4,
    }[kind]


@pytest.mark.parametrize("amount", [FEW, MANY])
@pytest.mark.filterwarnings("ignore")
def test_arrays_of_any_kind_are_read_as_numpy_reads_them_or_refused(amount, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random, outcomes = np.random.default_rng(2), collections.Counter()
    for _ in range({"few": 150, "many": 900}[amount]):
        dtype = random.choice(("uint8", "float32", random.choice(DTYPES)))
        images = array(random, dtype, SHAPES[random.integers(len(SHAPES))], *RANGES[random.integers(len(RANGES))])
        kind = LABELS[random.choice((0, 1, random.integers(len(LABELS))))]
        given = None if kind is None else labels_of(kind)
        form = random.choice(("array", "pair", "dict", "npz", "list", "dataset", "lists"))
        if form == "npz":
            np.savez("a.npz", images=images, **({} if given is None else {"labels": given}))
            source = "a.npz" if random.random() < 0.5 else np.load("a.npz", allow_pickle=True)
        elif form == "dict":
            source = {"image": images, "label": given} if random.random() < 0.8 else {"pixels": images}
        elif form == "dataset":
            source = tf.data.Dataset.range(3)
        elif form == "lists":
            source = images.tolist()
        else:
            source = {"array": images, "pair": (images, given), "list": list(images) if images.ndim else [images]}[form]
        given = None if form in ("array", "list", "lists") else given
        try:
            found, labels = data.arrays(source)
        except (ValueError, FileNotFoundError) as error:
            found = error
        if isinstance(found, Exception):
            assert sentence(found), (form, dtype, kind, str(found))
            assert re.match(r"(images|labels|source|a\.npz|the array)", str(found)), str(found)
            outcomes["refused"] += 1
            continue
        if form != "lists":
            assert images.dtype.kind in "uf", images.dtype
            expected = images if images.dtype == np.uint8 else images.astype("float32")
            expected = expected if expected.ndim == 2 or expected.dtype == np.uint8 else np.clip(expected, -1, 1)
            np.testing.assert_array_equal(found.reshape(expected.shape), expected)
        assert (labels is None) == (given is None)
        if given is not None:
            np.testing.assert_array_equal(labels, np.ravel(np.asarray(given, "int64")))
        outcomes["read"] += 1
        if outcomes["read"] % 10 == 1:
            batch = next(data.load(source, batch_size=4, shuffle=False).as_numpy_iterator())
            scaled = found if found.dtype != np.uint8 else found / 127.5 - 1
            np.testing.assert_allclose(batch if given is None else batch[0], scaled, atol=1e-6)
    assert min(outcomes["read"], outcomes["refused"]) > 20, outcomes
