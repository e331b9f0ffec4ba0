"""ACGAN (Odena et al. 2017): D also names the class of every image, and G makes images whose class it names right.

    python -m recipes.acgan                                     handwritten digits, 120 epochs at 16 x 16
    python -m recipes.acgan --dataset fashion_mnist             clothes of 28 x 28, 20 epochs
    python -m recipes.acgan --dataset ring8                     points on a ring, whose modes are the classes

The batch of 100 is the paper's. The figure, `run/by_class.png`, has a row for each class and one latent in each column:
what is alike along a column is style. `run/history.csv` has D's accuracy on real images, `class_accuracy`.
"""

import tfgan_zoo as tz

PAPER = "ACGAN, Odena et al. 2017"
BUDGETS = {
    "digits": {"epochs": 120, "batch_size": 100, "width": 32, "image_size": 16},
    None: {"epochs": 20, "batch_size": 100, "width": 32},
}


def figures(model, run):
    """A row for each class, where there are images, and the samples by epoch."""
    drawn = {"By epoch": run.by_epoch()}
    return drawn if len(model.image_shape) == 1 else {"By class": run.by_class(model)} | drawn


SHIPPED = tz.runs.FASHION | {"width": 16, "minutes": 7.0, "batch_size": 64, "learning_rate": 4e-4, "decay_from": 0.0}
main = tz.runs.recipe("acgan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
