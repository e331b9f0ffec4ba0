"""What export writes gives the model's images, wherever it is loaded."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_stand_ins import image_model, point_model

import tfgan_zoo as tz
from tfgan_zoo.export import export, inference, parity
from tfgan_zoo.pixels import to_uint8

ROOT = pathlib.Path(__file__).parents[2]
PLAIN_TENSORFLOW = """
import sys
for name in ("keras", "tf_keras", "tfgan_zoo"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
for directory in sys.argv[1:]:
    asked = {name: tf.constant(value) for name, value in np.load(directory + "/asked.npz").items()}
    signatures = tf.saved_model.load(directory + "/export/1").signatures
    floats = signatures["serving_default"](**asked)
    told = {"labels": asked["labels"]} if "labels" in asked else {"num_images": tf.constant(len(asked["latents"]))}
    pixels = signatures["sample"](seed=tf.constant(7), **told)
    assert list(floats) == list(pixels) == ["images"]
    np.savez(directory + "/given.npz", floats=floats["images"].numpy(), pixels=pixels["images"].numpy())
"""
PLAIN_LITERT = """
import sys
for name in ("tensorflow", "keras", "tfgan_zoo"):
    sys.modules[name] = None
import numpy as np
from ai_edge_litert.interpreter import Interpreter
asked = dict(np.load("asked.npz"))
interpreter = Interpreter("export/generator.tflite")
assert list(interpreter.get_signature_list()) == ["serving_default"]
run = interpreter.get_signature_runner("serving_default")
given = {str(count): run(**{k: v[:count] for k, v in asked.items()})["images"] for count in (1, 3)}
np.savez("given.npz", **given)
"""
MODELS = {
    "grey": lambda: image_model(channels=1),
    "colour": lambda: image_model(channels=3),
    "alpha": lambda: image_model(channels=4),
    "conditional": lambda: image_model(num_classes=3),
    "conditional (N, 1)": lambda: image_model(num_classes=3, label_shape=(1,)),
    "points": point_model,
}


def run(code, directory, *arguments):
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def ask(model, directory, count=3):
    """Write the inputs for another process; returns what the model itself draws for them."""
    asked = {"latents": np.asarray(model.draw_latents(count, 7))}
    labels = None if model.num_classes is None else np.arange(count, dtype=np.int32) % model.num_classes
    if labels is not None:
        asked["labels"] = labels
    np.savez(directory / "asked.npz", **asked)
    return model.generate(count, labels=labels, seed=7)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    made = {}

    def of(name):
        if name not in made:
            directory, model = tmp_path_factory.mktemp("made"), MODELS[name]()
            made[name] = model, directory, export(model, directory / "export")
        return made[name]

    return of


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "alpha")) for name in MODELS]
)  # alpha is colour with a channel more
def test_formats_agree_with_the_model(exported, name):
    model, directory, card = exported(name)
    images = ask(model, directory)
    assert images.std() > 0.02  # a flat picture would agree with anything
    labels = {} if model.num_classes is None else {"labels": tf.range(3)}
    signatures = tf.saved_model.load(directory / "export" / "1").signatures
    given = signatures["serving_default"](latents=model.draw_latents(3, 7), **labels)["images"]
    np.testing.assert_allclose(given, images, atol=1e-5)
    given = signatures["sample"](seed=tf.constant(7), **(labels or {"num_images": tf.constant(3)}))["images"]
    if name == "points":
        assert given.dtype == tf.float32
        np.testing.assert_allclose(given, images, atol=1e-5)
    else:
        assert given.dtype == tf.uint8
        np.testing.assert_allclose(np.int32(given), np.int32(to_uint8(images)), atol=1)
    network = keras.saving.load_model(directory / "export" / "generator.keras", compile=False)
    assert network.count_params() == card["model"]["parameters"]
    for name, entry in card["formats"].items():
        assert 0 <= entry["parity"]["mean_abs_diff"] <= entry["parity"]["max_abs_diff"]
        assert entry["parity"]["max_abs_diff"] <= (0.02 if "float16" in name else parity.TOLERANCE)


def test_plain_tensorflow_runs_the_saved_models(exported):
    made = [exported(name)[:2] for name in ("colour", "conditional", "conditional (N, 1)")]
    wanted = [ask(model, directory) for model, directory in made]
    run(PLAIN_TENSORFLOW, made[0][1], *(directory for _, directory in made))
    for images, (_, directory) in zip(wanted, made, strict=True):
        given = np.load(directory / "given.npz")
        np.testing.assert_allclose(given["floats"], images, atol=1e-5)
        np.testing.assert_allclose(np.int32(given["pixels"]), np.int32(to_uint8(images)), atol=1)


@pytest.mark.parametrize("name", ["grey", "conditional (N, 1)", "points"])
def test_plain_litert_runs_the_tflite_at_two_batch_sizes(exported, name):
    model, directory, _ = exported(name)
    images = ask(model, directory)
    run(PLAIN_LITERT, directory)
    given = np.load(directory / "given.npz")
    for count in (1, 3):
        np.testing.assert_allclose(given[str(count)], images[:count], atol=1e-4)


@pytest.mark.slow
def test_saved_model_cli_shows_the_signatures(exported):
    _, directory, _ = exported("conditional")
    code = "from tensorflow.python.tools.saved_model_cli import main; main()"
    shown = run(f"import sys; sys.argv = ['cli', 'show', '--dir', 'export/1', '--all']; {code}", directory)
    for expected in ("serving_default", "sample", "inputs['latents']", "inputs['seed']", "DT_UINT8", "(-1, 12, 12, 1)"):
        assert expected in shown


def test_card_describes_every_file(exported):
    _, directory, card = exported("colour")
    out = directory / "export"
    assert json.loads((out / "card.json").read_text()) == card
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert set(card["files"]) == written - {"card.json"}
    for name, entry in card["files"].items():
        content = (out / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert card["formats"]["tflite"]["bytes"] == (out / "generator.tflite").stat().st_size
    assert card["version"] == 1
    assert card["model"]["image_shape"] == [12, 12, 3]


@pytest.mark.parametrize("name", ["grey", pytest.param("conditional", marks=pytest.mark.slow)])
def test_readme_blocks_run_as_they_stand(exported, name):
    _, directory, card = exported(name)
    page = (directory / "export" / "README.md").read_text()
    serving, tensorflow, litert, with_keras = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    without = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = sys.modules['tfgan_zoo'] = None\n"
    told = run(without + serving + litert, directory / "export")
    assert "tflite (3, 12, 12, 1) float32\n{'tflite': {'max_abs_diff'" in told
    assert told.count("(3, 12, 12, 1) float32") == 2
    if name == "conditional":  # the grey one's call is told from the conditional one's by the arguments alone
        told = run(tensorflow + with_keras, directory / "export")
        assert "(3, 12, 12, 1) <dtype: 'uint8'>" in told
        assert "Total params" in told
    asked = json.loads(re.search(r"curl -d '(.*?)'", page)[1])
    signature = card["formats"]["saved_model"]["signatures"][asked["signature_name"]]
    assert set(asked["inputs"]) == set(signature["inputs"])
    assert all(f"{argument}=tf.constant(" in tensorflow for argument in signature["inputs"])


def test_readme_shows_scores_beside_floors_and_what_was_told(tmp_path):
    extra = tmp_path / "film.gif"
    extra.write_bytes(b"GIF89a")
    scores = {
        "scores": {"fd": np.float32(12.5), "fd_floor": 0.25, "fd_seconds": 3.0, "precision": 0.9, "broken": np.nan},
        "protocol": {"num_images": np.int64(1000), "split": ("test",)},
    }
    card = export(
        point_model(),
        tmp_path / "out",
        formats="tflite",
        scores=scores,
        about={"data": "rings", "licence": "CC0"},
        pictures={"Training": extra},
    )
    page = (tmp_path / "out" / "README.md").read_text()
    for expected in (
        "| fd | 12.5 | 0.25 |",
        "| precision | 0.9 | – |",
        "| broken | – | – |",
        "num_images: 1000",
        "**Data:** rings",
        "**Licence:** CC0",
        "![Training](film.gif)",
        "![Samples, seed 0](samples.png)",
    ):
        assert expected in page
    assert "fd_seconds" not in page
    assert "docker" not in page  # there is no SavedModel
    assert card["scores"]["broken"] is None
    assert not (tmp_path / "out" / "1").exists()
    assert (tmp_path / "out" / "film.gif").read_bytes() == b"GIF89a"


def test_picture_is_wide_enough_to_see(exported):
    from PIL import Image

    for name in ("grey", "conditional", "points"):
        with Image.open(exported(name)[1] / "export" / "samples.png") as picture:
            assert picture.width >= 400


def test_a_network_of_half_precision_is_exported_in_float32(tmp_path):
    model = image_model(policy="mixed_bfloat16")
    card = export(model, tmp_path / "out", formats=["saved_model", "tflite"])
    for entry in card["formats"].values():  # all of float32, and alike
        assert entry["parity"]["max_abs_diff"] <= 1e-5
    assert 0 < card["model"]["max_abs_diff_to_half_precision"] < 0.05
    kept = keras.saving.load_model(tmp_path / "out" / "generator.keras", compile=False)
    assert {layer.compute_dtype for layer in kept.layers if layer.weights} == {"float32"}
    assert max(one["max_abs_diff"] for one in tz.verify(tmp_path / "out").values()) <= 1e-5


def test_nothing_is_printed(tmp_path, capfd):
    capfd.readouterr()
    export(point_model(), tmp_path / "out")
    assert capfd.readouterr() == ("", "")


def test_the_keras_file_of_a_zoo_network_has_keras_own_layers():
    network = tz.networks.dcgan.generator((16, 16, 1), 5, 4)
    plain = inference.plain(network)
    assert any(type(layer).__module__.startswith("tfgan_zoo") for layer in network.layers)
    assert all(type(layer).__module__.startswith("keras.") for layer in plain.layers)
    latents = np.random.default_rng(0).normal(size=(3, 5))
    np.testing.assert_array_equal(plain(latents), network(latents))
