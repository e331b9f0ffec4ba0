"""Images a second that the input pipeline gives, beside those that training takes.

    python -m benchmarks.input_pipeline

Fashion-MNIST, DCGAN 28x28x1, batch 64; both in CPU seconds of one process, in turn.
"""

import statistics
import time

import typer

import tfgan_zoo as tz


def main(width: int = 64, batch_size: int = 64, steps: int = 60, rounds: int = 5):
    """Print both rates and their ratio."""
    tz.runtime.setup(seed=0)
    few = tz.data.load("fashion_mnist", split=f"train[:{steps * batch_size}]", batch_size=batch_size)
    everything = tz.data.load("fashion_mnist", batch_size=batch_size)
    gan = tz.create("dcgan", image_shape=(28, 28, 1), width=width)
    gan.compile()
    gan.fit(few, verbose=0)
    given, taken = [], []
    for round_ in range(rounds):
        tz.data.set_epoch(round_)
        begin = time.process_time()
        count = sum(batch_size for _ in everything)
        given.append(count / (time.process_time() - begin))
        begin = time.process_time()
        gan.fit(few, verbose=0)
        taken.append(steps * batch_size / (time.process_time() - begin))
    ratio = statistics.median(a / b for a, b in zip(given, taken, strict=True))
    print(f"pipeline {statistics.median(given):,.0f} images a CPU second")
    print(f"training {statistics.median(taken):,.0f} images a CPU second")
    print(f"ratio    {ratio:.0f}   (goal >= 20)")


if __name__ == "__main__":
    typer.run(main)
