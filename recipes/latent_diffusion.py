"""Latent diffusion (Rombach et al. 2022): an autoencoder's codes of a quarter of the side, and diffusion of those.

    python -m recipes.latent_diffusion                                handwritten digits of 16 x 16
    python -m recipes.latent_diffusion --dataset fashion_mnist        clothes of 28 x 28, in codes of 7 x 7

Both learn in one training. Figures: `run/reconstructions.png`, what the codes keep of test images; `run/samplers.png`,
the same noise drawn in few and in many steps; `run/between.png`, ways between test images in code space, which leave
the images that there are. `python -m recipes.diffusion` is the same in pixels.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Latent diffusion, Rombach et al. 2022"
BUDGETS = {
    "digits": {"epochs": 200, "width": 32, "image_size": 16},
    None: {"epochs": 15, "width": 64},
}
COLUMNS, WAYS = 10, 6
DRAWN = [("dpmpp_2m", 5), ("dpmpp_2m", 10), ("dpmpp_2m", 20), ("heun", 10), ("ddim", 100)]


def scores(model, run):
    """The error of reconstructions."""
    return tz.evaluate(model, run.config["dataset"], metrics=("reconstruction",), verbose=False)["scores"]


def figures(model, run):
    """What codes keep, samplers side by side, and ways between codes."""
    if len(model.image_shape) == 1:
        return {"By epoch": run.by_epoch()}
    path = {name: run.directory / f"{name}.png" for name in ("samplers", "between")}
    drawn = [model.generate(COLUMNS, seed=0, sampler=sampler, steps=steps) for sampler, steps in DRAWN]
    names = [f"{sampler} {steps}" for sampler, steps in DRAWN]
    tz.pictures.save_labelled_grid(np.concatenate(drawn), path["samplers"], COLUMNS, row_titles=names)
    codes = np.asarray(model.encode(run.test_images(2 * WAYS)[0]))
    share = np.linspace(0, 1, COLUMNS, dtype="float32")[:, None, None, None]
    ways = [(1 - share) * one + share * other for one, other in zip(codes[::2], codes[1::2], strict=True)]
    tz.pictures.save_grid(np.asarray(model.decode(np.concatenate(ways))), path["between"], columns=COLUMNS)
    return {
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
        "Samplers and steps from the same noise": path["samplers"],
        "Straight ways between the codes of test images": path["between"],
    }


main = tz.runs.recipe("latent_diffusion", PAPER, BUDGETS, figures, scores)

if __name__ == "__main__":
    tz.cli.run(main)
