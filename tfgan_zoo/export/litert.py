"""The .tflite files: the same generator for LiteRT, on phones, in browsers, without TensorFlow.

A variant is a kind of arithmetic and a batch: free, or of one image, which browsers need and which LiteRT's fast
kernels prefer.
"""

import dataclasses
import functools
import time

import numpy as np
import tensorflow as tf

from tfgan_zoo.export import inference, parity, saved_model
from tfgan_zoo.export.subpixel import with_convolutions

_STATE = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}  # weights left outside: it runs and gives NaN
_CALIBRATION = 100  # latents that say how large each activation of an int8 generator grows
_CALIBRATION_SEED = 1  # any but the reference's
_RUNS = 10  # of a latency, of which the fastest counts


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to write the .tflite.

    Args:
        arithmetic: what the card calls it.
        file: its name.
        batch: 1 for a batch of one image, None for a free one.
        quantised: whether numbers are rounded, so that images differ and quality has to be measured.
    """

    arithmetic: str
    file: str
    batch: int | None
    quantised: bool


VARIANTS = {
    f"tflite{kind}{'_batch1' if batch else ''}": Variant(
        arithmetic, f"generator{kind}{'_batch1' if batch else ''}.tflite", batch, bool(kind)
    )
    for kind, arithmetic in {
        "": "float32",
        "_float16": "float16 weights, float32 arithmetic",
        "_dynamic_range": "int8 weights, float32 activations",
        "_int8": "int8 weights and activations, float32 inputs and outputs",
    }.items()
    for batch in (None, 1)
}


class Source:
    """A model as converters read it: the signature serving_default alone, in float32.

    Args:
        model: the model, computing in float32.
        staging: a directory for what is written on the way.
        reference: what the model itself draws.
    """

    def __init__(self, model, staging, reference):
        self.model, self.staging, self.reference = model, staging, reference

    def served(self, batch=None, turned=False):
        """Directory of a SavedModel with serving_default alone, written when it is first asked for.

        Args:
            batch: as in `Variant`.
            turned: whether transposed convolutions are written as convolutions.
        """
        path = self.staging / f"bare_{batch or 'n'}_{turned:d}"
        if not path.exists():
            saved_model.write(self.turned if turned else self.model, path, only="serving_default", batch=batch)
        return path

    @functools.cached_property
    def turned(self):
        """The model with its transposed convolutions written as convolutions, which LiteRT runs faster."""
        return inference.with_networks(self.model, with_convolutions)

    def inputs(self):
        """Inputs of another seed than the reference's: one row at a time."""
        rows = parity.start_of(self.model, _CALIBRATION, _CALIBRATION_SEED)
        condition = self.model.condition
        if condition is not None:
            rows[condition.name] = np.resize(condition.examples(1)[0], (_CALIBRATION, *condition.shape))
        for row in range(_CALIBRATION):
            yield {name: values[row : row + 1] for name, values in rows.items()}


def write(name, source, directory):
    """Convert to one variant, and compare it with its source.

    Args:
        name: one of `VARIANTS`.
        source: the `Source`.
        directory: where the file goes.

    Returns:
        The entry of the card: path, arithmetic, batch, operations, parity and latency.

    Raises:
        ValueError: if it cannot be converted with LiteRT's own operations alone.
        ParityError: if the images differ by more than rounding can explain.
    """
    variant = VARIANTS[name]
    content = convert(source, name)
    path = directory / variant.file
    path.write_bytes(content)
    entry = {
        "path": variant.file,
        "arithmetic": variant.arithmetic,
        "batch": variant.batch,
        "exact": not variant.quantised,
        "operations": operations(content),
    }
    return entry | {"parity": parity.of(name, path, source.reference, entry["exact"]), "latency": latency(path, source)}


def convert(source, name="tflite"):
    """The bytes of a .tflite.

    Args:
        source: the `Source`.
        name: one of `VARIANTS`.

    Returns:
        The file's content.

    Raises:
        ValueError: if an operation is missing in LiteRT, or a weight did not become a constant.
    """
    served = source.served(VARIANTS[name].batch, turned=True)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(served), signature_keys=["serving_default"])
    if VARIANTS[name].quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if "float16" in name:
        converter.target_spec.supported_types = [tf.float16]
    if "int8" in name:
        converter.representative_dataset = lambda: (("serving_default", inputs) for inputs in source.inputs())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        content = converter.convert()
    except Exception as error:  # ConverterError is private, and its message is a page of MLIR
        if type(error).__name__ != "ConverterError":
            raise
        lines = str(error).strip().splitlines()
        missing = [line for line in lines if "TF Select ops:" in line or "not supported" in line] or lines
        raise ValueError(
            f"LiteRT cannot express this generator ({missing[-1][:200]}). Leave {name!r} out of formats."
        ) from error
    names = operations(content)
    foreign = sorted(one for one in names if one in _STATE or one.startswith("Flex"))
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


def latency(path, source):
    """Milliseconds of one image on one thread of this machine, with LiteRT's fast kernels (XNNPACK) and without."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    inputs = source.reference.inputs(1)
    fastest = {}
    for key, kernels in (
        ("xnnpack_ms", OpResolverType.AUTO),
        ("plain_ms", OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
    ):
        runner = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kernels).get_signature_runner(
            "serving_default"
        )
        runner(**inputs)
        times = [time.perf_counter()]
        for _ in range(_RUNS):
            runner(**inputs)
            times.append(time.perf_counter())
        fastest[key] = round(1e3 * float(np.diff(times).min()), 3)
    return fastest
