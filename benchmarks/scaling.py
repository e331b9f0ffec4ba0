"""What 8 and 64 GPUs would make of a step, on paper: from what one needs, what replicas tell one another, and links.

    python -m benchmarks.scaling                          8.8 ms, DCGAN's step on an H100, 256 images, without XLA
    python -m benchmarks.scaling --names diffusion --step-ms 15.5 --width 48

Nothing here has run on several GPUs. Counted: the all-reduces of a step and their bytes, by tracing it on two logical
CPUs; measured: images a second that this machine's input pipeline hands over, all cores. Taken from data sheets: NVLink
of an H100, 450 GB/s each way, and a network of 400 Gbit/s for each GPU; a call's latency is an assumption (`--near-us`,
`--far-us`). A ring moves 2 (n - 1) / n of the bytes. Calls wait for one another and nothing overlaps, which is the
worst case. Every host reads all images of a batch and trains on its own rows.
"""

import time

import numpy as np
import tensorflow as tf
import typer

NVLINK, NETWORK, PER_HOST = 450e9, 50e9, 8  # bytes a second of one GPU, each way; GPUs of a host
GPUS = (1, 8, 64)


def told(name, width):
    """[bytes of each all-reduce of a step], as one of two replicas makes them."""
    import tfgan_zoo as tz

    context, calls = tf.distribute.ReplicaContext, []
    known = context.all_reduce

    def counted(self, op, value, options=None):
        calls.append(sum(one.shape.num_elements() * one.dtype.size for one in tf.nest.flatten(value)))
        return known(self, op, value, options)

    tz.runtime.setup(seed=0, strategy="mirrored")
    model = tz.create(name, (28, 28, 1), width=width)
    model.compile()
    images = -np.ones((8 * model.updates_per_step, 28, 28, 1), np.float32)
    context.all_reduce = counted
    try:
        model.fit(tf.data.Dataset.from_tensor_slices(images).batch(len(images), drop_remainder=True), verbose=0)
    finally:
        context.all_reduce = known
    return calls[::2]  # both replicas wait at each


def images_a_second(batch_size=256, batches=400):
    """That the input pipeline hands over, from a cache in memory, on all cores."""
    import tfgan_zoo as tz

    rows = np.random.default_rng(0).integers(0, 256, (20_000, 28, 28, 1), dtype=np.uint8)
    data = iter(tz.data.load(rows, batch_size=batch_size, verbose=False).repeat())
    for _ in range(100):
        next(data)
    begin = time.perf_counter()
    for _ in range(batches):
        next(data)
    return batches * batch_size / (time.perf_counter() - begin)


def seconds(calls, gpus, near, far):
    """Of all calls in turn: inside a host by NVLink, then between hosts on each GPU's share of the bytes."""
    if gpus == 1:
        return 0.0
    inside, hosts = min(gpus, PER_HOST), -(-gpus // PER_HOST)
    ring = sum(2 * (inside - 1) / inside * size / NVLINK + near for size in calls)
    if hosts == 1:
        return ring
    return ring + sum(2 * (hosts - 1) / hosts * size / inside / NETWORK + far for size in calls)


def main(
    names: str = "dcgan",
    width: int = 64,
    batch_size: int = 256,
    step_ms: float = 8.8,
    near_us: float = 20.0,
    far_us: float = 40.0,
):
    """Print the table of each entry, all at the same step time, and what binds first."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    fed = images_a_second()
    print(f"input pipeline here: {fed:,.0f} images a second of 28 x 28")
    for name in names.split(","):
        calls = told(name, width)
        print(f"{name}, width {width}: {len(calls)} all-reduces a step, {sum(calls) / 1e6:.2f} MB in all")
        print(f"{'GPUs':>5} {'ms a step':>10} {'of it told':>10} {'images/s':>12} {'of ideal':>9}   what binds first")
        for gpus in GPUS:
            tell = seconds(calls, gpus, near_us * 1e-6, far_us * 1e-6)
            step = 1e-3 * step_ms + tell
            feed = gpus * batch_size / fed  # every host reads the whole batch
            rate = gpus * batch_size / max(step, feed)
            waits = {"the step itself": 1e-3 * step_ms, "what replicas tell": tell, "the input of every host": feed}
            ideal = rate / (gpus * batch_size / (1e-3 * step_ms))
            print(
                f"{gpus:>5} {1e3 * max(step, feed):>10.2f} {1e3 * tell:>10.2f} {rate:>12,.0f} {ideal:>9.0%}   "
                f"{max(waits, key=waits.get)}"
            )


if __name__ == "__main__":
    typer.run(main)
