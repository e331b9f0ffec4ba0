"""What the bound of Burda et al. 2016 costs with the 5,000 samples of the literature.     python -m benchmarks.bounds

CPU seconds and peak memory of `log_prob` over test images of Fashion-MNIST, by an IWAE of the zoo's usual size,
784-200-200-40, with the weights that it begins with: the cost does not depend on them.
"""

import os
import time

import typer

import tfgan_zoo as tz
from benchmarks.pytorch import peak_memory

GOAL = 1536.0  # MB


def main(images: int = 1000, samples: int = 5000):
    """Print CPU seconds, seconds of the clock, and MB at the peak: at the import, before the bound, and after it."""
    imported = peak_memory()
    model = tz.create("iwae", (28, 28, 1), width=25, seed=0)
    given = next(iter(tz.data.load("fashion_mnist", split=f"test[:{images}]", batch_size=images, shuffle=False)))
    given = given[0] if isinstance(given, tuple) else given
    before, cpu, clock = peak_memory(), time.process_time(), time.perf_counter()
    bound = model.log_prob(given, num_samples=samples).numpy()
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    print(f"{len(bound):,} images, {samples:,} samples each; load of the machine {os.getloadavg()[0]:.1f}")
    print(f"  {cpu:.0f} CPU s, {clock:.0f} s: {1e6 * cpu / len(bound) / samples:.1f} CPU microseconds a sample")
    print(
        f"  {peak_memory():,.0f} MB at the peak (goal {GOAL:,.0f}), {before:,.0f} before, {imported:,.0f} the import's"
    )
    print(f"  bound of untrained weights: {bound.mean():.2f} nats an image")


if __name__ == "__main__":
    typer.run(main)
