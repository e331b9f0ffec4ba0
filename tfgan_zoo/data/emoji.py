"""Noto's colour emoji without a download: Debian's font and Unicode's list become a prepared dataset.

    apt install fonts-noto-color-emoji unicode-data
    python -m tfgan_zoo.data.emoji

The font (Google, images under Apache-2.0, fonts under the OFL 1.1) keeps each emoji as a PNG of 136 x 128 pixels, of
which the outer four columns on both sides are empty. Unicode's emoji-test.txt says which sequences there are and
their groups, which are the classes. An emoji with another skin tone is the same picture in another colour: all tones of
one emoji are in the same split, which its code points choose.
"""

import dataclasses
import hashlib
import io
import pathlib
from typing import Annotated

import numpy as np
import typer

from tfgan_zoo.data import catalogue, prepared, splits

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
LIST = "/usr/share/unicode/emoji/emoji-test.txt"
PACKAGES = "fonts-noto-color-emoji unicode-data"
SIDE = 128
FLAGS = "Flags"
_TONES = range(0x1F3FB, 0x1F400)
_PRESENTATION = 0xFE0F  # asks for the coloured form; fonts of colour leave it out


@dataclasses.dataclass(frozen=True)
class Emoji:
    """One line of Unicode's list.

    Args:
        codes: its code points.
        group: such as "Food & Drink".
        name: such as "red apple".
    """

    codes: tuple
    group: str
    name: str

    @property
    def base(self):
        """Its code points without skin tones and presentation selectors: what all its tones share."""
        return tuple(code for code in self.codes if code not in _TONES and code != _PRESENTATION)

    @property
    def has_tone(self):
        """Whether it is given a skin tone."""
        return any(code in _TONES for code in self.codes)

    @property
    def split(self):
        """ "train" for 8 of 10 bases, "validation" or "test" for one; the same whatever else is in the dataset."""
        tenth = hashlib.sha256(" ".join(f"{code:X}" for code in self.base).encode()).digest()[0] * 10 // 256
        return {0: "test", 1: "validation"}.get(tenth, "train")


def listed(text):
    """The fully qualified emoji of Unicode's emoji-test.txt, in its order.

    Args:
        text: content of the file.

    Returns:
        List of `Emoji`.
    """
    emojis, group = [], None
    for line in text.splitlines():
        if line.startswith("# group:"):
            group = line.partition(":")[2].strip()
        fields, _, comment = line.partition("#")
        codes, _, status = fields.partition(";")
        if status.strip() == "fully-qualified":
            name = comment.split(maxsplit=2)[2]  # after the emoji itself and the version, E1.0
            emojis.append(Emoji(tuple(int(code, 16) for code in codes.split()), group, name))
    return emojis


class Font:
    """The pictures in a font of colour bitmaps (tables CBDT and CBLC).

    Args:
        font: a `fontTools.ttLib.TTFont`.

    Raises:
        ValueError: if it has no colour bitmaps.
    """

    def __init__(self, font):
        if "CBDT" not in font:
            raise ValueError("the font has no table CBDT of colour bitmaps")
        self._pictures = font["CBDT"].strikeData[0]
        self._glyphs = font.getBestCmap()
        self._ligatures = _ligatures(font["GSUB"].table) if "GSUB" in font else {}

    def picture(self, codes):
        """The picture of a sequence of code points, uint8 (H, W, 4), or None if the font has none."""
        from PIL import Image

        glyphs = tuple(self._glyphs.get(code) for code in codes if code != _PRESENTATION or code in self._glyphs)
        name = glyphs[0] if len(glyphs) == 1 else self._ligatures.get(glyphs)
        if name not in self._pictures:
            return None
        return np.asarray(Image.open(io.BytesIO(self._pictures[name].imageData)).convert("RGBA"))


def _ligatures(table):
    """Dict of a sequence of glyphs to the glyph that stands for it."""
    found = {}
    for lookup in table.LookupList.Lookup:
        for subtable in (getattr(subtable, "ExtSubTable", subtable) for subtable in lookup.SubTable):
            for first, ligatures in getattr(subtable, "ligatures", {}).items():
                for ligature in ligatures:
                    found.setdefault((first, *ligature.Component), ligature.LigGlyph)
    return found


