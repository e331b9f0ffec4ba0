"""LSGAN (Mao et al. 2017): least squares also pull at images that D already takes for real.

    python -m recipes.lsgan                                     handwritten digits, 120 epochs at 16 x 16
    python -m recipes.lsgan --dataset fashion_mnist             clothes of 28 x 28, 20 epochs
    python -m recipes.lsgan --dataset ring8                     points on a ring, by dense networks

The figure, `run/losses.png`, is the paper's comparison of two losses as functions of D's output, here the generator's,
above what the trained D says of real and of generated images. The sigmoid's cross-entropy goes flat once an image is
taken for real; least squares has its only flat place at the value of real images, 1, and grows on either side.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "LSGAN, Mao et al. 2017"
BUDGETS = {"digits": {"epochs": 120, "width": 32, "image_size": 16}, None: {"epochs": 20, "width": 32}}
LOSSES = {"least squares": tz.objectives.LeastSquares(), "sigmoid cross-entropy": tz.objectives.NonSaturating()}


def figures(model, run):
    """The generator's loss by D's output, and D's outputs."""
    real, _ = run.test_images(1000)
    images = {"real (test split)": real, "generated": model.generate(len(real), seed=0)}
    said = {name: model.discriminator.predict(batch, verbose=0)[:, 0] for name, batch in images.items()}
    figure, (above, below) = tz.pictures.new_figure(6.4, 5.2, 2, sharex=True)
    grid = np.linspace(min(-2.0, *map(np.min, said.values())), max(4.0, *map(np.max, said.values())), 200)
    for name, objective in LOSSES.items():
        above.plot(grid, [objective.generator_loss(np.array([[x]], "float32")) for x in grid], label=name)
    for name, outputs in said.items():
        below.hist(outputs, bins=np.linspace(grid[0], grid[-1], 60), alpha=0.5, label=name)
    above.set(ylabel="generator's loss", ylim=(0.0, 5.0))
    below.set(xlabel="D's output", ylabel="images")
    above.legend()
    below.legend()
    tz.pictures.save_figure(figure, run.directory / "losses.png")
    return {"Losses by what D says": run.directory / "losses.png", "By epoch": run.by_epoch()}


SHIPPED = tz.runs.FASHION | {"width": 16, "minutes": 8.0, "batch_size": 64, "learning_rate": 4e-4, "decay_from": 0.0}
main = tz.runs.recipe("lsgan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
