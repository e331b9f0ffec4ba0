"""A server that speaks as TensorFlow Serving does, on this machine alone: to try clients where there is no Docker.

    python -m examples.serving.loopback exported/dcgan_fashion_mnist --grpc-port 8500 --rest-port 8501

It reads models.config, loads the highest version, replays its warm-up requests, and answers `Predict` and
`GetModelMetadata` by gRPC (the official protos: pip install tensorflow-serving-api), and the predict, status and
metadata addresses of the REST interface (tensorflow.org/tfx/serving/api_rest). It is no server for strangers: it
neither batches requests nor watches for new versions.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import http.server
import json
import math
import pathlib
import re
import threading

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
_MAX_BYTES = 64 << 20  # of a request
_HTTP = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "RESOURCE_EXHAUSTED": 413, "INTERNAL": 500}
_ADDRESS = re.compile(r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+))?(?P<what>:predict|/metadata)?")


class RefusedError(Exception):
    """A request that gets no answer: a status code of gRPC by name, and a sentence."""

    def __init__(self, code, told):
        super().__init__(told)
        self.code = code


class Served:
    """A model as a server holds it: its name, its highest version, its signatures.

    Args:
        directory: an export with models.config.
    """

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        config = model_server_config_pb2.ModelServerConfig()
        text_format.Parse((directory / "models.config").read_text(encoding="utf-8"), config)
        self.name = config.model_config_list.config[0].name
        self.version = max(int(path.name) for path in directory.iterdir() if path.name.isdecimal())
        path = directory / str(self.version)
        self._loaded = tf.saved_model.load(str(path))
        self.signatures = dict(self._loaded.signatures)
        saved = (path / "saved_model.pb").read_bytes()
        self.definitions = saved_model_pb2.SavedModel.FromString(saved).meta_graphs[0].signature_def
        self.replayed = self._replay(path / _WARM_UP)

    def find(self, name, version=None):
        """Raise unless this is the model that was asked for."""
        if name != self.name or version not in (None, 0, self.version):
            told = name if version in (None, 0) else f"{name}, version {version}"
            raise RefusedError(
                "NOT_FOUND", f"There is no {told!r} here; there is {self.name!r}, version {self.version}."
            )

    def inputs_of(self, signature):
        """Name -> tf.TensorSpec of what a signature takes."""
        if signature not in self.signatures:
            known = ", ".join(sorted(self.signatures))
            raise RefusedError("INVALID_ARGUMENT", f"There is no signature {signature!r}; there are {known}.")
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

    def predict(self, request):
        """What gRPC's Predict answers to a PredictRequest."""
        spec = request.model_spec
        self.find(spec.name, spec.version.value if spec.HasField("version") else None)
        signature = spec.signature_name or "serving_default"
        given = {}
        for name, value in request.inputs.items():
            if 8 * math.prod(axis.size for axis in value.tensor_shape.dim) > _MAX_BYTES:  # one number may stand for all
                raise RefusedError("INVALID_ARGUMENT", f"{name} has more than {_MAX_BYTES // 8:,} numbers.")
            try:
                given[name] = tf.make_ndarray(value)
            except (TypeError, ValueError, KeyError) as error:
                raise RefusedError("INVALID_ARGUMENT", f"{name} is not a tensor: {error}") from error
        answer = predict_pb2.PredictResponse()
        answer.model_spec.name, answer.model_spec.signature_name = self.name, signature
        answer.model_spec.version.value = self.version
        for name, value in self.answer(signature, given).items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return answer

    def _replay(self, path):
        if not path.is_file():
            return 0
        records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
        for record in records:
            self.predict(prediction_log_pb2.PredictionLog.FromString(record).predict_log.request)
        return len(records)


def _shape(shape):
    return "(" + ", ".join("N" if size is None else str(size) for size in shape) + ")"


