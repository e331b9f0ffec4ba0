"""What a training step costs beside a hand-written one with the same networks.     python -m benchmarks.step

DCGAN 28x28x1, batch 64: pairs of runs in turn, CPU seconds of the process, the ratio of each pair, its median. Also the
step's arithmetic over the rate of a large matrix multiplication measured in the same process.
"""

import statistics
import time

import numpy as np
import tensorflow as tf
import typer

import tfgan_zoo as tz
from benchmarks.plain import plain_like
from tfgan_zoo.profiling import flops_of_step, matmul_rate


def cpu_seconds(model, dataset):
    """CPU seconds of the process for one epoch."""
    begin = time.process_time()
    model.fit(dataset, verbose=0)
    return time.process_time() - begin


def main(width: int = 64, batch_size: int = 64, steps: int = 30, pairs: int = 9):
    """Print CPU seconds a step of both, their ratio, and how far the step is from the machine's limit."""
    tz.runtime.setup(seed=0)
    gan = tz.create("dcgan", image_shape=(28, 28, 1), width=width)
    plain = plain_like(gan)
    gan.compile()
    plain.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (steps * batch_size, 28, 28, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(batch_size, drop_remainder=True).cache()
    for model in (gan, plain):
        cpu_seconds(model, dataset)
    ours, theirs, rates = [], [], []
    for pair in range(pairs):
        for model, seconds in ((gan, ours), (plain, theirs)) if pair % 2 else ((plain, theirs), (gan, ours)):
            seconds.append(cpu_seconds(model, dataset) / steps)
        rates.append(matmul_rate())
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    flops, rate = flops_of_step(gan, dataset.element_spec), statistics.median(rates)
    print(f"tfgan_zoo   {statistics.median(ours):.4f} CPU s a step")
    print(f"plain Keras {statistics.median(theirs):.4f} CPU s a step")
    print(
        f"ratio       {statistics.median(ratios):.3f}   (pairs from {ratios[0]:.3f} to {ratios[-1]:.3f}; goal <= 1.03)"
    )
    print(f"arithmetic  {flops / 1e9:.1f} GFLOP a step = {flops / statistics.median(ours) / rate:.0%} of the")
    print(f"            matrix-multiply rate, {rate / 1e9:.0f} GFLOP a CPU second")


if __name__ == "__main__":
    typer.run(main)
