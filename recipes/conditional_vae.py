"""The conditional VAE (Sohn et al. 2015): both networks are told the class, so that codes need only say the rest.

    python -m recipes.conditional_vae                                                         handwritten digits
    python -m recipes.conditional_vae --dataset fashion_mnist --epochs 20

Figures, in `run/`: a row a class, a column a latent; and test images beside their reconstructions. Nats in the record
are of p(x), the mean over classes of bounds on p(x|y).
"""

import tfgan_zoo as tz

PAPER = "Conditional VAE, Sohn et al. 2015"
BUDGETS = {"digits": {"epochs": 150, "width": 25, "batch_size": 32}, None: {"epochs": 50, "width": 25}}


def scores(model, run):
    """Nats an image, and the error of reconstructions."""
    return run.likelihood(model, "reconstruction")


def figures(model, run):
    """Classes, and reconstructions."""
    if len(model.image_shape) == 1:
        return {}
    return {
        "A row a class, a column a latent": run.by_class(model),
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
    }


main = tz.runs.recipe("conditional_vae", PAPER, BUDGETS, figures, scores)

if __name__ == "__main__":
    tz.cli.run(main)
