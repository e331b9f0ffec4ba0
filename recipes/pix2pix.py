"""pix2pix (Isola et al. 2017): from an image to another, learned from pairs.

    python -m recipes.pix2pix                                       outlines to coloured shapes of 32 x 32: minutes
    python -m recipes.pix2pix --dataset grey2shapes                 colour for grey shapes
    python -m recipes.pix2pix --dataset noto2twemoji --image-size 64 --width 64 --minutes 60
    python -m recipes.pix2pix --dataset folder/                     pictures that show two, side by side
    python -m recipes.pix2pix --adversarial-weight 0 --out exported/l1_edges2shapes       the absolute error alone

Of shapes the truth is known: an outline is that of a shape, and each shape has a hue of its own. The record has the
error, PSNR and SSIM to it on the test split. They are few and the networks small: with the paper's weights D knows all
pairs by heart before G has found one hue, so that here the game weighs a tenth and nothing is dropped. The figure,
`run/translations.png`, has triples of source, translation and truth. `noto2twemoji` is emoji in two styles:
`python -m tfgan_zoo.data.emoji_pairs` prepares it.
"""

import tfgan_zoo as tz

PAPER = "pix2pix, Isola et al. 2017"
PUBLISHED = {"decay_from": 0.5, "flip": True, "jitter": 286 / 256, "adversarial_weight": 1.0, "dropout": 0.5}
SMALL = {"adversarial_weight": 0.1, "dropout": 0.0, "learning_rate": 1e-3, "width": 16, "batch_size": 8, "depth": 4}
BUDGETS = {
    "edges2shapes": PUBLISHED | SMALL | {"epochs": 60, "image_size": 32},
    "grey2shapes": PUBLISHED | SMALL | {"epochs": 2, "image_size": 32},
    None: PUBLISHED | {"epochs": 200, "batch_size": 4, "width": 64, "image_size": 64},
}


def flags(
    l1_weight: float = 100.0,
    adversarial_weight: float | None = None,
    dropout: float | None = None,
    depth: int | None = None,
):
    """Weights of the absolute error and of G's loss in the game; what the decoder drops, at inference too; halvings."""
    return {"l1_weight": l1_weight, "adversarial_weight": adversarial_weight, "dropout": dropout, "depth": depth}


def figures(model, run):
    """Sources of the test split, their translations and their targets."""
    return {"Of the test split: source, translation, target": run.translations(model), "By epoch": run.by_epoch()}


SHIPPED = {"dataset": "edges2shapes", "minutes": 8.0}
main = tz.runs.recipe("pix2pix", PAPER, BUDGETS, figures, flags=flags, source=tz.data.Pairs, shipped=SHIPPED)


if __name__ == "__main__":
    tz.cli.run(main)
