"""The families of generative models on one data set at one budget: RBM to flow matching, each by the same yardsticks.

    python -m recipes.families --minutes 30                    Fashion-MNIST, hours in all; it goes on where it was
    python -m recipes.families --dataset digits --minutes 1 --seeds 3
    python -m recipes.families --only VAE,GAN --minutes 5

Minutes are CPU minutes of training, of each family and each seed. Written beside each other: families.md, the table;
samples.png, a row a family; families.png, where each stands on each yardstick. Columns: fd, precision, recall and
memorisation of the best epoch of the first seed (copying 0.5: no nearer to training images than held-out ones are);
the spread of fd over seeds and how many ended in NaN or in a collapse; likelihood of test images, exact, a bound or
none, with what it is the likelihood of; bits an image that a coder driven by it needs (of a bound, by bits-back), which
PNG's stand below; images drawn a CPU second; the mean path length between latents, where there are any, which is low if
images change evenly on the way. RBM, density network and VAE see black and white: their nats are of that.
"""

import io
import math
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import tfgan_zoo as tz

FAMILIES = {  # name: (zoo entry, its keywords, images of one update, what is said of the family)
    "RBM": ("rbm", {"width": 256}, 64, "slow chains; likelihood up to Z"),
    "density network": ("density_network", {"width": 128}, 64, "simple; draws of the prior miss"),
    "PixelCNN": ("pixelcnn", {"width": 16}, 64, "exact, stable; draws pixel by pixel"),
    "RealNVP": ("realnvp", {"width": 32}, 64, "exact both ways; as many units as pixels"),
    "VAE": ("vae", {"width": 25}, 100, "stable, compresses; blurred"),
    "GAN": ("dcgan", {"width": 32}, 64, "sharp, quick; no likelihood, unstable"),
    "diffusion": ("diffusion", {"width": 48}, 64, "stable, sharp; many steps"),
    "flow matching": ("flow_matching", {"width": 48}, 64, "as diffusion, on straight ways"),
}
METRICS = ("fd", "precision_recall", "class_histogram", "memorisation")
DRAWN, SHOWN, LIKELY = 256, 10, 500  # images that are timed, that are shown, and whose likelihood is taken
ENDLESS = 1_000_000  # epochs, before which the minutes are over
COLUMNS = ("fd", "fd by seed", "failed", "precision", "recall", "copying", "likelihood", "of", "bits an image")
COLUMNS += ("images/CPU s", "path length", "images seen", "what is said of it")


def one(name, dataset, minutes, seed, out, quiet):
    """The record of a family's run, and samples; a failed one says how it failed."""
    entry, own, batch_size, _ = FAMILIES[name]
    config = {"dataset": dataset, "epochs": ENDLESS, "minutes": minutes, "batch_size": batch_size, "image_size": None}
    run = tz.Run(out / f"{name.replace(' ', '_')}_{seed}", config | {"seed": seed, "width": own["width"]}, quiet=quiet)
    kept = run.directory / "family.json"
    if run.is_done(ENDLESS, minutes):
        return tz.metrics.records.load(kept)
    try:
        model = run.train(entry, quiet=quiet)
    except FloatingPointError as error:
        found = {"failed": str(error)}
    else:
        latent = ("path_length",) if hasattr(model, "draw_latents") else ()
        found = run.score(model, dataset, quiet=quiet, metrics=METRICS + latent)
        seen = {"seen": int(model.step) * batch_size, "failed": tz.runs.collapse_in(found) or ""}
        model.generate(DRAWN, seed=0)
        begin = time.process_time()
        images = model.generate(DRAWN, seed=1)
        seen["rate"] = DRAWN / (time.process_time() - begin)
        if hasattr(model, "log_prob"):
            of_test = tz.evaluate(model, dataset, metrics=("likelihood",), num_images=LIKELY, verbose=False)
            seen |= {"nats": tz.metrics.records.score(of_test, "nats"), "how": of_test["protocol"]["likelihood"]}
        tz.pictures.save_grid(images[:SHOWN], run.directory / "shown.png", columns=SHOWN)
        found |= seen
    tz.metrics.records.save(found, kept)
    run.finish(0, None, minutes)
    return found


def row(name, records, dimensions):
    """A family's cells, by column."""
    first, score = records[0], tz.metrics.records.score
    sound = [one for one in records if "scores" in one]
    by_seed = " ".join(f"{score(one, 'fd'):.1f}" for one in sound)
    cells = {"fd by seed": by_seed, "failed": f"{sum(bool(one['failed']) for one in records)} of {len(records)}"}
    cells |= {"what is said of it": FAMILIES[name][3]}
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


def report(out, found, images, heading):
    """Write the table and the two pictures."""
    rows = {name: row(name, records, images[0].size) for name, records in found.items()}
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
    figure = Figure(figsize=(SHOWN, len(shown)), layout="constrained", dpi=100)
    for axis, (name, sheet) in zip(np.ravel(figure.subplots(len(shown), 1)), shown.items(), strict=True):
        axis.imshow(sheet, cmap="gray", interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    figure.savefig(out / "samples.png")
    parallel(out / "families.png", rows)
    print("\n".join(lines))


def parallel(path, rows):
    """A line a family through the yardsticks, the best of each on top."""
    scales = {"fd": -1, "precision": 1, "recall": 1, "images/CPU s": 1, "bits an image": -1}
    figure = Figure(figsize=(9, 4.5), layout="constrained", dpi=110)
    axis = figure.subplots()
    ranks = {name: [] for name in rows}
    for place, (key, sign) in enumerate(scales.items()):
        known = {name: sign * float(cells[key].replace(",", "")) for name, cells in rows.items() if cells.get(key)}
        for rank, name in enumerate(sorted(known, key=known.get)):
            ranks[name].append((place, rank / max(len(known) - 1, 1)))
    for name, points in ranks.items():
        axis.plot(*(zip(*points, strict=True) if points else ((), ())), marker="o", label=name)
    axis.set(xticks=range(len(scales)), yticks=[0, 1], xticklabels=list(scales), yticklabels=["worst", "best"])
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(path)


def main(
    dataset: str = "fashion_mnist",
    minutes: float = 30.0,
    seeds: int = 2,
    only: str = "",
    out: Path = Path("exported/families"),
    quiet: bool = False,
):
    """Train what is not there yet, score it, and write the table and the pictures of all that is."""
    names = only.split(",") if only else list(FAMILIES)
    for wrong in {*names} - {*FAMILIES}:
        raise ValueError(str(tz.errors.unknown("family", wrong, list(FAMILIES))))
    tz.errors.whole_number("seeds", seeds)
    for seed in range(seeds):
        for name in names:
            one(name, dataset, minutes, seed, out, quiet)
    done = {
        name: [one(name, dataset, minutes, seed, out, quiet) for seed in range(seeds)]
        for name in FAMILIES
        if name in names
    }
    images = np.float32(tz.data.arrays(dataset, "test[:200]")[0]) / 127.5 - 1.0
    report(out, done, images, f"# Families on {dataset}: {minutes:g} CPU minutes each, {seeds} seeds")


if __name__ == "__main__":
    tz.cli.run(main)
