"""What sharing a batch between two logical CPUs costs over one device.     python -m benchmarks.mirrored

DCGAN 28x28x1 on the same global batch: pairs of runs in turn, CPU seconds of the process, the ratio of each pair, its
median. Two logical CPUs are the same cores: beyond the arithmetic, which is the same, the ratio shows what is spent on
taking the batch apart, summing gradients and synchronising batch normalisation.
"""

import statistics
import time

import numpy as np
import tensorflow as tf
import typer

import tfgan_zoo as tz


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
    """Print CPU seconds a step of both, and their ratio."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    images = np.random.default_rng(0).uniform(-1, 1, (steps * batch_size, 28, 28, 1)).astype("float32")
    batches = tz.data.load(images, batch_size=batch_size)
    gans = {strategy: prepared(strategy, width, batches) for strategy in (None, "mirrored")}
    spent = {strategy: [] for strategy in gans}
    for pair in range(pairs):
        for strategy in sorted(gans, key=str, reverse=bool(pair % 2)):
            tz.runtime.setup(strategy=strategy)
            spent[strategy].append(cpu_seconds(gans[strategy], batches) / steps)
    ratios = sorted(two / one for one, two in zip(spent[None], spent["mirrored"], strict=True))
    print(f"one device  {statistics.median(spent[None]):.4f} CPU s a step")
    print(f"two         {statistics.median(spent['mirrored']):.4f} CPU s a step")
    print(
        f"ratio       {statistics.median(ratios):.3f}   (pairs from {ratios[0]:.3f} to {ratios[-1]:.3f}; goal <= 1.3)"
    )


if __name__ == "__main__":
    typer.run(main)
