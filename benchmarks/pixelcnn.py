"""Sampling of a PixelCNN through its cache, beside a pass through the network for each value.

    python -m benchmarks.pixelcnn                      28 x 28, the network of `recipes.pixelcnn` for clothes

Images a CPU second of both ways, paired, from the same fractions, and how far their images are apart.
"""

import os
import statistics
import time

import numpy as np
import tensorflow as tf
import typer

import tfgan_zoo as tz
from tfgan_zoo import noise
from tfgan_zoo.models.raster import Raster

GOAL = 10.0


def main(size: int = 28, channels: int = 1, width: int = 16, depth: int = 5, num_images: int = 32, rounds: int = 1):
    """Print images a CPU second of both ways, and their ratio."""
    model = tz.create("pixelcnn", image_shape=(size, size, channels), width=width, depth=depth, seed=0)
    drawing = Raster(model.inference["network"], model.likelihood)
    ways = {name: tf.function(getattr(drawing, name), autograph=False) for name in ("by_cache", "naively")}
    fractions = model.start(num_images, noise.block_seed(0, 0))["fractions"]
    rates, images = {name: [] for name in ways}, {}
    for name, way in ways.items():
        images[name] = np.asarray(way(fractions)) if name == "by_cache" else None  # traced, and warm
        if images[name] is None:
            way.get_concrete_function(fractions)
    for _ in range(rounds):
        for name, way in ways.items():
            begin = time.process_time()
            images[name] = np.asarray(way(fractions))
            rates[name].append(num_images / (time.process_time() - begin))
    ratio = statistics.median(fast / slow for fast, slow in zip(*rates.values(), strict=True))
    apart = np.abs(images["by_cache"] - images["naively"])
    print(f"{num_images} images of {size} x {size} x {channels}, {depth} layers of {width} maps, {rounds} rounds")
    print(f"load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    for name, values in rates.items():
        print(f"  {name:<9} {statistics.median(values):8.2f} images a CPU second")
    print(f"  ratio     {ratio:8.1f}   (goal >= {GOAL:g})")
    print(f"  images that differ by more than 1e-3: {(apart.reshape(num_images, -1).max(1) > 1e-3).sum()}")


if __name__ == "__main__":
    typer.run(main)
