"""VQ-VAE (van den Oord et al. 2017): images as maps of integers.

    python -m recipes.vq_vae                                                                  handwritten digits
    python -m recipes.vq_vae --dataset fashion_mnist --epochs 5 --width 32

A PixelCNN of the maps learns beside the autoencoder and draws what it generates. The record has the error of
reconstructions, and the perplexity of the codes on test images: how many of the codebook they use evenly. Figures, in
`run/`: reconstructions; completions, where the upper half of the map of codes is a test image's and the rest is drawn.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "VQ-VAE, van den Oord et al. 2017"
BUDGETS = {"digits": {"epochs": 60, "width": 32}, None: {"epochs": 10, "width": 64, "batch_size": 128}}
IMAGES, TIMES = 8, 4  # of the completions


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
    """Reconstructions, and completions."""
    if len(model.image_shape) == 1:
        return {}
    images, path = run.test_images(IMAGES)[0], run.directory / "completions.png"
    mask = np.zeros(model.map_shape)
    mask[: len(mask) // 2] = 1.0
    columns = np.stack([images, *(model.complete(images, mask, seed=seed) for seed in range(TIMES))], axis=1)
    tz.pictures.save_grid(columns.reshape(-1, *model.image_shape), path, columns=2 * (TIMES + 1))
    return {
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
        "Completions: test image, and four draws of the codes of its lower half": path,
    }


main = tz.runs.recipe("vq_vae", PAPER, BUDGETS, figures, scores, flags)

if __name__ == "__main__":
    tz.cli.run(main)
