"""How the machine is used: seeds, precision, XLA and devices, in one call before a model is built."""

import contextlib
import functools
import logging
import numbers
import os

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo.errors import unknown, whole_number
from tfgan_zoo.keras_private import apply_alone, moments

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("mirrored", "multi_worker")

_jit = False
_steps_per_execution = 1
_current = None  # the strategy that `setup` made current


def setup(seed=None, precision="float32", jit=None, strategy=None, steps_per_execution=1):
    """Seed everything random, choose the arithmetic and the devices; call it once, before the model is built.

    Under a strategy everything that is built afterwards is built on all of its devices, and `fit`, `generate` and
    `evaluate` share every batch out to them: no `with strategy.scope()` is needed, and one that a program has already
    works as before.

    Args:
        seed: integer >= 0 for Python, NumPy, Keras' initialisers and every model built afterwards; None leaves
            them unseeded.
        precision: "float32", "mixed_bfloat16" or "mixed_float16". Weights, losses, averages and exports stay float32.
        jit: True compiles training steps with XLA; None or False do not. (Keras would, wherever there is a GPU: a step
            then takes up to a minute to compile.)
        strategy: "mirrored" for all GPUs of this machine (or, where there is none, its logical CPUs); "multi_worker"
            for the machines that the environment variable TF_CONFIG names; a tf.distribute.Strategy; None for one
            device. "multi_worker" must come before anything that computes.
        steps_per_execution: integer >= 1, what `compile` gives Keras where the caller does not: steps between two
            returns to Python, which counts where a step takes milliseconds.

    Raises:
        ValueError: if an argument is not one of these, or a strategy is given inside the scope of another.

    Example:

    >>> from tfgan_zoo import runtime
    >>> runtime.setup(seed=0, precision="float32")
    """
    global _jit, _steps_per_execution
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    if jit not in (None, True, False):
        raise ValueError(f"jit={jit!r}: give True for XLA, or False.")
    _check_seed(seed)
    whole_number("steps_per_execution", steps_per_execution)
    _use(_strategy(strategy))
    if seed is not None:
        keras.utils.set_random_seed(int(seed))
    keras.config.set_dtype_policy(precision)
    _jit, _steps_per_execution = bool(jit), int(steps_per_execution)


def seed_all(seed):
    """Seed Python, NumPy, Keras' initialisers and every model built afterwards; all else stays as it was set up.

    Args:
        seed: integer >= 0.
    """
    _check_seed(seed)
    keras.utils.set_random_seed(int(seed))


def precision():
    """The arithmetic that `setup` chose, one of `PRECISIONS`."""
    return keras.config.dtype_policy().name


def jit_compile():
    """What `compile` passes to Keras as jit_compile when the caller does not."""
    return False if replicas() > 1 else _jit  # XLA's resources do not cross replicas


def steps_per_execution():
    """What `compile` passes to Keras under this name when the caller does not."""
    return _steps_per_execution


def device():
    """What computes here: "GPU" if there is one, or "CPU"."""
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


def replicas():
    """How many devices share a batch under the current strategy; 1 without one."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def all_gather(rows):
    """The rows of all replicas in their order, for a statistic of the whole batch; inside a training step.

    The gradient of a function of them, divided by the number of replicas as `minimize` divides, adds up over replicas
    to that of one device.

    Args:
        rows: tensor, this replica's rows; as many on each.
    """
    return rows if replicas() == 1 else tf.distribute.get_replica_context().all_gather(rows, axis=0)


def mean(values):
    """The mean of a tensor over all replicas, which each of them gets; inside a training step."""
    if replicas() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)


def learning_rate(optimizer):
    """An optimizer's learning rate, a float; None where a schedule decides it."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(inner.get_config()["learning_rate"], dict):
        return None
    return float(keras.ops.convert_to_numpy(inner.learning_rate))


def update(optimizer, gradients, weights):
    """One step of a Keras optimizer; without a strategy, one that leaves nothing behind when its model is gone.

    Keras sums gradients over replicas even where there is one, and TensorFlow holds on to what the gradient of that sum
    needs, which is the graph of the step and through it all weights, until the process ends.

    Args:
        optimizer: a keras.Optimizer that is built.
        gradients: a tensor or None for each weight.
        weights: list of keras.Variable.
    """
    if tf.distribute.has_strategy():
        return optimizer.apply(gradients, weights)
    apply = apply_alone(optimizer)
    with _adam_as_one_kernel(getattr(optimizer, "inner_optimizer", optimizer)):
        tf.distribute.get_replica_context().merge_call(lambda _: apply(gradients, weights))


@contextlib.contextmanager
def _adam_as_one_kernel(optimizer):
    """Within it Adam moves a weight by TensorFlow's kernel, of the formula that Keras writes in some 15 operations."""
    if type(optimizer) is not keras.optimizers.Adam or optimizer.amsgrad:
        yield
        return

    def update_step(gradient, weight, learning_rate):
        def number(value):
            return tf.cast(value, weight.dtype)

        mean, square = moments(optimizer, weight)
        beta_1, beta_2, steps = number(optimizer.beta_1), number(optimizer.beta_2), number(optimizer.iterations + 1)
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=mean.handle,
            v=square.handle,
            beta1_power=beta_1**steps,
            beta2_power=beta_2**steps,
            lr=number(learning_rate),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=number(optimizer.epsilon),
            grad=tf.cast(tf.convert_to_tensor(gradient), weight.dtype),
        )

    optimizer.update_step = update_step
    try:
        yield
    finally:
        del optimizer.update_step


