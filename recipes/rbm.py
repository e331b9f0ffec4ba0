"""Restricted Boltzmann machine (Hinton 2002, with the persistent chains of Tieleman 2008): filters and chains.

    python -m recipes.rbm                              handwritten digits of 8 x 8, 200 epochs
    python -m recipes.rbm --dataset fashion_mnist      clothes of 28 x 28, 2 epochs
    python -m recipes.rbm --cd                         contrastive divergence in place of chains that persist

`run/filters.png` shows what each of 64 hidden units looks for; `run/chains.png` follows eight chains from random bits,
a row each, over 1, 2, 4, ... steps of Gibbs sampling. The record has log Z from both sides: by annealed importance
sampling, which is too low on average, and in reverse, which is too high.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "RBM, Hinton 2002"
BUDGETS = {
    "digits": {"epochs": 200, "width": 64, "image_size": 8},
    "fashion_mnist": {"epochs": 2, "width": 256},
    None: {"epochs": 20, "width": 256},
}
FILTERS, CHAINS, DOUBLINGS = 64, 8, 10


def flags(*, cd: bool = False):
    """Contrastive divergence."""
    return {"persistent": False} if cd else None


def figures(model, run):
    """Filters and chains."""
    kernel = np.asarray(model.layer.parameters()[0]).T[:FILTERS]
    kernel = kernel / np.abs(kernel).max(axis=1, keepdims=True)
    tz.pictures.save_grid(kernel.reshape(-1, *model.image_shape), run.directory / "filters.png", columns=8)
    bits = (np.random.default_rng(0).random((CHAINS, model.size)) < 0.5).astype("float32")
    seen = [bits]
    for doubling in range(DOUBLINGS):
        seen.append(np.asarray(model.gibbs(seen[-1], max(1, 2 ** (doubling - 1)), np.array([0, doubling], "int32"))))
    images = np.stack(seen, axis=1).reshape(-1, *model.image_shape) * 2.0 - 1.0
    tz.pictures.save_grid(images.astype("float32"), run.directory / "chains.png", columns=DOUBLINGS + 1)
    return {"Filters": run.directory / "filters.png", "Chains from random bits": run.directory / "chains.png"}


def scores(model, run):
    """log Z from below and from above, on average."""
    below, error = model.log_partition()
    above, error_above = model.log_partition(reverse=True)
    return {"log_z_ais": below, "log_z_ais_error": error, "log_z_reverse": above, "log_z_reverse_error": error_above}


main = tz.runs.recipe("rbm", PAPER, BUDGETS, figures, scores, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
