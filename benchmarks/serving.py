"""What serving costs: the SavedModel's `sample` through gRPC on the loopback interface, and called in process.

    python -m benchmarks.serving [exported/dcgan_fashion_mnist] [pairs]

A server in a process of its own, examples/serving/loopback.py, and this process ask the same signature for 64 images by
turns; printed are images a second of wall time and the median ratio of neighbours. The goal is 0.8.
"""

import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH = 64
CALLS = 20  # that one time is taken of
GOAL = 0.8


def images_a_second(ask):
    """Of `CALLS` calls."""
    begin = time.perf_counter()
    for seed in range(CALLS):
        ask(seed)
    return BATCH * CALLS / (time.perf_counter() - begin)


def main(directory, pairs):
    """Print both sides and their ratio."""
    import tensorflow as tf

    from examples.serving.grpc_client import Client
    from tfgan_zoo_serving import card as cards

    card = cards.read(directory)
    rows = {"num_images": np.int32(BATCH)}
    if card["model"]["num_classes"] is not None:
        rows = {"labels": np.arange(BATCH, dtype=np.int32) % card["model"]["num_classes"]}
    path = directory / card["formats"]["saved_model"]["path"]
    sample = tf.saved_model.load(str(path)).signatures["sample"]

    def here(seed):
        return sample(**{name: tf.constant(value) for name, value in rows.items()}, seed=tf.constant(seed))[
            "images"
        ].numpy()

    command = [sys.executable, "-m", "examples.serving.loopback", str(directory.resolve()), "--grpc-port=0"]
    server = subprocess.Popen([*command, "--rest-port=0"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        words = server.stdout.readline().replace(",", "").split()
        client = Client(words[words.index("gRPC") + 1], card["name"])

        def there(seed):
            return client.sample(seed, **rows)

        if np.abs(here(3).astype(int) - there(3).astype(int)).max() > 1:
            sys.exit("The server gives other images: nothing to compare.")
        sides, found = {"in process": here, "gRPC": there}, {"in process": [], "gRPC": []}
        for pair in range(pairs + 1):  # the first warms up
            for name in list(sides)[:: 1 if pair % 2 else -1]:
                found[name].append(images_a_second(sides[name]))
        client.close()
    finally:
        server.kill()
        server.wait()
    print(f"{directory.name}, sample, batch {BATCH}, {pairs} pairs of {CALLS} calls")
    for name in sides:
        print(f"  {name:12} {statistics.median(found[name][1:]):10,.0f} images/s")
    ratios = sorted(b / a for a, b in zip(*(times[1:] for times in found.values()), strict=True))
    print(f"  gRPC over in process: {statistics.median(ratios):.2f} (pairs from {ratios[0]:.2f} to {ratios[-1]:.2f})")
    print(f"  goal >= {GOAL}: {'met' if statistics.median(ratios) >= GOAL else 'missed'}")


if __name__ == "__main__":
    main(pathlib.Path((sys.argv[1:] or ["exported/dcgan_fashion_mnist"])[0]), int((sys.argv[2:] or [15])[0]))
