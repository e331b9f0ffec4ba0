"""`python -m tfgan_zoo.data`: what it finds in a source, and its status."""

import functools

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tfgan_zoo import data
from tfgan_zoo.data import checking


@pytest.fixture(autouse=True)
def briefly(monkeypatch):
    """Speeds measured for a moment only."""
    monkeypatch.setattr(checking, "images_per_second", functools.partial(checking.images_per_second, seconds=0.01))


@pytest.fixture
def pictures(tmp_path):
    """A folder of two classes, 40 grey pictures of 10 by 12."""
    random = np.random.default_rng(0)
    for index in range(40):
        place = tmp_path / "pictures" / ("cats", "dogs")[index % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (10, 12)).astype("uint8")).save(place / f"{index:02d}.png")
    return tmp_path / "pictures"


def run(*arguments):
    from tfgan_zoo.data.__main__ import app

    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


def test_a_sound_source(pictures):
    found = data.check(pictures, batch_size=8, verbose=False)
    assert not found.wrong
    assert not found.noted
    part = found.parts["train"]
    assert (part.count, part.classes, part.corrupt) == (40, (20, 20), {})
    assert part.sizes == {(10, 12): 40}
    assert part.modes == {1: 40}
    assert found.given > 0
    assert "held in memory" in found.plan


def test_what_is_wrong_is_found(pictures):
    Image.new("RGB", (30, 20)).save(pictures / "cats" / "coloured.png")
    (pictures / "cats" / "broken.png").write_bytes(b"nothing")
    for path in list((pictures / "dogs").iterdir())[1:]:
        path.unlink()
    (pictures / "birds").mkdir()
    (pictures / "birds" / "only.png").write_bytes(b"nothing")
    found = data.check(pictures, batch_size=64, verbose=False)
    wrong = "\n".join(found.wrong)
    for sentence in (
        "2 of 24 images cannot be read",
        "no image of 1 of its classes: birds",
        "A batch of 64 is larger than the 24 images",
        "Images have 2 different sizes",
    ):
        assert sentence in wrong
    assert "all become grey, what most are" in "\n".join(found.noted)
    assert found.given is None
    assert found.parts["train"].report.exists()
    assert found.parts["train"].sizes == {(10, 12): 21, (20, 30): 1}
    assert found.parts["train"].modes == {1: 21, 3: 1}
    assert found.parts["train"].classes == (0, 21, 1)


@pytest.mark.filterwarnings("ignore:.*leaves out")
def test_imbalance_and_enlargement_are_noted(pictures):
    for path in list((pictures / "dogs").iterdir())[1:]:
        path.unlink()
    found = data.check(pictures, image_size=11, batch_size=8, verbose=False)
    assert not found.wrong
    assert "largest class has 20 times" in found.noted[0]
    assert "21 images are smaller than image_size=11" in found.noted[1]
    assert not data.check(pictures, image_size=10, batch_size=8, verbose=False).noted[1:]


@pytest.mark.parametrize(("factor", "starved"), [(2.0, True), (0.5, False)])
def test_a_pipeline_slower_than_the_step_is_wrong(pictures, monkeypatch, factor, starved):
    monkeypatch.setattr(checking, "images_per_second", lambda *_: 1000.0)
    found = data.check(pictures, batch_size=8, taken=lambda _: 1000.0 * factor, verbose=False)
    assert bool(found.wrong) == starved
    assert found.needed == 1000.0 * factor


def test_images_a_second_of_one_batch_and_of_many(pictures):
    for batch_size in (40, 4):
        dataset = data.load(pictures, batch_size=batch_size)
        assert checking.images_per_second(dataset, batch_size) > 0


def test_the_command_says_what_it_found(pictures):
    good = run("check", pictures, "--batch-size", 8)
    assert good.exit_code == 0, good.output
    for text in ("10×12: 40", "grey: 40", "cats", "20 (50.0%)", "images a second", "Nothing is wrong."):
        assert text in good.output
    (pictures / "cats" / "broken.png").write_bytes(b"nothing")
    bad = run("check", pictures, "--batch-size", 8)
    assert bad.exit_code == 1
    assert "wrong: train: 1 of 41 images cannot be read" in bad.output
    assert "broken.png: cannot identify image" in bad.output
    unknown = run("check", "digit")
    assert unknown.exit_code == 2
    assert "Did you mean 'digits'" in unknown.output
    assert run("check", "ring8").exit_code == 2


def test_the_command_measures_a_models_need():
    found = run("check", "digits", "--batch-size", 8, "--model", "gan")
    assert "a training step takes" in found.output
    assert found.exit_code in (0, 1)


def test_the_command_writes(pictures, tmp_path):
    done = run("write", pictures, tmp_path / "out", "--image-size", 8)
    assert done.exit_code == 0, done.output
    assert "40 train" in done.output
    assert data.load(tmp_path / "out", batch_size=8).element_spec[0].shape == (8, 8, 8, 1)
    again = run("write", pictures, tmp_path / "out")
    assert again.exit_code == 2
    assert "is there already" in again.output


