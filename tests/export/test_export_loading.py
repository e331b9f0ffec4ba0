"""An export is loaded without what made it, gives the model's images, and is refused where it was changed."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_stand_ins import image_model, point_model

import tfgan_zoo as tz
import tfgan_zoo_serving
from tfgan_zoo.priors import Uniform
from tfgan_zoo_serving import DamagedError, runtimes
from tfgan_zoo_serving.card import seal

ROOT = pathlib.Path(__file__).parents[2]
LIGHT = """
import sys
import numpy as np
from tfgan_zoo_serving import load_exported, verify
generator = load_exported("export", format=sys.argv[1])
np.save("given.npy", generator.generate(70, seed=3))
verify("export", [sys.argv[1]])
heavy = {"tensorflow", "keras", "tfgan_zoo", "sklearn", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    model = image_model(num_classes=3, prior=Uniform())
    card = tz.export(model, directory / "export", formats=("saved_model", "tflite", "tflite_batch1"))
    return model, directory, card


@pytest.fixture
def copy(exported, tmp_path):
    """A copy of the export that a test may damage."""
    return pathlib.Path(shutil.copytree(exported[1] / "export", tmp_path / "export"))


def run_light(directory, format):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LIGHT, format]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.load(directory / "given.npy")


def test_litert_needs_neither_tensorflow_nor_keras_nor_this_package(exported):
    model, directory, _ = exported
    labels = tfgan_zoo_serving.generator.draws.labels(70, 3, 3)
    np.testing.assert_allclose(run_light(directory, "tflite"), model.generate(70, labels, seed=3), atol=1e-4)


@pytest.mark.parametrize("format", [None, "tflite", "tflite_batch1", "saved_model", "keras"])
def test_every_format_gives_the_images_of_generate(exported, format):
    model, directory, _ = exported
    generator = tz.load_exported(directory / "export", format)
    assert generator.format == (format or "tflite")
    assert (generator.image_shape, generator.latent_dim, generator.num_classes) == ((12, 12, 1), 8, 3)
    labels = np.arange(67) % 3
    wanted = model.generate(67, labels, seed=9)
    given = generator.generate(67, labels, seed=9)
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, wanted, atol=1e-4)
    np.testing.assert_array_equal(generator.generate(2, labels[:2].reshape(2, 1), seed=9), given[:2])
    np.testing.assert_allclose(generator(model.draw_latents(67, 9), labels), wanted, atol=1e-4)
    parts = list(generator.stream(67, labels, seed=9, batch_size=30))
    assert [len(part) for part in parts] == [30, 30, 7]
    np.testing.assert_allclose(np.concatenate(parts), wanted, atol=1e-4)


def test_a_seed_is_drawn_where_none_is_given(exported):
    generator = tz.load_exported(exported[1] / "export")
    assert not np.array_equal(generator.generate(2), generator.generate(2))
    np.testing.assert_array_equal(generator.generate(5, seed=1), generator.generate(5, seed=1))


def test_bad_input_meets_the_sentences_of_the_model(exported):
    generator = tz.load_exported(exported[1] / "export")
    model = tz.create("cgan", image_shape=(2,), width=4, num_classes=3)
    for bad in (
        {"num_images": 0},
        {"num_images": 2.0},
        {"num_images": True},
        {"num_images": 2, "seed": -1},
        {"num_images": 2, "seed": 2**31},
        {"num_images": 2, "seed": "0"},
        {"num_images": 2, "labels": [0.0, 1.0]},
        {"num_images": 2, "labels": [0]},
        {"num_images": 2, "labels": [0, 3]},
        {"num_images": 2, "labels": [-1, 0]},
    ):
        with pytest.raises(ValueError, match=r".") as ours:
            generator.generate(**bad)
        with pytest.raises(ValueError, match=r".") as theirs:
            model.generate(**bad)
        assert str(theirs.value).replace("cgan", "stand_in").startswith(str(ours.value).rstrip("."))
    for latents in (np.zeros((2, 7)), np.zeros(8), np.zeros((0, 8)), np.array([["a"] * 8])):
        with pytest.raises(ValueError, match=r"latents are .*: give numbers \(N, 8\)"):
            generator(latents, [0] * len(latents))
    with pytest.raises(ValueError, match="NaN or infinity"):
        generator(np.full((1, 8), np.nan), [0])
    with pytest.raises(ValueError, match="needs labels beside latents"):
        generator(np.zeros((1, 8)))


