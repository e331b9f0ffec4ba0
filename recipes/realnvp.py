"""RealNVP (Dinh et al. 2017): an invertible network, so that the density of an image is exact.

    python -m recipes.realnvp                              handwritten digits at 16 x 16, 60 epochs
    python -m recipes.realnvp --dataset fashion_mnist      clothes of 28 x 28, 4 epochs
    python -m recipes.realnvp --dataset ring8              points on a ring, and the density as a picture

The digits' test split has 3.89 bits per dimension after these 60 epochs, about a CPU minute: strokes, but not yet
digits, where `between.png`, of exact inverses, is sharp.

`run/temperatures.png` draws the same latents at temperatures 0.5, 0.7, 0.9 and 1, a row each; `run/between.png` walks
between latents of test images. On points, `run/density.png` is the density in the plane.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "RealNVP, Dinh et al. 2017"
BUDGETS = {
    "digits": {"epochs": 60, "width": 32, "image_size": 16},
    "fashion_mnist": {"epochs": 4, "width": 32},
    None: {"epochs": 20, "width": 32},
}
TEMPERATURES, IMAGES, STEPS, HALF = (0.5, 0.7, 0.9, 1.0), 8, 9, 1.5


def figures(model, run):
    """Temperatures and ways between images; or the density of points."""
    if model.are_points:
        return {"Density": density(model, run.directory / "density.png")}
    latents = np.asarray(model.draw_latents(IMAGES, seed=0))
    rows = [np.asarray(model.decode(temperature * latents)) for temperature in TEMPERATURES]
    tz.pictures.save_grid(np.concatenate(rows), run.directory / "temperatures.png", columns=IMAGES)
    images, _ = run.test_images(2 * IMAGES)
    ends = np.asarray(model.encode(images))
    share = np.linspace(0.0, 1.0, STEPS, dtype="float32")[:, None]
    ways = [(1 - share) * one + share * other for one, other in zip(ends[:IMAGES], ends[IMAGES:], strict=True)]
    between = np.concatenate([np.asarray(model.decode(way)) for way in ways])
    tz.pictures.save_grid(between, run.directory / "between.png", columns=STEPS)
    return {
        f"Temperatures {', '.join(map(str, TEMPERATURES))}, a row each": run.directory / "temperatures.png",
        "Between latents of test images": run.directory / "between.png",
    }


def density(model, path):
    """The density in the square of side 2 * HALF, and its integral there in the title."""
    side = np.linspace(-HALF, HALF, 201, dtype="float32")
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = np.exp(np.asarray(model.log_prob(points))).reshape(201, 201)
    figure, axis = tz.pictures.new_figure(4.4, 4.0)
    axis.imshow(p, origin="lower", extent=(-HALF, HALF, -HALF, HALF))
    axis.set_title(f"p(x), integral {p.sum() * (side[1] - side[0]) ** 2:.3f}")
    tz.pictures.save_figure(figure, path)
    return path


def scores(model, run):
    """The likelihood of the test split, exact."""
    return run.likelihood(model, num_images=10_000)


SHIPPED = (tz.runs.SHIPPED | {"image_size": 8, "width": 32, "minutes": 1.5}, tz.runs.FASHION | {"minutes": 10.0})
main = tz.runs.recipe("realnvp", PAPER, BUDGETS, figures, scores, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
