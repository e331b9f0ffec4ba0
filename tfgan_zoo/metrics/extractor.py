"""The command that trains a small extractor on one's own images, by their labels if there are any.

python -m tfgan_zoo.metrics.extractor photographs/                # a minute or two; tz.evaluate and runs find it
python -m tfgan_zoo.metrics.extractor photographs/ --image-size 64 --to photographs.keras
"""

import pathlib
import sys
from typing import Annotated

import typer

from tfgan_zoo.metrics import own_extractors


def main(
    source: Annotated[str, typer.Argument(help="A folder of pictures or of class folders, an .npz file, or a name.")],
    image_size: Annotated[int | None, typer.Option(help="Side of its input, pixels; at most 32 if not given.")] = None,
    to: Annotated[pathlib.Path | None, typer.Option(help="A .keras file, for extractor=; else it is cached.")] = None,
    seed: Annotated[int, typer.Option(help="Of the weights and the order.")] = 0,
    updates: Annotated[int, typer.Option(help="Optimizer steps of 64 images.")] = own_extractors.UPDATES,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train again what is there already.")] = False,
    skip_corrupt: Annotated[bool, typer.Option("--skip-corrupt", help="Leave unreadable pictures out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
):
    """Train an extractor on your own images, by their labels if there are any; tz.evaluate and runs find it."""
    try:
        found = own_extractors.train_extractor(source, image_size, to, seed, updates, fresh, skip_corrupt, not quiet)
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        sys.exit(f"error: {getattr(error, 'strerror', None) or error}")
    print(f"Scores in its features are called {found.distance}_<images> and the like.")


if __name__ == "__main__":
    typer.run(main)
