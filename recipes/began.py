"""BEGAN (Berthelot et al. 2017): an autoencoder for a discriminator, held in balance with G by a control variable k.

    python -m recipes.began                                     handwritten digits, 60 epochs at 16 x 16
    python -m recipes.began --dataset fashion_mnist             clothes of 28 x 28, 10 epochs
    python -m recipes.began --gamma 0.7                         more diverse, less sharp (0.3 to 0.7 in the paper)
    python -m recipes.began --dataset ring8                     points on a ring, by dense networks

Two figures. `run/convergence.png` draws the paper's measure of convergence and k by epoch: the measure should fall, and
k settle between 0 and 1. `run/reconstructions.png` shows images of the test split and what D makes of them, then
generated images and what D makes of those.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "BEGAN, Berthelot et al. 2017"
BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 16, "width": 32, "image_size": 16},
    None: {"epochs": 10, "batch_size": 16, "width": 32},
}
COLUMNS = 10  # of the figure


def figures(model, run):
    """The measure of convergence beside k, reconstructions, and the samples by epoch."""
    tz.pictures.save_against(run.checkpoint.history, "convergence", "k", run.directory / "convergence.png")
    drawn = {"Convergence": run.directory / "convergence.png"}
    if len(model.image_shape) == 3:
        rows = []
        for images in run.test_images(COLUMNS)[0], model.generate(COLUMNS, seed=0):
            rows += [images, model.discriminator.predict(images, verbose=0)["reconstructions"]]
        path = drawn["Images and their reconstructions"] = run.directory / "reconstructions.png"
        titles = ["real", "reconstructed", "generated", "reconstructed"]
        tz.pictures.save_labelled_grid(np.concatenate(rows), path, COLUMNS, row_titles=titles)
    return drawn | {"By epoch": run.by_epoch()}


def flags(gamma: float = 0.5):
    """The diversity that the equilibrium asks for."""
    return {"objective": tz.objectives.BoundaryEquilibrium(gamma=gamma)}


main = tz.runs.recipe("began", PAPER, BUDGETS, figures, flags=flags, shipped=tz.runs.SHIPPED | {"width": 16})

if __name__ == "__main__":
    tz.cli.run(main)
