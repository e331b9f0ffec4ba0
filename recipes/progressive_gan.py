"""Progressive GAN (Karras et al. 2018): small images first, and larger ones faded in by and by.

    python -m recipes.progressive_gan                                     handwritten digits, 120 epochs at 16 x 16
    python -m recipes.progressive_gan --dataset fashion_mnist             clothes of 28 x 28, 12 epochs
    python -m recipes.progressive_gan --dataset photos/ --image-size 64   any folder of images

The figures: `run/by_epoch.png`, one latent batch, whose images are small ones enlarged until their size's turn has
come; `run/growth.png`, the size that is trained, and alpha, how much of it is there.
"""

import csv

import tfgan_zoo as tz

PAPER = "Progressive GAN, Karras et al. 2018"
BUDGETS = {
    "digits": {"epochs": 120, "batch_size": 64, "width": 16, "image_size": 16},
    None: {"epochs": 12, "batch_size": 64, "width": 16},
}


def flags(dataset: str = "digits", channel_max: int = 64, phase_steps: int | None = None):
    """Keywords of the entry: channels of the smallest maps; steps of a phase (None: 300 on digits, else 1,500)."""
    steps = phase_steps if phase_steps is not None else 300 if dataset == "digits" else 1500
    return {"channel_max": channel_max, "phase_steps": steps}


def figures(model, run):
    """The samples by epoch, and how the networks grew."""
    with (run.directory / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    figure, axis = tz.pictures.new_figure(6.4, 4.0)
    for name, label in (("stage", "size, from 0"), ("alpha", "alpha, mean of the epoch")):
        axis.plot([int(row["epoch"]) for row in rows], [float(row[name]) for row in rows], marker=".", label=label)
    axis.set(xlabel="epoch")
    axis.legend()
    path = run.directory / "growth.png"
    tz.pictures.save_figure(figure, path)
    return {"By epoch": run.by_epoch(), "Growth": path}


SHIPPED = tz.runs.SHIPPED | {"minutes": 8.0, "decay_from": 0.6}
main = tz.runs.recipe("progressive_gan", PAPER, BUDGETS, figures, flags=flags, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
