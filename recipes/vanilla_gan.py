"""The first GAN (Goodfellow et al. 2014): dense networks on a 2-D Gaussian at (5, 5), or on small images.

    python -m recipes.vanilla_gan                               the orange cloud moves onto the blue one, in a minute
    python -m recipes.vanilla_gan --dataset digits              handwritten digits, dense layers only
    python -m recipes.vanilla_gan --dataset fashion_mnist --epochs 20

The figure, `run/by_epoch.png`, shows one fixed latent batch at chosen epochs.
"""

import tfgan_zoo as tz

PAPER = "GAN, Goodfellow et al. 2014"
BUDGETS = {
    "gaussian": {"epochs": 20, "batch_size": 256, "width": 128},
    "ring8": {"epochs": 40, "batch_size": 256, "width": 128},
    "grid25": {"epochs": 40, "batch_size": 256, "width": 128},
    "digits": {"epochs": 400, "width": 128},
    None: {"epochs": 20, "width": 128},
}


def figures(model, run):
    """The moving cloud, or the forming images."""
    return {"By epoch": run.by_epoch()}


main = tz.runs.recipe("gan", PAPER, BUDGETS, figures)

if __name__ == "__main__":
    tz.cli.run(main)
