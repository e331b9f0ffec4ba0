"""Projection discriminator (Miyato & Koyama 2018): D adds the inner product of an image's features and its class.

    python -m recipes.projection_gan                            handwritten digits, 200 epochs at 16 x 16
    python -m recipes.projection_gan --dataset fashion_mnist    clothes of 28 x 28, 20 epochs
    python -m recipes.projection_gan --dataset cifar10          small photographs of 32 x 32
    python -m recipes.projection_gan --dataset ring8            points on a ring, whose modes are the classes

The residual networks, spectral norm and hinge loss are SNGAN's. The figure, `run/by_class.png`, has a row for each
class and one latent in each column: what is alike along a column is style. `make train-zoo` takes one step of D where
the paper takes five, as for `recipes.sngan`.
"""

import tfgan_zoo as tz

PAPER = "Projection discriminator, Miyato & Koyama 2018"
BUDGETS = {
    "digits": {"epochs": 200, "batch_size": 53, "width": 32, "image_size": 16},  # 5 * 53 of 1,077 images a step
    None: {"epochs": 20, "batch_size": 64, "width": 32},
}


def figures(model, run):
    """A row for each class, where there are images, and the samples by epoch."""
    drawn = {"By epoch": run.by_epoch()}
    return drawn if len(model.image_shape) == 1 else {"By class": run.by_class(model)} | drawn


SHIPPED = tz.runs.SHIPPED | {"width": 16, "minutes": 2.5, "n_critic": 1}
main = tz.runs.recipe("projection_gan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
