"""Half the size, a quarter of it, one image at a time: what is lost, what is said of it."""

import dataclasses
import importlib
import inspect
import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import pytest
from export_stand_ins import image_model

import tfgan_zoo as tz
from tfgan_zoo.priors import Uniform
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import runtimes

litert, parity, quality = (
    importlib.import_module(f"tfgan_zoo.export.{name}") for name in ("litert", "parity", "quality")
)
QUANTISED = ("tflite_float16", "tflite_dynamic_range", "tflite_int8_batch1")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model, directory = image_model(num_classes=3, width=16, prior=Uniform()), tmp_path_factory.mktemp("variants")
    return model, directory, tz.export(model, directory, formats=("tflite", *QUANTISED, "tflite_float16"))


def test_every_variant_is_a_kind_of_arithmetic_and_a_batch():
    assert len(litert.VARIANTS) == len({variant.file for variant in litert.VARIANTS.values()}) == 8
    for name, variant in litert.VARIANTS.items():
        assert variant.batch == (1 if name.endswith("_batch1") else None)
        assert variant.quantised == (name not in ("tflite", "tflite_batch1"))
        assert variant.file == name.replace("tflite", "generator", 1) + ".tflite"


def test_variants_are_smaller_and_still_the_same_generator(exported):
    model, directory, card = exported
    labels = np.arange(30) % 3
    wanted = model.generate(30, labels, seed=4)
    sizes = {name: entry["bytes"] / card["formats"]["tflite"]["bytes"] for name, entry in card["formats"].items()}
    assert sizes["tflite_float16"] < 0.7
    assert sizes["tflite_int8_batch1"] < 0.5  # a small network: half of it is the graph
    differences = {}
    for name in ("tflite", *QUANTISED):
        given = tz.load_exported(directory, name).generate(30, labels, seed=4)
        differences[name] = np.abs(given - wanted).max()
        entry = card["formats"][name]
        assert differences[name] <= 2 * max(entry["parity"]["max_abs_diff"], 1e-4)
        assert 0 < entry["parity"]["mean_abs_diff"] < entry["parity"]["max_abs_diff"]
        assert entry["latency"].keys() == {"xnnpack_ms", "plain_ms"}
        assert min(entry["latency"].values()) > 0
        assert not any(one.startswith("Flex") or one in litert._STATE for one in entry["operations"])
    assert differences["tflite"] < differences["tflite_float16"] < differences["tflite_int8_batch1"] < 0.5
    assert {"QUANTIZE", "DEQUANTIZE"} <= set(card["formats"]["tflite_int8_batch1"]["operations"])
    assert tz.verify(directory).keys() == card["formats"].keys()


def test_float16_that_draws_something_else_is_refused(tmp_path, monkeypatch):
    """Rounded weights move an image by thousandths: hundredths are another generator. Of int8 a score has to speak."""
    monkeypatch.setattr(runtimes, "load", lambda *_: lambda inputs: np.zeros((len(inputs["latents"]), 8, 8, 1)))
    drawn = parity.Reference.drawn_from(image_model())
    drawn = dataclasses.replace(drawn, images=np.full((len(drawn.images), 8, 8, 1), 0.05))
    with pytest.raises(parity.ParityError, match=r"differs from the Keras model by 0.05; 0.02 is allowed"):
        parity.of("tflite_float16", tmp_path / "generator.tflite", drawn, exact=False)
    assert parity.of("tflite_int8", tmp_path, drawn, exact=False)["mean_abs_diff"] == pytest.approx(0.05)


def test_a_batch_of_one_is_fixed_in_the_file(exported):
    _, directory, _ = exported
    for name, batch in (("tflite", -1), ("tflite_int8_batch1", 1)):
        interpreter = runtimes._interpreter(model_path=str(directory / litert.VARIANTS[name].file))
        runner = interpreter.get_signature_runner("serving_default")
        details = runner.get_input_details()
        assert details["latents"]["shape_signature"].tolist() == [batch, 8]
        assert details["labels"]["shape_signature"].tolist() == [batch]
        assert {one["dtype"] for one in details.values()} == {np.float32, np.int32}


