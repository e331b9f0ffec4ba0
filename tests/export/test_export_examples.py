"""What examples/ says of the files that stand in exported/."""

import json
import pathlib
import re

import pytest

from tfgan_zoo_serving import runtimes

ROOT = pathlib.Path(__file__).parents[2]
EXPORTED = sorted(path.parent for path in (ROOT / "exported").glob("*/card.json"))
WORDS = {"serving_default", "latents", "labels", "images"}


@pytest.mark.parametrize("name", ["Generator.kt", "generator.cpp"])
def test_programs_for_phones_use_the_names_in_the_files(name):
    quoted = set(re.findall(r'"(\w+)"', (ROOT / "examples" / "phone" / name).read_text(encoding="utf-8")))
    assert quoted == WORDS
    asked = set()
    for directory in EXPORTED:
        card = json.loads((directory / "card.json").read_text(encoding="utf-8"))
        if set(card["model"]["start"]) != {"latents"}:  # the programs are for these; README says what others change
            continue
        for format, entry in card["formats"].items():
            if runtimes.kind(format) == "tflite":
                told = runtimes.signatures(format, directory / entry["path"])
                asked |= {*told["inputs"], *told["outputs"]}
    assert asked == WORDS - {"serving_default"}  # the first is the name of the signature they were found under


def test_the_repository_holds_a_generator_with_classes_and_one_without():
    cards = [json.loads((directory / "card.json").read_text(encoding="utf-8")) for directory in EXPORTED]
    assert {card["model"]["num_classes"] is None for card in cards} == {True, False}


def test_commands_in_the_pages_name_files_and_models_that_are_there():
    text = (ROOT / "examples" / "serving" / "README.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?:exported|examples)/[\w/]+(?:\.py|\.config|\.yaml)?", text))
    assert paths
    assert all((ROOT / path).exists() for path in paths), paths
    names = {json.loads((directory / "card.json").read_text(encoding="utf-8"))["name"] for directory in EXPORTED}
    assert set(re.findall(r"(?:/models/|v1/models/)(\w+)", text)) <= names
