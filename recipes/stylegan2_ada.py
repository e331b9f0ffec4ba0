"""StyleGAN2-ADA (Karras et al. 2020): augmentations whose probability rises while D learns few images by heart.

    python -m recipes.stylegan2_ada                                     handwritten digits, 60 epochs at 16 x 16
    python -m recipes.stylegan2_ada --dataset fashion_mnist             clothes of 28 x 28, 10 epochs
    python -m recipes.stylegan2_ada --dataset photos/ --image-size 64   any folder, a hundred photographs or more

R1 weighs 1 on clothes too: five epochs give fd 117.6, where the size's rule (0.008) gave 159.5; one seed each,
and `stylegan2` without augmentation had 156.3 by 1 after six, so seeds may differ as much.

The figures: `run/augmentation.png` has p, the probability of each change, over the epochs, and r, what D says of real
images, which p holds near 0.6; `run/mixing.png` and `run/truncation.png` as in `recipes.stylegan2`.
"""

import csv

import tfgan_zoo as tz

PAPER = "StyleGAN2-ADA, Karras et al. 2020"
BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 64, "width": 16, "image_size": 16, "gamma": 1.0},
    "fashion_mnist": {"epochs": 10, "batch_size": 64, "width": 16, "gamma": 1.0},
    None: {"epochs": 300, "batch_size": 16, "width": 16},
}


def figures(model, run):
    """p and r over the epochs, mixing, truncation, and the samples by epoch."""
    mixing, truncation = run.directory / "mixing.png", run.directory / "truncation.png"
    tz.latents.mix_styles(model, to=mixing)
    tz.latents.truncate_styles(model, (1.0, 0.7, 0.5, 0.25, 0.0), to=truncation)
    drawn = {"Styles of two images": mixing, "Truncation": truncation, "By epoch": run.by_epoch()}
    return {"Augmentation": augmentation(run)} | drawn


def augmentation(run):
    """Draw p and r by epoch, `augmentation.png`; returns its path."""
    with (run.directory / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure, axis = tz.pictures.new_figure(6.4, 4.0)
    for name, label in (("ada_p", "p"), ("real_sign", "r = E sign D(x)")):
        axis.plot(epochs, [float(row[name]) for row in rows], marker=".", label=label)
    axis.set(xlabel="epoch")
    axis.legend()
    path = run.directory / "augmentation.png"
    tz.pictures.save_figure(figure, path)
    return path


SHIPPED = tz.runs.FASHION | {"minutes": 15.0}
main = tz.runs.recipe("stylegan2_ada", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
