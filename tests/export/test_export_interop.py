"""ONNX, OpenVINO and TensorFlow Serving's own protocol, where their packages are installed; one sentence where not."""

import importlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
import tensorflow as tf
from export_stand_ins import image_model, point_model

import tfgan_zoo as tz
from tfgan_zoo.priors import Uniform
from tfgan_zoo_serving import DamagedError

ROOT = pathlib.Path(__file__).parents[2]
interop, serving = (importlib.import_module(f"tfgan_zoo.export.{name}") for name in ("interop", "serving"))
LIGHT = """
import sys
import numpy as np
from tfgan_zoo_serving import load_exported, verify
np.save("given.npy", load_exported(".", format=sys.argv[1]).generate(70, labels=np.arange(70) % 3, seed=3))
verify(".", [sys.argv[1]])
heavy = {"tensorflow", "keras", "tfgan_zoo", "tf2onnx"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize(("name", "needs"), [("onnx", "tf2onnx"), ("openvino", "openvino")])
def test_a_missing_package_is_named_before_any_work(name, needs, tmp_path, monkeypatch):
    monkeypatch.setattr(interop.importlib.util, "find_spec", lambda package: None)
    with pytest.raises(ImportError, match=rf"The format '{name}' needs {needs}: pip install 'tfgan-zoo\[interop\]'"):
        tz.export(point_model(), tmp_path / "out", formats=("tflite", name))
    assert not (tmp_path / "out").exists()


def test_warm_up_that_cannot_be_written_is_said_by_the_card_and_warns_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "_can_warm_up", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        card = tz.export(point_model(), tmp_path / "out", formats="saved_model", about={"share": [0.105555555555]})
    assert card["formats"]["saved_model"]["warm_up"] is False
    assert not (tmp_path / "out" / "1" / "assets.extra").exists()
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "exported without tensorflow-serving-api" in text
    assert "**Share:** 0.1056" in text  # numbers as people read them


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_other_houses_give_the_images_without_tensorflow(name, tmp_path):
    for package in interop._NEEDS[name]:
        pytest.importorskip(package)
    model = image_model(num_classes=3, prior=Uniform())
    card = tz.export(model, tmp_path / "out", formats=name)
    assert card["formats"][name]["parity"]["max_abs_diff"] < 1e-4
    assert set(interop.FILES[name]) <= set(card["files"])
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, name],
        cwd=tmp_path / "out",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    wanted = model.generate(70, labels=np.arange(70) % 3, seed=3)
    np.testing.assert_allclose(np.load(tmp_path / "out" / "given.npy"), wanted, atol=1e-4)
    assert tz.load_exported(tmp_path / "out").format == name  # before Keras, the only other
    part = tmp_path / "out" / interop.FILES[name][-1]
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=f"{part.name} is damaged"):
        tz.load_exported(tmp_path / "out", name)


def test_warm_up_requests_are_those_a_server_can_replay(tmp_path):
    log = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    for model in (image_model(), image_model(num_classes=3)):
        out = tmp_path / str(model.num_classes)
        card = tz.export(model, out, formats="saved_model")
        assert f"1/{serving.WARM_UP}" in card["files"]
        loaded = tf.saved_model.load(out / "1")
        replayed = set()
        for record in tf.data.TFRecordDataset(str(out / "1" / serving.WARM_UP)):
            request = log.PredictionLog.FromString(record.numpy()).predict_log.request
            assert request.model_spec.name == card["name"]
            inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
            signature = request.model_spec.signature_name
            (given,) = loaded.signatures[signature](**inputs).values()
            assert 1 <= len(given) <= 2
            replayed.add(signature)
        assert replayed == set(card["formats"]["saved_model"]["signatures"])


def test_configs_are_what_the_server_parses(tmp_path):
    config = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    serving.write_configs(tmp_path, "dcgan", 32)
    (model,) = text_format.Parse(
        (tmp_path / "models.config").read_text(), config.ModelServerConfig()
    ).model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("dcgan", "/models/dcgan", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 1
    for most, together in ((32, 32), (1024, 64)):  # a request beyond max_batch_size is refused before it is split
        serving.write_configs(tmp_path, "dcgan", most)
        text = (tmp_path / "batching.config").read_text()
        assert f"max_batch_size {{ value: {most} }}" in text
        assert "enable_large_batch_splitting { value: true }" in text
        assert f"max_execution_batch_size {{ value: {together} }}" in text
    assert text == (ROOT / "examples/serving/batching.config").read_text()


def test_the_batch_axis_of_an_onnx_file_has_a_name_and_triton_is_told_what_it_holds(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    tz.export(image_model(num_classes=3), tmp_path / "out", formats="onnx")
    graph = onnx.load(tmp_path / "out" / "generator.onnx").graph
    names = {value.name: value.type.tensor_type.shape.dim[0].dim_param for value in (*graph.input, *graph.output)}
    assert names == {"latents": "batch", "labels": "batch", "images": "batch"}
    config = (ROOT / "examples/serving/triton/dcgan/config.pbtxt").read_text(encoding="utf-8")
    model = json.loads((ROOT / "exported/dcgan_fashion_mnist/card.json").read_text(encoding="utf-8"))["model"]
    assert f'name: "latents" data_type: TYPE_FP32 dims: [ {model["latent_dim"]} ]' in config
    assert f'name: "images" data_type: TYPE_FP32 dims: [ {", ".join(map(str, model["image_shape"]))} ]' in config
