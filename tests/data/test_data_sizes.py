"""Images of any height and width: cropped, squashed or padded, over any background, from files and arrays alike."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tfgan_zoo import data
from tfgan_zoo.data import decoding
from tfgan_zoo.data.source import Wanted

RANDOM = np.random.default_rng(0)


def marked(height=20, width=40):
    """Two images with a red column at the left, a green one at the right, a blue row above, and grey between."""
    image = np.full((2, height, width, 3), 128, "uint8")
    image[:, :4] = (0, 0, 255)
    image[:, :, :6], image[:, :, -6:] = (255, 0, 0), (0, 255, 0)
    return image


@pytest.fixture
def folder(tmp_path):
    for index, image in enumerate(marked()):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    return tmp_path


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(10, 30), (30, 10), (16, 16), (50, 60)])
def test_files_and_arrays_come_out_alike(folder, size, resize):
    from_files, _ = data.arrays(folder, image_size=size, resize=resize)
    from_array, _ = data.arrays(marked(), image_size=size, resize=resize)
    assert from_files.shape == (2, *size, 3)
    np.testing.assert_array_equal(from_files, from_array)


def corners(images):
    return [tuple(images[0, row, column]) for row in (0, -1) for column in (0, -1)]


def test_crop_cuts_both_sides_alike_and_keeps_proportions():
    wide = data.arrays(marked(), image_size=(10, 10))[0]  # of 20 x 40 the middle 20 x 20
    assert all(abs(int(pixel[0]) - 128) < 5 for pixel in wide[0, -1])
    same = data.arrays(marked(), image_size=(10, 20))[0]
    assert corners(same)[2:] == [(255, 0, 0), (0, 255, 0)]
    steps = np.broadcast_to(np.arange(0, 240, 6, dtype="uint8"), (20, 40))
    cut = data.arrays(np.stack([steps] * 2), image_size=(20, 30))[0]
    np.testing.assert_array_equal(cut[0, 0, :, 0], np.arange(5 * 6, 35 * 6, 6))


def test_a_number_is_a_square_and_crops_as_it_always_did():
    images = RANDOM.integers(0, 256, (3, 31, 22, 3)).astype("uint8")
    found = data.arrays(images, image_size=9)[0]
    np.testing.assert_array_equal(found, data.arrays(images, image_size=(9, 9))[0])
    np.testing.assert_array_equal(found, data.arrays(images, image_size=np.int64(9), resize="crop")[0])
    middle = Image.fromarray(images[1, 4:26]).resize((9, 9), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(found[1], np.asarray(middle))


def test_squash_keeps_every_edge():
    found = data.arrays(marked(), image_size=(20, 20), resize="squash")[0]
    assert found.shape == (2, 20, 20, 3)
    np.testing.assert_allclose(corners(found), [(255, 0, 0), (0, 255, 0)] * 2, atol=2)


@pytest.mark.parametrize("background", [255, 0, (10, 200, 30), np.uint8(7)])
def test_pad_shows_all_of_it_between_bars(background):
    found = data.arrays(marked(), image_size=(40, 40), resize="pad", background=background)[0]
    bar = np.broadcast_to(np.array(background, "uint8"), (3,))
    assert (found[:, :10] == bar).all()
    assert (found[:, 30:] == bar).all()
    np.testing.assert_array_equal(found[:, 10:30], marked())
    small = data.arrays(marked(), image_size=(10, 11), resize="pad", background=background)[0]
    assert (small[:, 0] == bar).all()
    assert (small[:, -1] == bar).all()


def test_bars_of_floats_greys_and_transparent_images():
    floats = (marked() / 127.5 - 1).astype("float32")
    assert (data.arrays(floats, image_size=40, resize="pad", background=0)[0][:, 0] == -1).all()
    assert (data.arrays(marked(), image_size=40, resize="pad", channels=1, background=(255, 0, 0))[0][:, 0] == 76).all()
    clear = data.arrays(marked(), image_size=40, resize="pad", channels=4, background=(1, 2, 3))[0]
    assert (clear[:, 0] == (1, 2, 3, 255)).all()


def transparent():
    """Red discs whose surroundings are black and clear."""
    rows, columns = np.mgrid[:32, :32] - 15.5
    image = np.zeros((2, 32, 32, 4), "uint8")
    image[:, np.hypot(rows, columns) < 10] = (255, 0, 0, 255)
    return image


def test_transparent_images_are_resized_without_a_dark_rim(tmp_path):
    for index, image in enumerate(transparent()):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    for source in (transparent(), tmp_path):
        small = data.arrays(source, image_size=12, channels=4)[0]
        assert small.shape == (2, 12, 12, 4)
        seen = small[small[..., 3] > 30]
        assert len(np.unique(small[..., 3])) > 4
        assert (np.abs(seen[:, :3].astype(int) - (255, 0, 0)) < 4).all()
    floats = (transparent() / 127.5 - 1).astype("float32")
    small = (data.arrays(floats, image_size=12)[0] + 1) * 127.5
    seen = small[small[..., 3] > 30]
    assert (np.abs(seen[:, :3] - (255, 0, 0)) < 4).all()


def test_the_background_shows_through():
    for background, pixel in ((255, 255), (0, 0), ((9, 80, 200), (9, 80, 200))):
        images = data.arrays(transparent(), channels=3, background=background)[0]
        assert (images[0, 0, 0] == pixel).all()
        assert (images[0, 16, 16] == (255, 0, 0)).all()
    floats = (transparent() / 127.5 - 1).astype("float32")
    np.testing.assert_allclose(data.arrays(floats, channels=3, background=0)[0][0, 0, 0], -1, atol=1e-6)


def test_other_ways_to_resize_have_files_of_their_own(folder):
    found = {
        resize: data.arrays(folder, image_size=(12, 12), resize=resize, cache="file", verbose=False)[0]
        for resize in ("crop", "squash", "pad")
    }
    again = data.arrays(folder, image_size=12, resize="crop", cache="file", verbose=False)[0]
    np.testing.assert_array_equal(found["crop"], again)
    assert not np.array_equal(found["crop"], found["squash"])
    assert not np.array_equal(found["pad"], found["squash"])
    assert Wanted(12).key == Wanted((12, np.int32(12))).key


def test_load_write_and_check_know_heights_and_widths(folder, tmp_path):
    dataset = data.load(folder, image_size=(10, 18), batch_size=np.int64(2), resize="squash")
    assert dataset.element_spec.shape == (2, 10, 18, 3)
    out = data.write(folder, tmp_path / "out", image_size=(10, 18), resize="squash", verbose=False)
    np.testing.assert_array_equal(data.arrays(out)[0], data.arrays(folder, image_size=(10, 18), resize="squash")[0])
    noted = data.check(folder, image_size=(21, 18), batch_size=2, verbose=False).noted
    assert "2 images are smaller than image_size=(21, 18)" in noted[0]
    assert not data.check(folder, image_size=(20, 40), batch_size=2, verbose=False).noted


def test_the_commands_know_them_too(folder, tmp_path):
    from tfgan_zoo.data.__main__ import app, size_of

    assert [size_of(text) for text in ("64", "218x178", None)] == [64, (218, 178), None]
    arguments = ["write", str(folder), str(tmp_path / "out"), "--image-size", "10x16", "--resize", "pad"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert data.info(tmp_path / "out").image_shape == (10, 16, 3)
    for size in ("ten", "1x2x3", "-8", "8x"):
        failed = CliRunner().invoke(app, ["check", str(folder), f"--image-size={size}"])
        assert failed.exit_code == 2
        assert "218x178" in failed.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"image_size": (8, 0)}, r"image_size=\(8, 0\) is not a side"),
        ({"image_size": (8, 8, 3)}, r"image_size=\(8, 8, 3\) is not a side"),
        ({"image_size": 8.0}, "image_size=8.0 is not a side"),
        ({"image_size": True}, "image_size=True is not a side"),
        ({"image_size": 8, "resize": "crap"}, "Unknown resize 'crap'. Did you mean 'crop'"),
        ({"background": 256}, "background=256 is no colour"),
        ({"background": (1, 2)}, r"background=\(1, 2\) is no colour"),
    ],
)
def test_bad_input_gets_a_sentence(arguments, sentence):
    for act in (data.load, data.arrays):
        with pytest.raises(ValueError, match=sentence):
            act("digits", **arguments)


def test_nothing_is_done_to_images_of_the_right_size():
    images = marked()
    assert decoding.fit(images, Wanted((20, 40))) is images


def test_images_are_converted_block_by_block_to_the_same_pixels(monkeypatch):
    images = RANDOM.integers(0, 256, (7, 12, 9, 4)).astype("uint8")
    for wanted in (Wanted((5, 8)), Wanted(channels=3, background=9), Wanted(6, 1, resize="pad")):
        at_once = decoding.fit(images, wanted)
        with monkeypatch.context() as patched:
            patched.setattr(decoding, "_BLOCK", 2 * images[0].size)
            np.testing.assert_array_equal(decoding.fit(images, wanted), at_once)
