"""StyleGAN2-ADA told the class (Karras et al. 2020): its embedding beside the latent, and against D's features.

    python -m recipes.conditional_stylegan2_ada                             handwritten digits, 60 epochs at 16 x 16
    python -m recipes.conditional_stylegan2_ada --dataset fashion_mnist     clothes of 28 x 28, 10 epochs

The figures: `run/by_class.png` has a row for each class and one latent in each column, `run/truncation.png` pulls
styles towards their mean.
"""

import tfgan_zoo as tz

PAPER = "StyleGAN2-ADA, Karras et al. 2020"
BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 64, "width": 16, "image_size": 16},
    None: {"epochs": 10, "batch_size": 64, "width": 16},
}


def flags(
    channel_max: int = 64,
    gamma: float | None = None,
    style_mixing: float = 0.0,
    path_length: bool = False,
    target: float = 0.6,
    kimg: float = 500.0,
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
    """A row for each class, truncation, and the samples by epoch."""
    truncation = run.directory / "truncation.png"
    tz.latents.truncate_styles(model, (1.0, 0.7, 0.5, 0.25, 0.0), to=truncation)
    return {"By class": run.by_class(model), "Truncation": truncation, "By epoch": run.by_epoch()}


main = tz.runs.recipe("conditional_stylegan2_ada", PAPER, BUDGETS, figures, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
