"""A server that speaks as TensorFlow Serving does, on this machine alone: to try clients where there is no Docker.

    python -m examples.serving.loopback exported/dcgan_fashion_mnist --grpc-port 8500 --rest-port 8501
    python -m examples.serving.loopback exported/cgan_digits exported/dcgan_fashion_mnist

It reads models.config (or --model-config-file), loads the versions that are asked for there, replays their warm-up
requests, and answers `Predict` and `GetModelMetadata` by gRPC (the official protos: pip install
tensorflow-serving-api), and the predict, status, metadata and metrics addresses of the REST interface
(tensorflow.org/tfx/serving/api_rest). With --enable-batching it refuses what the real server refuses then, although it
joins nothing. It watches for no new versions, and is no server for strangers.

Codes are those of TensorFlow Serving's source: batching/batching_util.h, model_servers/http_server.cc,
model_servers/http_rest_api_handler.cc, model_servers/server_core.cc, servables/tensorflow/predict_util.cc.
"""

import argparse
import base64
import collections
import concurrent.futures
import contextlib
import http.server
import json
import math
import pathlib
import re
import threading
import time

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format, text_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

_WARM_UP = "assets.extra/tf_serving_warmup_requests"
_MAX_IMAGES = 1024  # where no card says how many a request may ask for
_NUMBER = 32  # bytes that a number takes in JSON, at most
_HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
}
_MODEL = r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_ADDRESSES = {"POST": re.compile(_MODEL + "(?P<what>:predict)"), "GET": re.compile(_MODEL + "(?P<what>/metadata)?")}
_METRICS = "/monitoring/prometheus/metrics"
_HEALTH = "/healthz"  # of this example: the real server tells a model's state at its own address


class RefusedError(Exception):
    """A request that gets no answer: a status code of gRPC by name, and a sentence."""

    def __init__(self, code, told):
        super().__init__(told)
        self.code = code


