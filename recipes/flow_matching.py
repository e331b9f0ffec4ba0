"""Flow matching (Lipman et al. 2023): the velocity of the straight lines from noise to images, and its ODE solved.

    python -m recipes.flow_matching                                handwritten digits of 16 x 16
    python -m recipes.flow_matching --dataset fashion_mnist        clothes of 28 x 28
    python -m recipes.flow_matching --dataset ring8                points on a ring
    python -m recipes.flow_matching --coupling optimal             noise and images paired by optimal transport

The figure, `run/steps.png`, draws the same noise in ever more steps of Euler and of Heun: the straighter the ways, the
fewer are needed.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Flow matching, Lipman et al. 2023"
BUDGETS = {
    "digits": {"epochs": 150, "width": 32, "image_size": 16},
    None: {"epochs": 8, "width": 48},
}
COLUMNS = 10
DRAWN = [("euler", 1), ("euler", 4), ("euler", 16), ("euler", 64), ("heun", 2), ("heun", 8), ("heun", 32)]


def flags(coupling: str = "independent"):
    """How noise and images are paired."""
    return {"coupling": coupling}


def figures(model, run):
    """Euler and Heun in few and in many steps."""
    path = run.directory / "steps.png"
    count = COLUMNS if len(model.image_shape) == 3 else 1000
    drawn = [model.generate(count, seed=0, sampler=sampler, steps=steps) for sampler, steps in DRAWN]
    names = [f"{sampler} {steps}" for sampler, steps in DRAWN]
    if len(model.image_shape) == 1:
        tz.pictures.save_scatter(dict(zip(names, drawn, strict=True)), path)
    else:
        tz.pictures.save_labelled_grid(np.concatenate(drawn), path, COLUMNS, row_titles=names)
    return {"The same noise in more and more steps": path}


main = tz.runs.recipe("flow_matching", PAPER, BUDGETS, figures, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
