"""Classifier-free guidance (Ho & Salimans 2022): one network with and without labels, and how far to go from one on.

    python -m recipes.guided_diffusion                             handwritten digits of 16 x 16
    python -m recipes.guided_diffusion --dataset fashion_mnist     clothes of 28 x 28
    python -m recipes.guided_diffusion --label-dropout 0.2

The figure, `run/guidance.png`, has a row for each class and a block of columns for each guidance scale s, from the same
noise: 0 is unconditional, 1 the class, more is more typical of it and less varied.
"""

import tfgan_zoo as tz

PAPER = "Classifier-free guidance, Ho & Salimans 2022"
BUDGETS = {
    "digits": {"epochs": 150, "width": 32, "image_size": 16},
    None: {"epochs": 8, "width": 48},
}
SCALES = (0.0, 1.0, 2.0, 5.0)


def flags(label_dropout: float = 0.1):
    """Of the recipe alone."""
    return {"label_dropout": label_dropout}


def figures(model, run):
    """A row a class; for each scale the same noise."""
    if len(model.image_shape) == 1:
        return {"By epoch": run.by_epoch()}
    return {"Guidance": run.by_guidance(model, SCALES)}


SHIPPED = (tz.runs.SHIPPED, tz.runs.FASHION)
main = tz.runs.recipe("guided_diffusion", PAPER, BUDGETS, figures, flags=flags, shipped=SHIPPED, looks=5)

if __name__ == "__main__":
    tz.cli.run(main)
