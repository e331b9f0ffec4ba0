"""Emoji: the reading of Unicode's list and of a font on small stand-ins, and the real ones where they are prepared."""

import emoji_font
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from typer.testing import CliRunner

from tfgan_zoo import data
from tfgan_zoo.data import catalogue, emoji, prepared

LIST = """# group: Smileys & Emotion

# subgroup: face-smiling
1F600                      ; fully-qualified     # 😀 E1.0 grinning face
263A FE0F                  ; fully-qualified     # ☺️ E0.6 smiling face
263A                       ; unqualified         # ☺ E0.6 smiling face
1F642                      ; fully-qualified     # 🙂 E1.0 looks like the first
# group: People & Body
1F44B                      ; fully-qualified     # 👋 E0.6 waving hand
1F44B 1F3FB                ; fully-qualified     # 👋🏻 E1.0 waving hand: light skin tone
1F44B 1F3FF                ; fully-qualified     # 👋🏿 E1.0 waving hand: dark skin tone
1F468 200D 1F33E           ; fully-qualified     # 👨‍🌾 E4.0 man farmer
1F468 1F3FB 200D 1F33E     ; fully-qualified     # 👨🏻‍🌾 E4.0 man farmer: light skin tone
# group: Component
1F3FB                      ; component           # 🏻 E1.0 light skin tone
# group: Flags
1F3C1                      ; fully-qualified     # 🏁 E0.6 chequered flag
"""
CHARACTERS = {
    0x1F600: "grin",
    0x263A: "smile",
    0x1F642: "twin",
    0x1F44B: "wave",
    0x1F3FB: "light",
    0x1F3FF: "dark",
    0x1F468: "man",
    0x200D: "joiner",
    0x1F33E: "rice",
    0x1F3C1: "flag",
}
LIGATURES = {
    ("wave", "light"): "wave_light",
    ("wave", "dark"): "wave_dark",
    ("man", "joiner", "rice"): "farmer",
    ("man", "light", "joiner", "rice"): "farmer_light",
}
COLOURS = {  # each another, but for the twin
    name: (40 * number % 256, 90, 17 * number, 255)
    for number, name in enumerate([*CHARACTERS.values(), *LIGATURES.values()])
} | {"twin": (0, 90, 0, 255)}


@pytest.fixture
def files(tmp_path):
    """A font and a list, as arguments."""
    emoji_font.make(tmp_path / "font.ttf", CHARACTERS, LIGATURES, COLOURS)
    (tmp_path / "list.txt").write_text(LIST, encoding="utf-8")
    return {"font": tmp_path / "font.ttf", "emoji_list": tmp_path / "list.txt"}


def quiet(_):
    pass


def command():
    import typer

    app = typer.Typer()
    app.command()(emoji.main)
    return app


def test_the_list_is_read():
    found = emoji.listed(LIST)
    assert len(found) == 9
    assert found[1] == emoji.Emoji((0x263A, 0xFE0F), "Smileys & Emotion", "smiling face")
    assert found[1].base == (0x263A,)
    assert [one.has_tone for one in found] == [False, False, False, False, True, True, False, True, False]
    farmers = [one for one in found if "farmer" in one.name]
    assert {one.base for one in farmers} == {(0x1F468, 0x200D, 0x1F33E)}
    assert len({one.split for one in farmers}) == 1


def test_splits_are_eight_tenths_and_two_of_one():
    found = [emoji.Emoji((code,), "", "").split for code in range(0x1F000, 0x1F000 + 5000)]
    assert 0.77 < found.count("train") / 5000 < 0.83
    assert 0.07 < found.count("validation") / 5000 < 0.13


def test_the_fonts_pictures_are_found_by_character_and_ligature(files):
    font = emoji.Font(TTFont(files["font"]))
    for codes, glyph in (
        ((0x1F600,), "grin"),
        ((0x263A, 0xFE0F), "smile"),
        ((0x1F44B, 0x1F3FF), "wave_dark"),
        ((0x1F468, 0x1F3FB, 0x200D, 0x1F33E), "farmer_light"),
    ):
        picture = font.picture(codes)
        assert picture.shape == (128, 136, 4)
        assert picture[0, 0].tolist() == list(COLOURS[glyph])
    assert font.picture((0x1F600, 0x1F44B)) is None
    assert font.picture((0x42,)) is None


