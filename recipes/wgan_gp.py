"""WGAN-GP (Gulrajani et al. 2017): a critic whose slope is held near 1 by a penalty instead of by clipping.

    python -m recipes.wgan_gp                                   handwritten digits, 400 epochs at 16 x 16
    python -m recipes.wgan_gp --dataset fashion_mnist           clothes of 28 x 28, 20 epochs
    python -m recipes.wgan_gp --dataset cifar10 --width 128     the paper's residual networks
    python -m recipes.wgan_gp --dataset ring8                   points on a ring, by dense networks

Two figures. `run/slopes.png` counts the critic's slopes between real images of the test split and generated
ones, at random shares of the way: near 1, if the penalty does its work. `run/estimate.png` draws the critic's estimate
of the distance beside the Fréchet distance on the training split. The one in exported/ takes one step of the critic
where the paper takes five (`--n-critic 1`), as so short a training wants: see `benchmarks/tuning_fashion_mnist.md`.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "WGAN-GP, Gulrajani et al. 2017"
BUDGETS = {
    "digits": {"epochs": 400, "batch_size": 53, "width": 32, "image_size": 16},  # 5 * 53 of 1,077 images a step
    None: {"epochs": 20, "batch_size": 64, "width": 32},
}
ESTIMATE = "the critic's estimate of the distance"


def figures(model, run):
    """Slopes, the estimate beside the Fréchet distance where there is one, and the samples that belong to them."""
    real, _ = run.test_images(500)
    share = np.random.default_rng(0).uniform(size=(len(real), *[1] * (real.ndim - 1))).astype("float32")
    slopes = tz.penalties.gradient_norms(model, share * real + (1 - share) * model.generate(len(real), seed=0))
    figure, axis = tz.pictures.new_figure(6.4, 3.6)
    axis.hist(slopes, bins=np.linspace(0.0, max(2.0, slopes.max()), 60))
    axis.axvline(1.0, color="black", linestyle=":", label="asked for")
    axis.set(xlabel="slope of the critic between real and generated", ylabel="images")
    axis.legend()
    tz.pictures.save_figure(figure, run.directory / "slopes.png")
    drawn, score = {"Slopes": run.directory / "slopes.png"}, tz.metrics.distance_name(run.config["dataset"])
    if score:
        rows = [row | {ESTIMATE: -row["discriminator_loss"]} for row in run.checkpoint.history]
        tz.pictures.save_against(rows, ESTIMATE, score, run.directory / "estimate.png")
        drawn["The critic's estimate beside quality"] = run.directory / "estimate.png"
    return drawn | {"By epoch": run.by_epoch()}


SHIPPED = tz.runs.FASHION | {"width": 16, "minutes": 7.0, "n_critic": 1, "decay_from": 0.0}
main = tz.runs.recipe("wgan_gp", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
