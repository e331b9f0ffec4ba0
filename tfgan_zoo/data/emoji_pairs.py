"""Emoji in two styles, and in six skin tones, from npm's emoji-datasource packages (Cal Henderson, MIT).

    python -m tfgan_zoo.data.emoji_pairs

Noto (Google, images under Apache-2.0) and Twemoji (images under CC-BY 4.0) draw the same emoji: "noto2twemoji" has the
pairs, 64 x 64, without flags. "emoji_by_tone" has the emoji of Noto that come in skin tones, which are the classes. All
tones of one emoji are in the same split.
"""

import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
from typing import Annotated

import numpy as np
import typer

from tfgan_zoo.data import catalogue, prepared, splits
from tfgan_zoo.data.emoji import FLAGS, Emoji

PACKAGE = "emoji-datasource-{}@16.0.0"
STYLES = {"google": "Noto", "twitter": "Twemoji"}
SIDE = 64
TONES = ("yellow", "light", "medium-light", "medium", "medium-dark", "dark")
_CODES = ("1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF")


def listed(archive):
    """The emoji of a package that are no flags.

    Args:
        archive: path of the .tgz that `npm pack` writes.

    Returns:
        List of (`Emoji`, name of its picture's file, number of its tone in `TONES`, or None where it has no other).

    Raises:
        ValueError: if it is no such package.
    """
    found = []
    for entry in json.loads(_read(archive, ["package/emoji.json"])[0]):
        if entry["category"] == FLAGS:
            continue
        variations = entry.get("skin_variations", {})
        each = [(entry, 0 if variations else None)]
        each += [(variations[code], tone) for tone, code in enumerate(_CODES, start=1) if code in variations]
        for one, tone in each:
            if all(one.get(f"has_img_{style}") for style in STYLES):
                codes = tuple(int(code, 16) for code in one["unified"].split("-"))
                found.append((Emoji(codes, entry["category"], entry["short_name"]), one["image"], tone))
    return found


def pictures(archive, style, names):
    """The pictures of a package by their names, uint8 (N, 64, 64, 4).

    Args:
        archive: as in `listed`.
        style: one of `STYLES`.
        names: of the files.
    """
    from PIL import Image

    contents = _read(archive, [f"package/img/{style}/{SIDE}/{name}" for name in names])
    return np.stack([np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")) for content in contents])


def fetch(style, folder):
    """A package, fetched by npm: path of the .tgz in a folder.

    Raises:
        FileNotFoundError: if there is no npm.
        OSError: if npm cannot fetch it.
    """
    npm, package = shutil.which("npm"), PACKAGE.format(style)
    if npm is None:
        raise FileNotFoundError(
            f"There is no npm. Install it with `apt install npm`, or give --{style} what `npm pack {package}` wrote"
        )
    done = subprocess.run([npm, "pack", package, "--silent"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise OSError(f"npm could not fetch {package}: {reason[:200]}. Connect to the network, or give --{style}")
    return pathlib.Path(folder) / done.stdout.split()[-1]


def prepare(google=None, twitter=None, data_dir=None, say=print):
    """Prepare "noto2twemoji" and "emoji_by_tone".

    Args:
        google, twitter: paths of npm's emoji-datasource-google-16.0.0.tgz and -twitter-; None fetches them.
        data_dir: TFDS' data directory; None means its own default ($TFDS_DATA_DIR, else ~/tensorflow_datasets).
        say: called with each sentence about what is being done.

    Returns:
        Paths of the two prepared datasets.

    Raises:
        FileNotFoundError: if there is no npm, or no such archive.
        ValueError: if an archive is not that package.
        OSError: if it cannot be fetched, the disk is full, or there is no permission to write.
    """
    outs = [prepared.directory(name, data_dir) for name in ("noto2twemoji", "emoji_by_tone")]
    if all(map(catalogue.is_prepared, outs)):
        say(f"Both are prepared already: {outs[0]} and {outs[1]}")
        return outs
    with tempfile.TemporaryDirectory(prefix="emoji_pairs.") as scratch:
        archives = {}
        for style, archive in (("google", google), ("twitter", twitter)):
            if archive is None:
                say(f"Fetching {PACKAGE.format(style)} from npm (some 70 MB).")
            elif not pathlib.Path(archive).is_file():
                raise FileNotFoundError(f"There is no file {archive}. Get it with `npm pack {PACKAGE.format(style)}`")
            archives[style] = archive or fetch(style, scratch)
        emojis = listed(archives["google"])
        names = [name for _, name, _ in emojis]
        drawn = {style: pictures(archive, style, names) for style, archive in archives.items()}
    order = splits.permutation(len(emojis))
    if not catalogue.is_prepared(outs[0]):
        groups = list(dict.fromkeys(emoji.group for emoji, *_ in emojis))
        pairs = np.concatenate([drawn["google"], drawn["twitter"]], axis=2)
        parts = _parts((emojis[row][0], pairs[row], groups.index(emojis[row][0].group)) for row in order)
        say(f"Writing {len(emojis):,} pairs to {outs[0]}.")
        text = (
            "Noto (Google; Apache-2.0) beside Twemoji (CC-BY 4.0), by npm's emoji-datasource 16; splits share no base."
        )
        prepared.write("noto2twemoji", outs[0], (SIDE, 2 * SIDE, 4), groups, parts, text)
    if not catalogue.is_prepared(outs[1]):
        toned = [row for row in order if emojis[row][2] is not None]
        parts = _parts((emojis[row][0], drawn["google"][row], emojis[row][2]) for row in toned)
        say(f"Writing {len(toned):,} emoji in six tones to {outs[1]}.")
        text = "Noto emoji (Google; Apache-2.0) by skin tone, by npm's emoji-datasource 16; splits share no base."
        prepared.write("emoji_by_tone", outs[1], (SIDE, SIDE, 4), TONES, parts, text)
    say('Done: load them with tfgan_zoo.data.load(tfgan_zoo.data.Pairs("noto2twemoji")) and load("emoji_by_tone").')
    return outs


def _parts(examples):
    parts = {split: [] for split in ("train", "validation", "test")}
    for emoji, picture, label in examples:
        parts[emoji.split].append((picture, label))
    return parts


def _read(archive, names):
    """Contents of files in a package, in the order of their names; it is read once, from front to back."""
    wanted, found = set(names), {}
    try:
        with tarfile.open(archive) as package:
            for member in package:
                if member.name in wanted:
                    found[member.name] = package.extractfile(member).read()
        return [found[name] for name in names]
    except (tarfile.TarError, EOFError, KeyError, OSError) as error:
        raise ValueError(f"{archive} is no npm package emoji-datasource: {error}. Get it with `npm pack`") from error


def main(
    google: Annotated[
        str | None, typer.Option(help="emoji-datasource-google-16.0.0.tgz; fetched if not given.")
    ] = None,
    twitter: Annotated[str | None, typer.Option(help="emoji-datasource-twitter-16.0.0.tgz; likewise.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="TFDS' data directory; its own default if not given.")] = None,
):
    """Prepare emoji in two styles and in six skin tones from npm's emoji-datasource packages."""
    try:
        prepare(google, twitter, data_dir, say=typer.echo)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