def test_the_middle_of_a_picture_is_kept():
    wide = np.zeros((128, 136, 4), "uint8")
    wide[:, 4:132] = 7
    assert (emoji.square(wide) == 7).all()
    small = np.full((100, 60, 4), 9, "uint8")
    framed = emoji.square(small)
    assert framed.shape == (128, 128, 4)
    assert (framed == 9).sum() == small.size
    assert (framed[14:114, 34:94] == 9).all()


@pytest.mark.parametrize(
    ("name", "options", "count", "groups"),
    [("emoji", {}, 4, 2), ("emoji_flags", {"flags": True}, 5, 3), ("emoji_tones", {"tones": True}, 7, 2)],
)
def test_a_prepared_dataset(files, tmp_path, name, options, count, groups):
    out = emoji.prepare(**files, **options, data_dir=tmp_path, say=quiet)
    assert out == prepared.directory(name, tmp_path)
    described = data.info(name, tmp_path)
    assert described.image_shape == (128, 128, 3)
    assert described.num_classes == groups
    assert sum(described.num_images.values()) == count  # the twin is left out
    split = "+".join(part for part, number in described.num_images.items() if number)
    images, labels = data.arrays(name, split, image_size=8, channels=4, data_dir=tmp_path)
    seen = {tuple(image[4, 4].tolist()): label for image, label in zip(images, labels, strict=True)}
    assert seen[COLOURS["grin"]] == 0
    assert seen[COLOURS["wave"]] == 1
    assert (COLOURS["flag"] in seen) == ("flags" in options)
    assert (COLOURS["wave_dark"] in seen) == ("tones" in options)


def test_it_is_prepared_once(files, tmp_path):
    said = []
    emoji.prepare(**files, data_dir=tmp_path, say=said.append)
    assert "Writing 4 emoji of 2 groups" in said[0]
    said.clear()
    emoji.prepare(font="gone", data_dir=tmp_path, say=said.append)
    assert ["prepared already" in sentence for sentence in said] == [True]


def test_what_is_missing_is_one_sentence(files, tmp_path):
    with pytest.raises(RuntimeError, match=r"emoji is not prepared in .*Run `python -m tfgan_zoo\.data\.emoji`"):
        data.load("emoji", data_dir=tmp_path)
    result = CliRunner().invoke(command(), ["--font", "gone.ttf", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "There is no gone.ttf" in result.stderr
    assert "apt install fonts-noto-color-emoji unicode-data" in result.stderr
    assert "Traceback" not in result.stderr
    emoji_font.make(tmp_path / "plain.ttf", CHARACTERS, {}, {})
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "empty.txt").write_text("nothing")
    for wrong, sentence in (
        ({"font": tmp_path / "plain.ttf"}, "no table CBDT"),
        ({"font": tmp_path / "broken.ttf"}, "cannot be used"),
        ({"emoji_list": tmp_path / "empty.txt"}, "lists no emoji"),
        ({"flags": True, "tones": True}, "Ask for one"),
    ):
        with pytest.raises(ValueError, match=sentence):
            emoji.prepare(**files | wrong, data_dir=tmp_path, say=quiet)
    assert not (tmp_path / "emoji").exists()


@pytest.mark.skipif(not catalogue.is_prepared(prepared.directory("emoji")), reason="make data-emoji prepares it")
def test_the_real_ones():
    described = data.info("emoji")
    assert described.num_classes == 8
    assert "Flags" not in described.class_names
    assert 1_500 < sum(described.num_images.values()) < 2_500
    images, labels = data.arrays("emoji", "test", image_size=32)
    assert set(labels) == set(range(8))
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) > 0.98 * len(images)
    transparent, _ = data.arrays("emoji", "test", image_size=32, channels=4)
    assert 0.4 < (transparent[..., 3] > 127).mean() < 0.75
    on_black, _ = data.arrays("emoji", "test", image_size=32, background=0)
    clear = transparent[..., 3] == 0
    assert on_black[clear].max() <= 40  # Lanczos' ringing
    assert images[clear].min() >= 215
