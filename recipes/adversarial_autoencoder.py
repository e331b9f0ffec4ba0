"""The adversarial autoencoder (Makhzani et al. 2016): codes that a discriminator cannot tell from the prior.

    python -m recipes.adversarial_autoencoder                                                 handwritten digits
    python -m recipes.adversarial_autoencoder --dataset fashion_mnist --epochs 20

The record has the error of reconstructions, how far mean and spread of the test images' codes are from the prior's, and
Parzen windows on samples, as the paper's Table 1 has them for MNIST: 340 +- 2 nats of 10,000 samples.
Figures, in `run/`: reconstructions; the first two coordinates of the codes, by class.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Adversarial autoencoder, Makhzani et al. 2016"
BUDGETS = {"digits": {"epochs": 150, "width": 25, "batch_size": 32}, None: {"epochs": 50, "width": 64}}


def scores(model, run):
    """The error of reconstructions, and the moments of codes, which should be 0 and 1."""
    asked = ("reconstruction", *["parzen"] * (len(model.image_shape) == 3))
    found = tz.evaluate(model, run.config["dataset"], metrics=asked, verbose=False)["scores"]
    codes = np.asarray(model.encode(run.test_images(2000)[0]))
    return found | {"mean_of_codes": float(np.abs(codes.mean(0)).mean()), "spread_of_codes": float(codes.std(0).mean())}


def figures(model, run):
    """Reconstructions, and codes by class."""
    images, labels = run.test_images(2000)
    if images.ndim == 2:
        return {}
    codes, path = np.asarray(model.encode(images)), run.directory / "codes.png"
    panel = {str(k): (*codes[labels == k, :2].T, ".") for k in np.unique(labels)}
    tz.pictures.save_lines({"codes of test images": panel}, path, "first unit", "second unit")
    return {
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
        "Codes of test images by class": path,
    }


main = tz.runs.recipe("adversarial_autoencoder", PAPER, BUDGETS, figures, scores)

if __name__ == "__main__":
    tz.cli.run(main)
