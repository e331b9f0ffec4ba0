"""Vector arithmetic on averages of three latents (Radford et al. 2016): sums of digits that mean something.

    python -m recipes.vector_arithmetic                                         7 - 1 + 4: four gains the bar of seven
    python -m recipes.vector_arithmetic --a 0 --b 1 --c 7                       of handwritten digits, two minutes
    python -m recipes.vector_arithmetic --dataset fashion_mnist --epochs 3 --width 16     pullover - T-shirt + dress

The classifier that is shipped for the data picks the exemplars: of 2,000 samples, the three that it is surest of.
`run/arithmetic.png` (the paper's Fig. 7) has those of each class, their average last, and nine sums with uniform noise
of +-0.25 around the one in the middle; `run/turn.png` (Fig. 8) leads samples along the line from class b to class a.
The scores: what the classifier calls the nine, `sum_is_<class>`, and how many samples become an a, `turned`.
"""

import numpy as np
import typer

import tfgan_zoo as tz

PAPER = "DCGAN, Radford et al. 2016, with vector arithmetic"
BUDGETS = {
    "digits": {"epochs": 100, "width": 32, "image_size": 16, "a": 7, "b": 1, "c": 4},
    None: {"epochs": 10, "width": 32, "a": 2, "b": 0, "c": 3},
}
STEPS = np.linspace(0.0, 2.0, 7)  # of the turn


def chosen(model, run):
    """The classes' names, a function images -> class, the surest latents of a, b and c, and the turn from b to a."""
    extractor, words = (of(run.config["dataset"]) for of in (tz.metrics.classifier_for, tz.data.info))
    classes, latents = [run.config[name] for name in "abc"], np.asarray(model.draw_latents(2000, seed=0))
    order = extractor(model.generate(2000, seed=0))["probabilities"].argsort(axis=0)[:, classes].T
    turn = tz.latents.turn(latents[order[0, -100:]], latents[order[1, -100:]])
    return words.class_names, lambda images: extractor(images)["probabilities"].argmax(1), latents[order[:, -3:]], turn


def scores(model, run):
    """What the nine sums are called, and how often the turn succeeds."""
    words, name, exemplars, turn = chosen(model, run)
    sums = name(tz.latents.arithmetic(model, *exemplars))
    found = {f"sum_is_{words[one]}": float(np.mean(sums == one)) for one in np.unique(sums)}
    before, after = name(tz.latents.along(model, turn, STEPS[[0, -1]], rows=300)).reshape(-1, 2).T
    a = run.config["a"]
    return found | {"turned": float(np.mean(after[before != a] == a))}


def figures(model, run):
    """The sum and the turn."""
    words, _, exemplars, turn = chosen(model, run)
    drawn = {"Vector arithmetic": run.directory / "arithmetic.png", "Turn": run.directory / "turn.png"}
    names = [words[run.config[name]] for name in "abc"]
    tz.latents.arithmetic(model, *exemplars, names=names, to=drawn["Vector arithmetic"])
    tz.latents.along(model, turn, STEPS, rows=8, to=drawn["Turn"])
    return drawn


def flags(dataset, a: int | None = None, b: int | None = None, c: int | None = None):
    """Classes of the dataset."""
    classes = tz.metrics.classifier_for(dataset).model.output["probabilities"].shape[-1]
    for wrong in {a, b, c} - {*range(classes)}:
        raise typer.BadParameter(f"{wrong} is no class: {dataset} has classes 0 to {classes - 1}.")


main = tz.runs.recipe("dcgan", PAPER, BUDGETS, figures, scores, flags, shipped=None)

if __name__ == "__main__":
    tz.cli.run(main)
