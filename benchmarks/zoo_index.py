"""What exported/ holds, checked and told: index.json, the leaderboard, the gallery.

    make zoo-index            after new exports; everything here is made from their cards

The rule of what stands in exported/: an export is compact (`--compact` of a recipe) and has at most 4 MB; all together
have at most 80 MB; the web page stands in the package, once, and in no compact export. What else a model can be
exported to is made from it by `tfgan-zoo export NAME --formats saved_model,onnx --out DIR`.
"""

import hashlib
import pathlib
import sys

from benchmarks import gallery, leaderboard
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import collection

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPORTED = ROOT / "exported"
EACH_MB, ALL_MB = 4.0, 80.0
EARLIER = ("cgan_digits", "dcgan_fashion_mnist")  # whole exports, which examples and tests serve


def read(directory=EXPORTED):
    """name -> card of every export in a directory, sorted by name."""
    return {path.parent.name: cards.read(path.parent) for path in sorted(directory.glob("*/card.json"))}


def index(directory, found):
    """What index.json says of exports."""
    rows = {}
    for name, card in found.items():
        size = sum(file["bytes"] for file in card["files"].values()) + (directory / name / "card.json").stat().st_size
        digest = hashlib.sha256((directory / name / "card.json").read_bytes()).hexdigest()
        rows[name] = collection.row(card, digest, size)
    return rows


def faults(found, rows):
    """What of the rule is broken, a sentence each."""
    for name, card in found.items():
        size = rows[name]["bytes"] / 1e6
        if name in EARLIER:
            continue
        if card["model"].get("weights") != "float16":
            yield f"{name} is a whole export: train it with --compact."
        if size > EACH_MB:
            yield f"{name} has {size:.1f} MB: {EACH_MB:g} are allowed."
        if any(file.startswith("demo/") for file in card["files"]):
            yield f"{name} has a web page of its own: the package brings it."
    total = sum(row["bytes"] for row in rows.values()) / 1e6
    if total > ALL_MB:
        yield f"All exports together have {total:.1f} MB: {ALL_MB:g} are allowed."


def main():
    """Write the three, and end with status 1 if the rule is broken."""
    from tfgan_zoo import files

    found = read()
    rows = index(EXPORTED, found)
    files.write_json(EXPORTED / collection.INDEX, rows)
    leaderboard.write(found)
    gallery.write(found)
    total = sum(row["bytes"] for row in rows.values()) / 1e6
    print(f"{len(rows)} exports, {total:.1f} MB: exported/index.json, docs/leaderboard.md, docs/gallery.md and .html")
    if broken := list(faults(found, rows)):
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
