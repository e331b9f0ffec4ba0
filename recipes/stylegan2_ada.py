"""StyleGAN2-ADA (Karras et al. 2020): augmentations whose probability rises while D learns few images by heart.

    python -m recipes.stylegan2_ada                                     handwritten digits, 60 epochs at 16 x 16
    python -m recipes.stylegan2_ada --dataset fashion_mnist             clothes of 28 x 28, 10 epochs
    python -m recipes.stylegan2_ada --dataset photos/ --image-size 64   any folder, a hundred photographs or more

The figures: `run/augmentation.png` has p, the probability of each change, over the epochs, and r, what D says of real
images, which p holds near 0.6; `run/mixing.png` and `run/truncation.png` as in `recipes.stylegan2`.
"""

import csv

from matplotlib.figure import Figure

import tfgan_zoo as tz

PAPER = "StyleGAN2-ADA, Karras et al. 2020"
BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 64, "width": 16, "image_size": 16},
    "fashion_mnist": {"epochs": 10, "batch_size": 64, "width": 16},
    None: {"epochs": 300, "batch_size": 16, "width": 16},
}


def flags(
    channel_max: int = 64,
    gamma: float | None = None,
    style_mixing: float = 0.9,
    path_length: bool = True,
    target: float = 0.6,
    kimg: float = 100.0,
    ema_decay: float = 0.998,
):
    """Keywords of the entry.

    Channels of the smallest maps; R1's weight (None: by the size); the share of images with two latents' styles, and
    the path length penalty (for scores the paper has neither on CIFAR-10); r's target, and thousands of images in which
    p may rise from 0 to 1; the average's decay.
    """
    given = {"channel_max": channel_max, "style_mixing": style_mixing, "ema_decay": ema_decay}
    given |= {"augmentations": (tz.augmentations.ADA(target=target, kimg=kimg),)}
    given |= {} if path_length else {"path_length": None}
    return given if gamma is None else given | {"penalties": (tz.penalties.R1(gamma, every=16),)}


def figures(model, run):
    """p and r over the epochs, mixing, truncation, and the samples by epoch."""
    mixing, truncation = run.directory / "mixing.png", run.directory / "truncation.png"
    tz.latents.mix_styles(model, to=mixing)
    tz.latents.truncate_styles(model, (1.0, 0.7, 0.5, 0.25, 0.0), to=truncation)
    drawn = {"Styles of two images": mixing, "Truncation": truncation, "By epoch": run.by_epoch()}
    return {"Augmentation": augmentation(run)} | drawn


def augmentation(run):
    """Draw p and r by epoch, `augmentation.png`; returns its path."""
    with (run.directory / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure = Figure(figsize=(6.4, 4.0), layout="constrained", dpi=110)
    axis = figure.subplots()
    for name, label in (("ada_p", "p"), ("real_sign", "r = E sign D(x)")):
        axis.plot(epochs, [float(row[name]) for row in rows], marker=".", label=label)
    axis.set(xlabel="epoch")
    axis.legend()
    path = run.directory / "augmentation.png"
    figure.savefig(path)
    return path


main = tz.runs.recipe("stylegan2_ada", PAPER, BUDGETS, figures, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
