"""The PixelGAN autoencoder (Makhzani & Frey 2017): codes held to a prior by a discriminator, and a PixelCNN for images.

    python -m recipes.pixelgan_autoencoder                              handwritten digits of 16 x 16
    python -m recipes.pixelgan_autoencoder --everywhere                 the code says the same to every pixel
    python -m recipes.pixelgan_autoencoder --dataset fashion_mnist      clothes of 28 x 28

The record has how far mean and spread of the test images' codes are from the prior's, 0 and 1. Figures, in `run/`:
rows of samples that share one code of the prior; test images, what comes back (each pixel the median of what it may be)
and two draws for the same code; the first two coordinates of the codes, by class.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "PixelGAN autoencoder, Makhzani & Frey 2017"
BUDGETS = {
    "digits": {"epochs": 60, "width": 16, "image_size": 16, "batch_size": 32},
    "fashion_mnist": {"epochs": 2, "width": 16},
    None: {"epochs": 10, "width": 16},
}
ROWS, COLUMNS = 8, 8  # of the figure


def flags(*, depth: int = 1, binary: bool = False, everywhere: bool = False):
    """Layers of the PixelCNN; black and white; a code that says the same to every pixel."""
    likelihood = tz.likelihoods.Bernoulli() if binary else tz.likelihoods.DiscretizedLogisticMixture(5)
    return {"depth": depth, "likelihood": likelihood, "everywhere": everywhere}


def scores(model, run):
    """Nats of test images given their codes, and the moments of codes, which should be 0 and 1."""
    images = run.test_images(300)[0]
    codes = np.asarray(model.encode(images))
    losses = model.evaluate(images, batch_size=300, verbose=0, return_dict=True)
    found = {"nats_given_code": -losses["reconstruction_loss"]}
    return found | {"mean_of_codes": float(np.abs(codes.mean(0)).mean()), "spread_of_codes": float(codes.std(0).mean())}


def figures(model, run):
    """One code a row; reconstructions; codes by class."""
    path = {name: run.directory / f"{name}.png" for name in ("same_code", "draws", "codes")}
    codes = np.repeat(model.draw_latents(ROWS, seed=0), COLUMNS, axis=0)
    drawn = np.random.default_rng(0).random((len(codes), *model.image_shape), "float32")
    tz.pictures.save_grid(np.asarray(model.draw(codes, drawn)), path["same_code"], columns=COLUMNS)
    images, labels = run.test_images(1000)
    codes = np.asarray(model.encode(images))
    few = [np.asarray(model.draw(codes[:24], drawn[first : first + 24])) for first in (0, 24)]
    shown = np.stack([images[:24], np.asarray(model.decode(codes[:24])), *few], axis=1)
    tz.pictures.save_grid(shown.reshape(-1, *model.image_shape), path["draws"], columns=12)
    captions = {
        "A row shares one code of the prior": path["same_code"],
        "Test image, medians, two draws of its code": path["draws"],
    }
    if labels is None:
        return captions
    panel = {str(k): (*codes[labels == k, :2].T, ".") for k in np.unique(labels)}
    tz.pictures.save_lines({"codes of test images": panel}, path["codes"], "first unit", "second unit")
    return captions | {"Codes of test images by class": path["codes"]}


main = tz.runs.recipe("pixelgan_autoencoder", PAPER, BUDGETS, figures, scores, flags, looks=2, num_images=2000)

if __name__ == "__main__":
    tz.cli.run(main)
