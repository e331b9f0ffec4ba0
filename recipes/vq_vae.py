"""VQ-VAE (van den Oord et al. 2017): images as maps of integers.

    python -m recipes.vq_vae                                                                  handwritten digits
    python -m recipes.vq_vae --dataset fashion_mnist --epochs 5 --width 32

What it generates draws each integer by itself and is patchwork; a model of the maps, which `encode` gives, is what the
paper puts there. The record has the error of reconstructions, and the perplexity of the codes on test images: how many
of the codebook they use evenly. The figure, `run/reconstructions.png`: test images and what comes back.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "VQ-VAE, van den Oord et al. 2017"
BUDGETS = {"digits": {"epochs": 60, "width": 32}, None: {"epochs": 10, "width": 64, "batch_size": 128}}


def flags(codes: int = 128):
    """Codes in the book."""
    return {"num_embeddings": codes}


def scores(model, run):
    """The error of reconstructions, and the perplexity."""
    found = tz.evaluate(model, run.config["dataset"], metrics=("reconstruction",), verbose=False)["scores"]
    codes = np.asarray(model.encode(run.test_images(1000)[0])).ravel()
    shares = np.bincount(codes, minlength=model.num_embeddings) / len(codes)
    return found | {"perplexity": float(np.exp(-np.sum(shares * np.log(shares + 1e-10))))}


def figures(model, run):
    """Reconstructions."""
    if len(model.image_shape) == 1:
        return {}
    return {"Images of the test split, each beside its reconstruction": run.reconstructions(model)}


main = tz.runs.recipe("vq_vae", PAPER, BUDGETS, figures, scores, flags)

if __name__ == "__main__":
    tz.cli.run(main)
