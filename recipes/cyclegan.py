"""CycleGAN (Zhu et al. 2017): from one domain to another and back, without pairs.

    python -m recipes.cyclegan                                      red shapes to blue ones of 32 x 32: minutes
    python -m recipes.cyclegan --dataset hearts2arrows --minutes 30
    python -m recipes.cyclegan --dataset noto2twemoji --image-size 64 --width 64 --minutes 60
    python -m recipes.cyclegan --dataset horse2zebra/               a folder with trainA, trainB, testA and testB

The two sides of pairs are shuffled apart, and nothing in training knows which belong together. Where the truth is
known, the record has the error, PSNR and SSIM to it, and `arrived`: the share of translations of the test split that
are nearer to it than to the image they came from. The figure, `run/translations.png`, has triples of an image, its
translation, and that one's way back, from A on the left and from B on the right.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "CycleGAN, Zhu et al. 2017"
FALL = {"decay_from": 0.5}  # of the training: rates fall to 0 over its second half, as in the paper
BUDGETS = {
    "red2blue": {"epochs": 2, "batch_size": 8, "width": 16, "image_size": 32, **FALL},
    "hearts2arrows": {"epochs": 4, "batch_size": 8, "width": 32, "image_size": 32, **FALL},
    None: {"epochs": 200, "batch_size": 1, "width": 64, "image_size": 128, **FALL},
}


def flags(blocks: int = 3, identity_weight: float = 0.5, cycle_weight: float = 10.0):
    """Residual blocks of a generator (the paper has 6 at 128 pixels); the identity's share, and the cycles' weight."""
    return {"blocks": blocks, "identity_weight": identity_weight, "cycle_weight": cycle_weight}


def scores(model, run):
    """Where there are pairs: how near translations come to the truth."""
    try:
        known = tz.data.Pairs(run.config["dataset"])
        found = tz.evaluate(model, known, metrics="translation", verbose=False)["scores"]
    except ValueError:  # two domains that nobody could pair
        return {}
    a, b = run.test_images(1000)
    made = model.translate(a)
    error = {name: np.abs(made - images).mean(axis=(1, 2, 3)) for name, images in (("a", a), ("b", b))}
    return found | {f"arrived_{len(a)}": float(np.mean(error["b"] < error["a"]))}


def figures(model, run):
    """Images of both domains, there and back."""
    return {"Of the test split: there and back": run.translations(model, 16), "By epoch": run.by_epoch()}


SHIPPED = {"dataset": "red2blue", "minutes": 5.0}
main = tz.runs.recipe("cyclegan", PAPER, BUDGETS, figures, scores, flags, source=tz.data.Unpaired, shipped=SHIPPED)


if __name__ == "__main__":
    tz.cli.run(main)
