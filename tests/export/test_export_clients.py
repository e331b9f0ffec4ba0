"""The clients of examples/serving against a loopback server of official protos: images, and sentences for bad asks."""

import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
from export_stand_ins import image_model, point_model

import tfgan_zoo as tz
from tfgan_zoo.pixels import to_uint8

pytest.importorskip("tensorflow_serving")
grpc, requests = pytest.importorskip("grpc"), pytest.importorskip("requests")

from tensorflow_serving.apis import predict_pb2  # noqa: E402

from examples.serving import grpc_client, loopback, rest_client  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
BAD = {  # signature, inputs, what gRPC answers, what REST answers where it is another
    "a signature": ("sampel", {"seed": 0}, "no signature 'sampel'; there are interpolate, sample, sample_png"),
    "an input": ("sample", {"seed": 0}, "sample takes labels, seed and was given seed"),
    "a further input": (
        "sample",
        {"seed": 0, "labels": [0], "scale": 1},
        "sample takes labels, seed and was given labels, scale, seed",
    ),
    "a kind": ("sample", {"seed": 0.5, "labels": [0]}, "seed is float32", "seed has to hold numbers of type int32"),
    "text": ("sample", {"seed": "0", "labels": [0]}, "seed is object", "seed has to hold numbers of type int32"),
    "a shape": ("sample", {"seed": [0], "labels": [0]}, r"seed is int32 \(1\); sample takes int32 \(\)"),
    "one label": ("sample", {"seed": 0, "labels": 0}, r"labels is int32 \(\); sample takes int32 \(N\)"),
    "a label": ("sample", {"seed": 0, "labels": [0, 3]}, "labels must be from 0 to 2"),
    "a negative label": ("sample_png", {"seed": 0, "labels": [-1]}, "labels must be from 0 to 2"),
    "no images": (
        "sample",
        {"seed": 0, "labels": np.zeros(0, np.int32)},
        "The number of labels must be from 1 to 32",
    ),
    "too many": ("sample", {"seed": 0, "labels": [0] * 33}, "The number of labels must be from 1 to 32"),
    "steps": ("interpolate", {"seed_a": 0, "seed_b": 1, "steps": 1, "label": 0}, "steps must be from 2 to 32"),
    "truncation": ("sample_truncated", {"seed": 0, "labels": [0], "truncation": 0.0}, "truncation must be above 0"),
    "latents": (
        "serving_default",
        {"latents": np.zeros((2, 7), np.float32), "labels": [0, 0]},
        r"latents is float32 \(2, 7\); serving_default takes float32 \(N, 8\)",
    ),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A model of three classes, and both clients of a server of its export."""
    directory = tmp_path_factory.mktemp("served") / "export"
    model = image_model(num_classes=3)
    tz.export(model, directory, formats="saved_model", max_images=32)
    with loopback.serving(directory) as (address, url, (one,)):
        by_grpc, by_rest = grpc_client.Client(address, one.name), rest_client.Client(url, one.name)
        yield model, by_grpc, by_rest, one, (address, url)
        by_grpc.close()
        by_rest.close()


def test_both_clients_get_the_images_of_generate(served):
    model, by_grpc, by_rest, *_ = served
    labels = np.arange(10, dtype=np.int32) % 3
    images = model.generate(10, labels, seed=6)
    wanted = np.asarray(to_uint8(images)).astype(int)
    files = by_rest.sample_png(6, labels=labels.tolist())
    for given in (
        by_grpc.sample(6, labels=labels),
        by_rest.sample(6, labels=labels.tolist()),
        np.stack([tf.io.decode_png(file).numpy() for file in files]),
    ):
        assert given.dtype == np.uint8
        assert np.abs(given.astype(int) - wanted).max() <= 1
    latents = model.draw_latents(10, 6).numpy()
    np.testing.assert_allclose(by_rest.draw(latents, labels), images, atol=1e-4)
    given = by_grpc.predict("serving_default", latents=latents, labels=labels)["images"]
    np.testing.assert_allclose(given, images, atol=1e-4)
    way = by_grpc.predict("interpolate", seed_a=6, seed_b=7, steps=3, label=0)["images"]
    np.testing.assert_array_equal(way, by_rest.predict("interpolate", seed_a=6, seed_b=7, steps=3, label=0))
    assert np.abs(way[0].astype(int) - wanted[0]).max() <= 1


def test_the_server_says_what_it_serves_and_has_warmed_up(served):
    _, by_grpc, by_rest, one, (_, url) = served
    assert one.replayed == len(one.signatures) == 5
    assert by_grpc.signatures()["sample"] == {"inputs": ["labels", "seed"], "outputs": ["images"]}
    assert set(by_grpc.signatures()) == set(one.signatures)
    assert by_rest.versions() == {"1": "AVAILABLE"}
    told = requests.get(f"{url}/v1/models/stand_in/metadata", timeout=10).json()
    assert set(one.signatures) <= set(told["metadata"]["signature_def"]["signature_def"])


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_gets_a_sentence_and_the_next_one_images(served, what):
    _, by_grpc, by_rest, *_ = served
    signature, inputs, *sentences = BAD[what]
    with pytest.raises(grpc.RpcError) as by_call:
        by_grpc.predict(signature, **inputs)
    codes = grpc.StatusCode
    assert by_call.value.code() is (codes.FAILED_PRECONDITION if what == "a signature" else codes.INVALID_ARGUMENT)
    with pytest.raises(ValueError, match=sentences[0]):
        raise ValueError(by_call.value.details())
    with pytest.raises(rest_client.RefusedError, match=sentences[-1]) as by_post:
        by_rest.predict(signature, **inputs)
    assert by_post.value.status == 400
    np.testing.assert_array_equal(by_grpc.sample(1, labels=[2]), by_rest.sample(1, labels=[2]))


def test_strangers_and_nonsense_are_refused(served):
    _, by_grpc, by_rest, _, (address, url) = served
    stranger = grpc_client.Client(address, "other")
    with pytest.raises(grpc.RpcError, match="There is no 'other' here; there is 'stand_in'") as refused:
        stranger.sample(0, labels=[0])
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError, match="no 'other'"):
        stranger.signatures()
    stranger.close()
    vast = predict_pb2.PredictRequest()
    vast.model_spec.name, vast.model_spec.signature_name = "stand_in", "sample"
    vast.inputs["seed"].CopyFrom(tf.make_tensor_proto(0))
    vast.inputs["labels"].CopyFrom(tf.make_tensor_proto([0]))
    for size, sentence in ((2**40, r"labels has more than \d\d,\d{3} numbers"), (-3, "labels is not a tensor")):
        vast.inputs["labels"].tensor_shape.dim[0].size = size
        with pytest.raises(grpc.RpcError, match=sentence):
            by_grpc._stub.Predict(vast, 10)
    for body, status, sentence in (
        (b"{", 400, "is not JSON"),
        (b"[]", 400, 'either "inputs" or "instances"'),
        (b'{"inputs": {}, "instances": []}', 400, 'either "inputs" or "instances"'),
        (b'{"instances": []}', 400, "a list that is not empty"),
        (b'{"instances": [{"latents": [1]}, {"labels": 1}]}', 400, "objects with the same names"),
        (b'{"inputs": [1]}', 400, "inputs has to be an object with labels, latents"),
        (b'{"signature_name": 3, "inputs": {}}', 400, "has to be a string"),
        (b'{"signature_name": "sample", "inputs": {"labels": [[1], [1, 2]], "seed": 0}}', 400, "different lengths"),
        (b'{"signature_name": "sample", "inputs": {"labels": [1], "seed": 2147483648}}', 400, "type int32"),
        (b'{"signature_name": "sample", "inputs": {"labels": [true], "seed": 0}}', 400, "type int32"),
        (b'{"signature_name": "sample", "inputs": {"labels": [1], "seed": 1%s}}' % (b"0" * 400), 400, "type int32"),
        (b'{"signature_name": "sample", "inputs": {"labels": [1], "seed": 1%s}}' % (b"0" * 9000), 400, "is not JSON"),
        (b'{"signature_name": "sample", "inputs": {"labels": [1e999], "seed": 0}}', 400, "type int32"),
        (b'{"inputs": {"latents": [[NaN, 0, 0, 0, 0, 0, 0, 0]], "labels": [0]}}', 400, "latents must hold neither NaN"),
        (
            b'{"inputs": {"latents": [[1e99, 0, 0, 0, 0, 0, 0, 0]], "labels": [0]}}',
            400,
            "latents must hold neither NaN",
        ),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "is not JSON"),
        (
            b'{"signature_name": "sample", "inputs": {"labels": %s0%s, "seed": 0}}' % (b"[" * 99, b"]" * 99),
            400,
            "label",
        ),
    ):
        answer = requests.post(f"{url}/v1/models/stand_in:predict", data=body, timeout=10)
        assert (answer.status_code, sentence in answer.json()["error"]) == (status, True), answer.text
    for path, status in {
        "/v1/models/other": 404,
        "/v1/models/stand_in/versions/2": 404,
        "/v1/models/stand_in/versions/1": 200,
        "/v1/models/stand_in/versions/" + "9" * 99: 400,
        "/v1/models/stand_in/labels/stable": 400,
        "/v1/models/stand_in:predict": 400,
        "/v1/nonsense": 400,
        "/": 404,
        "/healthz": 200,
    }.items():
        assert requests.get(url + path, timeout=10).status_code == status
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    for size, status in {"x": 400, str(10**7): 429, "9" * 99: 429}.items():
        connection.putrequest("POST", "/v1/models/stand_in:predict")
        connection.putheader("Content-Length", size)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()
    np.testing.assert_array_equal(by_grpc.sample(1, labels=[2]), by_rest.sample(1, labels=[2]))


def test_requests_are_counted_as_the_real_server_counts_them(served):
    _, by_grpc, by_rest, _, (_, url) = served

    def counts():
        text = requests.get(f"{url}/monitoring/prometheus/metrics", timeout=10).text
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        of = ':tensorflow:serving:request_count{model_name="stand_in",status="%s"}'
        return [int(lines.get(of % code, 0)) for code in ("OK", "INVALID_ARGUMENT")]

    before = counts()
    by_grpc.sample(0, labels=[1])
    by_rest.sample(0, labels=[1])
    with pytest.raises(rest_client.RefusedError):
        by_rest.sample(0, labels=[3])
    assert counts() == [before[0] + 2, before[1] + 1]


def test_a_batching_server_refuses_what_cannot_be_joined(served, tmp_path):
    """The rule of TensorFlow Serving's batching session, and what the pages tell to do about it."""
    model, *_, one, _ = served
    directory = one._path.parent
    with pytest.raises(loopback.RefusedError, match="must have at least one dimension"):  # while it warms up
        loopback.Models([directory], batching=True)
    with loopback.serving(directory, batching=True, warm_up=False) as (address, url, (one,)):
        by_grpc, by_rest = grpc_client.Client(address, one.name), rest_client.Client(url, one.name)
        latents, labels = model.draw_latents(3, 6).numpy(), np.array([0, 1, 2], np.int32)
        np.testing.assert_allclose(by_rest.draw(latents, labels), model.generate(3, labels, seed=6), atol=1e-4)
        with pytest.raises(grpc.RpcError, match="must have at least one dimension") as refused:
            by_grpc.sample(0, labels=labels)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(rest_client.RefusedError, match="must have equal 0th-dimension size"):
            by_rest.predict("serving_default", latents=latents, labels=labels[:2])
        by_grpc.close()
        by_rest.close()
    pages = [ROOT / "examples/serving/README.md", ROOT / "examples/serving/compose.yaml", directory / "README.md"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.count("--enable_batching") == text.count("--enable_model_warmup=false") > 0, page


def test_two_models_and_labels_of_their_versions_under_one_server(served, tmp_path):
    *_, one, _ = served
    first, second = one._path.parent, tmp_path / "points"
    for _ in range(2):
        tz.export(point_model(), second, formats="saved_model", max_images=8)
    own = second / "models.config"
    own.write_text(own.read_text().replace('"stand_in"', '"points"'))
    config = tmp_path / "models.config"
    blocks = [path.read_text().removeprefix("model_config_list {\n")[:-2] for path in (first / "models.config", own)]
    policy = """specific { versions: 1 versions: 2 } }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "canary" value: 2 """
    blocks[1] = blocks[1].replace("latest { num_versions: 1 }", policy)
    config.write_text("model_config_list {\n" + "".join(blocks) + "}\n")
    with loopback.serving(first, second, config_file=config) as (address, url, models):
        assert [(one.name, one.version) for one in models] == [("stand_in", 1), ("points", 1), ("points", 2)]
        by_grpc = grpc_client.Client(address, "stand_in")
        assert by_grpc.sample(0, labels=[1]).shape == (1, 12, 12, 1)
        asked = {"signature_name": "sample", "inputs": {"num_images": 2, "seed": 5}}
        for where, version in {"": "2", "/labels/stable": "1", "/labels/canary": "2", "/versions/1": "1"}.items():
            state = requests.get(f"{url}/v1/models/points{where}", timeout=10).json()["model_version_status"]
            assert state[0]["version"] == version
            answer = requests.post(f"{url}/v1/models/points{where}:predict", json=asked, timeout=10).json()
            np.testing.assert_allclose(answer["outputs"], point_model().generate(2, seed=5), atol=1e-4)
        for where, status in {"/labels/old": 400, "/versions/3": 404}.items():
            assert requests.post(f"{url}/v1/models/points{where}:predict", json=asked, timeout=10).status_code == status
        spec = predict_pb2.PredictRequest()
        spec.model_spec.name, spec.model_spec.version_label = "points", "stable"
        spec.model_spec.signature_name = "sample"
        for name in ("num_images", "seed"):
            spec.inputs[name].CopyFrom(tf.make_tensor_proto(np.int32(1)))
        assert by_grpc._stub.Predict(spec, 10).model_spec.version.value == 1
        by_grpc.close()


def test_command_lines_keep_images_and_tell_faults(served, tmp_path, monkeypatch, capsys):
    model, *_, (address, url) = served
    monkeypatch.chdir(tmp_path)
    wanted = np.asarray(to_uint8(model.generate(2, np.array([0, 2]), seed=3))).astype(int)
    for client, where in ((grpc_client, address), (rest_client, url)):
        monkeypatch.setattr(sys, "argv", ["client", where, "stand_in", "--seed", "3", "--labels", "0", "2"])
        client.main()
        monkeypatch.setattr(sys, "argv", ["client", where, "stand_in", "--labels", "5"])
        with pytest.raises(SystemExit):
            client.main()
    assert np.abs(np.load("images.npy").astype(int) - wanted).max() <= 1
    files = [tf.io.decode_png((tmp_path / f"image_{number}.png").read_bytes()) for number in range(2)]
    assert np.abs(np.stack(files).astype(int) - wanted).max() <= 1
    told = capsys.readouterr()
    assert "images.npy: uint8 (2, 12, 12, 1)" in told.out
    assert told.err.count("labels must be from 0 to 2") == 2


def test_points_are_served_too(tmp_path):
    model = point_model()
    tz.export(model, tmp_path / "export", formats="saved_model")
    with loopback.serving(tmp_path / "export") as (address, url, (one,)):
        by_grpc, by_rest = grpc_client.Client(address, one.name), rest_client.Client(url, one.name)
        wanted = model.generate(5, seed=2)
        np.testing.assert_allclose(by_grpc.sample(2, num_images=5), wanted, atol=1e-4)
        np.testing.assert_allclose(by_rest.predict("sample", seed=2, num_images=5), wanted, atol=1e-4)
        with pytest.raises(rest_client.RefusedError, match="num_images must be from 1 to 1024"):
            by_rest.sample(0, num_images=1025)
        by_grpc.close()
        by_rest.close()


@pytest.mark.slow
def test_thousands_of_good_and_bad_requests_lose_nothing_and_memory_stays_flat():
    """Eight clients at once, a third of whose requests are bad; every answer is compared. SOAK=4000 asks less."""
    directory = ROOT / "exported" / "cgan_digits"
    name = json.loads((directory / "card.json").read_text(encoding="utf-8"))["name"]
    command = [sys.executable, "-m", "examples.serving.loopback", str(directory), "--grpc-port=0", "--rest-port=0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        words = server.stdout.readline().replace(",", "").split()
        address, url = words[words.index("gRPC") + 1], words[words.index("REST") + 1]
        labels = np.arange(8, dtype=np.int32) % 10
        generator = tz.load_exported(directory, "saved_model")
        wanted = {seed: np.asarray(to_uint8(generator.generate(8, labels, seed))).astype(int) for seed in range(5)}
        wrong, answered, memory = [], [0] * 8, []

        def client(number, count):
            draw = random.Random(number)
            by_grpc, by_rest = grpc_client.Client(address, name), rest_client.Client(url, name)
            for _ in range(count):
                one, seed = draw.choice((by_grpc, by_rest)), draw.randrange(5)
                if draw.random() < 1 / 3:
                    bad = draw.choice(({"labels": [0, 10]}, {"labels": [0] * 2000}, {"labels": [[0]]}, {"labels": []}))
                    try:
                        one.predict("sample", seed=seed, **bad)
                        wrong.append(bad)
                    except (grpc.RpcError, rest_client.RefusedError) as error:
                        told = error.details() if isinstance(error, grpc.RpcError) else str(error)
                        if "labels" not in told:
                            wrong.append(told)
                elif np.abs(one.sample(seed, labels=labels).astype(int) - wanted[seed]).max() > 1:
                    wrong.append(seed)
                answered[number] += 1
            by_grpc.close()
            by_rest.close()

        each = int(os.environ.get("SOAK", 20_000)) // 8
        for count in (each // 5, 2 * each // 5, each - each // 5 - 2 * each // 5):
            threads = [threading.Thread(target=client, args=(number, count)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            pages = int(pathlib.Path(f"/proc/{server.pid}/statm").read_text().split()[1])
            memory.append(pages * 4096)
        assert not wrong
        assert answered == [each] * 8
        print(f"{sum(answered)} requests, {memory[0] / 1e6:.0f} MB after a fifth, {memory[-1] / 1e6:.0f} MB at last")
        assert server.poll() is None
        assert memory[-1] < 1.05 * memory[0], memory
    finally:
        server.kill()
        server.wait()
