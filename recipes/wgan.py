"""WGAN (Arjovsky et al. 2017): a critic with clipped weights, whose loss says how far the images are from real ones.

    python -m recipes.wgan                                      handwritten digits, 400 epochs at 16 x 16
    python -m recipes.wgan --dataset fashion_mnist              clothes of 28 x 28, 20 epochs
    python -m recipes.wgan --dataset ring8                      points on a ring, by dense networks

The update rule is the paper's: RMSprop 5e-5, five updates of the critic for one of the generator, weights within 0.01.
It is slow by design; give it more epochs than the other recipes. The figure, `run/estimate.png`, is the paper's Fig. 3:
the critic's estimate of the distance, up to a factor, which should fall as the images get better, here as measured by
the Fréchet distance on the training split.
"""

import tfgan_zoo as tz

PAPER = "WGAN, Arjovsky et al. 2017"
BUDGETS = {
    "digits": {"epochs": 400, "batch_size": 53, "width": 32, "image_size": 16},  # 5 * 53 of 1,077 images a step
    None: {"epochs": 20, "batch_size": 64, "width": 32},
}
ESTIMATE = "the critic's estimate of the distance"


def figures(model, run):
    """The estimate beside the Fréchet distance, where there is one, and the samples that belong to them."""
    drawn, score = {"By epoch": run.by_epoch()}, tz.metrics.distance_name(run.config["dataset"])
    if score:
        rows = [row | {ESTIMATE: -row["discriminator_loss"]} for row in run.checkpoint.history]
        tz.pictures.save_against(rows, ESTIMATE, score, run.directory / "estimate.png")
        drawn = {"The critic's estimate beside quality": run.directory / "estimate.png"} | drawn
    return drawn


SHIPPED = tz.runs.SHIPPED | {"minutes": 6.0, "width": 16, "learning_rate": 5e-4}  # ten times the paper's rate
main = tz.runs.recipe("wgan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
