"""How the machine is used: seeds, precision and XLA, in one call before a model is built."""

import keras
import tensorflow as tf

from tfgan_zoo.errors import unknown

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

_jit = "auto"


def setup(seed=None, precision="float32", jit=None):
    """Seed everything random and choose the arithmetic; call it once, before the model is built.

    Args:
        seed: integer >= 0 for Python, NumPy, Keras' initialisers and every model built afterwards; None leaves
            them unseeded.
        precision: "float32", "mixed_bfloat16" or "mixed_float16". Weights, losses, averages and exports stay float32.
        jit: True compiles training steps with XLA, False never does, None leaves the choice to Keras
            (on a CPU: no; a tiny model compiles for 10-25 s and then runs up to 1.6 times as fast).

    Raises:
        ValueError: if an argument is not one of these.

    Example:

    >>> from tfgan_zoo import runtime
    >>> runtime.setup(seed=0, precision="float32")
    """
    global _jit
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    if jit not in (None, True, False):
        raise ValueError(f"jit={jit!r}: give True, False, or None for Keras' own choice.")
    if seed is not None:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
            raise ValueError(f"seed={seed!r}: give an integer from 0 to 2147483647, or None.")
        keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(precision)
    _jit = "auto" if jit is None else jit


def jit_compile():
    """What `compile` passes to Keras as jit_compile when the caller does not."""
    distributed = tf.distribute.get_strategy().num_replicas_in_sync > 1
    return False if distributed else _jit  # XLA's resources do not cross replicas
