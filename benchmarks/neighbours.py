"""Precision, recall, density and coverage: seconds and memory.     python -m benchmarks.neighbours

Beside it the plain way, as the paper on density and coverage published it: three whole matrices of distances by
scikit-learn. It is left out above 10,000 images, where the matrices grow out of memory.
"""

import resource
import time

import numpy as np
import typer

from tfgan_zoo.metrics import neighbour_scores


def peak_gb():
    """The most memory this process has held, TensorFlow's import included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def plain(real, fake, k=3, density_k=5):
    """All four over whole matrices."""
    from sklearn.metrics import pairwise_distances

    def radii(features, k):
        return np.partition(pairwise_distances(features), k, axis=1)[:, k]

    cross = pairwise_distances(real, fake)
    near = cross <= radii(real, density_k)[:, None]
    return {
        "precision": float((cross <= radii(real, k)[:, None]).any(0).mean()),
        "recall": float((cross <= radii(fake, k)).any(1).mean()),
        "density": float(near.sum(0).mean() / density_k),
        "coverage": float(near.any(1).mean()),
    }


def measured(name, function, *arguments):
    wall, cpu = time.perf_counter(), time.process_time()
    found = function(*arguments)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    scores = ", ".join(f"{key} {value:.4f}" for key, value in found.items())
    print(f"{name:<17} {cpu:8.1f} CPU s  {wall:8.1f} s wall  peak {peak_gb():.2f} GB  {scores}", flush=True)
    return cpu


def main(count: int = 10_000, width: int = 512, seed: int = 0):
    """Print CPU and wall seconds, peak memory and the scores, of float32 features."""
    random = np.random.default_rng(seed)
    inner = min(width, 12)  # features of networks lie near a surface of few dimensions
    mixing = random.normal(size=(inner, width)).astype(np.float32)
    real, fake = (np.tanh(scale * random.standard_normal((count, inner), np.float32) @ mixing) for scale in (0.5, 0.45))
    print(f"{count:,} x {count:,} x {width}; before it starts, {peak_gb():.2f} GB   (goal <= 60 CPU s and <= 1.5 GB)")
    ours = measured("neighbour_scores", neighbour_scores, real, fake)
    if count <= 10_000:
        print(f"ratio {measured('whole matrices', plain, real, fake) / ours:.1f}")


if __name__ == "__main__":
    typer.run(main)
