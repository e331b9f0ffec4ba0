"""Diffusion (Ho et al. 2020) for a CPU: a small U-Net, EDM's preconditioning, min-SNR, 20 steps of an SDE.

    python -m recipes.diffusion                                    handwritten digits of 16 x 16
    python -m recipes.diffusion --image-size 8 --width 16 --epochs 100 --learning-rate 2e-3       digits as they are
    python -m recipes.diffusion --dataset fashion_mnist            clothes of 28 x 28
    python -m recipes.diffusion --dataset ring8                    points on a ring, by a dense network

Figures: `run/there_and_back.png`, what noise leaves of images at rising levels, what the network sees in that at once,
and what the sampler draws from there (SDEdit); `run/samplers.png`, the same noise drawn by samplers in few and in many
steps; `run/inpainted.png`, the right half of test images drawn anew beside the left. Stopped, the same command goes on.
`python -m benchmarks.samplers` scores the trained model by sampler and number of steps. By the numbers of the second
command 107,700 image-steps gave fd 39.5 beside a floor of 7.7, recall 0.80, by 20 steps of an ODE, even in time.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "Diffusion, Ho et al. 2020, Karras et al. 2022"
BUDGETS = {
    "digits": {"epochs": 150, "width": 32, "image_size": 16},
    None: {"epochs": 8, "width": 48},
}
LEVELS, COLUMNS = 8, 10
DRAWN = [("dpmpp_2m", 5), ("dpmpp_2m", 10), ("dpmpp_2m", 20), ("heun", 10), ("ddim", 10), ("ddim", 100)]
DRAWN += [("dpmpp_2m_sde", 10), ("dpmpp_2m_sde", 20), ("ancestral", 30), ("ancestral", 100)]


def there_and_back(model, images, path):
    """Images in noise, what the network sees in them, and what is drawn from them."""
    levels = model.schedule.levels(LEVELS)
    noise = np.random.default_rng(0).normal(size=images.shape).astype("float32")
    columns, even = [(images, images, images)], model.with_sampling(rho=None)  # as the levels that are shown
    for time, signal, sigma, place in zip(levels.times, levels.signal, levels.noise, range(LEVELS), strict=False):
        noisy = (signal * images + sigma * noise).astype("float32")
        seen = np.clip(model.denoise(noisy, time), -1, 1)
        columns.insert(1, (np.clip(noisy, -1, 1), seen, even.edit(images, 1.0 - place / LEVELS, seed=0)))
    rows = np.stack([np.stack(column) for column in columns], axis=2)  # (3, images, levels + 1, ...)
    sheet = rows.transpose(1, 0, 2, 3, 4, 5).reshape(-1, *images.shape[1:])
    titles = ["noised", "seen at once", "drawn again"] * len(images)
    tz.pictures.save_labelled_grid(sheet, path, LEVELS + 1, row_titles=titles)


def figures(model, run):
    """The way into noise and back, samplers side by side, and images of which half is known."""
    if len(model.image_shape) == 1:
        return {"By epoch": run.by_epoch()}
    paths = {name: run.directory / f"{name}.png" for name in ("there_and_back", "samplers", "inpainted")}
    images, _ = run.test_images(COLUMNS)
    there_and_back(model, images[:3], paths["there_and_back"])
    drawn = [model.generate(COLUMNS, seed=0, sampler=sampler, steps=steps) for sampler, steps in DRAWN]
    names = [f"{sampler} {steps}" for sampler, steps in DRAWN]
    tz.pictures.save_labelled_grid(np.concatenate(drawn), paths["samplers"], COLUMNS, row_titles=names)
    known = np.zeros(model.image_shape[:2], bool)
    known[:, : known.shape[1] // 2] = True
    masked = np.where(known[..., None], images, 0.0)
    filled = [model.inpaint(images, known, seed=seed, resample=3) for seed in range(3)]
    rows = ["image", "known", *["drawn"] * 3]
    sheet = np.concatenate([images, masked, *filled])
    tz.pictures.save_labelled_grid(sheet, paths["inpainted"], len(images), row_titles=rows)
    captions = ("Into noise and back", "Samplers and steps from the same noise", "The right half drawn anew")
    return dict(zip(captions, paths.values(), strict=True))


SHIPPED = (tz.runs.SHIPPED, tz.runs.FASHION)
main = tz.runs.recipe("diffusion", PAPER, BUDGETS, figures, shipped=SHIPPED, looks=5)

if __name__ == "__main__":
    tz.cli.run(main)
