"""What exported/ holds, checked and told: index.json, the leaderboard, the gallery, the README's table of models.

    make zoo-index            after new exports; everything here is made from their cards

The rule of what stands in exported/: an export is compact (`--compact` of a recipe) and has at most 8 MB; all together
have at most 80 MB; the web page stands in the package, once, and in no compact export. What else a model can be
exported to is made from it by `tfgan-zoo export NAME --formats saved_model,onnx --out DIR`.
"""

import hashlib
import pathlib
import re
import sys

from benchmarks import gallery, leaderboard
from tfgan_zoo_cli import entries, recipes
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import collection

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPORTED = ROOT / "exported"
EACH_MB, ALL_MB = 8.0, 80.0
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


def models_table(found):
    """The README's rows of models: what, recipe, and the best trained generator with its picture and score."""
    lines = ["| model | what | recipe | draws | fd |", "|---|---|---|---|---:|"]
    for name, one in entries.known().items():
        mine = {export: leaderboard.row(card) for export, card in found.items() if card["model"]["name"] == name}
        order = lambda pair: (found[pair[0]]["about"].get("data") != "fashion_mnist", pair[1]["fd"] or 1e9)  # noqa: E731
        best, numbers = min(mine.items(), key=order, default=(None, None))
        picture, score = "", ""
        if best:
            shown = gallery.told(found[best])["picture"]
            picture = f'[<img src="exported/{best}/{shown}" width="80" alt="{best}">](docs/gallery.md#{best})'
            if numbers["fd"] is not None and found[best]["about"].get("data") == "fashion_mnist":
                score = f"{numbers['fd']:.1f}"
        what = re.sub(r"^`(\w+)`", r"\1", one["paper"].rstrip(".")).replace("|", "\\|")
        lines.append(f"| `{name}` | {what} | `{recipes.of_entry(name) or '–'}` | {picture} | {score} |")
    return "\n".join(lines)


def top_pictures(found):
    """The README's first pictures: the best export with a row a class, and the best in colour, said what made them."""
    score = lambda name: leaderboard.row(found[name])["fd"] or 1e9  # noqa: E731
    by_class = [name for name, card in found.items() if card["model"]["num_classes"]]
    clothes = [name for name in by_class if found[name]["about"].get("data") == "fashion_mnist"]
    colour = [name for name, card in found.items() if card["model"]["image_shape"][-1] == 3]
    colour = [name for name in colour if not found[name]["model"].get("translates")]  # what draws by itself
    lines = []
    for names in (clothes or by_class, colour):
        if names:
            best = min(names, key=score)
            one = gallery.told(found[best])
            rows = ", a row a class" if names is not colour else ""
            lines.append(f"![{best}{rows}](exported/{best}/{one['picture']})\n")
            lines.append(f"<sub>`tfgan-zoo info {best}`: {one['model']}. {one['numbers']}</sub>\n")
    return "\n".join(lines).strip()


def with_parts(readme, found):
    """The README with its first pictures and its table anew."""
    for name, text in (("top", top_pictures(found)), ("zoo", models_table(found))):
        begin, end = f"<!-- {name}: made by `make zoo-index` -->", f"<!-- /{name} -->"
        before, rest = readme.split(begin)
        readme = f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}"
    return readme


def main():
    """Write them, and end with status 1 if the rule is broken."""
    from tfgan_zoo import files

    found = read()
    rows = index(EXPORTED, found)
    files.write_json(EXPORTED / collection.INDEX, rows)
    leaderboard.write(found)
    gallery.write(found)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (ROOT / "README.md").write_text(with_parts(readme, found), encoding="utf-8")
    total = sum(row["bytes"] for row in rows.values()) / 1e6
    print(f"{len(rows)} exports, {total:.1f} MB: exported/index.json, docs/leaderboard.md, docs/gallery.md and .html")
    if broken := list(faults(found, rows)):
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