class Scored:
    """A stand-in for `evaluate`, which gives float32 and quantised generators distances of its own."""

    asks = inspect.signature(quality.metrics.evaluate)

    def __init__(self, ratio):
        self.ratio, self.asked = ratio, []

    def __call__(self, *given, **named):
        told = self.asks.bind(*given, **named).arguments
        source, num_images = told["model_or_images"], told["num_images"]
        assert told["metrics"] == "fd"
        self.asked.append((getattr(source, "format", "float32"), told["reference"], told["split"]))
        assert next(iter(source.stream(num_images, labels=None, seed=0, batch_size=4))).shape == (4, 12, 12, 1)
        return {"scores": {f"fd_classifier_{num_images}": 20.0 * (self.ratio if hasattr(source, "format") else 1.0)}}


@pytest.mark.parametrize(("ratio", "recommended"), [(1.04, True), (0.9, True), (1.06, False), (np.nan, False)])
def test_the_gate_marks_what_is_worse_by_more_than_five_percent(exported, monkeypatch, ratio, recommended):
    _, directory, card = exported
    monkeypatch.setattr(quality.metrics, "evaluate", scored := Scored(ratio))
    record = {"scores": {}, "protocol": {"reference": "fashion_mnist", "split": "train"}}
    gate = quality.Gate(card["model"], record, Streaming())
    for name in QUANTISED[::2]:
        gate.check(name, entry := {}, directory / litert.VARIANTS[name].file)
        assert entry["recommended"] is recommended
        assert entry["quality"]["fd_classifier_2000_float32"] == 20.0
        np.testing.assert_allclose(entry["quality"]["ratio"], ratio)
    names = [name for name, *_ in scored.asked]
    assert names == ["float32", *QUANTISED[::2]]  # float32 once
    assert {told for _, *told in map(tuple, scored.asked) for told in [tuple(told)]} == {("fashion_mnist", "train")}


class Streaming:
    """What makes images, and no more."""

    def stream(self, num_images, labels, seed, batch_size):
        yield np.zeros((batch_size, 12, 12, 1), np.float32)


@pytest.mark.parametrize("record", [None, {"scores": {}}, {"scores": {}, "protocol": {"reference": "my own array"}}])
def test_without_known_data_nothing_is_claimed_unless_it_is_plainly_another(exported, monkeypatch, record):
    _, directory, card = exported
    monkeypatch.setattr(quality.metrics, "evaluate", lambda *_, **__: pytest.fail("it was scored"))
    for apart, recommended in ((0.4, None), (0.6, False)):
        entry = {"parity": {"max_abs_diff": apart}}
        quality.Gate(card["model"], record, None).check("tflite_float16", entry, directory)
        assert entry.pop("recommended") is recommended
        assert entry == {"parity": {"max_abs_diff": apart}}


def test_what_is_rounded_is_never_taken_in_silence(exported, tmp_path, monkeypatch):
    """Where only rounded formats can be run, the best of them is taken with a sentence, and a bad one only by name."""
    _, directory, card = exported
    copy = pathlib.Path(shutil.copytree(directory, tmp_path / "export"))
    for module in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, module, None)
    for name, remaining in (("tflite", "tflite_float16"), ("tflite_float16", "tflite_dynamic_range")):
        card["formats"].pop(name)
        _seal(copy, card)
        with pytest.warns(UserWarning, match=rf"{remaining} was taken, whose numbers are rounded \(a number .* up to"):
            assert tz.load_exported(copy).format == remaining
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tz.load_exported(copy, "tflite_dynamic_range").format == "tflite_dynamic_range"  # by its name
    for entry in card["formats"].values():
        entry["recommended"] = entry.get("exact", True)
    _seal(copy, card)
    with pytest.raises(ImportError, match="needs keras"):
        tz.load_exported(copy)
    with pytest.warns(UserWarning, match="tflite_int8_batch1 of .* is not recommended: a number of an image"):
        tz.load_exported(copy, "tflite_int8_batch1")
    assert tz.verify(copy, ["tflite_dynamic_range"])["tflite_dynamic_range"]["recommended"] is False


def _seal(directory, card):
    card["seal"] = cards.seal(card)
    (directory / "card.json").write_text(json.dumps(card), encoding="utf-8")


def test_the_page_warns_of_what_is_not_recommended(tmp_path, monkeypatch):
    def judged(self, name, entry, path):
        entry |= {"quality": {"fd_classifier_2000": 22.0, "ratio": 1.1}, "recommended": False}

    monkeypatch.setattr(quality.Gate, "check", judged)
    tz.export(image_model(prior=Uniform()), tmp_path / "out", formats="tflite_float16")
    page = (tmp_path / "out" / "README.md").read_text()
    assert "| 1.100, **not recommended** |" in page
    assert "above 1.05 a format is not recommended" in page
