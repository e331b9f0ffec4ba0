"""What TensorFlow Serving finds beside the SavedModel: warm-up requests, and the files of its two flags."""

import importlib.util

import tensorflow as tf

WARM_UP = "assets.extra/tf_serving_warmup_requests"  # TensorFlow Serving replays them before it says it is ready
CONFIGS = ("models.config", "batching.config")
_TOGETHER = 64  # rows of one run; a larger request is split


def write_warm_up(served, name, asked):
    """Write one small request for each signature, so that the first client does not wait for the first run.

    Args:
        served: directory of the SavedModel.
        name: of the model on the server.
        asked: dict name -> `signatures.Signature`.

    Returns:
        Whether it was written: not without tensorflow-serving-api.
    """
    if not _can_warm_up():
        return False
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = served / WARM_UP
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, what in asked.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = name, signature
            for key, value in what.example.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            file.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
    return True


def write_configs(directory, name, max_images):
    """Write models.config and batching.config, for --model_config_file and --batching_parameters_file.

    Args:
        directory: where to.
        name: of the model on the server; its versions are looked for in /models/<name>.
        max_images: that one request may ask for: the server refuses larger ones before it splits them into runs.
    """
    (directory / "models.config").write_text(
        f"""model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 1 }} }}
  }}
}}
""",
        encoding="utf-8",
    )
    (directory / "batching.config").write_text(
        f"""max_batch_size {{ value: {max_images} }}
enable_large_batch_splitting {{ value: true }}
max_execution_batch_size {{ value: {min(_TOGETHER, max_images)} }}
batch_timeout_micros {{ value: 2000 }}
max_enqueued_batches {{ value: 64 }}
num_batch_threads {{ value: 2 }}
""",
        encoding="utf-8",
    )


def _can_warm_up():
    return importlib.util.find_spec("tensorflow_serving") is not None