class Models:
    """What a server holds: versions of models by name, their labels, and how often each was asked.

    Args:
        directories: exports with models.config.
        config_file: instead of what stands in them, as --model_config_file; None for theirs.
        batching: whether requests are refused that cannot be joined.
        warm_up: whether warm-up requests are replayed.
    """

    def __init__(self, directories, config_file=None, batching=False, warm_up=True):
        self.batching, self._loaded, self._labels = batching, {}, {}
        self._answers, self._seconds, self._lock = collections.Counter(), collections.Counter(), threading.Lock()
        own = {config.name: (directory, config) for directory in directories for config in _configs(directory)}
        configs = _configs(config_file) if config_file else [config for _, config in own.values()]
        for config in configs:
            if config.name not in own:
                raise ValueError(f"{config_file} names {config.name}: there is {', '.join(sorted(own))}.")
            directory = own[config.name][0]
            there = sorted(int(path.name) for path in directory.iterdir() if path.name.isdecimal())
            policy = config.model_version_policy
            latest = there[-(policy.latest.num_versions or 1) :]
            versions = list(policy.specific.versions) or (there if policy.HasField("all") else latest)
            self._loaded[config.name] = {version: Served(directory, config.name, version) for version in versions}
            self._labels[config.name] = dict(config.version_labels)
            for label, version in config.version_labels.items():
                if version not in self._loaded[config.name]:
                    raise ValueError(
                        f"The label {label!r} of {config.name} is of version {version}, which is not loaded."
                    )
        if warm_up:
            for served in self:
                served.warm_up(self)

    def __iter__(self):
        return (served for versions in self._loaded.values() for served in versions.values())

    @property
    def most_bytes(self):
        """Of a request in JSON that asks for as much as any model gives, and more than one by gRPC."""
        return max(served.most_bytes for served in self)

    def find(self, name, version=None, label=None):
        """The version of a model that was asked for: by number, by label, or the highest."""
        versions = self._loaded.get(name)
        if versions is None:
            known = ", ".join(repr(one) for one in self._loaded)
            raise RefusedError("NOT_FOUND", f"There is no {name!r} here; there is {known}.")
        if label:
            if label not in self._labels[name]:
                raise RefusedError("INVALID_ARGUMENT", f"{name} has no version with the label {label!r}.")
            version = self._labels[name][label]
        version = max(versions) if version is None else version
        if version not in versions:
            known = ", ".join(map(str, versions))
            raise RefusedError("NOT_FOUND", f"There is no {name!r}, version {version}; there is {known}.")
        return versions[version]

    def find_spec(self, spec):
        """The same for a ModelSpec of gRPC."""
        return self.find(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label)

    def answer(self, served, signature, given):
        """Run a signature on arrays by name, as `Served.answer`, and count it."""
        begin, code = time.perf_counter(), "INTERNAL"
        try:
            if self.batching:
                _check_joined(given)
            found, code = served.answer(signature, given), "OK"
            return found
        except RefusedError as error:
            code = error.code
            raise
        finally:
            with self._lock:
                self._answers[served.name, code] += 1
                self._seconds[served.name] += time.perf_counter() - begin

    def metrics(self):
        """Counts in the text format of Prometheus, by the real server's names."""
        with self._lock:
            counts, seconds = dict(self._answers), dict(self._seconds)
        lines = ["# TYPE :tensorflow:serving:request_count counter"]
        for (name, code), count in sorted(counts.items()):
            lines.append(f':tensorflow:serving:request_count{{model_name="{name}",status="{code}"}} {count}')
        lines.append("# TYPE :tensorflow:serving:request_latency summary")
        for name, taken in sorted(seconds.items()):
            told = f'{{model_name="{name}",API="Predict",entrypoint=""}}'
            asked = sum(count for (one, _), count in counts.items() if one == name)
            lines.append(f":tensorflow:serving:request_latency_sum{told} {1e6 * taken:.0f}")
            lines.append(f":tensorflow:serving:request_latency_count{told} {asked}")
        return "\n".join(lines) + "\n"

    def predict(self, request):
        """What gRPC's Predict answers to a PredictRequest."""
        served = self.find_spec(request.model_spec)
        signature = request.model_spec.signature_name or "serving_default"
        if signature not in served.signatures:
            raise RefusedError("FAILED_PRECONDITION", served.unknown(signature))
        given = {}
        for name, value in request.inputs.items():
            if math.prod(max(axis.size, 0) for axis in value.tensor_shape.dim) * _NUMBER > self.most_bytes:
                most = self.most_bytes // _NUMBER  # one number may stand for all
                raise RefusedError("INVALID_ARGUMENT", f"{name} has more than {most:,} numbers.")
            try:
                given[name] = tf.make_ndarray(value)
            except (TypeError, ValueError, KeyError) as error:
                raise RefusedError("INVALID_ARGUMENT", f"{name} is not a tensor: {error}") from error
        answer = predict_pb2.PredictResponse()
        answer.model_spec.name, answer.model_spec.signature_name = served.name, signature
        answer.model_spec.version.value = served.version
        for name, value in self.answer(served, signature, given).items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return answer


def _configs(path):
    path, config = pathlib.Path(path), model_server_config_pb2.ModelServerConfig()
    path = path / "models.config" if path.is_dir() else path
    text_format.Parse(path.read_text(encoding="utf-8"), config)
    return list(config.model_config_list.config)


def _check_joined(given):
    """Refuse what a batching session refuses: it joins inputs along their first dimension, whatever the signature."""
    if any(np.ndim(value) == 0 for value in given.values()):
        told = "Batching Run() input tensors must have at least one dimension"
    elif len({len(value) for value in given.values()}) > 1:
        told = "Batching Run() input tensors must have equal 0th-dimension size"
    else:
        return
    raise RefusedError("INVALID_ARGUMENT", told)


