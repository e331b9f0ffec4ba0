"""One loader a runtime: a path in, a function from latents (and labels) to images out.

Each imports its runtime when it is asked for, so that one of them is enough.
"""

import numpy as np

NEEDS = {
    "tflite": ("ai_edge_litert", "ai-edge-litert"),
    "onnx": ("onnxruntime", "onnxruntime"),
    "openvino": ("openvino", "openvino"),
    "saved_model": ("tensorflow", "tensorflow"),
    "keras": ("keras", "tensorflow keras"),
}  # kind of format -> (module, what to install)


def kind(name):
    """The kind of a format: the variants "tflite_float16", "tflite_int8_batch1" … are all run as "tflite"."""
    return "tflite" if name.startswith("tflite") else name


def load(name, path):
    """A function dict of inputs by name -> images, in the runtime of a format.

    What images start from is "latents" (N, latent_dim) for most models; its name and shape are the card's "start".

    Args:
        name: of the format.
        path: of its file or directory.

    Returns:
        A function ({"latents": (N, ...) float32[, "labels": (N,) int32]}) -> (N, *image_shape) float32.

    Raises:
        ImportError: if the runtime is not installed.
    """
    module, packages = NEEDS[kind(name)]
    try:
        return _LOADERS[kind(name)](path)
    except ImportError as error:
        raise ImportError(f"The format {name!r} needs {module}: pip install {packages}.") from error


def signatures(name, path):
    """What a file itself says it takes and gives: {"inputs": {name: dtype}, "outputs": {name: dtype}}.

    Args:
        name: of the format, of kind "tflite".
        path: of its file.
    """
    runner = _interpreter(path).get_signature_runner("serving_default")
    sides = {"inputs": runner.get_input_details(), "outputs": runner.get_output_details()}
    return {side: {key: np.dtype(one["dtype"]).name for key, one in details.items()} for side, details in sides.items()}


def _interpreter(path, **options):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(str(path), **options)


def _litert(path):
    interpreter = _interpreter(path)
    runner = interpreter.get_signature_runner("serving_default")
    single = all(one["shape_signature"][0] == 1 for one in runner.get_input_details().values())

    def run(inputs):
        if not single:
            return runner(**inputs)["images"]
        rows = range(len(next(iter(inputs.values()))))
        return np.concatenate(
            [runner(**{key: value[row : row + 1] for key, value in inputs.items()})["images"] for row in rows]
        )

    return run


def _onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(["images"], inputs)[0]


def _openvino(path):
    import openvino

    core = openvino.Core()  # which computes in bfloat16 where the processor can, unless asked otherwise
    compiled = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda inputs: compiled(inputs)["images"].copy()


def _saved_model(path):
    import tensorflow as tf

    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda inputs: signature(**{key: tf.constant(value) for key, value in inputs.items()})["images"].numpy()


def _keras(path):
    import keras

    network = keras.saving.load_model(path, compile=False, safe_mode=True)

    def run(inputs):
        fed = [rows.reshape(-1, *one.shape[1:]) for rows, one in zip(inputs.values(), network.inputs, strict=True)]
        return np.asarray(keras.ops.convert_to_numpy(network(fed if len(fed) > 1 else fed[0], training=False)))

    return run


_LOADERS = {"tflite": _litert, "onnx": _onnx, "openvino": _openvino, "saved_model": _saved_model, "keras": _keras}
