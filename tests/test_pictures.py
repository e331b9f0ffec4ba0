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


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_what_has_no_colour_is_kept_in_grey(tmp_path, channels, mode):
    pictures.save_labelled_grid(images(4, channels=channels), tmp_path / "a.png", 2, row_titles="ab")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == mode


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


BLUE, ORANGE = (31, 119, 180), (255, 127, 14)


def places(picture, colour):
    """(rows, columns) of the pixels of about that colour."""
    return np.nonzero(np.abs(picture.astype(int) - colour).sum(-1) < 40)


def bent(picture):
    """How far a curve is from straight: the height of its middle between those of its ends, 0.5 on a line."""
    rows, columns = places(picture, BLUE)
    edges = np.quantile(columns, [0.1, 0.5, 0.9])
    left, middle, right = (rows[np.abs(columns - edge) <= 2].mean() for edge in edges)
    return (middle - left) / (right - left)


def test_lines_are_straight_on_the_axis_of_their_kind(tmp_path):
    x = np.linspace(0, 5, 200)
    found = {}
    for name, y in {"line": 2 * x, "exponential": 10**x}.items():
        for log in (False, True):
            pictures.save_lines({"a": {"": (x, y)}}, tmp_path / "a.png", log=log)
            found[name, log] = bent(read(tmp_path / "a.png"))
    assert found["line", False] == pytest.approx(0.5, abs=0.05)
    assert found["exponential", True] == pytest.approx(0.5, abs=0.05)
    assert abs(found["line", True] - 0.5) > 0.1
    assert abs(found["exponential", False] - 0.5) > 0.3


def test_panels_of_lines_share_a_window_only_when_told(tmp_path):
    panels = {"low": {"a": ([0, 1], [0, 1])}, "high": {"b": ([0, 1], [0, 100], "-")}}
    heights = {}
    for shared in (False, True):
        pictures.save_lines(panels, tmp_path / "a.png", shared=shared)
        picture = read(tmp_path / "a.png")
        assert picture.shape[1] > 2 * picture.shape[0]  # side by side
        rows, columns = places(picture, BLUE)
        heights[shared] = [np.ptp(rows[half]) for half in (columns < picture.shape[1] // 2, columns > 600)]
    assert min(heights[False]) > 200
    assert heights[True][1] > 200


def test_a_gap_in_a_curve_stays_a_gap(tmp_path):
    x, y = np.linspace(0, 1, 100), np.ones(100)
    panels = {"whole": {"": (x, y)}, "broken": {"": (x, np.where(x < 0.6, np.inf, y))}}
    pictures.save_lines(panels, tmp_path / "a.png", shared=True)
    picture = read(tmp_path / "a.png")
    counts = [len(places(half, BLUE)[0]) for half in np.array_split(picture, 2, axis=1)]
    assert 0.3 * counts[0] < counts[1] < 0.5 * counts[0]


def test_a_field_draws_its_arrows_and_its_path_the_right_way_round(tmp_path):
    grid = np.mgrid[-1:1:9j, -1:1:9j].reshape(2, -1).T
    wide = np.stack([np.linspace(-0.8, 0.8, 50), np.zeros(50)], axis=1)
    right, rest = np.tile([1.0, 0.0], (81, 1)), np.zeros((81, 2))
    pictures.save_fields({"along x": (grid, right, wide), "along y": (grid, rest, wide[:, ::-1])}, tmp_path / "a.png")
    across, up = np.array_split(read(tmp_path / "a.png"), 2, axis=1)
    for picture, long, short in ((across, 1, 0), (up, 0, 1)):
        extent = [np.ptp(axis) for axis in places(picture, ORANGE)]
        assert extent[long] > 100
        assert extent[short] < 20
    start, end = places(across, BLUE)[1].mean(), places(across, (214, 39, 40))[1].mean()
    assert start < end - 100
    start, end = places(up, BLUE)[0].mean(), places(up, (214, 39, 40))[0].mean()
    assert start > end + 100  # y grows upwards, rows downwards
    inks = [len(places(picture, (128, 128, 128))[0]) for picture in (across, up)]
    assert inks[0] > 3 * inks[1]  # arrows of no length are no arrows


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: pictures.save_labelled_grid(images(4), p, 2, row_titles=CLOTHES), "row_titles has 3 .* 2 rows"),
        (lambda p: pictures.save_labelled_grid(images(4), p, 2, column_titles="a"), "column_titles has 1 .* 2 columns"),
        (lambda p: pictures.save_labelled_grid(np.zeros((4, 2)), p, 2), "a grid needs"),
        (lambda p: pictures.save_panels({}, p), "panels is empty"),
        (lambda p: pictures.save_lines({}, p), "panels is empty"),
        (lambda p: pictures.save_fields({}, p), "panels is empty"),
        (lambda p: pictures.save_against([{"epoch": 1, "fd": 2.0}], "fd", "kd", p), "Unknown quantity 'kd'.*'fd'"),
    ],
)
def test_refuses_in_a_sentence_and_writes_nothing(tmp_path, make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["int64", "uint16", "int32", "uint8"])
def test_integers_are_pixels_and_booleans_black_and_white(dtype):
    pixels = np.arange(0, 256, 4).reshape(1, 8, 8, 1)
    np.testing.assert_array_equal(pictures.grid(pixels.astype(dtype))[1:-1, 1:-1], pixels[0])
    assert set(np.unique(pictures.grid(pixels > 100))) == {0, 255}
    with pytest.raises(ValueError, match="with values from -1 to 0: give integers from 0 to 255"):
        pictures.grid(-np.ones((1, 2, 2, 1), "int64") * (np.arange(4).reshape(1, 2, 2, 1) > 1))


def test_a_figure_without_colour_is_saved_in_grey_and_one_with_colour_keeps_it(tmp_path):
    for colour, mode in (("black", "L"), ("tab:blue", "RGB")):
        figure, axis = pictures.new_figure(2.0, 1.5)
        axis.plot([0, 1], [0, 1], color=colour)
        pictures.save_figure(figure, tmp_path / f"{mode}.png")
        with Image.open(tmp_path / f"{mode}.png") as picture:
            assert picture.mode == mode
            assert picture.size == (220, 165)


def test_logarithmic_axes_are_labelled_by_plain_numbers(tmp_path):
    figure, (left, right) = pictures.new_figure(4.0, 2.0, 1, 2)
    left.plot([3, 40], [1, 2])
    left.set_xscale("log")
    pictures.plain_ticks(left.xaxis)
    figure.draw_without_rendering()
    low, high = left.get_xlim()
    ticks = zip(left.get_xticks(), left.get_xticklabels(), strict=True)
    assert [label.get_text() for at, label in ticks if low <= at <= high] == ["5", "10", "20"]
    assert right.get_xscale() == "linear"
