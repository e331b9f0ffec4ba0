"""The variational autoencoder (Kingma & Welling 2014) on binarised images, and what its code has learned.

    python -m recipes.vae                                                                     handwritten digits
    python -m recipes.vae --dataset fashion_mnist --epochs 12            after seven: -245.6 nats; 57 CPU seconds
    python -m recipes.vae --dataset fashion_mnist --split "train[:50000]" --epochs 400 --width 38 --activation glu \\
        --warmup-epochs 20 --samples 5000 --learning-rate 7e-4 --decay-from 0.4
                                   200,000 updates, 28 CPU minutes on one thread (and 9 for the score): -228.8 nats

The networks are dense, 784-200-200-40 at width 25 (Burda et al. 2016), and see black and white images, drawn anew from
the grey ones at every visit. The record has nats an image, a bound, on the test images, of the best epoch by Fréchet
distance and of the last. The last command is Exemplar VAE's protocol (-228.7). Figures, in `run/`: the paper's Fig. 4,
a plane; codes by class, beside an autoencoder's; reconstructions; ways; one unit varied.
"""

from statistics import NormalDist

import keras
import numpy as np

import tfgan_zoo as tz

PAPER = "VAE, Kingma & Welling 2014"
BUDGETS = {
    "digits": {"epochs": 150, "width": 25, "batch_size": 32},
    None: {"epochs": 50, "width": 25, "batch_size": 100},
}
LONG = {"dataset": "fashion_mnist", "split": "train[:50000]", "epochs": 400, "width": 38, "activation": "glu"}
LONG |= {"warmup_epochs": 20, "samples": 5000, "learning_rate": 7e-4, "decay_from": 0.4}
SIDE, STEPS = 16, 3000  # images along the plane; steps of the two small models behind it and the scatter


def flags(warmup_epochs: int = 0, samples: int = 500, activation: str = "relu", dataset=None, batch_size=None):
    """A warm-up of the KL; samples of the bound; what hidden layers do."""
    steps = warmup_epochs * (tz.data.info(dataset).num_images["train"] // batch_size)
    return {"warmup_steps": steps, "num_samples": samples, "activation": activation}


def scores(model, run):
    """Nats an image, the error of reconstructions, and the units that say something."""
    found = run.likelihood(model, "reconstruction", num_images=10_000)
    if run.checkpoint.best_epoch != run.checkpoint.history[-1]["epoch"]:
        last = run.likelihood(keras.models.load_model(run.directory / "last.keras"), num_images=10_000)
        found |= {f"{name}_last_epoch": value for name, value in last.items() if name.startswith("nats")}
    return found | {"active_units": model.active_units(run.test_images(1000)[0])}


def figures(model, run):
    """Reconstructions, the plane, the two scatters, ways, and a latent that varies."""
    images, labels = run.test_images(2000)
    if images.ndim == 2:
        return {}
    path = {name: run.directory / f"{name}.png" for name in ("plane", "codes", "ways", "varied")}
    tz.latents.interpolate(model, [(row, row + 1) for row in range(0, 12, 2)], to=path["ways"])
    widest = int(np.var(np.asarray(model.encode(images)), axis=0).argmax())
    tz.latents.traversal(model, widest, np.linspace(-3, 3, 11), rows=6, to=path["varied"])
    train = tz.data.load(run.config["dataset"], batch_size=100, image_size=run.config["image_size"], verbose=False)
    plane = tz.create("vae", model.image_shape, latent_dim=2, width=25, seed=0)
    flat = tz.create("autoencoder", model.image_shape, latent_dim=2, width=25, seed=0, convolutional=False)
    for one in (plane, flat):
        one.compile(steps_per_execution=20)
        one.fit(train.repeat(), steps_per_epoch=STEPS, verbose=0)
    values = np.array([NormalDist().inv_cdf((place + 0.5) / SIDE) for place in range(SIDE)], "float32")
    points = np.stack(np.meshgrid(values, -values), axis=-1).reshape(-1, 2)
    tz.pictures.save_grid(np.asarray(plane.decode(points)), path["plane"], columns=SIDE)
    codes = {"VAE": np.asarray(plane.encode(images)), "autoencoder": np.asarray(flat.encode(images))}
    by_class = {t: {str(k): (*c[labels == k].T, ".") for k in np.unique(labels)} for t, c in codes.items()}
    tz.pictures.save_lines(by_class, path["codes"], "first unit", "second unit")
    return {
        "Images of the test split, each beside its reconstruction": run.reconstructions(model),
        "The plane of a VAE with two units": path["plane"],
        "Codes of test images by class": path["codes"],
        "Ways between latents": path["ways"],
        "The unit that says most, from -3 to 3": path["varied"],
    }


main = tz.runs.recipe("vae", PAPER, BUDGETS, figures, scores, flags, shipped=(tz.runs.SHIPPED, LONG))

if __name__ == "__main__":
    tz.cli.run(main)
