"""StarGAN (Choi et al. 2018): one generator for all domains, told what an image is to become.

    python -m recipes.stargan                                       shapes of four colours, on light and dark
    python -m recipes.stargan --dataset shapes                      five shapes: the class changes, all else stays
    python -m recipes.stargan --dataset emoji_by_tone --image-size 64 --width 64 --minutes 60

The figure, `run/translations.png`, has a row for each of eight images of the test split and a column for each
attribute: an exclusive one (colour) is given, any other (dark) turned round. Of the coloured shapes the truth is known,
and the record has `right_<attribute>`: the share of translations whose pixels say what they were told, and `kept`, the
share of the shapes' pixels that stay. They stay for the identity (`--identity-weight`, which the paper lacks): the way
back alone is found, too, by what a translation hides in its least bits.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "StarGAN, Choi et al. 2018"
FALL = {"decay_from": 0.5}  # of the training: rates fall to 0 over its second half, as in the paper
BUDGETS = {
    "shapes_attributes": {"epochs": 16, "batch_size": 16, "width": 16, "image_size": 32, "learning_rate": 5e-4, **FALL},
    None: {"epochs": 20, "batch_size": 16, "width": 32, "image_size": 32, **FALL},
}
COLOURS = {"red": (1, -1, -1), "green": (0, 1, -1), "cyan": (-1, 1, 1), "violet": (0, -1, 1)}


def flags(blocks: int = 6, reconstruction_weight: float = 10.0, identity_weight: float = 10.0, dataset=None):
    """Residual blocks of the generator; weights of the way back, and of the identity, which the paper leaves out."""
    exclusive = {"exclusive": (tuple(COLOURS),)} if dataset == "shapes_attributes" else {}
    weights = {"reconstruction_weight": reconstruction_weight, "identity_weight": identity_weight}
    return {"blocks": blocks} | weights | exclusive


def scores(model, run):
    """Of shapes in four colours: the share of translations whose most coloured pixel, and whose ground, are as told.

    And how much of a shape's pixels, and of its translation's, are both's, on average.
    """
    if run.config["dataset"] != "shapes_attributes":
        return {}
    images, known = run.test_images(200)
    asked, names = model.condition.changes(known)
    found, kept = {}, []
    there = has_colour(images)
    for column, name in enumerate(names):
        told = asked[:, column]
        made = model.translate(images, told).reshape(len(images), -1, 3)
        colour = np.take_along_axis(made, np.ptp(made, axis=2).argmax(1)[:, None, None], axis=1)[:, 0]
        nearest = np.stack([((colour - wanted) ** 2).sum(1) for wanted in COLOURS.values()], axis=1).argmin(1)
        right = nearest == told[:, : len(COLOURS)].argmax(1)
        right &= (np.median(made, axis=(1, 2)) < 0) == (told[:, names.index("dark")] > 0.5)
        found[f"right_{name}_{len(images)}"] = float(right.mean())
        after = has_colour(made.reshape(images.shape))
        kept.append((there & after).sum((1, 2)) / np.maximum((there | after).sum((1, 2)), 1))
    return found | {f"kept_{len(images)}": float(np.mean(kept))}


def has_colour(images):
    """Where images (N, H, W, 3) are no grey: at their shapes."""
    return np.ptp(np.asarray(images), axis=-1) > 0.5


def figures(model, run):
    """A row an image, a column what it becomes."""
    images, known = run.test_images(8)
    (shown, columns), path = model.panels(images, known)[""], run.directory / "translations.png"
    titles = getattr(model.condition, "names", None) or tz.data.info(run.source).class_names
    tz.pictures.save_labelled_grid(shown, path, columns, column_titles=("input", *titles))
    return {"Of the test split: each image, and what it becomes": path, "By epoch": run.by_epoch()}


SHIPPED = {"dataset": "shapes_attributes", "minutes": 12.0}
main = tz.runs.recipe("stargan", PAPER, BUDGETS, figures, scores, flags, shipped=SHIPPED)


if __name__ == "__main__":
    tz.cli.run(main)
