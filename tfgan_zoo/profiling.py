"""Where the time of a training step goes: a TensorBoard profile of some steps, and one screen of numbers."""

import dataclasses
import math
import pathlib
import sys
import time

import keras
import tensorflow as tf

from tfgan_zoo import files

_asked = False
_written = []


def request(wanted=True):
    """Ask that the runs of this process are profiled, as `--profile` does; `requested` says whether it was."""
    global _asked
    _asked = wanted
    _written.clear()


def requested():
    """Whether the runs of this process are to be profiled."""
    return _asked


def unanswered():
    """Whether a profile was asked for and none has been written."""
    return _asked and not _written


@dataclasses.dataclass(frozen=True)
class Summary:
    """What the profiled steps took.

    Args:
        first, last: steps of training, counted from 0 at its begin: first <= step < last.
        images: in a step.
        wall_s, cpu_s: seconds of a step: of the clock, and of all cores together.
        wait_s: seconds of the clock a step in which it waited for its images.
        flops: floating-point operations of a step; None where several devices share it.
        rate: floating-point operations a second of a large matrix multiplication, on the clock of `device`.
        device: "CPU" or "GPU"; the step and the matrix multiplication are compared in CPU seconds on the one, in
            seconds of the clock on the other.
        memory: bytes at their peak: of the process, or of the GPU.
        directory: of the profile.
    """

    first: int
    last: int
    images: int
    wall_s: float
    cpu_s: float
    wait_s: float
    flops: int | None
    rate: float
    device: str
    memory: int
    directory: pathlib.Path

    @property
    def share(self):
        """The step's arithmetic over what matrix multiplication would do in the same time; None without `flops`."""
        return self.flops and self.flops / (self.cpu_s if self.device == "CPU" else self.wall_s) / self.rate

    def show(self):
        """Print the numbers on one screen."""
        lines = {
            "step": f"{1e3 * self.wall_s:,.1f} ms, {1e3 * self.cpu_s:,.1f} ms of CPU",
            "input wait": f"{1e3 * self.wait_s:,.2f} ms, {self.wait_s / self.wall_s:.1%} of the step",
            "images": f"{self.images / self.wall_s:,.0f} a second, {self.images:,} a step",
            "arithmetic": "not counted: several devices share it",
            "memory": f"{self.memory / 2**20:,.0f} MiB at its peak",
            "profile": f"{self.directory}, for TensorBoard with tensorboard-plugin-profile",
        }
        if self.flops:
            rate = f"{self.rate / 1e9:,.0f} GFLOP a {'CPU ' if self.device == 'CPU' else ''}second"
            lines["arithmetic"] = f"{self.flops / 1e9:,.2f} GFLOP a step, {self.share:.0%} of matrix products' {rate}"
        print(f"\nSteps {self.first:,} to {self.last:,} of training")
        for name, text in lines.items():
            print(f"  {name:12}{text}")


class Profile(keras.callbacks.Callback):
    """Write a TensorBoard profile of a few steps of training, and print where their time went.

    The profile ends with the epoch in which it began, so that nothing but steps is in it. Put it before callbacks that
    work at an epoch's end.

    Args:
        directory: where the profile goes, to `plugins/profile/`.
        images: the dataset that `fit` is given.
        first: step before which it begins, counted from 0 at the begin of training: 10 leaves tracing out.
        last: step before which it ends.
        verbose: True prints the summary, which is at `.summary` either way.

    Raises:
        ValueError: if no step lies between `first` and `last`.
        OSError: when training begins, if the directory cannot be written.
    """

    def __init__(self, directory, images, first=10, last=20, verbose=True):
        super().__init__()
        if not 0 <= first < last:
            raise ValueError(f"first={first}, last={last}: a profile is of the steps from first to before last.")
        self.directory, self.batch = pathlib.Path(directory), images.element_spec
        self.first, self.last, self.verbose, self.summary = first, last, verbose, None

    def on_train_begin(self, logs=None):
        files.directory(self.directory)
        self.summary, self._done, self._begun = None, 0, None

    def on_epoch_begin(self, epoch, logs=None):
        self._before = self._done

    def on_train_batch_begin(self, batch, logs=None):
        if self.summary is None and self._begun is None and self._before + batch >= self.first:
            self._begun, self._wall_s, self._cpu_s = self._before + batch, 0.0, 0.0
            self._settle()
            # Python's own calls would fill the profile, and slow the step, without saying more.
            options = tf.profiler.experimental.ProfilerOptions(python_tracer_level=0)
            tf.profiler.experimental.start(str(self.directory), options)
        self._clocks = time.perf_counter(), time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self._done = self._before + batch + 1
        if self._begun is None or self.summary is not None:
            return
        self._settle()
        self._wall_s += time.perf_counter() - self._clocks[0]
        self._cpu_s += time.process_time() - self._clocks[1]
        if self._done >= self.last:
            self._finish()

    def on_epoch_end(self, epoch, logs=None):
        if self._begun is not None and self.summary is None:
            self._finish()

    def on_train_end(self, logs=None):
        if self._begun is None and self.verbose:
            print(
                f"Nothing is profiled: training had {self._done} steps, and a profile begins before step {self.first}.",
                file=sys.stderr,
            )

    def _settle(self):
        """Wait until the device has done what it was given."""
        self.model.step.numpy()

    def _finish(self):
        tf.profiler.experimental.stop()
        _written.append(self.directory)
        steps, gpu = self._done - self._begun, tf.config.list_physical_devices("GPU")
        several = self.model.distribute_strategy.num_replicas_in_sync > 1
        self.summary = Summary(
            self._begun,
            self._done,
            images=tf.nest.flatten(self.batch)[0].shape[0],
            wall_s=self._wall_s / steps,
            cpu_s=self._cpu_s / steps,
            wait_s=input_wait(self.directory) / steps,
            flops=None if several else flops_of_step(self.model, self.batch),
            rate=matmul_rate(clock=time.perf_counter if gpu else time.process_time),
            device="GPU" if gpu else "CPU",
            memory=peak_memory(),
            directory=self.directory,
        )
        if self.verbose:
            self.summary.show()


