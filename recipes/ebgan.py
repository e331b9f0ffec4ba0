"""EBGAN (Zhao et al. 2017): D is an autoencoder, and how badly it reconstructs an image is the image's energy.

    python -m recipes.ebgan                                     handwritten digits, 120 epochs at 16 x 16
    python -m recipes.ebgan --dataset fashion_mnist             clothes of 28 x 28, 20 epochs
    python -m recipes.ebgan --dataset cifar10 --margin 20       the margin depends on the data
    python -m recipes.ebgan --dataset ring8                     points on a ring, by dense networks

The figure, `run/reconstructions.png`, shows images of the test split and what D makes of them, then generated images
and what D makes of those, each row with its mean energy: low for what D takes for real.
"""

import keras
import numpy as np

import tfgan_zoo as tz

PAPER = "EBGAN with the pulling-away term, Zhao et al. 2017"
BUDGETS = {"digits": {"epochs": 120, "width": 32, "image_size": 16}, None: {"epochs": 20, "width": 32}}
COLUMNS = 10  # of the figure


def figures(model, run):
    """Images, their reconstructions, and the samples by epoch."""
    if len(model.image_shape) == 1:
        return {"By epoch": run.by_epoch()}
    judge = next(layer for layer in model.discriminator.layers if isinstance(layer, tz.layers.ReconstructionEnergy))
    autoencoder = keras.Model(model.discriminator.inputs, judge.input[1])
    rows, titles = [], []
    for kind, images in ("real", run.test_images(COLUMNS)[0]), ("generated", model.generate(COLUMNS, seed=0)):
        energy = float(np.mean(model.discriminator.predict(images, verbose=0)["energy"]))
        rows += [images, autoencoder.predict(images, verbose=0)]
        titles += [f"{kind}, energy {energy:.1f}", "reconstructed"]
    path = run.directory / "reconstructions.png"
    tz.pictures.save_labelled_grid(np.concatenate(rows), path, COLUMNS, row_titles=titles)
    return {"Images and their reconstructions": path, "By epoch": run.by_epoch()}


def flags(margin: float | None = None):
    """The energy that generated images are pushed up to."""
    return {"objective": margin and tz.objectives.EnergyMargin(margin)}


main = tz.runs.recipe("ebgan", PAPER, BUDGETS, figures, flags=flags, shipped=tz.runs.SHIPPED | {"width": 16})

if __name__ == "__main__":
    tz.cli.run(main)
