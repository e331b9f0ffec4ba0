"""Walks through the latents of a DCGAN (White 2016): straight lines and great circles from sample to sample.

    python -m recipes.latent_walk                                               handwritten digits, two minutes
    python -m recipes.latent_walk --dataset fashion_mnist --epochs 3 --width 16

On a learned manifold the image changes little by little on the way (Radford et al. 2016, Sec. 6.1). `run/walk.png` is
the film strip of great circles, `run/lines.png` of straight lines between the same latents, `run/walk.gif` the film of
the circles. The scores, for either: `least_length` of a latent on the way, its ends' being 1: straight lines lead where
no latent was in training; `largest_step` between two of nine pictures, their mean being 1; and `near_real`, the share
of the pictures that are nearer to a test image than half of the samples are, in the classifier's features: 1/2 for
walks as good as samples.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "DCGAN, Radford et al. 2016, with walks by White 2016"
BUDGETS = {
    "digits": {"epochs": 100, "width": 32, "image_size": 16},
    None: {"epochs": 10, "width": 32},
}
PATHS = {"walk": tz.latents.slerp, "lines": tz.latents.lerp}
WALKS, COLUMNS, FRAMES = 6, 10, 24  # walks in a figure, pictures of each in a strip, and in the film


def scores(model, run):
    """How long the latents on the way are, how even the steps, and how near to real images the pictures."""
    is_points, dataset = len(model.image_shape) == 1, run.config["dataset"]
    extractor = None if is_points else tz.metrics.extractor_for(dataset, run.extractor)
    real, _ = run.test_images(2000)
    usual = np.median(tz.latents.nearest(model, real, 500, 1, extractor).distances)
    pairs, shares, found = np.arange(64).reshape(-1, 2), np.linspace(0.0, 1.0, 9), {}
    ends = np.split(np.asarray(model.draw_latents(1000, seed=0)), 2)
    for name, path in PATHS.items():
        images = tz.latents.interpolate(model, pairs, len(shares), path)
        steps = np.linalg.norm(np.diff(images.reshape(len(pairs), len(shares), -1), axis=1), axis=2)
        lengths = np.linalg.norm(path(*ends, shares), axis=2)
        found[f"{name}_least_length"] = float(np.mean(lengths.min(1) / lengths[:, [0, -1]].mean(1)))
        found[f"{name}_largest_step"] = float(np.mean(steps.max(1) / np.maximum(steps.mean(1), 1e-9)))
        distances = tz.latents.nearest(images, real, len(images), 1, extractor).distances
        found[f"{name}_near_real"] = float(np.mean(distances < usual))
    return found


def figures(model, run):
    """Strips of both kinds of walks, and, of images, the film."""
    pairs = [(seed, (seed + 1) % WALKS) for seed in range(WALKS)]
    drawn = {"Great circles": run.directory / "walk.png", "Straight lines": run.directory / "lines.png"}
    for path, to in zip(PATHS.values(), drawn.values(), strict=True):
        tz.latents.interpolate(model, pairs, COLUMNS, path, to=to)
    if len(model.image_shape) == 1:
        return drawn
    frames = [run.directory / "film" / f"{number:02d}.png" for number in range(FRAMES)]
    film = tz.latents.interpolate(model, pairs, FRAMES).reshape(WALKS, FRAMES, *model.image_shape)
    for number, frame in enumerate(frames):
        tz.pictures.save_grid(film[:, number], frame, columns=3)
    tz.pictures.save_film(frames, run.directory / "walk.gif", seconds_each=0.1)
    return drawn | {"The film": run.directory / "walk.gif"}


main = tz.runs.recipe("dcgan", PAPER, BUDGETS, figures, scores, shipped=None)

if __name__ == "__main__":
    tz.cli.run(main)
