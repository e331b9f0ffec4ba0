"""PixelVAE (Gulrajani et al. 2017): a code for what is global in an image, and a PixelCNN for the rest.

    python -m recipes.pixelvae                              handwritten digits of 16 x 16
    python -m recipes.pixelvae --depth 5                    a PixelCNN that sees farther, and leaves the code less
    python -m recipes.pixelvae --binary                     black and white, binarised anew at each visit
    python -m recipes.pixelvae --dataset fashion_mnist      clothes of 28 x 28

Figures, in `run/`: rows of samples that share one code; test images, what comes back (each pixel the median of what it
may be) and what is drawn for the same code; and how many nats the code says and the pixels leave, by how far the
decoder sees: small models, of which the first is a VAE, whose pixels do not see each other.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "PixelVAE, Gulrajani et al. 2017"
BUDGETS = {
    "digits": {"epochs": 60, "width": 16, "image_size": 16, "batch_size": 32},
    "fashion_mnist": {"epochs": 2, "width": 16},
    None: {"epochs": 10, "width": 16},
}
ROWS, COLUMNS, DEPTHS, STEPS = 8, 8, (1, 3, 6), 600  # of the figures; steps of each small model


def flags(*, depth: int = 1, binary: bool = False, warmup_epochs: int = 10, dataset=None, batch_size=None):
    """Layers of the PixelCNN; black and white; epochs in which the KL's weight rises."""
    steps = warmup_epochs * (tz.data.info(dataset).num_images["train"] // batch_size)
    likelihood = tz.likelihoods.Bernoulli() if binary else tz.likelihoods.DiscretizedLogisticMixture(5)
    return {"depth": depth, "likelihood": likelihood, "warmup_steps": steps}


def scores(model, run):
    """What the code says, in nats, and the bounds of one and of many samples."""
    images = run.test_images(300)[0]
    found = {f"nats_{n}_samples": float(np.mean(model.log_prob(images, 0, n))) for n in (1, 50)}
    return found | {"kl": model.evaluate(images, batch_size=300, verbose=0, return_dict=True)["kl"]}


def figures(model, run):
    """One code a row; reconstructions; nats by how far the decoder sees."""
    path = {name: run.directory / f"{name}.png" for name in ("same_code", "codes", "nats")}
    codes = np.repeat(model.draw_latents(ROWS, seed=0), COLUMNS, axis=0)
    drawn = np.random.default_rng(0).random((len(codes), *model.image_shape), "float32")
    tz.pictures.save_grid(np.asarray(model.draw(codes, drawn)), path["same_code"], columns=COLUMNS)
    images, _ = run.test_images(24)
    codes = model.encode(images)
    some = [model.decode(codes), *(model.draw(codes, drawn[first : first + 24]) for first in (0, 24))]
    shown = [images, *map(np.asarray, some)]
    tz.pictures.save_grid(np.stack(shown, axis=1).reshape(-1, *model.image_shape), path["codes"], columns=12)
    config, held_out = run.config, run.test_images(300)[0]
    train = tz.data.load(config["dataset"], batch_size=32, image_size=config["image_size"], verbose=False).repeat()
    figure, axis = tz.pictures.new_figure(5.6, 3.8)
    for place, depth in enumerate((0, *DEPTHS)):
        sees = {"depth": depth, "warmup_steps": STEPS // 3} if depth else {"convolutional": True}
        sees |= {"likelihood": model.likelihood, "latent_dim": 16, "width": 16, "seed": 0}
        small = tz.create("pixelvae" if depth else "vae", model.image_shape, **sees)
        small.compile(steps_per_execution=20)
        small.fit(train, steps_per_epoch=STEPS, verbose=0)
        found = small.evaluate(held_out, batch_size=300, verbose=0, return_dict=True)
        for bottom, name, color in ((0, "kl", "tab:orange"), (found["kl"], "reconstruction_loss", "tab:blue")):
            axis.bar(place, found[name], bottom=bottom, color=color)
            axis.annotate(f"{found[name]:.1f}", (place, bottom + found[name] / 2), ha="center", va="center")
    ticks = ["nothing (a VAE)", *(f"{depth + 2} pixels" for depth in DEPTHS)]
    axis.set_xticks(range(len(ticks)), ticks)
    axis.set(xlabel="what a pixel sees to its left and above", ylabel="nats an image: code below, pixels above")
    tz.pictures.save_figure(figure, path["nats"])
    return {
        "A row shares one code": path["same_code"],
        "Test image, medians, two draws of its code": path["codes"],
        f"Nats of test images by how far the decoder sees, {STEPS} steps each": path["nats"],
    }


SHIPPED = tz.runs.SHIPPED | {"image_size": 8, "depth": 3, "minutes": 2.5}
main = tz.runs.recipe("pixelvae", PAPER, BUDGETS, figures, scores, flags, shipped=SHIPPED, looks=2, num_images=2000)

if __name__ == "__main__":
    tz.cli.run(main)