def square(picture):
    """The middle of a picture, 128 x 128, on transparent ground where it is smaller."""
    height, width = picture.shape[:2]
    top, left = max(0, (height - SIDE) // 2), max(0, (width - SIDE) // 2)
    middle = picture[top : top + SIDE, left : left + SIDE]
    framed = np.zeros((SIDE, SIDE, 4), "uint8")
    top, left = (SIDE - middle.shape[0]) // 2, (SIDE - middle.shape[1]) // 2
    framed[top : top + middle.shape[0], left : left + middle.shape[1]] = middle
    return framed


def pictures(font, emojis):
    """The pictures of emoji, each once: of several that look the same the first stays.

    Args:
        font: a `Font`.
        emojis: list of `Emoji`.

    Returns:
        List of (`Emoji`, uint8 (128, 128, 4)).
    """
    found, seen = [], set()
    for emoji in emojis:
        picture = font.picture(emoji.codes)
        if picture is None or (content := square(picture).tobytes()) in seen:
            continue
        seen.add(content)
        found.append((emoji, square(picture)))
    return found


def opened(font=FONT, emoji_list=LIST):
    """The font and the list.

    Returns:
        (`Font`, list of `Emoji`).

    Raises:
        FileNotFoundError: if one is missing, with the packages that have them.
        ValueError: if one is not what it should be.
    """
    from fontTools.ttLib import TTFont, TTLibError

    missing = [str(path) for path in (font, emoji_list) if not pathlib.Path(path).is_file()]
    if missing:
        raise FileNotFoundError(
            f"There is no {' and no '.join(missing)}. Install them with `apt install {PACKAGES}`, "
            "or name the files with --font and --emoji-list"
        )
    emojis = listed(pathlib.Path(emoji_list).read_text(encoding="utf-8"))
    if not emojis:
        raise ValueError(f"{emoji_list} lists no emoji. Give Unicode's emoji-test.txt")
    try:
        return Font(TTFont(font)), emojis
    except (TTLibError, ValueError) as error:
        raise ValueError(f"{font} cannot be used: {error}. Give NotoColorEmoji.ttf") from error


def prepare(font=FONT, emoji_list=LIST, flags=False, tones=False, data_dir=None, say=print):
    """Prepare "emoji", or "emoji_flags" with the flags, or "emoji_tones" with every skin tone.

    Args:
        font: path of NotoColorEmoji.ttf.
        emoji_list: path of emoji-test.txt.
        flags: with the group of flags.
        tones: with the skin tones of each base.
        data_dir: TFDS' data directory; None means its own default ($TFDS_DATA_DIR, else ~/tensorflow_datasets).
        say: called with each sentence about what is being done.

    Returns:
        Path of the prepared dataset.

    Raises:
        FileNotFoundError: if the font or the list is missing.
        ValueError: if one is not what it should be, or both flags and tones are asked for.
        OSError: if the disk is full, or there is no permission to write.
    """
    if flags and tones:
        raise ValueError("flags and tones are datasets of their own, emoji_flags and emoji_tones. Ask for one")
    name = "emoji_flags" if flags else "emoji_tones" if tones else "emoji"
    out = prepared.directory(name, data_dir)
    if catalogue.is_prepared(out):
        say(f"{name} is prepared already: {out}")
        return out
    glyphs, emojis = opened(font, emoji_list)
    wanted = [emoji for emoji in emojis if (flags or emoji.group != FLAGS) and (tones or not emoji.has_tone)]
    drawn = pictures(glyphs, wanted)
    if not drawn:
        raise ValueError(f"{font} has no picture of the {len(wanted):,} emoji in {emoji_list}. Give NotoColorEmoji.ttf")
    groups = list(dict.fromkeys(emoji.group for emoji, _ in drawn))
    parts = {split: [] for split in ("train", "validation", "test")}
    for emoji, picture in (drawn[row] for row in splits.permutation(len(drawn))):  # so that a slice has every group
        parts[emoji.split].append((picture, groups.index(emoji.group)))
    say(f"Writing {len(drawn):,} emoji of {len(groups)} groups to {out}.")
    description = "Noto colour emoji (Google; Apache-2.0, fonts OFL 1.1) with Unicode's groups; splits share no base."
    prepared.write(name, out, (SIDE, SIDE, 4), groups, parts, description)
    say(f'Done: load it with tfgan_zoo.data.load("{name}", image_size=64).')
    return out


def main(
    font: Annotated[str, typer.Option(help="NotoColorEmoji.ttf.")] = FONT,
    emoji_list: Annotated[str, typer.Option(help="Unicode's emoji-test.txt.")] = LIST,
    flags: Annotated[bool, typer.Option("--flags", help="Prepare emoji_flags: with the group of flags.")] = False,
    tones: Annotated[bool, typer.Option("--tones", help="Prepare emoji_tones: with every skin tone.")] = False,
    data_dir: Annotated[str | None, typer.Option(help="TFDS' data directory; its own default if not given.")] = None,
):
    """Prepare colour emoji from Debian's fonts-noto-color-emoji and unicode-data."""
    try:
        prepare(font, emoji_list, flags, tones, data_dir, say=typer.echo)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
