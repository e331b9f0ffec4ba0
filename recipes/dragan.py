"""DRAGAN (Kodali et al. 2017): the first GAN's game with D's slope held near 1 around the data.

    python -m recipes.dragan                                    handwritten digits, 120 epochs at 16 x 16
    python -m recipes.dragan --dataset fashion_mnist            clothes of 28 x 28, 20 epochs
    python -m recipes.dragan --dataset ring8                    points on a ring, by dense networks

The figure, `run/slopes.png`, counts D's slopes at images of the test split moved as the penalty moves them, by a random
share of half a standard deviation of noise, beside those at generated images, which nothing holds. Near 1 around the
data, if the penalty does its work.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "DRAGAN, Kodali et al. 2017"
BUDGETS = {"digits": {"epochs": 120, "width": 32, "image_size": 16}, None: {"epochs": 20, "width": 32}}


def figures(model, run):
    """Slopes around the data and elsewhere, and the samples by epoch."""
    real, _ = run.test_images(500)
    random = np.random.default_rng(0)
    share = random.uniform(size=(len(real), *[1] * (real.ndim - 1)))
    moved = real + share * 0.5 * real.std() * random.uniform(size=real.shape)
    places = {"around the data": moved, "at generated images": model.generate(len(real), seed=0)}
    slopes = {name: tz.penalties.gradient_norms(model, images) for name, images in places.items()}
    bins = np.linspace(0.0, max(2.0, *(np.quantile(found, 0.99) for found in slopes.values())), 60)
    figure, axis = tz.pictures.new_figure(6.4, 3.6)
    for name, found in slopes.items():
        axis.hist(found, bins=bins, alpha=0.6, label=name)
    axis.axvline(1.0, color="black", linestyle=":", label="asked for")
    axis.set(xlabel="slope of D", ylabel="images")
    axis.legend()
    tz.pictures.save_figure(figure, run.directory / "slopes.png")
    return {"Slopes": run.directory / "slopes.png", "By epoch": run.by_epoch()}


main = tz.runs.recipe("dragan", PAPER, BUDGETS, figures)

if __name__ == "__main__":
    tz.cli.run(main)
