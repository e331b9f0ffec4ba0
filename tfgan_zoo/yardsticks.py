"""Families of models beside each other: a table, samples, where each stands on each yardstick, and scores over time."""

import csv
import io
import math
import time

import numpy as np
from PIL import Image

from tfgan_zoo import pictures
from tfgan_zoo.metrics import evaluate
from tfgan_zoo.metrics import records as scores

_DRAWN, _SHOWN, _LIKELY = 256, 10, 500  # images that are timed, that are shown, and whose likelihood is taken

COLUMNS = ("fd", "fd by seed", "failed", "precision", "recall", "copying", "likelihood", "of", "bits an image")
COLUMNS += ("images/CPU s", "path length", "images seen", "what is said of it")


def of_drawing(model, path):
    """{"rate"}, the images that a model draws a CPU second; draws a row of them.

    Args:
        model: of images.
        path: of the PNG.
    """
    model.generate(_DRAWN, seed=0)  # traced
    begin = time.process_time()
    images = model.generate(_DRAWN, seed=1)
    rate = _DRAWN / (time.process_time() - begin)
    pictures.save_grid(images[:_SHOWN], path, columns=_SHOWN)
    return {"rate": rate}


def of_data(model, reference):
    """{"nats", "how"}, a model's likelihood of test images and its protocol; empty where it has none."""
    if not hasattr(model, "log_prob"):
        return {}
    record = evaluate(model, reference, metrics=("likelihood",), num_images=_LIKELY, verbose=False)
    return {"nats": scores.score(record, "nats"), "how": record["protocol"]["likelihood"]}


def row(records, dimensions, said):
    """A family's cells, by column; `said` is what lectures say of it."""
    first, score = records[0], scores.score
    sound = [one for one in records if "scores" in one]
    by_seed = " ".join(f"{score(one, 'fd'):.1f}" for one in sound)
    cells = {"fd by seed": by_seed, "failed": f"{sum(bool(one['failed']) for one in records)} of {len(records)}"}
    cells |= {"what is said of it": said}
    if "scores" not in first:
        return cells
    cells |= {key: f"{score(first, key):.2f}" for key in ("precision", "recall", "copying")}
    cells |= {"fd": f"{score(first, 'fd'):.1f}", "images/CPU s": f"{first['rate']:,.0f}", "likelihood": "none"}
    cells["images seen"] = f"{first['seen']:,}"
    if any(key.startswith("path_length") for key in first["scores"]):
        cells["path length"] = f"{score(first, 'path_length'):.2f}"
    if "nats" in first:
        how, nats = first["how"], first["nats"]
        grey = "binarisation" not in how
        cells["likelihood"] = f"{nats:.1f} nats ({how['kind']})"
        cells["of"] = "grey levels" if grey else "black and white"
        if how["data_scale"]:
            bits = -nats / math.log(2) + dimensions * math.log2(how["data_scale"])
            cells["bits an image"] = f"{bits:,.0f}"
    return cells


def by_png(images):
    """Bits an image in PNG: of grey levels, and of black and white; each image by itself."""

    def size(array, mode):
        file = io.BytesIO()
        Image.fromarray(array).convert(mode).save(file, "PNG", optimize=True)
        return 8 * len(file.getvalue())

    levels = [np.uint8(np.round((image[..., 0] + 1) * 127.5)) for image in images]
    return [
        np.mean([size(one if mode == "L" else np.uint8(255 * (one > 127)), mode) for one in levels]) for mode in "L1"
    ]


def report(out, found, said, images, heading):
    """Write families.md, samples.png, families.png and over_time.png, and print the table.

    Args:
        out: directory; `<family>_<seed>/run/` there holds a row of samples, shown.png, and history.csv of each.
        found: family -> records of its seeds: those of `tz.evaluate` with "failed" (what went wrong, or ""), "seen"
            (images while it trained), and what `of_drawing` and `of_data` give.
        said: family -> what is said of it.
        images: of the data, (N, height, width, channels) in [-1, 1], which PNG compresses beside them.
        heading: of the table.
    """
    rows = {name: row(records, images[0].size, said[name]) for name, records in found.items()}
    grey, black = by_png(images)
    lines = [heading, "", f"| family | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(cells.get(key, '') for key in COLUMNS)} |" for name, cells in rows.items()]
    lines += [
        "",
        f"PNG takes {grey:,.0f} bits for an image in grey and {black:,.0f} in black and white, its header in.",
    ]
    (out / "families.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shown = {name: out / f"{name.replace(' ', '_')}_0/run/shown.png" for name in rows}
    shown = {name: np.asarray(Image.open(path).convert("L")) for name, path in shown.items() if path.exists()}
    figure, axes = pictures.new_figure(9, 0.9 * len(shown), len(shown), squeeze=False)
    for axis, (name, sheet) in zip(axes.flat, shown.items(), strict=True):
        axis.imshow(sheet, cmap="gray", interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    pictures.save_figure(figure, out / "samples.png", bbox_inches="tight")
    _parallel(out / "families.png", rows)
    _over_time(out, {name: len(records) for name, records in found.items()})
    print("\n".join(lines))


def _parallel(path, rows):
    """A line a family through the yardsticks, the best of each on top."""
    scales = {"fd": -1, "precision": 1, "recall": 1, "images/CPU s": 1, "bits an image": -1}
    figure, axis = pictures.new_figure(9, 4.5)
    ranks = {name: [] for name in rows}
    for place, (key, sign) in enumerate(scales.items()):
        known = {name: sign * float(cells[key].replace(",", "")) for name, cells in rows.items() if cells.get(key)}
        for rank, name in enumerate(sorted(known, key=known.get)):
            ranks[name].append((place, rank / max(len(known) - 1, 1)))
    for name, points in ranks.items():
        axis.plot(*(zip(*points, strict=True) if points else ((), ())), marker="o", label=name)
    axis.set(xticks=range(len(scales)), yticks=[0, 1], xticklabels=list(scales), yticklabels=["worst", "best"])
    figure.legend(loc="outside right upper", frameon=False)
    pictures.save_figure(figure, path)


def _over_time(out, seeds):
    """The Fréchet distance of each family after so many minutes of training, a line a seed; where lines cross."""
    figure, axis = pictures.new_figure(8, 4.5)
    for place, (name, count) in enumerate(seeds.items()):
        for seed in range(count):
            points = over_time(out / f"{name.replace(' ', '_')}_{seed}/run/history.csv")
            label = {"label": name} if seed == 0 else {}
            axis.plot(*(zip(*points, strict=True) if points else ((), ())), f"C{place}", marker=".", **label)
    axis.set(xscale="log", yscale="log", xlabel="minutes of training", ylabel="fd, training split")
    pictures.plain_ticks(axis.xaxis)
    pictures.plain_ticks(axis.yaxis)
    figure.legend(loc="outside right upper", frameon=False)
    pictures.save_figure(figure, out / "over_time.png")


def over_time(path):
    """[(minutes, Fréchet distance)] of the epochs that were scored, from a run's history.csv; [] without."""
    if not path.exists():
        return []
    with path.open() as file:
        rows = list(csv.DictReader(file))
    (key, *_) = [name for name in rows[0] if name.startswith("fd_")] or [None]
    return [(float(row["minutes"]), float(row[key])) for row in rows if key and row[key] and row.get("minutes")]
