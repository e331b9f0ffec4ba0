"""InfoGAN (Chen et al. 2016): a part of the latent that can be read off the image comes to mean something.

    python -m recipes.infogan                                   handwritten digits, 200 epochs at 16 x 16
    python -m recipes.infogan --dataset fashion_mnist           clothes of 28 x 28, 20 epochs
    python -m recipes.infogan --dataset ring8                   points on a ring, by dense networks

Each command trains two: after the InfoGAN, in `run/plain`, the same networks on the same latents with no weight on the
information, which is a plain GAN. The figures are the paper's Fig. 2, the two side by side: the categorical code varies
along the columns of `run/category.png`, and a continuous one, from -2 to 2, along those of `run/continuous_1.png` and
`_2`; a row is one latent. The score `clustering_accuracy_<n>` takes the category that Q reads off the n images of the
test split for a cluster: the share of them that agree with the labels, which training never saw.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "InfoGAN, Chen et al. 2016"
BUDGETS = {
    "digits": {"epochs": 200, "batch_size": 128, "width": 32, "image_size": 16},
    None: {"epochs": 20, "batch_size": 128, "width": 32},
}
PLAIN = {"categorical_weight": 0.0, "continuous_weight": 0.0}
ROWS = 5  # of the figures


def scores(model, run):
    """How well the categories agree with the labels of the test split; nothing, where it has none."""
    images, labels = run.test_images()
    if labels is None:
        return {}
    (categories, *_), _ = model.codes(images)
    return {f"clustering_accuracy_{len(labels)}": tz.metrics.clustering_accuracy(labels, categories.argmax(axis=1))}


def figures(model, run):
    """What each code does, in an InfoGAN and in a plain GAN."""
    if len(model.image_shape) == 1:
        return {"By epoch": run.by_epoch()}
    other = tz.Run(run.directory / "plain", run.config, extractor=run.extractor)
    plain = other.train("infogan", quiet=run.quiet, **PLAIN)
    other.checkpoint.restore_best(plain)
    first, (categories, *_) = model.latent_dim - model.prior.code_dim, model.prior.categorical
    codes = {"category": (first + np.arange(categories), np.eye(categories))}
    for number in range(model.prior.continuous):
        codes[f"continuous_{number + 1}"] = (first + categories + number, np.linspace(-2.0, 2.0, 10))
    for name, (coordinates, values) in codes.items():
        panels = {}
        for title, one in {"InfoGAN": model, "plain GAN": plain}.items():
            panels[title] = tz.latents.traversal(one, coordinates, values, rows=ROWS), len(values)
        tz.pictures.save_panels(panels, run.directory / f"{name}.png")
    return {f"Code: {name.replace('_', ' ')}": run.directory / f"{name}.png" for name in codes}


SHIPPED = tz.runs.FASHION | {"width": 16, "minutes": 8.0, "batch_size": 64, "learning_rate": 4e-4, "decay_from": 0.0}
main = tz.runs.recipe("infogan", PAPER, BUDGETS, figures, scores, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
