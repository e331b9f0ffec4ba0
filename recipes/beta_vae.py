"""beta-VAE (Higgins et al. 2017): a KL that weighs more, and what each unit then says.

    python -m recipes.beta_vae                                                                handwritten digits
    python -m recipes.beta_vae --dataset fashion_mnist --epochs 20 --beta 4

Figures, in `run/`: the six units that say most, each varied from -3 to 3; and where two units put the test images with
the reconstruction alone (beta 0), with both terms, and with hardly anything but the KL (beta 1000).
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "beta-VAE, Higgins et al. 2017"
BUDGETS = {
    "digits": {"epochs": 150, "width": 25, "batch_size": 32, "image_size": 16},
    None: {"epochs": 50, "width": 25},
}
STEPS = 2000  # of each small model behind the scatter


def flags(beta: float = 4.0, warmup_steps: int = 4000):
    """The weight of the KL, and steps in which it rises to that: from the start no unit would say anything."""
    return {"beta": beta, "warmup_steps": warmup_steps}


def scores(model, run):
    """Units that say something, and the error of reconstructions."""
    found = tz.evaluate(model, run.config["dataset"], metrics=("reconstruction",), verbose=False)["scores"]
    return found | {"active_units": model.active_units(run.test_images(1000)[0])}


def figures(model, run):
    """The most active units varied; codes by beta."""
    images, labels = run.test_images(2000)
    if images.ndim == 2:
        return {}
    active = np.argsort(-np.var(np.asarray(model.encode(images)), axis=0))[:6]
    rows = [tz.latents.traversal(model, int(unit), np.linspace(-3, 3, 11), rows=1) for unit in active]
    units, codes = run.directory / "units.png", run.directory / "codes.png"
    tz.pictures.save_labelled_grid(np.concatenate(rows), units, 11, [f"unit {unit}" for unit in active])
    train = tz.data.load(run.config["dataset"], batch_size=100, image_size=run.config["image_size"], verbose=False)
    panels = {}
    for title, beta in (("reconstruction only", 0.0), ("both", 1.0), ("KL only", 1000.0)):
        small = tz.create("vae", model.image_shape, latent_dim=2, width=16, beta=beta, seed=0)
        small.compile(steps_per_execution=20)
        small.fit(train.repeat(), steps_per_epoch=STEPS, verbose=0)
        code = np.asarray(small.encode(images))
        panels[title] = {str(k): (*code[labels == k].T, ".") for k in np.unique(labels)}
    tz.pictures.save_lines(panels, codes, "first unit", "second unit")
    return {"The units that say most, from -3 to 3": units, "Codes of test images by class and by beta": codes}


main = tz.runs.recipe("beta_vae", PAPER, BUDGETS, figures, scores, flags)

if __name__ == "__main__":
    tz.cli.run(main)
