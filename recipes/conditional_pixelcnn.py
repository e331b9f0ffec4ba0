"""Conditional PixelCNN (van den Oord et al. 2016): an image pixel by pixel, every layer told the class.

    python -m recipes.conditional_pixelcnn                                    handwritten digits of 16 x 16
    python -m recipes.conditional_pixelcnn --dataset fashion_mnist            clothes of 28 x 28

The network, the likelihood and the record are those of `recipes.pixelcnn`, but for log p(x given class). The figure,
`run/by_class.png`, is the paper's Fig. 3: a row for each class.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Conditional PixelCNN, van den Oord et al. 2016"
BUDGETS = {
    "digits": {"epochs": 30, "width": 32, "image_size": 16},
    "fashion_mnist": {"epochs": 1, "width": 16},
    None: {"epochs": 5, "width": 32},
}
COLUMNS, ROWS = 8, 10  # of the figure


def figures(model, run):
    """A row for each class."""
    classes = min(ROWS, model.num_classes)
    names = tz.data.info(run.source).class_names or tuple(map(str, range(classes)))
    images = model.generate(classes * COLUMNS, labels=np.repeat(np.arange(classes), COLUMNS), seed=0)
    path = run.directory / "by_class.png"
    tz.pictures.save_labelled_grid(images, path, COLUMNS, row_titles=names[:classes])
    return {"By class": path}


def scores(model, run):
    """The likelihood of the test split given its classes, exact."""
    return run.likelihood(model)


main = tz.runs.recipe("conditional_pixelcnn", PAPER, BUDGETS, figures, scores, looks=2, num_images=2000)

if __name__ == "__main__":
    tz.cli.run(main)
