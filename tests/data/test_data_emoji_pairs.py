"""Emoji pairs from npm's packages: what is listed, how it is split, and what becomes of an archive that is none."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo.data import emoji_pairs

TONED = [f"1F91A-{code}" for code in ("1F3FB", "1F3FF")]


def entry(unified, category="People & Body", **more):
    styles = {"has_img_google": True, "has_img_twitter": True}
    return (
        {"unified": unified, "image": f"{unified.lower()}.png", "category": category, "short_name": unified}
        | styles
        | more
    )


def archive(path, style, shade):
    """A package of 40 emoji, one of them a flag, one that Twemoji lacks, one in two tones."""
    hand = {code.split("-")[1]: entry(code) for code in TONED}
    entries = [entry(f"1F6{number:02X}", "Objects") for number in range(37)]
    entries += [
        entry("1F1E6-1F1E8", "Flags"),
        entry("1F603", has_img_twitter=False),
        entry("1F91A", skin_variations=hand),
    ]
    names = [one["image"] for one in entries] + [one["image"] for one in hand.values()]
    files = {"package/emoji.json": json.dumps(entries).encode()}
    for number, name in enumerate(names):
        picture, content = np.full((64, 64, 4), 255, np.uint8), io.BytesIO()
        picture[..., 0], picture[..., 1] = number, shade
        Image.fromarray(picture).save(content, format="PNG")
        files[f"package/img/{style}/64/{name}"] = content.getvalue()
    with tarfile.open(path, "w:gz") as package:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
    return path


def test_pairs_and_tones_are_prepared_from_two_archives(tmp_path):
    given = [archive(tmp_path / f"{style}.tgz", style, shade) for style, shade in (("google", 10), ("twitter", 20))]
    said = []
    emoji_pairs.prepare(*given, data_dir=tmp_path / "tfds", say=said.append)
    assert any("Writing 40 pairs" in sentence for sentence in said)
    assert any("Writing 3 emoji in six tones" in sentence for sentence in said)
    numbers = {}
    for split, count in tz.data.info("noto2twemoji", tmp_path / "tfds").num_images.items():
        if count < 2:
            continue
        one, other = tz.data.arrays("noto2twemoji", split, data_dir=tmp_path / "tfds")
        assert one.shape == other.shape == (count, 64, 64, 3)
        np.testing.assert_array_equal(one[:, 0, 0, 0], other[:, 0, 0, 0])  # each beside its own
        assert (set(one[:, 0, 0, 1]), set(other[:, 0, 0, 1])) == ({10}, {20})
        numbers[split] = set(one[:, 0, 0, 0].tolist())
    hands = {39, 40, 41}
    assert any(hands <= rows for rows in numbers.values())  # all tones in one split
    small = tz.data.load(
        tz.data.Unpaired("noto2twemoji"), data_dir=tmp_path / "tfds", image_size=16, batch_size=4, verbose=False
    )
    assert [images.shape for images in next(iter(small))] == [(4, 16, 16, 3)] * 2


def test_an_archive_that_is_none(tmp_path):
    (tmp_path / "x.tgz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is no npm package emoji-datasource"):
        emoji_pairs.prepare(tmp_path / "x.tgz", tmp_path / "x.tgz", tmp_path / "tfds", say=str)
    with pytest.raises(FileNotFoundError, match=r"There is no file nowhere\.tgz"):
        emoji_pairs.prepare("nowhere.tgz", "nowhere.tgz", tmp_path / "tfds", say=str)
