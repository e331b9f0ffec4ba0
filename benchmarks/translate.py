"""What a translation costs an image in LiteRT, on one thread, for each translator of the zoo.

    python -m benchmarks.translate [--width 32] [--image-size 64]

Untrained networks of the sizes that the recipes give to exported/ are exported with their batch fixed at 1, as on a
phone, and asked for `serving_default` in one process: printed are CPU milliseconds an image, the median of so many
calls, weights and the file's size. A check says that the file's images are those of `translate`.
"""

import pathlib
import statistics
import tempfile
import time

import numpy as np

GOAL = 15.0  # CPU milliseconds
NAMES = tuple(f"attribute {number}" for number in range(5))
ENTRIES = {"pix2pix": {}, "cyclegan": {"blocks": 3}, "stargan": {"blocks": 6, "attribute_names": NAMES}}


def main(width: int = 32, image_size: int = 64, calls: int = 40):
    """Print a line for each translator."""
    import tfgan_zoo as tz

    shape, random = (image_size, image_size, 3), np.random.default_rng(0)
    images = random.uniform(-1, 1, (1, *shape)).astype("float32")
    for name, numbers in ENTRIES.items():
        model = tz.create(name, shape, width=width, seed=0, **numbers)
        some = random.uniform(-1, 1, (16, *shape)).astype("float32")  # to be compared on: zeros have no variance
        model.keep(
            some, np.eye(len(NAMES), dtype="float32")[np.arange(16) % 5] if "attribute_names" in numbers else some
        )
        told = {"condition": np.eye(len(NAMES), dtype="float32")[:1]} if "attribute_names" in numbers else {}
        with tempfile.TemporaryDirectory() as room:
            card = tz.export(model, f"{room}/out", formats="tflite_batch1")
            generator = tz.load_exported(f"{room}/out", "tflite_batch1", threads=1)
            apart = np.abs(generator.translate(images, **told) - model.translate(images, **told)).max()
            times = [time.process_time()]
            for _ in range(calls):
                generator.translate(images, **told)
                times.append(time.process_time())
            spent = 1e3 * np.diff(times)
            size = (pathlib.Path(room) / "out" / card["formats"]["tflite_batch1"]["path"]).stat().st_size / 1e6
        print(
            f"{name} {image_size} x {image_size}, width {width}: {statistics.median(spent):.1f} CPU ms an image "
            f"({spent.min():.1f} to {spent.max():.1f}; goal {GOAL:g}), {card['model']['parameters']:,} weights, "
            f"{size:.1f} MB; {apart:.0e} from the model",
            flush=True,
        )


if __name__ == "__main__":
    import typer

    typer.run(main)
