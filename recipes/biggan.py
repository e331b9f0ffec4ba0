"""BigGAN (Brock et al. 2019): the class and a part of the latent in every norm, orthogonal weights, truncation.

    python -m recipes.biggan                             handwritten digits, 200 epochs at 16 x 16
    python -m recipes.biggan --dataset fashion_mnist     clothes of 28 x 28, 20 epochs
    python -m recipes.biggan --dataset ring8             points on a ring, by dense networks

The figures: `run/truncation.png`, the paper's Fig. 2a: a row for each threshold of the latents, whose images are the
more alike the lower it is; `run/by_class.png`, a row for each class and one latent in each column. The rates are those
of the authors' code for small batches.
"""

import tfgan_zoo as tz

PAPER = "BigGAN, Brock et al. 2019"
BUDGETS = {
    "digits": {"epochs": 200, "batch_size": 64, "width": 16, "image_size": 16, "learning_rate": 2e-4},
    None: {"epochs": 20, "batch_size": 64, "width": 16, "learning_rate": 2e-4},
}


def flags(ema_decay: float = 0.999, learning_rate=None):
    """Keywords of the entry: the average's decay, and one rate for both networks."""
    return {"ema_decay": ema_decay, "discriminator_learning_rate": learning_rate}


def figures(model, run):
    """Truncation, classes, where there are images, and the samples by epoch."""
    drawn = {"By epoch": run.by_epoch()}
    if len(model.image_shape) == 1:
        return drawn
    path = run.directory / "truncation.png"
    tz.latents.truncate(model, (2.0, 1.0, 0.5, 0.04), to=path)
    return {"Truncation": path, "By class": run.by_class(model)} | drawn


main = tz.runs.recipe("biggan", PAPER, BUDGETS, figures, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