def test_labels_may_be_names_where_the_card_knows_them(exported, tmp_path):
    generator = tz.load_exported(exported[1] / "export")
    with pytest.raises(ValueError, match="the card of stand_in knows its classes by their numbers only, from 0 to 2"):
        generator.generate(1, labels=["cat"])
    model = image_model(num_classes=3, prior=Uniform())
    model.condition = tz.conditions.Classes(3, names=("cat", "dog", "owl"))
    card = tz.export(model, tmp_path / "named", formats=["tflite"])
    assert card["model"]["class_names"] == ["cat", "dog", "owl"]
    generator = tz.load_exported(tmp_path / "named", "tflite")
    assert generator.class_names == ("cat", "dog", "owl")
    given = generator.generate(2, labels=["owl", "cat"], seed=1)
    np.testing.assert_array_equal(given, generator.generate(2, labels=[2, 0], seed=1))
    np.testing.assert_array_equal(given[:1], generator(generator.draw_latents(2, 1), ["owl", "cat"])[:1])
    with pytest.raises(ValueError, match=r"Unknown class 'dogs'\. Did you mean 'dog'\?"):
        generator.generate(1, labels=["dogs"])
    with pytest.raises(ValueError, match=r"Known: cat, dog, owl"):
        generator.generate(1, labels=["zzz"])


def test_unconditional_and_unseeded_models_say_so(tmp_path):
    model = point_model()
    tz.export(model, tmp_path / "seeded", formats="tflite")
    generator = tz.load_exported(tmp_path / "seeded")
    np.testing.assert_allclose(generator.generate(5, seed=2), model.generate(5, seed=2), atol=1e-4)
    with pytest.raises(ValueError, match="is unconditional: leave them out"):
        generator.generate(2, labels=[0, 1])
    model.start = lambda rows, seed: {"latents": tf.fill((rows, 8), 0.5)}
    model.draw_latents = lambda count, seed: np.full((count, 8), 0.5, np.float32)
    tz.export(model, tmp_path / "own", formats=())
    generator = tz.load_exported(tmp_path / "own")
    with pytest.raises(ValueError, match="in a way of its own: call it with latents"):
        generator.generate(2, seed=0)
    assert generator(np.zeros((2, 8))).shape == (2, 2)
    assert tz.verify(tmp_path / "own")["keras"]["max_abs_diff"] < 1e-5


def test_verify_runs_every_format(exported):
    _, directory, card = exported
    found = tz.verify(directory / "export")
    assert found.keys() == card["formats"].keys() == {"saved_model", "tflite", "tflite_batch1", "keras"}
    assert all(0 <= one["max_abs_diff"] < 1e-4 for one in found.values())
    with pytest.raises(ValueError, match=r"has no format 'onnx'. Known: keras, saved_model"):
        tz.verify(directory / "export", ["onnx"])


@pytest.mark.parametrize(("name", "size"), [("dcgan_fashion_mnist", 28), ("cgan_digits", 16)])
def test_what_stands_in_the_repository_is_whole_and_gives_its_images(name, size):
    found = tz.verify(ROOT / "exported" / name)
    assert {"saved_model", "keras"} < found.keys()
    assert any(format.startswith("tflite_dynamic_range") for format in found)
    assert found["saved_model"]["max_abs_diff"] < 1e-4
    assert tz.load_exported(ROOT / "exported" / name).generate(2, seed=0).shape == (2, size, size, 1)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def take_away(path):
    path.unlink()


@pytest.mark.parametrize("harm", [cut_short, flip_a_bit, take_away])
@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("tflite", "generator.tflite"),
        ("keras", "generator.keras"),
        ("saved_model", "1/saved_model.pb"),
        ("saved_model", "1/variables/variables.data-00000-of-00001"),
    ],
)
def test_a_damaged_file_is_refused_before_it_is_read(copy, monkeypatch, harm, format, name):
    monkeypatch.setattr(runtimes, "load", lambda *_: pytest.fail("it was read"))
    harm(copy / name)
    for refuse in (tz.verify, lambda directory: tz.load_exported(directory, format)):
        with pytest.raises(DamagedError, match=f"{name} is (damaged|missing)"):
            refuse(copy)


def test_damage_elsewhere_is_the_business_of_verify(copy):
    flip_a_bit(copy / "samples.png")
    assert tz.load_exported(copy).generate(1, seed=0).shape == (1, 12, 12, 1)
    with pytest.raises(DamagedError, match=r"samples.png is damaged: its SHA-256 is not the card's"):
        tz.verify(copy)


def test_a_stranger_beside_a_saved_model_is_refused(copy):
    (copy / "notes.txt").write_text("mine")  # people keep things in directories
    tz.verify(copy)
    (copy / "1" / "assets.extra").mkdir(exist_ok=True)
    (copy / "1" / "assets.extra" / "of_mine").write_bytes(b"")
    for refuse in (tz.verify, lambda directory: tz.load_exported(directory, "saved_model")):
        with pytest.raises(DamagedError, match="of_mine is not part of this export"):
            refuse(copy)


