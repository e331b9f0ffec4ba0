"""The autoencoder (Hinton & Salakhutdinov 2006): images through a code of 32 numbers and back.

    python -m recipes.autoencoder                                                             handwritten digits
    python -m recipes.autoencoder --dataset fashion_mnist --epochs 10

It learns to give images back, and no distribution of codes: what it generates comes from a normal with the codes' mean
and covariance, and looks it. Figures, in `run/`: reconstructions beside originals; ways between such codes.
"""

import tfgan_zoo as tz

PAPER = "Autoencoder, Hinton & Salakhutdinov 2006"
BUDGETS = {"digits": {"epochs": 60, "width": 16}, None: {"epochs": 20, "width": 32}}


def scores(model, run):
    """The error of reconstructions."""
    return tz.evaluate(model, run.config["dataset"], metrics=("reconstruction",), verbose=False)["scores"]


def figures(model, run):
    """Reconstructions, and ways between codes."""
    if len(model.image_shape) == 1:
        return {}
    ways = run.directory / "ways.png"
    tz.latents.interpolate(model, [(row, row + 1) for row in range(0, 12, 2)], to=ways)
    return {
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
        "Ways between codes": ways,
    }


main = tz.runs.recipe("autoencoder", PAPER, BUDGETS, figures, scores)

if __name__ == "__main__":
    tz.cli.run(main)
