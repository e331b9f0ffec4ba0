"""StyleGAN2-ADA told the class (Karras et al. 2020): its embedding beside the latent, and against D's features.

    python -m recipes.conditional_stylegan2_ada                             handwritten digits, 60 epochs at 16 x 16
    python -m recipes.conditional_stylegan2_ada --dataset fashion_mnist     clothes of 28 x 28, 10 epochs

The figures: `run/by_class.png` has a row for each class and one latent in each column, `run/truncation.png` pulls
styles towards their mean.
"""

import tfgan_zoo as tz

PAPER = "StyleGAN2-ADA, Karras et al. 2020"
BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 64, "width": 16, "image_size": 16, "gamma": 1.0},
    None: {"epochs": 10, "batch_size": 64, "width": 16},
}


def figures(model, run):
    """A row for each class, truncation, and the samples by epoch."""
    truncation = run.directory / "truncation.png"
    tz.latents.truncate_styles(model, (1.0, 0.7, 0.5, 0.25, 0.0), to=truncation)
    return {"By class": run.by_class(model), "Truncation": truncation, "By epoch": run.by_epoch()}


FLAGS = {
    "style_mixing": 0.0,
    "path_length": False,
    "kimg": 500.0,
}  # on CIFAR-10 the paper has neither mixing nor path length
SHIPPED = tz.runs.SHIPPED | {"minutes": 7.0, "decay_from": 0.5}
main = tz.runs.recipe("conditional_stylegan2_ada", PAPER, BUDGETS, figures, flags=FLAGS, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