# ---- gRPC ------------------------------------------------------------------------------------------------------------


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The official service over one model."""

    def __init__(self, served):
        self._served = served

    def Predict(self, request, context):
        with _refusing(context):
            return self._served.predict(request)

    def GetModelMetadata(self, request, context):
        with _refusing(context):
            self._served.find(request.model_spec.name)
            answer = get_model_metadata_pb2.GetModelMetadataResponse()
            answer.model_spec.name, answer.model_spec.version.value = self._served.name, self._served.version
            told = get_model_metadata_pb2.SignatureDefMap(signature_def=self._served.definitions)
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
    """The predict, status and metadata addresses of one model, `served`."""

    served = None
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a request may take to arrive
    disable_nagle_algorithm = True  # headers and body are two writes, the second of which would wait for 40 ms

    def do_POST(self):
        self._reply(self._predicted)

    def do_GET(self):
        self._reply(self._described)

    def _reply(self, work):
        try:
            status, told = 200, work()
        except RefusedError as error:
            status, told = _HTTP[error.code], {"error": str(error)}
        except Exception as error:  # whatever it is, the next request is answered
            status, told = 500, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _asked(self, *allowed):
        found = _ADDRESS.fullmatch(self.path)
        if not found or found["what"] not in allowed:
            raise RefusedError("NOT_FOUND", f"There is no {self.path}.")
        self.served.find(found["name"], found["version"] and int(found["version"]))
        return found["what"]

    def _predicted(self):
        body = self._body()
        self._asked(":predict")
        try:
            asked = json.loads(body)
        except ValueError as error:
            raise RefusedError("INVALID_ARGUMENT", f"The request is not JSON: {error}") from error
        if not isinstance(asked, dict) or len({"inputs", "instances"} & asked.keys()) != 1:
            raise RefusedError("INVALID_ARGUMENT", 'The request has to hold either "inputs" or "instances".')
        signature = asked.get("signature_name", "serving_default")
        if not isinstance(signature, str):
            raise RefusedError("INVALID_ARGUMENT", "signature_name has to be a string.")
        specs = self.served.inputs_of(signature)
        columns = _by_columns(asked["instances"], specs) if "instances" in asked else asked["inputs"]
        if not isinstance(columns, dict):
            if len(specs) != 1:
                raise RefusedError("INVALID_ARGUMENT", f"inputs has to be an object with {', '.join(sorted(specs))}.")
            columns = {next(iter(specs)): columns}
        given = {name: _from_json(name, value, specs.get(name)) for name, value in columns.items()}
        outputs = self.served.answer(signature, given)
        if "instances" in asked:
            rows = [dict(zip(outputs, row, strict=True)) for row in zip(*map(_to_json, outputs.values()), strict=True)]
            return {"predictions": [row if len(outputs) > 1 else next(iter(row.values())) for row in rows]}
        told = {name: _to_json(value) for name, value in outputs.items()}
        return {"outputs": told if len(told) > 1 else next(iter(told.values()))}

    def _body(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise RefusedError("INVALID_ARGUMENT", "The request has no Content-Length.")
        if int(length) > _MAX_BYTES:
            self.close_connection = True
            raise RefusedError("RESOURCE_EXHAUSTED", f"The request has more than {_MAX_BYTES:,} bytes.")
        return self.rfile.read(int(length))

    def _described(self):
        what = self._asked(None, "/metadata")
        if what is None:
            status = {"error_code": "OK", "error_message": ""}
            return {
                "model_version_status": [{"version": str(self.served.version), "state": "AVAILABLE", "status": status}]
            }
        told = get_model_metadata_pb2.SignatureDefMap(signature_def=self.served.definitions)
        return {
            "model_spec": {"name": self.served.name, "signature_name": "", "version": str(self.served.version)},
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
    return array.astype(spec.dtype.as_numpy_dtype)


def _fits(array, dtype):
    return not dtype.is_integer or (array.min() >= dtype.min and array.max() <= dtype.max)


def _to_json(array):
    if array.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in array.tolist()]
    return array.tolist()


# ---- both ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(directory, grpc_port=0, rest_port=0):
    """Serve an export on the loopback interface while the block runs.

    Args:
        directory: the export.
        grpc_port, rest_port: 0 for any free one.

    Yields:
        (address for gRPC, URL for REST, the `Served`).
    """
    served = Served(directory)
    sizes = [("grpc.max_receive_message_length", _MAX_BYTES), ("grpc.max_send_message_length", -1)]
    by_grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[*sizes, ("grpc.so_reuseport", 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(served), by_grpc)
    grpc_port = by_grpc.add_insecure_port(f"127.0.0.1:{grpc_port}")
    by_rest = http.server.ThreadingHTTPServer(("127.0.0.1", rest_port), type("Handler", (Rest,), {"served": served}))
    by_grpc.start()
    threading.Thread(target=by_rest.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{grpc_port}", f"http://127.0.0.1:{by_rest.server_port}", served
    finally:
        by_rest.shutdown()
        by_rest.server_close()
        by_grpc.stop(1).wait()


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, help="an export")
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--rest-port", type=int, default=8501)
    chosen = parser.parse_args()
    with serving(chosen.directory, chosen.grpc_port, chosen.rest_port) as (address, url, served):
        told = f"{served.name}, version {served.version}, after {served.replayed} warm-up requests"
        print(f"{told}: gRPC {address}, REST {url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