class Served:
    """A version of a model as a server holds it: its name, its number, its signatures.

    Args:
        directory: an export.
        name: of the model.
        version: to load.
    """

    def __init__(self, directory, name, version):
        self.name, self.version, self.replayed = name, version, 0
        self._path = path = pathlib.Path(directory) / str(version)
        self._loaded = tf.saved_model.load(str(path))
        self.signatures = dict(self._loaded.signatures)
        saved = (path / "saved_model.pb").read_bytes()
        self.definitions = saved_model_pb2.SavedModel.FromString(saved).meta_graphs[0].signature_def
        self.most_bytes = _most_bytes(self.signatures, pathlib.Path(directory) / "card.json")

    def unknown(self, signature):
        """The sentence about a signature that is not there."""
        return f"There is no signature {signature!r}; there are {', '.join(sorted(self.signatures))}."

    def inputs_of(self, signature):
        """Name -> tf.TensorSpec of what a signature takes."""
        if signature not in self.signatures:
            raise RefusedError("INVALID_ARGUMENT", self.unknown(signature))
        return self.signatures[signature].structured_input_signature[1]

    def answer(self, signature, given):
        """Run a signature on arrays by name; returns arrays by name."""
        specs = self.inputs_of(signature)
        if specs.keys() != given.keys():
            told = ", ".join(sorted(given)) or "nothing"
            raise RefusedError(
                "INVALID_ARGUMENT", f"{signature} takes {', '.join(sorted(specs))} and was given {told}."
            )
        for name, spec in specs.items():
            value = given[name]
            if value.dtype != spec.dtype.as_numpy_dtype or not spec.shape.is_compatible_with(value.shape):
                wanted = f"{spec.dtype.name} {_shape(spec.shape)}"
                raise RefusedError(
                    "INVALID_ARGUMENT", f"{name} is {value.dtype} {_shape(value.shape)}; {signature} takes {wanted}."
                )
        try:
            found = self.signatures[signature](**{name: tf.constant(value) for name, value in given.items()})
            return {name: value.numpy() for name, value in found.items()}
        except tf.errors.InvalidArgumentError as error:
            told = re.search(r"assertion failed: \[(.*?)\]", str(error))
            raise RefusedError("INVALID_ARGUMENT", told[1] if told else str(error).splitlines()[0]) from error

    def warm_up(self, models):
        """Replay the requests that are kept for it; one that is refused keeps the model from being served."""
        path = self._path / _WARM_UP
        if not path.is_file():
            return
        for record in tf.data.TFRecordDataset(str(path)):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log
            given = {name: tf.make_ndarray(value) for name, value in log.request.inputs.items()}
            models.answer(self, log.request.model_spec.signature_name, given)
            self.replayed += 1


def _most_bytes(signatures, card):
    """Of the largest request in JSON that can be answered, twice over."""
    most = _MAX_IMAGES
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        most = int(json.loads(card.read_text(encoding="utf-8"))["formats"]["saved_model"]["max_images"])
    numbers = 0
    for function in signatures.values():
        shapes = [spec.shape.as_list() for spec in function.structured_input_signature[1].values()]
        numbers = max(numbers, sum(math.prod(most if size is None else size for size in shape) for shape in shapes))
    return (1 << 20) + 2 * _NUMBER * numbers


def _shape(shape):
    return "(" + ", ".join("N" if size is None else str(size) for size in shape) + ")"


