"""Density network (MacKay 1995): a decoder learned by averaging over draws of the prior, and how that fails.

    python -m recipes.density_network                            handwritten digits of 8 x 8, 100 epochs
    python -m recipes.density_network --dataset ring8            points on a ring
    python -m recipes.density_network --latent-dim 20            too many dimensions for 64 draws

`run/spread.png` is the point: for x = z + noise, where log p(x) is known, the estimate by 1 to 4,096 draws of the prior
falls the further below it the more dimensions z has. `run/estimates.png` shows the same of the trained model's test
images: how the mean estimate still rises with the number of draws.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Density network, MacKay 1995"
BUDGETS = {
    "digits": {"epochs": 100, "width": 128, "image_size": 8},
    None: {"epochs": 20, "width": 128},
}
DRAWS, DIMENSIONS, SIGMA = 4 ** np.arange(7), (1, 2, 4, 8, 16, 32), 0.3


def flags(*, latent_dim: int = 2):
    """Coordinates of a latent."""
    return {"latent_dim": latent_dim}


def figures(model, run):
    """Estimates beside what is exact, and of the model."""
    spread = {f"{d} dimensions": [gap(d, draws) for draws in DRAWS] for d in DIMENSIONS}
    images, _ = run.test_images(200)
    estimates = [[np.mean(model.log_prob(images, seed, int(draws))) for seed in range(5)] for draws in DRAWS]
    lines(spread, "estimate - log p(x), nats", run.directory / "spread.png")
    lines({"test images": estimates}, "estimate of log p(x), nats", run.directory / "estimates.png")
    return {
        "Estimates of a known density": run.directory / "spread.png",
        "Estimates of test images": run.directory / "estimates.png",
    }


def gap(dimensions, draws, images=20, times=5):
    """Estimate less truth for x = z + SIGMA e, a mean over images for each of several sets of draws."""
    rng, found = np.random.default_rng(dimensions), []
    for _ in range(times):
        x = rng.normal(size=(images, dimensions)) * np.sqrt(1 + SIGMA**2)
        z = rng.normal(size=(draws, dimensions))
        terms = -0.5 * ((x[:, None] - z[None]) ** 2).sum(-1) / SIGMA**2 - dimensions * np.log(SIGMA)
        exact = -0.5 * (x**2).sum(-1) / (1 + SIGMA**2) - 0.5 * dimensions * np.log(1 + SIGMA**2)
        found.append(np.mean(np.logaddexp.reduce(terms, axis=1) - np.log(draws) - exact))
    return found


def lines(named, label, path):
    """Means over sets of draws, and their range."""
    figure, axis = tz.pictures.new_figure(5.6, 3.8)
    for name, values in named.items():
        axis.plot(DRAWS, np.mean(values, axis=1), marker="o", label=name)
        axis.fill_between(DRAWS, np.min(values, axis=1), np.max(values, axis=1), alpha=0.2)
    axis.set(xscale="log", xlabel="draws of the prior", ylabel=label)
    axis.legend()
    tz.pictures.save_figure(figure, path)


main = tz.runs.recipe("density_network", PAPER, BUDGETS, figures, flags=flags)

if __name__ == "__main__":
    tz.cli.run(main)
