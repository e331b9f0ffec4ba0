"""The leaderboard of the zoo, made from the cards in exported/.

    python -m benchmarks.leaderboard          prints it, and writes docs/leaderboard.md and leaderboard.json

Rows of one table share data, split, extractor and number of images; what they do not share, the budget, is a column.
Seeds are further runs of the same recipe: exports named NAME_seed1 and so on. Images a second are those of the
committed LiteRT file on one thread, where it was exported. Beside it stands what Lucic et al. 2018, "Are GANs created
equal?", found on Fashion-MNIST by searching each model's numbers (as quoted by Dai & Wipf 2019, Table 1), and how far
the two rankings agree: Kendall's tau over the entries in both.
"""

import pathlib
import re
import statistics

from tfgan_zoo_serving import card as cards

ROOT = pathlib.Path(__file__).resolve().parent.parent
LUCIC = {  # entry -> FID on Fashion-MNIST, of the best of 100 settings
    "dcgan": 26.5,
    "lsgan": 30.7,
    "wgan": 21.5,
    "wgan_gp": 24.5,
    "dragan": 27.7,
    "began": 22.9,
    "vae": 58.7,
}
_INTRODUCTION = """# Leaderboard

Made from the cards in `exported/` by `python -m benchmarks.leaderboard`; each row is a generator that
`tz.load_exported(name)` loads. Rows of one table share data, split, extractor and number of images, and may be ranked;
what they do not share is how long they were trained, which is a column: a row that was trained for longer does not show
the better method. fd is `fd_classifier`, a Fréchet distance in the features of the classifier that comes with the
package, of the epoch that was best on training images; last is that of the last epoch."""
COLUMNS = {
    "fd": "fd ↓",
    "last": "last ↓",
    "kid": "KID ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "nats": "nats an image ↑",
    "bits": "bits/dim ↓",
    "parameters": "parameters",
    "minutes": "minutes trained",
    "updates": "updates",
    "images": "images seen",
    "speed": "images/s",
    "size": "LiteRT, kB",
    "ms": "ms an image",
}


def row(card):
    """The numbers of a card; what it does not say is None."""
    scores, about = card["scores"] or {}, card["about"]
    training, last = about.get("training") or {}, about.get("last_epoch") or {}
    entry = next((one for name, one in card["formats"].items() if name.startswith("tflite")), {})
    ms = (entry.get("latency") or {}).get("xnnpack_ms")
    device = training.get("device", "CPU")
    minutes = training.get("cpu_minutes" if device == "CPU" else "wall_minutes")
    return {
        "entry": card["model"]["name"],
        "fd": _score(scores, "fd"),
        "last": _score(last, "fd"),
        "kid": _score(scores, "kid"),
        "precision": _score(scores, "precision"),
        "recall": _score(scores, "recall"),
        "nats": _score(scores, "nats"),
        "bits": _score(scores, "bits"),
        "parameters": card["model"]["parameters"],
        "minutes": None if minutes is None else f"{minutes:.1f} {device}",
        "updates": training.get("updates"),
        "images": training.get("images"),
        "speed": 1000.0 / ms if ms else None,
        "size": entry["bytes"] / 1000 if entry else None,
        "ms": ms,
    }


def tables(found):
    """Rows that may be compared, by what they share.

    Args:
        found: name -> card.

    Returns:
        Dict: (reference, split, extractor's hash, images) -> {name: row}, best first; seeds of one name are one row.
    """
    by_protocol = {}
    for name, card in found.items():
        protocol = card["protocol"]
        if not protocol or _score(card["scores"] or {}, "fd") is None:
            continue
        key = tuple(protocol.get(part) for part in ("reference", "split"))
        key += ((protocol.get("extractor") or {}).get("hash"), protocol.get("num_generated"))
        base = re.sub(r"_seed\d+$", "", name)
        by_protocol.setdefault(key, {}).setdefault(base, []).append(row(card))
    result = {}
    for key, rows in by_protocol.items():
        merged = {name: _merged(seeds) for name, seeds in rows.items()}
        result[key] = dict(sorted(merged.items(), key=lambda pair: pair[1]["fd"]))
    return result


