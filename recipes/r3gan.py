"""R3GAN (Huang et al. 2024): a relativistic loss and two gradient penalties, and no other trick.

    python -m recipes.r3gan                             handwritten digits, 100 epochs at 16 x 16
    python -m recipes.r3gan --dataset fashion_mnist     clothes of 28 x 28, 10 epochs
    python -m recipes.r3gan --dataset ring8             points on a ring, by dense networks

The figure, `run/by_epoch.png`, is one latent batch as training goes on.
"""

import tfgan_zoo as tz

PAPER = "R3GAN, Huang et al. 2024"
BUDGETS = {
    "digits": {"epochs": 100, "batch_size": 64, "width": 16, "image_size": 16, "learning_rate": 1e-3},
    None: {"epochs": 10, "batch_size": 64, "width": 16, "learning_rate": 1e-3},
}


def figures(model, run):
    """The samples by epoch."""
    return {"By epoch": run.by_epoch()}


SHIPPED = (tz.runs.SHIPPED, tz.runs.FASHION | {"minutes": 12.0, "decay_from": 0.5})
main = tz.runs.recipe("r3gan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