# ---- gRPC ------------------------------------------------------------------------------------------------------------


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The official service over `Models`."""

    def __init__(self, models):
        self._models = models

    def Predict(self, request, context):
        with _refusing(context):
            return self._models.predict(request)

    def GetModelMetadata(self, request, context):
        with _refusing(context):
            served = self._models.find_spec(request.model_spec)
            answer = get_model_metadata_pb2.GetModelMetadataResponse()
            answer.model_spec.name, answer.model_spec.version.value = served.name, served.version
            told = get_model_metadata_pb2.SignatureDefMap(signature_def=served.definitions)
            answer.metadata["signature_def"].Pack(told)
            return answer


@contextlib.contextmanager
def _refusing(context):
    try:
        yield
    except RefusedError as error:
        context.abort(grpc.StatusCode[error.code], str(error))


# ---- REST ------------------------------------------------------------------------------------------------------------


class Rest(http.server.BaseHTTPRequestHandler):
    """The predict, status and metadata addresses of `models`, their metrics, and whether the server is well."""

    models = None
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a request may take to arrive
    disable_nagle_algorithm = True  # headers and body are two writes, the second of which would wait for 40 ms

    def do_POST(self):
        self._reply(self._predicted)

    def do_GET(self):
        self._reply(self._described)

    def _reply(self, work):
        kind = "application/json"
        try:
            status, told = 200, work()
            if isinstance(told, str):
                kind, body = "text/plain; version=0.0.4", told.encode()
            else:
                body = json.dumps(told, allow_nan=False).encode()  # NaN is no JSON
        except Exception as error:  # whatever it is, the next request is answered
            refused = isinstance(error, RefusedError)
            status, told = (
                _HTTP[error.code] if refused else 500,
                str(error) if refused else f"{type(error).__name__}: {error}",
            )
            body = json.dumps({"error": told}).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _asked(self):
        path = self.path.split("?")[0]
        found = _ADDRESSES[self.command].fullmatch(path)
        if not found:
            code = "INVALID_ARGUMENT" if path.startswith("/v1/") else "NOT_FOUND"
            raise RefusedError(code, f"Malformed request: {self.command} {path}")
        if found["version"] and len(found["version"]) > 18:
            raise RefusedError("INVALID_ARGUMENT", f"Failed to convert version: {found['version']} to numeric.")
        return self.models.find(found["name"], found["version"] and int(found["version"]), found["label"]), found[
            "what"
        ]

    def _predicted(self):
        length = self._length()
        served, _ = self._asked_or_read(length)
        try:
            asked = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError) as error:
            raise RefusedError("INVALID_ARGUMENT", f"The request is not JSON: {error}") from error
        if not isinstance(asked, dict) or len({"inputs", "instances"} & asked.keys()) != 1:
            raise RefusedError("INVALID_ARGUMENT", 'The request has to hold either "inputs" or "instances".')
        signature = asked.get("signature_name", "serving_default")
        if not isinstance(signature, str):
            raise RefusedError("INVALID_ARGUMENT", "signature_name has to be a string.")
        specs = served.inputs_of(signature)
        columns = _by_columns(asked["instances"], specs) if "instances" in asked else asked["inputs"]
        if not isinstance(columns, dict):
            if len(specs) != 1:
                raise RefusedError("INVALID_ARGUMENT", f"inputs has to be an object with {', '.join(sorted(specs))}.")
            columns = {next(iter(specs)): columns}
        given = {name: _from_json(name, value, specs.get(name)) for name, value in columns.items()}
        outputs = self.models.answer(served, signature, given)
        if "instances" in asked:
            rows = [dict(zip(outputs, row, strict=True)) for row in zip(*map(_to_json, outputs.values()), strict=True)]
            return {"predictions": [row if len(outputs) > 1 else next(iter(row.values())) for row in rows]}
        told = {name: _to_json(value) for name, value in outputs.items()}
        return {"outputs": told if len(told) > 1 else next(iter(told.values()))}

    def _length(self):
        """Of the body, once it is known to be one that can be answered: a larger one is not even read."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise RefusedError("INVALID_ARGUMENT", "The request has no Content-Length.")
        if len(length) > 18 or int(length) > self.models.most_bytes:
            self.close_connection = True
            raise RefusedError("RESOURCE_EXHAUSTED", f"The request has more than {self.models.most_bytes:,} bytes.")
        return int(length)

    def _asked_or_read(self, length):
        try:
            return self._asked()
        except RefusedError:
            self.rfile.read(length)  # what follows on this connection is the next request
            raise

    def _described(self):
        if self.path == _HEALTH:
            return {"status": "ok", "models": [f"{one.name}, version {one.version}" for one in self.models]}
        if self.path == _METRICS:
            return self.models.metrics()
        served, what = self._asked()
        if what is None:
            status = {"error_code": "OK", "error_message": ""}
            return {"model_version_status": [{"version": str(served.version), "state": "AVAILABLE", "status": status}]}
        told = get_model_metadata_pb2.SignatureDefMap(signature_def=served.definitions)
        return {
            "model_spec": {"name": served.name, "signature_name": "", "version": str(served.version)},
            "metadata": {"signature_def": json_format.MessageToDict(told, preserving_proto_field_name=True)},
        }

    def log_message(self, *_):
        pass


