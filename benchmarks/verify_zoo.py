"""Check what stands in exported/: the index, every hash, every image of the reference, and the scores of the cards.

    make verify-zoo                                          all of it; QUICK=1 leaves the scores out
    python -m benchmarks.verify_zoo "vae*" --scores

A score is measured again on 2,000 images (fewer where the card had fewer, 200 where an image takes longer than 20 ms)
of the committed file, and of the same number of images of the model that `tz.load_model` builds again: the two must
agree, for they are the same weights. The card's own number, of more images, is printed beside them: a Fréchet distance
grows as images become fewer.
"""

import fnmatch
import hashlib
import json
import pathlib
import sys
from typing import Annotated

import typer

import tfgan_zoo  # noqa: F401 - whose layers some networks have
import tfgan_zoo_serving
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import collection

EXPORTED = pathlib.Path(__file__).resolve().parent.parent / "exported"
COUNT, FEW, SLOW_MS = 2000, 200, 20.0
AGREE = 0.02  # of a distance: rounding, and nothing else, may lie between the file and the model


def check(name, rows):
    """Raise unless an export is the one that the index knows, and draws what it drew; returns format -> difference."""
    directory = EXPORTED / name
    digest = hashlib.sha256((directory / "card.json").read_bytes()).hexdigest()
    if rows.get(name, {}).get("card") != digest:
        raise cards.DamagedError(f"exported/{collection.INDEX} knows another {name}: make zoo-index.")
    found = tfgan_zoo_serving.verify(directory)
    return {name: one["max_abs_diff"] for name, one in found.items() if "max_abs_diff" in one}


def score(name):
    """(of the file, of the model again, of the card, images), Fréchet distances; None for an export without any."""
    import tfgan_zoo as tz

    directory = EXPORTED / name
    card = cards.read(directory)
    protocol = card["protocol"] or {}
    key = next((key for key in card["scores"] or {} if key.startswith("fd_") and not key.endswith("_floor")), None)
    if key is None or protocol.get("reference") not in ("digits", "fashion_mnist"):
        return None
    generator = tfgan_zoo_serving.load_exported(directory)
    latency = card["formats"][generator.format].get("latency", {}).get("xnnpack_ms", 0.0)
    count = min(protocol["num_generated"], FEW if latency > SLOW_MS else COUNT)
    labels = tz.data.arrays(protocol["reference"], "test")[1][:count] if generator.num_classes else None
    asked = {"metrics": ("fd",), "num_images": count, "floor": False, "verbose": False}
    numbers = []
    for one in (generator, _again(directory)):
        if one is None:
            numbers.append(None)
            continue
        images = one.generate(count, seed=0, **({} if labels is None else {"labels": labels}))
        record = tz.evaluate(images.clip(-1.0, 1.0), protocol["reference"], **asked)
        numbers.append(tz.metrics.records.score(record, "fd_classifier"))
    return (*numbers, card["scores"][key], count)


def _again(directory):
    """The model that the export was made from, where it says how it was built."""
    import tfgan_zoo as tz

    return tz.load_model(directory) if (directory / "model.json").is_file() else None


def main(
    pattern: Annotated[str, typer.Argument(help="Of names in exported/.")] = "*",
    scores: Annotated[bool, typer.Option("--scores", help="Measure the scores again.")] = False,
):
    """Print a line an export, and end with status 1 if one is not what its card says."""
    rows = json.loads((EXPORTED / collection.INDEX).read_text(encoding="utf-8"))
    names = sorted(fnmatch.filter({*rows, *(path.parent.name for path in EXPORTED.glob("*/card.json"))}, pattern))
    if not names:
        sys.exit(f"exported/ has nothing that matches {pattern!r}.")
    failed = []
    for name in names:
        try:
            found = check(name, rows)
            line = ", ".join(f"{format} {difference:.1e}" for format, difference in found.items())
            measured = score(name) if scores else None
            if measured:
                file, model, card, count = measured
                again = "" if model is None else f", of the model {model:.2f}"
                line += f"; fd of {count:,} images {file:.2f}{again}, in the card {card:.2f}"
                if model is not None and abs(file - model) > AGREE * max(file, model):
                    raise ValueError(f"The file and the model score differently: {file:.2f} and {model:.2f}.")
            print(f"{name}: {line}", flush=True)
        except (OSError, ValueError, ImportError) as error:
            failed.append(name)
            print(f"{name} FAILED: {error}", flush=True)
    print(f"{len(names) - len(failed)} of {len(names)} exports are what their cards say.")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
