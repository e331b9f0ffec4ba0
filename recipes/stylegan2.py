"""StyleGAN2 (Karras et al. 2020): styles scale the weights of every layer, and steps in style space keep their length.

    python -m recipes.stylegan2                                     handwritten digits, 60 epochs at 16 x 16
    python -m recipes.stylegan2 --dataset fashion_mnist             clothes of 28 x 28, 10 epochs
    python -m recipes.stylegan2 --dataset photos/ --image-size 64   any folder of images

The figures: `run/mixing.png` has one image's styles in each row for the smallest maps (shape, pose) and another's in
each column for the others (texture); `run/truncation.png` pulls styles towards their mean, psi = 1 (all the variety) to
0 (one image); `run/by_epoch.png` is one latent batch. On digits R1 weighs 1: by the size's rule (0.003) D learns the
thousand of them by heart, and G ends in one shape (fd 641 after four CPU minutes; with 1, 124 after six).
"""

import tfgan_zoo as tz

PAPER = "StyleGAN2, Karras et al. 2020"
BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 64, "width": 16, "image_size": 16, "gamma": 1.0},
    None: {"epochs": 10, "batch_size": 64, "width": 16},
}


def figures(model, run):
    """Mixing, truncation, and the samples by epoch."""
    mixing, truncation = run.directory / "mixing.png", run.directory / "truncation.png"
    tz.latents.mix_styles(model, to=mixing)
    tz.latents.truncate_styles(model, (1.0, 0.7, 0.5, 0.25, 0.0), to=truncation)
    return {"Styles of two images": mixing, "Truncation": truncation, "By epoch": run.by_epoch()}


SHIPPED = tz.runs.SHIPPED | {"minutes": 6.0, "decay_from": 0.5}
main = tz.runs.recipe("stylegan2", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
