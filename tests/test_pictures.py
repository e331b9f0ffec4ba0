"""Grids between words and panels: every pixel of an image is a square of one whole size, and no title is cut."""

import numpy as np
import pytest
from PIL import Image

from tfgan_zoo import pictures

RNG = np.random.default_rng(0)
CLOTHES = ["T-shirt/top", "Trouser", "Ankle boot"]


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def images(count, size=6, channels=1):
    return RNG.integers(0, 255, (count, size, size, channels), dtype=np.uint8)


def enlarged(sheet, longest):
    factor = -(-longest // max(sheet.shape[:2]))
    sheet = np.broadcast_to(sheet, (*sheet.shape[:2], 3))
    return sheet.repeat(factor, 0).repeat(factor, 1)


def found(picture, part):
    """(top, left) of every exact copy of `part` in `picture`."""
    height, width = part.shape[:2]
    rows, columns = picture.shape[0] - height + 1, picture.shape[1] - width + 1
    likely = np.ones((rows, columns), bool)
    for y, x in zip(RNG.integers(0, height, 40), RNG.integers(0, width, 40), strict=True):
        likely &= (picture[y : y + rows, x : x + columns] == part[y, x]).all(axis=-1)
    return [(y, x) for y, x in np.argwhere(likely) if (picture[y : y + height, x : x + width] == part).all()]


def margins_are_white(picture):
    return all((edge == 255).all() for edge in (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (2, 3, {"column_titles": CLOTHES, "title": "Three classes"}),
        (3, 2, {"row_titles": CLOTHES}),
        (2, 10, {"column_titles": [f"class number {n}" for n in range(10)], "row_titles": range(2)}),
        (1, 1, {"title": "a title that is much longer than the one small image that stands under it " * 2}),
        (1, 2, {}),
    ],
)
def test_a_labelled_grid_holds_the_grid_pixel_for_pixel_and_all_its_words(tmp_path, rows, columns, words, channels):
    cells = images(rows * columns, channels=channels)
    pictures.save_labelled_grid(cells, tmp_path / "a.png", columns, **words)
    picture, sheet = read(tmp_path / "a.png"), enlarged(pictures.grid(cells, columns), 800)
    ((top, left),) = found(picture, sheet)
    assert margins_are_white(picture)  # no word reaches the edge
    ink = (picture < 128).all(axis=-1)
    assert ink[:top].any() == ("title" in words or "column_titles" in words)
    assert ink[top : top + len(sheet), :left].any() == ("row_titles" in words)


def test_long_column_titles_lean_and_short_ones_do_not(tmp_path):
    cells = images(10)
    heights = []
    for titles in (range(10), [f"class number {n}" for n in range(10)]):
        pictures.save_labelled_grid(cells, tmp_path / "a.png", 10, column_titles=titles)
        heights.append(len(read(tmp_path / "a.png")))
    assert heights[1] > heights[0] + 30


def test_panels_stand_side_by_side_and_level(tmp_path):
    panels = {
        "a narrow one under a long title": (images(4), 1),
        "InfoGAN": (images(9, channels=3), 3),
        "plain": (images(6), 6),
    }
    pictures.save_panels(panels, tmp_path / "a.png")
    picture = read(tmp_path / "a.png")
    assert margins_are_white(picture)
    places = []
    for cells, columns in panels.values():
        (place,) = found(picture, enlarged(pictures.grid(cells, columns), 540))
        places.append(place)
    tops, lefts = zip(*places, strict=True)
    assert len(set(tops)) == 1
    assert list(lefts) == sorted(lefts)
    assert (picture[: tops[0]] < 128).any()


def test_two_curves_have_an_axis_each(tmp_path):
    history = [{"epoch": e, "discriminator_loss": -1.0 / e} | ({"fd": 99.0 - e} if e % 2 else {}) for e in range(1, 9)]
    pictures.save_against(history, "discriminator_loss", "fd", tmp_path / "a.png")
    picture = read(tmp_path / "a.png").astype(int)
    for colour in ((31, 119, 180), (255, 127, 14)):
        assert (np.abs(picture - colour).sum(-1) < 10).sum() > 300


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: pictures.save_labelled_grid(images(4), p, 2, row_titles=CLOTHES), "row_titles has 3 .* 2 rows"),
        (lambda p: pictures.save_labelled_grid(images(4), p, 2, column_titles="a"), "column_titles has 1 .* 2 columns"),
        (lambda p: pictures.save_labelled_grid(np.zeros((4, 2)), p, 2), "a grid needs"),
        (lambda p: pictures.save_panels({}, p), "panels is empty"),
        (lambda p: pictures.save_against([{"epoch": 1, "fd": 2.0}], "fd", "kd", p), "Unknown quantity 'kd'.*'fd'"),
    ],
)
def test_refuses_in_a_sentence_and_writes_nothing(tmp_path, make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
