"""Gated PixelCNN (van den Oord et al. 2016): an image pixel by pixel, each given all before it.

    python -m recipes.pixelcnn                              handwritten digits at 16 x 16, 30 epochs
    python -m recipes.pixelcnn --binary                     black and white, binarised anew at each visit
    python -m recipes.pixelcnn --dataset fashion_mnist      clothes of 28 x 28, one epoch
    python -m recipes.pixelcnn --dataset fashion_mnist --minutes 6 --width 32 --decay-from 0.5 --jit \\
        --steps-per-execution 5                             on a GPU, 44 epochs: 2.91 bits/dim

`run/completions.png` is the figure: of each test image the upper half is kept, and the lower is drawn, four times.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Gated PixelCNN, van den Oord et al. 2016"
BUDGETS = {
    "digits": {"epochs": 30, "width": 32, "image_size": 16},
    "fashion_mnist": {"epochs": 1, "width": 16},
    None: {"epochs": 5, "width": 32},
}
IMAGES, TIMES = 8, 4  # of the figure


def flags(*, binary: bool = False):
    """Black and white in place of 256 levels."""
    return {"likelihood": tz.likelihoods.Bernoulli()} if binary else None


def figures(model, run):
    """Test images, their upper halves, and completions."""
    images, _ = run.test_images(IMAGES)
    if run.config.get("binary"):
        images = np.where(images > 0, 1.0, -1.0).astype("float32")
    height, width, _ = model.image_shape
    mask = np.zeros((height, width), "float32")
    mask[: height // 2] = 1.0
    rows = [images, np.where(mask[..., None] > 0, images, -1.0)]
    rows += [model.complete(images, mask, seed=seed) for seed in range(TIMES)]
    columns = np.stack(rows, axis=1).reshape(-1, *model.image_shape)  # an image and its completions in a row
    tz.pictures.save_grid(columns, run.directory / "completions.png", columns=TIMES + 2)
    return {"Completions: test image, what is told, four draws": run.directory / "completions.png"}


def scores(model, run):
    """The likelihood of the test split, exact; binary, of one draw of its bits."""
    return run.likelihood(model)


SHIPPED = (tz.runs.SHIPPED, tz.runs.FASHION)
main = tz.runs.recipe("pixelcnn", PAPER, BUDGETS, figures, scores, flags, shipped=SHIPPED, looks=2, num_images=2000)

if __name__ == "__main__":
    tz.cli.run(main)
