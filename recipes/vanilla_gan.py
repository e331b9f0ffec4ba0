"""The first GAN (Goodfellow et al. 2014): dense networks on a 2-D Gaussian at (5, 5), or on small images.

    python -m recipes.vanilla_gan                               the orange cloud moves onto the blue one, in a minute
    python -m recipes.vanilla_gan --dataset digits              handwritten digits, dense layers only
    python -m recipes.vanilla_gan --dataset fashion_mnist --epochs 20

The figure, `run/by_epoch.png`, shows one fixed latent batch at chosen epochs.
"""

from pathlib import Path

import tfgan_zoo as tz

PAPER = "GAN, Goodfellow et al. 2014"
BUDGETS = {
    "gaussian": {"epochs": 20, "batch_size": 256},
    "ring8": {"epochs": 40, "batch_size": 256},
    "grid25": {"epochs": 40, "batch_size": 256},
    "digits": {"epochs": 400},
    None: {"epochs": 20},
}


def figures(model, run):
    """The moving cloud, or the forming images."""
    return {"By epoch": run.by_epoch()}


def main(
    dataset: str = "gaussian",
    epochs: int | None = None,
    batch_size: int | None = None,
    width: int = 128,
    seed: int = 0,
    out: Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
):
    """Train, picture, score and export; the same command again continues, or says that it is done."""
    return tz.runs.run_recipe(
        "gan", PAPER, locals() | {"out": out or f"exported/vanilla_gan_{Path(dataset).stem}"}, BUDGETS, figures
    )


if __name__ == "__main__":
    tz.cli.run(main)