def input_wait(directory):
    """Seconds that steps spent in waiting for their batches, from the newest profile in a directory."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    newest = max(
        (pathlib.Path(directory) / "plugins/profile").glob("*/*.xplane.pb"), key=lambda path: path.stat().st_mtime
    )
    space = xplane_pb2.XSpace.FromString(newest.read_bytes())
    picoseconds = 0
    for plane in space.planes:
        names = {number: event.name for number, event in plane.event_metadata.items()}
        for line in plane.lines:
            picoseconds += sum(
                event.duration_ps for event in line.events if names[event.metadata_id].startswith("IteratorGetNextOp::")
            )
    return picoseconds / 1e12


def flops_of_step(model, batch):
    """Floating-point operations of one training step: two for each multiply-add of products and convolutions.

    They are counted in the step's graph, among what its results need: what is computed, whatever the model. What a
    condition decides, such as a lazy penalty, is left out.

    Args:
        model: a compiled model.
        batch: what `train_step` is given, tensors or their specs.
    """
    specs = tf.nest.map_structure(lambda one: tf.TensorSpec(one.shape, one.dtype), batch)
    jit_compile = getattr(model, "jit_compile", False)
    model.jit_compile = True  # the step as XLA is given it: without loops, whose turns do not show
    try:
        graph = tf.function(model.train_step, autograph=False).get_concrete_function(specs).graph
    finally:
        model.jit_compile = jit_compile
    images = tf.nest.flatten(specs)[0].shape[0] // getattr(model, "n_critic", 1)  # where a slice's size is not known
    waiting, seen = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs), set()
    while waiting:
        operation = waiting.pop()
        if operation not in seen:
            seen.add(operation)
            waiting += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return 2 * sum(_multiplications(operation, images) for operation in seen)


def _multiplications(operation, images):
    """Multiply-adds of one operation of a graph; 0 for one that is neither a product nor a convolution."""

    def sides(tensor):
        return [images if side is None else side for side in tensor.shape]

    kind = operation.type
    if kind in ("MatMul", "BatchMatMulV2"):
        across = operation.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
        return math.prod(sides(operation.outputs[0])) * sides(operation.inputs[0])[-2 if across else -1]
    if kind == "Conv2D":
        return math.prod(sides(operation.outputs[0])) * math.prod(sides(operation.inputs[1])[:3])
    if kind == "Conv2DBackpropInput":  # also what a transposed convolution is
        return math.prod(sides(operation.inputs[2])) * math.prod(sides(operation.inputs[1])[:3])
    if kind == "Conv2DBackpropFilter":
        return math.prod(sides(operation.inputs[2])) * math.prod(sides(operation.outputs[0])[:3])
    return 0


def matmul_rate(size=2048, repeats=8, clock=time.process_time):
    """Floating-point operations a second of multiplying large float32 matrices.

    Args:
        size: rows and columns.
        repeats: multiplications.
        clock: function that gives seconds: `time.process_time` for those of all cores together.
    """
    a = tf.random.normal((size, size))
    multiply = tf.function(lambda: tf.linalg.matmul(a, a))
    multiply()
    begin = clock()
    for _ in range(repeats):
        multiply().numpy()
    return repeats * 2 * size**3 / (clock() - begin)


def peak_memory():
    """Bytes that the process, or the first GPU if there is one, held at its peak so far."""
    if tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