def workers():
    """How many processes train together; 1 without a strategy over machines."""
    resolver = tf.distribute.get_strategy().cluster_resolver
    tasks = resolver.cluster_spec().as_dict() if resolver else {}
    return sum(len(tasks.get(kind, ())) for kind in ("chief", "worker")) or 1


def worker():
    """Which of them this process is, from 0; worker 0 is the chief, and alone writes what all have in common."""
    if workers() == 1:
        return 0
    resolver = tf.distribute.get_strategy().cluster_resolver
    chiefs = len(resolver.cluster_spec().as_dict().get("chief", ()))
    return resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)


def is_chief():
    """Whether this process writes what all workers have in common: pictures, scores, exports."""
    return worker() == 0


@contextlib.contextmanager
def no_strategy():
    """Within it, or in a function that it decorates, nothing is built on several devices: `setup`'s strategy rests."""
    strategy = _current
    _use(None)
    try:
        yield
    finally:
        _use(strategy)


def map_rows_on_devices(function, input_signature=None, fixed=()):
    """A function of rows, compiled, that shares them out to the devices which a process has in the current strategy.

    The last row is repeated until all devices have as many, and what comes of that is cut off again. Nothing passes
    between workers: each may call it alone.

    Args:
        function: rows of one or several tensors -> a tensor or a dict of them; each row of it from that row alone.
        input_signature: as in tf.function; None traces for each shape.
        fixed: Keras variables that change no more: each device gets a copy, once. All others are read where they are.

    Returns:
        The function of the same arguments; it gives NumPy arrays, equal on any number of devices.
    """
    compiled = functools.partial(tf.function, input_signature=input_signature, autograph=False)
    on_one, on_several = compiled(function), {}

    def mapped(*rows):
        strategy = tf.distribute.get_strategy()
        if not _shares(strategy):
            return tf.nest.map_structure(lambda rows: rows.numpy(), on_one(*rows))
        if strategy not in on_several:
            on_several[strategy] = compiled(_spread(function, fixed, strategy))
        return tf.nest.map_structure(
            lambda parts: np.concatenate(strategy.experimental_local_results(parts))[: len(rows[0])],
            on_several[strategy](*rows),
        )

    return mapped


def gathered(numbers):
    """What each worker has to say, for all to know: integers of one shape -> array (workers, *shape).

    Every worker must call it.

    Args:
        numbers: list of integers, as many on each worker.
    """
    numbers = np.asarray(numbers, "int64")
    if workers() == 1:
        return numbers[None]
    strategy = tf.distribute.get_strategy()
    held = strategy.experimental_distribute_values_from_function(lambda _: tf.constant(numbers[None]))
    return strategy.gather(held, axis=0).numpy()[:: strategy.num_replicas_in_sync // workers()]


def _spread(function, fixed, strategy):
    """The function of rows over the devices of a strategy; what it gives still lies on each of them."""
    devices = strategy.extended.worker_devices
    places, arrays = iter(devices), [np.asarray(variable) for variable in fixed]

    def copied(_):
        with tf.device(next(places)):
            return [tf.constant(array) for array in arrays]

    copies = strategy.experimental_distribute_values_from_function(copied)

    def on_each(rows, values):
        with keras.StatelessScope(list(zip(fixed, values, strict=True))):
            return function(*rows)

    def spread(*rows):
        count = tf.shape(rows[0])[0]
        taken = tf.minimum(tf.range(-(-count // len(devices)) * len(devices)), count - 1)
        parts = zip(*(tf.split(tf.gather(one, taken), len(devices)) for one in rows), strict=True)
        own = strategy.experimental_distribute_values_from_function(lambda _: next(parts))
        return strategy.run(on_each, (own, copies))

    return spread


def _shares(strategy):
    """Whether this process has several devices in a strategy."""
    mirrored = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy)
    return isinstance(strategy, mirrored) and len(strategy.extended.worker_devices) > 1


def _check_seed(seed):
    if seed is None:
        return
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**31:
        raise ValueError(f"seed={seed!r}: give an integer from 0 to 2147483647, or None.")


def _strategy(given):
    if given is None or isinstance(given, tf.distribute.Strategy):
        return given
    if given not in STRATEGIES:
        raise unknown("strategy", given, STRATEGIES)
    if given == "multi_worker" and "TF_CONFIG" not in os.environ:
        raise ValueError(
            'strategy="multi_worker", but the environment variable TF_CONFIG, which names the machines, is not set: '
            'set it, as docs/scaling.md shows, or take "mirrored" for the devices of one machine.'
        )
    return _made(given)


@functools.cache
def _made(name):
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        return tf.distribute.MirroredStrategy([device.name for device in gpus])
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    # TensorFlow's collectives on CPUs fail for a second strategy in a process, and in loops of several steps
    return tf.distribute.MirroredStrategy(cpus, tf.distribute.ReductionToOneDevice())


def _use(strategy):
    global _current
    if strategy is _current:
        return
    if tf.distribute.has_strategy() and tf.distribute.get_strategy() is not _current:
        raise ValueError("strategy= was given inside a `with strategy.scope()` of another: leave one of them out.")
    tf.distribute.experimental_set_strategy(strategy)
    _current = strategy


@contextlib.contextmanager
def each_traced_once():
    """Without TensorFlow's advice against tracing a function again and again: in a search each model is another one."""
    logger = logging.getLogger("tensorflow")

    def wanted(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)
