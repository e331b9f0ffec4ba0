"""Classifier-free guidance (Ho & Salimans 2022): one network with and without labels, and how far to go from one on.

    python -m recipes.guided_diffusion                             handwritten digits of 16 x 16
    python -m recipes.guided_diffusion --dataset fashion_mnist     clothes of 28 x 28
    python -m recipes.guided_diffusion --label-dropout 0.2

The figure, `run/guidance.png`, has a row for each class and a block of columns for each guidance scale s, from the same
noise: 0 is unconditional, 1 the class, more is more typical of it and less varied.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Classifier-free guidance, Ho & Salimans 2022"
BUDGETS = {
    "digits": {"epochs": 150, "width": 32, "image_size": 16},
    None: {"epochs": 8, "width": 48},
}
SCALES, EACH = (0.0, 1.0, 2.0, 5.0), 4


def flags(label_dropout: float = 0.1):
    """Of the recipe alone."""
    return {"label_dropout": label_dropout}


def figures(model, run):
    """A row a class; for each scale the same noise."""
    if len(model.image_shape) == 1:
        return {"By epoch": run.by_epoch()}
    classes = min(10, model.num_classes)
    labels = np.repeat(np.arange(classes), EACH)
    blocks = [model.generate(len(labels), labels=labels, seed=0, guidance_scale=scale) for scale in SCALES]
    rows = np.stack([block.reshape(classes, EACH, *model.image_shape) for block in blocks], axis=1)
    sheet, path = rows.reshape(-1, *model.image_shape), run.directory / "guidance.png"
    titles = [f"s = {scale:g}" if place == 0 else "" for scale in SCALES for place in range(EACH)]
    names = tz.data.info(run.config["dataset"]).class_names or tuple(map(str, range(classes)))
    tz.pictures.save_labelled_grid(
        sheet, path, EACH * len(SCALES), row_titles=list(names[:classes]), column_titles=titles
    )
    return {"Guidance": path}


main = tz.runs.recipe("guided_diffusion", PAPER, BUDGETS, figures, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