def _by_columns(rows, specs):
    if not isinstance(rows, list) or not rows:
        raise RefusedError("INVALID_ARGUMENT", "instances has to be a list that is not empty.")
    if not isinstance(rows[0], dict) and len(specs) == 1:
        return {next(iter(specs)): rows}
    if not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
        raise RefusedError("INVALID_ARGUMENT", "All instances have to be objects with the same names.")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _from_json(name, value, spec):
    """An array of what the signature takes; anything that is no number of that kind is refused."""
    if spec is None:
        return np.asarray(0)  # its name will be refused
    try:
        array = np.array(value)
    except ValueError as error:
        raise RefusedError("INVALID_ARGUMENT", f"{name} has rows of different lengths.") from error
    kinds = "iu" if spec.dtype.is_integer else "iuf"
    if array.size and (array.dtype.kind not in kinds or not _fits(array, spec.dtype)):
        raise RefusedError("INVALID_ARGUMENT", f"{name} has to hold numbers of type {spec.dtype.name}.")
    with np.errstate(over="ignore"):  # infinity, which the graph refuses
        return array.astype(spec.dtype.as_numpy_dtype)


def _fits(array, dtype):
    return not dtype.is_integer or (array.min() >= dtype.min and array.max() <= dtype.max)


def _to_json(array):
    if array.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in array.tolist()]
    return array.tolist()


# ---- both ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(*directories, grpc_port=0, rest_port=0, **options):
    """Serve exports on the loopback interface while the block runs.

    Args:
        *directories: the exports.
        grpc_port, rest_port: 0 for any free one.
        **options: of `Models`.

    Yields:
        (address for gRPC, URL for REST, the `Models`).
    """
    models = Models([pathlib.Path(directory) for directory in directories], **options)
    sizes = [("grpc.max_receive_message_length", models.most_bytes), ("grpc.max_send_message_length", -1)]
    by_grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[*sizes, ("grpc.so_reuseport", 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(models), by_grpc)
    grpc_port = by_grpc.add_insecure_port(f"127.0.0.1:{grpc_port}")
    by_rest = http.server.ThreadingHTTPServer(("127.0.0.1", rest_port), type("Handler", (Rest,), {"models": models}))
    by_grpc.start()
    threading.Thread(target=by_rest.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{grpc_port}", f"http://127.0.0.1:{by_rest.server_port}", models
    finally:
        by_rest.shutdown()
        by_rest.server_close()
        by_grpc.stop(1).wait()


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", type=pathlib.Path, nargs="+", help="exports")
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--rest-port", type=int, default=8501)
    parser.add_argument("--model-config-file", type=pathlib.Path, help="instead of the exports' own models.config")
    parser.add_argument("--enable-batching", action="store_true", help="refuse what the real server refuses then")
    parser.add_argument("--enable-model-warmup", type=lambda text: text != "false", default=True, metavar="true|false")
    chosen = parser.parse_args()
    options = {"config_file": chosen.model_config_file, "batching": chosen.enable_batching}
    ports = {"grpc_port": chosen.grpc_port, "rest_port": chosen.rest_port}
    try:
        served = serving(*chosen.directories, **ports, **options, warm_up=chosen.enable_model_warmup)
        with served as (address, url, models):
            for one in models:
                print(f"{one.name}, version {one.version}, after {one.replayed} warm-up requests: ", end="")
                print(f"gRPC {address}, REST {url}", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    except (RefusedError, ValueError, OSError) as error:
        parser.exit(1, f"It cannot be served: {error}\n")


if __name__ == "__main__":
    main()
