"""The .tflite file: the same generator for LiteRT, on phones, in browsers, without TensorFlow."""

import pathlib

import keras
import tensorflow as tf

from tfgan_zoo.export import parity, saved_model

_STATE = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}  # weights left outside: it runs and gives NaN


def write(model, served, path, reference):
    """Convert a SavedModel's serving_default to float32 LiteRT with a free batch size, and compare it with its source.

    A network in half precision is converted as a float32 copy, because LiteRT has no bfloat16 convolutions.

    Args:
        model: the model that was written as a SavedModel.
        served: directory of that SavedModel.
        path: the .tflite file to write.
        reference: what the model itself draws.

    Returns:
        The entry of the card: path, operations and parity.

    Raises:
        ValueError: if it cannot be converted with LiteRT's own operations alone.
        ParityError: if the images differ.
    """
    entry = {"path": "generator.tflite", "arithmetic": "float32"}
    wanted = reference
    if _computes_in_half(model.ema_network):
        copy = float32_copy(model.ema_network)
        served = served.with_name("saved_model_float32")
        saved_model.write(model, served, network=copy)
        wanted = reference.drawn_by(copy)
        entry["arithmetic"] = "float32 copy of a network that computes in half precision"
        entry["max_abs_diff_of_the_copy"] = parity.difference(wanted.images, reference.images)
    content = convert(served)
    pathlib.Path(path).write_bytes(content)
    return entry | {"operations": operations(content), "parity": parity.of_litert(path, wanted)}


def convert(served):
    """The bytes of a .tflite made from a SavedModel's serving_default.

    Args:
        served: directory of a SavedModel.

    Returns:
        The file's content.

    Raises:
        ValueError: if an operation is missing in LiteRT, or a weight did not become a constant.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(served), signature_keys=["serving_default"])
    try:
        content = converter.convert()
    except Exception as error:  # ConverterError is private, and its message is a page of MLIR
        if type(error).__name__ != "ConverterError":
            raise
        told = str(error).strip().splitlines()
        missing = [line for line in told if "TF Select ops:" in line or "not supported" in line] or told
        raise ValueError(
            f"LiteRT cannot express this generator ({missing[-1][:200]}). Leave 'tflite' out of formats."
        ) from error
    found = operations(content)
    foreign = sorted(name for name in found if name in _STATE or name.startswith("Flex"))
    if foreign:
        raise ValueError(f"The .tflite would need {', '.join(foreign)}, which plain LiteRT does not run.")
    return content


def operations(content):
    """Sorted names of the operations in a .tflite file's bytes; custom ones by their own name, such as FlexConv2D."""
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    used = {model.operatorCodes[operator.opcodeIndex] for graph in model.subgraphs for operator in graph.operators}
    return sorted({code.customCode.decode() if code.customCode else names[code.builtinCode] for code in used})


def float32_copy(network):
    """The same functional network and weights, computing in float32 whatever the policy it was built under."""

    def in_float32(layer):
        policy = {"dtype": "float32"} if isinstance(layer, keras.Layer) else {}  # an operation follows its inputs
        return type(layer).from_config(layer.get_config() | policy)

    copy = keras.models.clone_model(network, clone_function=in_float32, recursive=True)
    copy.set_weights(network.get_weights())
    return copy


def _computes_in_half(network):
    return any(layer.compute_dtype in ("bfloat16", "float16") for layer in network._flatten_layers(include_self=False))
