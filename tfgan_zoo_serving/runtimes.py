"""One loader a runtime: a path in, a function from latents (and labels) to images out, which threads may share.

Each imports its runtime when it is asked for, so that one of them is enough. ONNX Runtime, TensorFlow and Keras let
many threads call one session; LiteRT and OpenVINO keep inputs and outputs in the object that is called, so that each
call is lent one that nobody else has.
"""

import collections
import sys
import zipfile

import numpy as np

NEEDS = {
    "tflite": ("ai_edge_litert", "ai-edge-litert"),
    "onnx": ("onnxruntime", "onnxruntime"),
    "openvino": ("openvino", "openvino"),
    "saved_model": ("tensorflow", "tensorflow"),
    "keras": ("keras", "tensorflow keras"),
}  # kind of format -> (module, what to install)
_OPTIONS = {"tflite": {"threads"}, "onnx": {"threads", "providers"}, "openvino": {"threads"}}


def kind(name):
    """The kind of a format: the variants "tflite_float16", "tflite_int8_batch1" … are all run as "tflite"."""
    return "tflite" if name.startswith("tflite") else name


def load(name, path, **options):
    """A function dict of inputs by name -> images, in the runtime of a format; any number of threads may call it.

    What images start from is "latents" (N, latent_dim) for most models; its name and shape are the card's "start".

    Args:
        name: of the format.
        path: of its file or directory.
        **options: those of `check_options` that are not None.

    Returns:
        A function ({"latents": (N, ...) float32[, "labels": (N,) int32]}) -> (N, *image_shape) float32.

    Raises:
        ImportError: if the runtime is not installed, or layers of the zoo are asked for before it is imported.
        ValueError: if the format has no such option.
    """
    check_options(name, **options)
    module, packages = NEEDS[kind(name)]
    if kind(name) == "keras" and _has_layers_of_the_zoo(path) and "tfgan_zoo" not in sys.modules:
        raise ImportError(f"The format {name!r} has layers of tfgan_zoo here: import tfgan_zoo first.")
    try:
        return _LOADERS[kind(name)](path, **{key: value for key, value in options.items() if value is not None})
    except ImportError as error:
        raise ImportError(f"The format {name!r} needs {module}: pip install {packages}.") from error


def check_options(name, threads=None, providers=None):
    """Raise unless a format has the options that were given.

    Args:
        name: of the format.
        threads: that compute one call, for LiteRT, ONNX Runtime and OpenVINO; None for the runtime's own choice.
        providers: names of ONNX Runtime's execution providers, the first that works is taken; None for the CPU's.

    Raises:
        ValueError: if it has not.
    """
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ValueError(f"threads={threads!r}: give an integer, at least 1.")
    for option, value in {"threads": threads, "providers": providers}.items():
        if not has_options(name, **{option: value}):
            known = " and ".join(one for one, options in _OPTIONS.items() if option in options)
            raise ValueError(f"{option} belongs to {known}, and the format is {name!r}: leave it out.")


def has_options(name, **options):
    """Whether a format has all options that are not None."""
    return all(value is None or option in _OPTIONS.get(kind(name), ()) for option, value in options.items())


def signatures(name, path):
    """What a file itself says it takes and gives: {"inputs": {name: dtype}, "outputs": {name: dtype}}.

    Args:
        name: of the format, of kind "tflite".
        path: of its file.
    """
    runner = _interpreter(model_path=str(path)).get_signature_runner("serving_default")
    sides = {"inputs": runner.get_input_details(), "outputs": runner.get_output_details()}
    return {side: {key: np.dtype(one["dtype"]).name for key, one in details.items()} for side, details in sides.items()}


class _Lent:
    """A function whose state is lent to one call at a time; where all are out, another one is made.

    Args:
        make: function () -> a function of inputs, with state of its own.
    """

    def __init__(self, make):
        self._make, self._free = make, collections.deque([make()])  # append and pop of a deque are atomic

    def __call__(self, inputs):
        try:
            run = self._free.pop()
        except IndexError:
            run = self._make()
        images = run(inputs)
        self._free.append(run)  # not after an exception: who knows what state it is in
        return images


def _interpreter(**options):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(**options)


def _litert(path, threads=None):
    with open(path, "rb") as file:
        content = file.read()  # once: a newer export may take the file's place before the next interpreter is made

    def make():
        runner = _interpreter(model_content=content, num_threads=threads).get_signature_runner("serving_default")
        single = all(one["shape_signature"][0] == 1 for one in runner.get_input_details().values())
        return lambda inputs: run(runner, single, inputs)

    def run(runner, single, inputs):
        if not single:
            return runner(**inputs)["images"]
        rows = range(len(next(iter(inputs.values()))))
        return np.concatenate(
            [runner(**{key: value[row : row + 1] for key, value in inputs.items()})["images"] for row in rows]
        )

    return _Lent(make)


def _onnx(path, threads=None, providers=("CPUExecutionProvider",)):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0  # 0 is its own choice
    session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
    return lambda inputs: session.run(["images"], inputs)[0]


def _openvino(path, threads=None):
    import openvino

    core = openvino.Core()
    properties = {"INFERENCE_PRECISION_HINT": "f32"}  # else it computes in bfloat16 where the processor can
    properties |= {} if threads is None else {"INFERENCE_NUM_THREADS": threads}
    compiled = core.compile_model(core.read_model(str(path)), "CPU", properties)

    def make():
        request = compiled.create_infer_request()
        return lambda inputs: request.infer(inputs)["images"].copy()

    return _Lent(make)


def _saved_model(path):
    import tensorflow as tf

    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda inputs: signature(**{key: tf.constant(value) for key, value in inputs.items()})["images"].numpy()


def _has_layers_of_the_zoo(path):
    with zipfile.ZipFile(path) as file:
        return b'"tfgan_zoo>' in file.read("config.json")


def _keras(path):
    import keras

    network = keras.saving.load_model(path, compile=False, safe_mode=True)

    def run(inputs):
        fed = [rows.reshape(-1, *one.shape[1:]) for rows, one in zip(inputs.values(), network.inputs, strict=True)]
        return np.asarray(keras.ops.convert_to_numpy(network(fed if len(fed) > 1 else fed[0], training=False)))

    return run


_LOADERS = {"tflite": _litert, "onnx": _onnx, "openvino": _openvino, "saved_model": _saved_model, "keras": _keras}
