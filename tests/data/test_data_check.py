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
    assert "all become what most are" in "\n".join(found.noted)
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
