"""StyleGAN (Karras et al. 2019): a mapping, and a style for every layer by adaptive instance normalisation.

    python -m recipes.stylegan                                     handwritten digits, 120 epochs at 16 x 16
    python -m recipes.stylegan --dataset fashion_mnist             clothes of 28 x 28, 12 epochs
    python -m recipes.stylegan --dataset photos/ --image-size 64   any folder of images

The figures: `run/mixing.png`, the paper's Fig. 3: one image's styles in each row for the smallest maps (shape, pose)
and another's in each column for the others; `run/truncation.png`, its Fig. 8; `run/by_epoch.png`, one latent batch.
"""

import tfgan_zoo as tz

PAPER = "StyleGAN, Karras et al. 2019"
BUDGETS = {
    "digits": {"epochs": 120, "batch_size": 64, "width": 16, "image_size": 16, "gamma": 1.0},
    None: {"epochs": 12, "batch_size": 64, "width": 16},
}


def flags(dataset: str = "digits", channel_max: int = 64, phase_steps: int | None = None, gamma: float | None = None):
    """Channels of the smallest maps; steps of a phase (None: 300 of digits, else 1,500); R1 (None: by the size)."""
    steps = phase_steps if phase_steps is not None else 300 if dataset == "digits" else 1500
    given = {"channel_max": channel_max, "phase_steps": steps}
    return given if gamma is None else given | {"penalties": (tz.penalties.R1(gamma),)}


def figures(model, run):
    """Mixing, truncation, and the samples by epoch."""
    mixing, truncation = run.directory / "mixing.png", run.directory / "truncation.png"
    tz.latents.mix_styles(model, to=mixing)
    tz.latents.truncate_styles(model, (1.0, 0.7, 0.5, 0.25, 0.0, -0.5), to=truncation)
    return {"Styles of two images": mixing, "Truncation": truncation, "By epoch": run.by_epoch()}


SHIPPED = tz.runs.SHIPPED | {"minutes": 7.0, "decay_from": 0.6}
main = tz.runs.recipe("stylegan", PAPER, BUDGETS, figures, flags=flags, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
