"""DDPM (Ho et al. 2020) with the paper's network, schedule and rates; sampled by DDIM (Song et al. 2021) in 50 steps.

    python -m recipes.ddpm                                         handwritten digits of 16 x 16
    python -m recipes.ddpm --dataset cifar10 --width 128           the paper's own, which wants a GPU

The figure, `run/by_epoch.png`, has the same noise drawn by models of growing training. For a CPU take
`recipes.diffusion`: the network here works at full resolution, as the paper's.
"""

import tfgan_zoo as tz

PAPER = "DDPM, Ho et al. 2020"
BUDGETS = {
    "digits": {"epochs": 100, "batch_size": 128, "width": 32, "image_size": 16},
    "cifar10": {"epochs": 2000, "batch_size": 128, "width": 128},  # 800 k updates
    None: {"epochs": 20, "batch_size": 128, "width": 32},
}


def figures(model, run):
    """One noise by epoch."""
    return {"One noise through models of growing training": run.by_epoch()}


SHIPPED = tz.runs.SHIPPED | {"image_size": 8, "width": 16, "minutes": 3.0}
main = tz.runs.recipe("ddpm", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
