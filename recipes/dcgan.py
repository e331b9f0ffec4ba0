"""DCGAN (Radford et al. 2016) on images of any source.

    python -m recipes.dcgan                                                        handwritten digits, two minutes
    python -m recipes.dcgan --dataset fashion_mnist --epochs 10 --width 32         ten minutes on two cores: fd about 64
    python -m recipes.dcgan --dataset fashion_mnist --minutes 14 --width 32 --learning-rate 4e-4 --decay-from 0  fd 36.7
    python -m recipes.dcgan --dataset fashion_mnist --minutes 6.6 --width 64 --learning-rate 4e-4 --decay-from 0 \\
        --batch-size 128 --jit --steps-per-execution 10         a GPU, 10 million images: fd 5.6; at width 32 12.1

The update rule is the paper's: Adam 2e-4 with beta_1 0.5, z of 100 uniform numbers, batch normalisation, LeakyReLU 0.2.
The paper's networks start at width 128 for 64 x 64 photographs; small images need less. The figure, `run/walks.png`, is
the paper's Fig. 4: in each row a straight walk from one latent to another, on which nothing should change abruptly.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "DCGAN, Radford et al. 2016"
BUDGETS = {
    "digits": {"epochs": 120, "width": 32, "image_size": 16},  # 1,077 images of 8 x 8, smoother to see at 16 x 16
    None: {"epochs": 20, "width": 64},
}
WALKS, STEPS = 8, 10  # of the figure


def figures(model, run):
    """Straight walks between latents."""
    if len(model.image_shape) == 1:
        return {}
    starts, ends = np.split(np.asarray(model.draw_latents(2 * WALKS, seed=0))[:, None], 2)
    share = np.linspace(0.0, 1.0, STEPS, dtype="float32")[:, None]
    images = model.draw(latents=((1.0 - share) * starts + share * ends).reshape(-1, model.latent_dim))
    tz.pictures.save_grid(np.asarray(images), run.directory / "walks.png", columns=STEPS)
    return {"Walks between latents": run.directory / "walks.png"}


SHIPPED = (
    tz.runs.FASHION | {"width": 32, "minutes": 14.0, "learning_rate": 4e-4, "decay_from": 0.0},
    {"dataset": "emoji", "minutes": 8.0, "image_size": 32, "width": 32},
)
main = tz.runs.recipe("dcgan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
