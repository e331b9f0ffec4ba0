"""The denoising autoencoder (Vincent et al. 2010): noisy images go in, clean ones come out.

    python -m recipes.denoising_autoencoder                                                   handwritten digits
    python -m recipes.denoising_autoencoder --dataset fashion_mnist --epochs 10
    python -m recipes.denoising_autoencoder --masking 0.5 --out exported/masked               holes instead of noise

The record has the squared error of what goes in, and of what comes out, against the clean test images. The figure,
`run/reconstructions.png`, shows each image clean, as it goes in, and as it comes out.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Denoising autoencoder, Vincent et al. 2010"
BUDGETS = {"digits": {"epochs": 60, "width": 16}, None: {"epochs": 20, "width": 32}}


def flags(noise: float = 0.5, masking: float = 0.0):
    """The noise's standard deviation, in the images' [-1, 1]; or the share of their values that is hidden."""
    hidden = tz.augmentations.Masking(masking) if masking else tz.augmentations.InstanceNoise(noise, steps=None)
    return {"corruption": (hidden,)}


def noisy(model):
    """The noise of the model, from a seed."""
    return lambda images: model.corruption[0](images, [0, 1], 0)


def scores(model, run):
    """The error before and after."""
    clean = run.test_images(2000)[0]
    given = np.asarray(noisy(model)(clean))
    errors = {"before": given, "after": np.asarray(model.reconstruct(given))}
    return {f"squared_error_{name}": float(np.mean((images - clean) ** 2)) for name, images in errors.items()}


def figures(model, run):
    """Clean, noisy, denoised."""
    if len(model.image_shape) == 1:
        return {}
    return {"Test images: clean, as they go in, as they come out": run.reconstructions(model, 32, noisy(model))}


main = tz.runs.recipe("denoising_autoencoder", PAPER, BUDGETS, figures, scores, flags)

if __name__ == "__main__":
    tz.cli.run(main)
