"""What every generator in exported/ that has a likelihood says of its test images.     python -m benchmarks.likelihoods

Nats an image and bits a dimension with their protocol: exact, a bound or an estimate; of how many samples; bits drawn
from grey images, or grey levels, where bits/dim are comparable whatever the family; a flow's nats are of the density of
level / 256. Rows of one table share data and size; those of unlike pixels are not to be ranked: `tz.compare` refuses.
"""

import pathlib
import time
from typing import Annotated

import typer

import tfgan_zoo as tz
from tfgan_zoo_serving import card as cards

EXPORTED = pathlib.Path(__file__).resolve().parent.parent / "exported"
ROW = "| `{name}` | {pixels} | {how} | {nats:,.1f} ± {error:.1f} | {bits} | {seconds:.1f} |"


def row(directory, num_images):
    """Of one export: (its table's title, kind of pixels, its line), or None where it has no likelihood."""
    reference = (cards.read(directory)["protocol"] or {}).get("reference")
    model = tz.load_model(directory) if isinstance(reference, str) else None
    if not hasattr(model, "log_prob"):
        return None
    begin = time.process_time()
    record = tz.evaluate(model, reference, metrics=("likelihood",), num_images=num_images, verbose=False)
    seconds, scores, told = time.process_time() - begin, record["scores"], record["protocol"]["likelihood"]
    nats = next(key for key in scores if key.startswith("nats_"))
    bits = next((f"{value:.3f}" for key, value in scores.items() if key.startswith("bits_per_dim_")), "–")
    numbers = {"nats": scores[nats], "error": record["deviations"][nats], "bits": bits, "seconds": seconds}
    bits_drawn = str(told.get("binarisation") or "none")  # or why none were
    pixels = "grey levels" if bits_drawn.startswith("none") else "black and white"
    how = told["kind"] + (f", {told['samples']:,} samples" if (told["samples"] or 1) > 1 else "")
    size = " x ".join(map(str, model.image_shape[:2]))
    title = f"{reference}, {nats.split('_')[1]} test images of {size}"
    return title, pixels, ROW.format(name=directory.name, pixels=pixels, how=how, **numbers)


def main(
    num_images: Annotated[int, typer.Option(help="Of the test split, at most.")] = 360,
    only: Annotated[str, typer.Option(help="Part of the names.")] = "",
):
    """Print a table for each set of images."""
    tables = {}
    for directory in sorted(path.parent for path in EXPORTED.glob("*/card.json")):
        if only in directory.name and (found := row(directory, num_images)):
            tables.setdefault(found[0], []).append(found[1:])
    for title, lines in tables.items():
        print(f"\n{title}\n")
        print("| export | pixels | what | nats an image | bits/dim | CPU s |\n|---|---|---|---:|---:|---:|")
        print("\n".join(line for _, line in sorted(lines)), flush=True)


if __name__ == "__main__":
    typer.run(main)
