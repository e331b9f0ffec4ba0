"""The families of generative models on one data set at one budget: RBM to flow matching, each by the same yardsticks.

    python -m recipes.families --minutes 30                    Fashion-MNIST, hours in all; it goes on where it was
    python -m recipes.families --dataset digits --minutes 1 --seeds 3 --only VAE,GAN

Minutes are CPU minutes of training, of each family and seed, and rates fall from half of them on. families.md is the
table: scores of the first seed's best epoch (copying 0.5: no nearer to training images than held-out ones are), fd by
seed, how many failed, the likelihood of test images and of what, bits an image for a coder driven by it (of a bound, by
bits-back), images a CPU second, path length between latents; samples.png has a row a family, families.png the
yardsticks side by side, over_time.png fd after so many minutes.
"""

from pathlib import Path

import numpy as np

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
LOOKS, SCORED = 4, 2000  # scores while it trains; images of each, since some families draw slowly
ENDLESS = 1_000_000  # epochs, before which the minutes are over
DECAY_FROM = 0.5  # the share of the minutes after which rates fall to zero


def one(name, dataset, minutes, seed, out, quiet):
    """The record of a family's run, and samples; a failed one says how it failed."""
    entry, own, batch_size, _ = FAMILIES[name]
    config = {"dataset": dataset, "epochs": ENDLESS, "minutes": minutes, "batch_size": batch_size, "image_size": None}
    config |= {"seed": seed, "width": own["width"], "decay_from": DECAY_FROM}
    run = tz.Run(out / f"{name.replace(' ', '_')}_{seed}", config, quiet=quiet, looks=LOOKS, num_images=SCORED)
    kept = run.directory / "family.json"
    if run.is_done(ENDLESS, minutes):
        return tz.metrics.records.load(kept)
    try:
        model = run.train(entry, quiet=quiet)
        latent = ("path_length",) * hasattr(model, "draw_latents")
        found = run.score(model, dataset, quiet=quiet, metrics=METRICS + latent)
        found |= {"seen": int(model.step) * batch_size, "failed": tz.runs.collapse_in(found) or ""}
        found |= tz.yardsticks.of_drawing(model, run.directory / "shown.png") | tz.yardsticks.of_data(model, dataset)
    except FloatingPointError as error:
        found = {"failed": str(error)}
    tz.metrics.records.save(found, kept)
    run.finish(0, None, minutes)
    return found


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
    found = {name: [] for name in FAMILIES if name in names}
    for seed in range(seeds):
        for name, records in found.items():
            records.append(one(name, dataset, minutes, seed, out, quiet))
    heading = f"# Families on {dataset}: {minutes:g} CPU minutes each, {seeds} seeds"
    images = tz.data.arrays(dataset, "test[:200]")[0] / np.float32(127.5) - 1.0
    tz.yardsticks.report(out, found, {name: FAMILIES[name][3] for name in found}, images, heading)


if __name__ == "__main__":
    tz.cli.run(main)