def rewrite(directory, sealed=True, **changes):
    card = json.loads((directory / "card.json").read_text()) | changes
    (directory / "card.json").write_text(json.dumps(card | ({"seal": seal(card)} if sealed else {})))


def test_a_card_that_is_none_is_refused(copy, tmp_path):
    text = (copy / "card.json").read_text()
    for broken, sentence in (
        (text[:-20], "is not JSON"),
        ("[1]", "is not the card of an export"),
        (text.replace('"tflite"', '"tflitf"', 1), "it was changed after it was written"),
    ):
        (copy / "card.json").write_text(broken)
        for refuse in (tz.verify, tz.load_exported):
            with pytest.raises(DamagedError, match=sentence):
                refuse(copy)
    (copy / "card.json").write_text(text)
    with pytest.raises(FileNotFoundError, match="is not a directory"):
        tz.load_exported(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"has no card.json, so it is not an export"):
        tz.verify(tmp_path)
    with pytest.raises(ValueError, match=r"no format 'tflit'. Did you mean 'tflite'\?"):
        tz.load_exported(copy, "tflit")


def test_a_card_lists_nothing_outside_of_its_directory(copy):
    listed = json.loads((copy / "card.json").read_text())["files"]
    rewrite(copy, files=listed | {"../secret": listed["samples.png"]})
    with pytest.raises(DamagedError, match="which lies outside of it"):
        tz.verify(copy)


def test_verify_sees_other_images_and_other_signatures(copy, exported):
    card = exported[2]
    with np.load(copy / "reference.npz") as kept:
        reference = dict(kept)
    np.savez(copy / "reference.npz", **reference | {"images": reference["images"] + 0.01})
    entry = entry_of(copy / "reference.npz")
    rewrite(copy, files=card["files"] | {"reference.npz": entry})
    with pytest.raises(DamagedError, match=r"differ from the model's by 0.01; 0.0001 is allowed"):
        tz.verify(copy)
    np.savez(copy / "reference.npz", **reference | {"latents": reference["latents"] + 0.01})
    rewrite(copy, files=card["files"] | {"reference.npz": entry_of(copy / "reference.npz")})
    with pytest.raises(DamagedError, match="NumPy draws other latents"):
        tz.verify(copy)
    shutil.copy(exported[1] / "export" / "reference.npz", copy)
    signatures = {
        name: told for name, told in card["formats"]["saved_model"]["signatures"].items() if "png" not in name
    }
    formats = card["formats"] | {"saved_model": card["formats"]["saved_model"] | {"signatures": signatures}}
    rewrite(copy, files=card["files"], formats=formats)
    with pytest.raises(DamagedError, match="has other signatures than its card"):
        tz.verify(copy, ["saved_model"])


def entry_of(path):
    from tfgan_zoo.export.card import measured

    return measured(path)


def test_pickles_and_code_are_not_run(tmp_path, copy, exported):
    z = keras.layers.Input((8,))
    keras.Model(z, keras.layers.Lambda(lambda x: x + 1)(z)).save(tmp_path / "code.keras")
    with pytest.raises(ValueError, match="unsafe"):
        runtimes.load("keras", tmp_path / "code.keras")
    with np.load(copy / "reference.npz") as kept:
        reference = dict(kept)
    np.savez(copy / "reference.npz", **reference | {"images": np.array([{"a": 1}], dtype=object)})
    entry = entry_of(copy / "reference.npz")
    rewrite(copy, files=exported[2]["files"] | {"reference.npz": entry})
    with pytest.raises(DamagedError, match="it holds something else than numbers"):
        tz.verify(copy)


def test_a_missing_runtime_leaves_the_others(copy, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    assert tz.load_exported(copy).format == "saved_model"
    with pytest.raises(ImportError, match=r"'tflite' needs ai_edge_litert: pip install ai-edge-litert"):
        tz.load_exported(copy, "tflite")
    found = tz.verify(copy)
    assert "pip install ai-edge-litert" in found["tflite"]["skipped"]
    assert "max_abs_diff" in found["saved_model"]
    with pytest.raises(ImportError, match="needs ai_edge_litert"):
        tz.verify(copy, ["tflite"])


def test_networks_with_layers_of_the_zoo_ask_for_it(monkeypatch):
    path = ROOT / "exported/r3gan_digits/generator.keras"
    assert callable(runtimes.load("keras", path))
    monkeypatch.delitem(sys.modules, "tfgan_zoo")
    with pytest.raises(ImportError, match=r"has layers of tfgan_zoo here: import tfgan_zoo first\.$"):
        runtimes.load("keras", path)
    assert callable(runtimes.load("keras", ROOT / "exported/cgan_digits/generator.keras"))  # Keras' own layers alone
