"""The same generator for runtimes of other houses: ONNX and OpenVINO. Both packages are extras of this one."""

import importlib.util

import tensorflow as tf

from tfgan_zoo.export import parity

FILES = {"onnx": ("generator.onnx",), "openvino": ("generator.xml", "generator.bin")}
_NEEDS = {"onnx": ("tf2onnx", "onnxruntime"), "openvino": ("openvino",)}


def check_installed(formats):
    """Raise unless what the formats need is installed, before any work.

    Raises:
        ImportError: naming what is missing.
    """
    for name in formats:
        for package in _NEEDS.get(name, ()):
            if importlib.util.find_spec(package) is None:
                raise ImportError(f"The format {name!r} needs {package}: pip install 'tfgan-zoo[interop]'.")


def write(name, source, directory):
    """Convert to ONNX or OpenVINO, and compare it with its source.

    Args:
        name: "onnx" or "openvino".
        source: a `litert.Source`.
        directory: where the files go.

    Returns:
        The entry of the card: path, operations or opset, and parity.

    Raises:
        ParityError: if the images differ.
    """
    path = directory / FILES[name][0]
    entry = {"path": path.name, "arithmetic": "float32", "batch": None, "exact": True}
    entry |= _WRITERS[name](source, path)
    if FILES[name][1:]:
        entry["beside"] = list(FILES[name][1:])
    return entry | {"parity": parity.of(name, path, source.reference, exact=True)}


def _onnx(source, path):
    import tf2onnx

    inputs = source.reference.inputs()
    specs = [tf.TensorSpec((None, *rows.shape[1:]), rows.dtype, name=name) for name, rows in inputs.items()]
    loaded = tf.saved_model.load(str(source.served()))
    function = tf.function(lambda *rows: loaded.signatures["serving_default"](**dict(zip(inputs, rows, strict=True))))
    model, _ = tf2onnx.convert.from_function(function, input_signature=specs)
    came = {node.name.split(":")[0] for node in model.graph.input}
    if came != set(inputs):
        raise ValueError(
            f"ONNX takes constants of this network for inputs ({', '.join(sorted(came - set(inputs)))}): make them "
            "NumPy arrays, or inside a layer's call."
        )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"  # by which servers know along what they may join
    path.write_bytes(model.SerializeToString())
    return {"opset": model.opset_import[0].version, "operations": sorted({node.op_type for node in model.graph.node})}


def _openvino(source, path):
    import openvino

    openvino.save_model(openvino.convert_model(str(source.served())), str(path), compress_to_fp16=False)
    return {"made_by": f"openvino {openvino.__version__.split('-')[0]}"}


_WRITERS = {"onnx": _onnx, "openvino": _openvino}