def _merged(seeds):
    if len(seeds) == 1:
        return seeds[0]
    values = [one["fd"] for one in seeds]
    return seeds[0] | {"fd": statistics.fmean(values), "spread": statistics.stdev(values), "seeds": len(seeds)}


def agreement(rows):
    """Kendall's tau between our ranking and Lucic et al.'s, and over how many entries; (None, n) for fewer than 3."""
    ours = {one["entry"]: one["fd"] for one in rows.values() if one["entry"] in LUCIC}
    names = sorted(ours)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    if len(names) < 3:
        return None, len(names)
    signs = [(ours[a] - ours[b]) * (LUCIC[a] - LUCIC[b]) for a, b in pairs]
    return sum((sign > 0) - (sign < 0) for sign in signs) / len(pairs), len(names)


def markdown(found):
    """The page."""
    lines = [_INTRODUCTION]
    for (reference, split, _, count), rows in tables(found).items():
        columns = [name for name in COLUMNS if any(one.get(name) is not None for one in rows.values())]
        lines += ["", f"## {reference}, {split} split, {count:,} images", ""]
        lines += ["| name | " + " | ".join(COLUMNS[name] for name in columns) + " | from |"]
        lines += ["|---|" + "---:|" * len(columns) + "---|"]
        for name, one in rows.items():
            cells = [_cell(column, one.get(column), one.get("spread")) for column in columns]
            card = f"[card](../exported/{name}/README.md)"
            lines.append(f"| `{name}` | " + " | ".join(cells) + f" | {card} |")
        if reference == "fashion_mnist" and any(one["entry"] in LUCIC for one in rows.values()):
            lines += ["", *_beside_lucic(rows)]
    unscored = [name for name, card in found.items() if _score(card["scores"] or {}, "fd") is None]
    if unscored:
        lines += ["", "Without a Fréchet distance: " + ", ".join(f"`{name}`" for name in unscored) + "."]
    return "\n".join(lines) + "\n"


def _beside_lucic(rows):
    tau, count = agreement(rows)
    shared = sorted((one["fd"], one["entry"]) for one in rows.values() if one["entry"] in LUCIC)
    listed = ", ".join(f"`{entry}` {fd:.1f} ({LUCIC[entry]:.1f})" for fd, entry in shared)
    said = "too few to say how far they agree" if tau is None else f"Kendall's tau {tau:+.2f} over {count} entries"
    return [
        f"Beside Lucic et al. 2018, whose FIDs on Fashion-MNIST stand in brackets: {listed}; {said}.",
        "Theirs are of Inception's features, of the best of a hundred settings each, trained for much longer.",
    ]


def _score(scores, stem):
    for name, value in scores.items():
        if (name == stem or name.startswith(f"{stem}_")) and not name.endswith(("_floor", "_last_epoch")):
            return value if isinstance(value, int | float) else None
    return None


def _cell(column, value, spread):
    if value is None or isinstance(value, str):
        return value or "–"
    if column == "fd":
        return f"**{value:.1f}**" + (f" ± {spread:.1f}" if spread is not None else "")
    digits = dict.fromkeys(("parameters", "updates", "images", "size", "speed"), 0)
    digits |= {"precision": 2, "recall": 2, "bits": 3, "ms": 3}
    return f"{value:,.{digits.get(column, 1)}f}"


def write(found):
    """Write docs/leaderboard.md and leaderboard.json."""
    from tfgan_zoo import files

    (ROOT / "docs/leaderboard.md").write_text(markdown(found), encoding="utf-8")
    as_json = [
        {"reference": key[0], "split": key[1], "extractor": key[2], "num_images": key[3], "rows": rows}
        for key, rows in tables(found).items()
    ]
    files.write_json(ROOT / "docs/leaderboard.json", as_json)


def main():
    """Print and write it."""
    found = {path.parent.name: cards.read(path.parent) for path in sorted((ROOT / "exported").glob("*/card.json"))}
    write(found)
    print(markdown(found))


if __name__ == "__main__":
    main()
