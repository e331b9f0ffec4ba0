"""VAE/GAN (Larsen et al. 2016): reconstructions that are compared in a discriminator's features.

    python -m recipes.vae_gan                                                                 handwritten digits
    python -m recipes.vae_gan --dataset fashion_mnist --epochs 10 --width 32

The error of its reconstructions in pixels is larger than a VAE's, and they are sharper. Figures, in `run/`:
reconstructions beside originals; ways between latents.
"""

import tfgan_zoo as tz

PAPER = "VAE/GAN, Larsen et al. 2016"
BUDGETS = {"digits": {"epochs": 60, "width": 16, "image_size": 16}, None: {"epochs": 20, "width": 32}}


def flags(gamma: float = 1e-3):
    """The weight of the features' error for the decoder."""
    return {"gamma": gamma}


def scores(model, run):
    """The error of reconstructions."""
    return tz.evaluate(model, run.config["dataset"], metrics=("reconstruction",), verbose=False)["scores"]


def figures(model, run):
    """Reconstructions, and ways between latents."""
    if len(model.image_shape) == 1:
        return {}
    ways = run.directory / "ways.png"
    tz.latents.interpolate(model, [(row, row + 1) for row in range(0, 12, 2)], to=ways)
    return {
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
        "Ways between latents": ways,
    }


main = tz.runs.recipe("vae_gan", PAPER, BUDGETS, figures, scores, flags)

if __name__ == "__main__":
    tz.cli.run(main)
