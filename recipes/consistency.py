"""Consistency tuning (Song et al. 2023; Geng et al. 2024): images in one or two passes of a network.

    python -m recipes.consistency                                     handwritten digits of 8 x 8
    python -m recipes.consistency --dataset fashion_mnist             clothes of 28 x 28
    python -m recipes.consistency --dataset ring8                     points on a ring, by a dense network
    python -m recipes.consistency --diffusion exported/diffusion_digits       tuned from a trained model of diffusion

Training begins as diffusion, and consistency comes after a third of it or more, in stages; with `--diffusion` (a name
or directory of an export) at once. The figure, `run/steps.png`, draws from the same noise in one, two, four and eight
steps; the record has the distance by steps.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Consistency models, Song et al. 2023, Geng et al. 2024"
BUDGETS = {
    "digits": {"epochs": 320, "width": 16, "image_size": 8, "learning_rate": 2e-3},
    None: {"epochs": 12, "width": 48},
}
STEPS, COLUMNS = (1, 2, 4, 8), 10


def flags(
    diffusion: str | None = None,
    pretraining_steps: int | None = None,
    stage_steps: int | None = None,
    dataset="digits",
):
    """A trained model to begin with; steps before the first stage and of a stage (None: by the data)."""
    small = dataset == "digits" or tz.data.info(dataset).is_points
    first, each = (1600, 300) if small else (3500, 250)
    steps = {"pretraining_steps": first if pretraining_steps is None else pretraining_steps}
    steps |= {"stage_steps": each if stage_steps is None else stage_steps}
    return steps | ({"diffusion": tz.load_model(diffusion)} if diffusion else {})


def scores(model, run):
    """The distance by steps."""
    found = {}
    for steps in STEPS:
        drawn = model.with_sampling(steps=steps)
        seen = tz.evaluate(drawn, run.config["dataset"], metrics=("fd",), extractor=run.extractor, verbose=False)
        found |= {f"{name}_in_{steps}": one for name, one in seen["scores"].items() if "floor" not in name}
    return found


def figures(model, run):
    """The same noise in more and more steps."""
    path = run.directory / "steps.png"
    count = COLUMNS if len(model.image_shape) == 3 else 1000
    drawn = {f"{steps} step{'s' * (steps > 1)}": model.generate(count, seed=0, steps=steps) for steps in STEPS}
    if len(model.image_shape) == 1:
        tz.pictures.save_scatter(drawn, path)
    else:
        tz.pictures.save_labelled_grid(np.concatenate([*drawn.values()]), path, COLUMNS, row_titles=[*drawn])
    return {"The same noise in more and more steps": path}


main = tz.runs.recipe("consistency", PAPER, BUDGETS, figures, scores, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