def save(folder, name, mode="RGB", size=(12, 10), level=100):
    folder.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (level,) * 3 if mode == "RGB" else level).save(folder / name)


def test_pairs_of_two_folders_and_those_without_a_partner(tmp_path):
    for index in range(12):
        save(tmp_path / "edges", f"{index}.png", "L")
        save(tmp_path / "photos", f"{index}.jpg", level=9 * index)
    words = "check", tmp_path / "edges", tmp_path / "photos"
    good = run(*words, "--pairs", "--batch-size", 4, "--picture", tmp_path / "seen.png")
    assert good.exit_code == 0, good.output
    for text in ("train, sources", "train, targets", "grey: 12", "RGB: 12", "all become RGB", "Nothing is wrong"):
        assert text in good.output
    assert Image.open(tmp_path / "seen.png").size[0] > 400
    for index in (3, 4):
        (tmp_path / "photos" / f"{index}.jpg").unlink()
    save(tmp_path / "photos", "more.jpg", size=(20, 20))
    found = data.check(data.Pairs(*words[1:]), batch_size=4, verbose=False)
    (sentence,) = found.wrong
    assert sentence.startswith("3 pictures of")
    assert "photos has no 3, 4 and" in sentence
    assert "edges has no more" in sentence
    assert found.parts["train"].count == 10
    assert found.parts["train"].target_modes == {3: 10}
    assert run(*words, "--pairs").exit_code == 1


def test_pairs_side_by_side(tmp_path):
    for index in range(6):
        save(tmp_path, f"{index}.png", size=(24, 10))
    found = data.check(data.Pairs(tmp_path), batch_size=4, verbose=False)
    assert not found.wrong
    assert found.parts["train"].sizes == found.parts["train"].target_sizes == {(10, 12): 6}
    assert {title: images.shape for title, images in found.examples.items()} == dict.fromkeys(
        ("source", "target"), (6, 10, 12, 3)
    )
    save(tmp_path, "odd.png", size=(25, 10))
    assert "1 of 7 images cannot be read" in data.check(data.Pairs(tmp_path), 8, batch_size=4, verbose=False).wrong[0]


def test_two_domains(tmp_path):
    for index in range(6):
        save(tmp_path / "trainA", f"{index}.png", size=(8, 8))
        save(tmp_path / "trainB", f"{index}.png", "L", size=(16, 8))
        save(tmp_path / "testA", f"{index}.png", size=(8, 8))
    found = data.check(data.Unpaired(tmp_path), batch_size=4, verbose=False)
    assert list(found.parts) == ["train, A", "test, A", "train, B"]
    wrong = " ".join(found.wrong)
    assert "Images have 2 different sizes" in wrong
    assert "A is RGB and B grey: an image of one cannot stay as it is in the other" in wrong
    assert "A has the splits train, test, and B train." in found.noted
    words = "check", tmp_path, "--unpaired", "--image-size", 8, "--channels", 3, "--batch-size", 2
    good = run(*words, "--picture", tmp_path / "seen.png")
    assert good.exit_code == 0, good.output
    assert "train, B" in good.output
    assert (tmp_path / "seen.png").exists()
    for path in (tmp_path / "trainB").iterdir():
        path.unlink()
    empty = run(*words)
    assert empty.exit_code == 2
    assert "trainB holds no pictures" in empty.output


def test_attributes(pictures, tmp_path):
    names = [f"{index:02d}.png" for index in range(40)]
    lines = [f"{name},{index % 4 == 0:d},1" for index, name in enumerate(names)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["picture,hat,face", *lines, "gone.png,0,1"]))
    found = data.check(data.WithAttributes(pictures, table), batch_size=8, verbose=False)
    assert not found.wrong
    assert found.parts["train"].attributes == (10, 40)
    assert "train: every image is 'face', which nobody could learn." in found.noted
    assert any("1 of 41 lines of" in line and "have no picture: gone.png" in line for line in found.noted)
    assert {title: len(images) for title, images in found.examples.items()} == {"hat": 8, "face": 8}
    shown = run("check", pictures, "--attributes", table, "--batch-size", 8)
    assert "10 (25.0%)" in shown.output
    table.write_text("\n".join(["picture,age", *(f"{name},31" for name in names)]))
    (sentence,) = data.check(data.WithAttributes(pictures, table), batch_size=8, verbose=False).wrong
    assert "attributes run from 31 to 31" in sentence
    table.write_text("\n".join(["picture,age", *(f"{name},1" for name in names[1:])]))
    missing = run("check", pictures, "--attributes", table)
    assert missing.exit_code == 2
    assert "has no line for 1 of 40 pictures" in missing.output


def test_words_that_do_not_go_together(pictures):
    for words, sentence in (
        (("--pairs", "--unpaired"), "exclude each other"),
        ((pictures,), "are two sources: say --pairs or --unpaired"),
        (("--attributes", "own"), "keeps no attributes of its own"),
    ):
        answer = run("check", pictures, *words)
        assert answer.exit_code == 2
        assert sentence in answer.output
