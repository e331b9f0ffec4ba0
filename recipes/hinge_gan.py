"""Geometric GAN (Lim & Ye 2017): the hinge loss, a margin for D and none for G, on DCGAN's networks.

    python -m recipes.hinge_gan                                 handwritten digits, 120 epochs at 16 x 16
    python -m recipes.hinge_gan --dataset fashion_mnist         clothes of 28 x 28, 20 epochs
    python -m recipes.hinge_gan --dataset ring8                 points on a ring, by dense networks

The figure, `run/by_epoch.png`, shows one fixed latent batch at chosen epochs, to be held against that of another loss:
networks and rates are those of `recipes.dcgan`.
"""

import tfgan_zoo as tz

PAPER = "Geometric GAN, Lim & Ye 2017"
BUDGETS = {"digits": {"epochs": 120, "width": 32, "image_size": 16}, None: {"epochs": 20, "width": 32}}


def figures(model, run):
    """The samples by epoch."""
    return {"By epoch": run.by_epoch()}


main = tz.runs.recipe("hinge_gan", PAPER, BUDGETS, figures)

if __name__ == "__main__":
    tz.cli.run(main)
