"""Conditional GAN (Mirza & Osindero 2014): both networks are told the class of every image.

    python -m recipes.cgan                                      handwritten digits, 120 epochs at 16 x 16
    python -m recipes.cgan --dataset fashion_mnist              clothes of 28 x 28, 20 epochs
    python -m recipes.cgan --dataset fashion_mnist --minutes 20 --batch-size 64 --learning-rate 4e-4 --decay-from 0
                                                                rates that fall from the start: fd 7.7 after 20 minutes
    python -m recipes.cgan --dataset fashion_mnist --minutes 6 --batch-size 128 --learning-rate 4e-4 --decay-from 0 \\
        --jit --steps-per-execution 10                          on a GPU, 9.5 million images: fd 2.4
    python -m recipes.cgan --dataset fashion_mnist --clusters 32 --minutes 20 --batch-size 64 --learning-rate 4e-4 \\
        --decay-from 0                                          clusters in place of labels, three seeds: fd 17 to 24
    python -m recipes.cgan --dataset ring8                      points on a ring, whose modes are the classes

The batch of 100 is the paper's; networks and Adam are DCGAN's. The figure, `run/by_class.png`, is the paper's Fig. 2: a
row for each class, here with one latent in each column.
"""

import tfgan_zoo as tz

PAPER = "Conditional GAN, Mirza & Osindero 2014"
BUDGETS = {
    "digits": {"epochs": 120, "batch_size": 100, "width": 32, "image_size": 16},
    None: {"epochs": 20, "batch_size": 100, "width": 32},
}


def figures(model, run):
    """A row for each class, where there are images, and the samples by epoch."""
    drawn = {"By epoch": run.by_epoch()}
    return drawn if len(model.image_shape) == 1 else {"By class": run.by_class(model)} | drawn


SHIPPED = (tz.runs.SHIPPED, tz.runs.FASHION | {"batch_size": 64, "learning_rate": 4e-4, "decay_from": 0.0})
main = tz.runs.recipe("cgan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
