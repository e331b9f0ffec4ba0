"""What sharing a batch between two logical CPUs costs over one device.     python -m benchmarks.mirrored

DCGAN 28x28x1 on the same global batch: runs by turns, CPU seconds of the process, ratios within each round, their
median. Two logical CPUs are the same cores: the arithmetic is the same, so that the ratio shows what is spent beside
it. A third run, one device that takes two steps of half the batch, tells what of that is not the strategy's doing:
smaller convolutions are less efficient, and both optimizers move all weights twice, as two replicas do. What is left
between it and the strategy is taking batches apart, summing gradients, synchronising batch normalisation.
"""

import statistics
import time

import numpy as np
import tensorflow as tf
import typer

import tfgan_zoo as tz

KINDS = {  # name: (strategy, steps in place of one)
    "one device": (None, 1),
    "one device, halves": (None, 2),
    "two devices": ("mirrored", 1),
}


def prepared(strategy, width, batches):
    """A compiled model on the devices of a strategy, traced and warm."""
    tz.runtime.setup(seed=0, strategy=strategy)
    gan = tz.create("dcgan", image_shape=(28, 28, 1), width=width)
    gan.compile()
    gan.fit(batches, verbose=0)
    return gan


def cpu_seconds(gan, batches):
    """CPU seconds of the process for one epoch."""
    begin = time.process_time()
    gan.fit(batches, verbose=0)
    return time.process_time() - begin


def main(width: int = 64, batch_size: int = 64, steps: int = 20, pairs: int = 7):
    """Print CPU seconds of all three for one global batch, and ratios."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    images = np.random.default_rng(0).uniform(-1, 1, (steps * batch_size, 28, 28, 1)).astype("float32")
    data = {parts: tz.data.load(images, batch_size=batch_size // parts) for parts in (1, 2)}
    gans = {name: prepared(strategy, width, data[parts]) for name, (strategy, parts) in KINDS.items()}
    spent = {name: [] for name in KINDS}
    for pair in range(pairs):
        for name in sorted(KINDS, reverse=bool(pair % 2)):
            strategy, parts = KINDS[name]
            tz.runtime.setup(strategy=strategy)
            spent[name].append(cpu_seconds(gans[name], data[parts]) / steps)
    for name, seconds in spent.items():
        ratios = sorted(two / one for one, two in zip(spent["one device"], seconds, strict=True))
        print(
            f"{name:20s} {statistics.median(seconds):.4f} CPU s a global batch, {statistics.median(ratios):.3f} of one "
            f"device (rounds from {ratios[0]:.3f} to {ratios[-1]:.3f}; goal <= 1.3)"
        )


if __name__ == "__main__":
    typer.run(main)
