"""The best discriminator of two known densities: p / (p + q), and what it measures (Goodfellow et al. 2014, Thm. 1).

    python -m recipes.optimal_discriminator [--steps 3000]                                               a minute

D learns from samples of p and of a G at rest, which makes q. At its best its value is -log 4 + 2 JSD(p, q), so that D
measures the divergence. Written: a row of panels for each pair of densities, a table, and the numbers as JSON.
"""

from pathlib import Path

import numpy as np
import typer
from keras import Input, Model, callbacks, layers, optimizers
from rich.progress import track
from scipy.stats import norm

import tfgan_zoo as tz

PAIRS = {  # name: (p, q) as (weight, mean, standard deviation) of normal densities
    "apart": ([(0.5, -2.5, 0.5), (0.5, -1.0, 0.4)], (1.0, 1.5, 0.8)),
    "overlapping": ([(0.6, -2.0, 0.6), (0.4, 1.5, 0.8)], (1.0, 0.0, 1.5)),
    "equal": ([(1.0, 0.0, 1.0)], (1.0, 0.0, 1.0)),
}
OUT, GRID, LOOKS = Path("exported/optimal_discriminator"), np.linspace(-8, 8, 4001), 50


def on_a_line(x):
    """Points (N, 2) of the plane, as the zoo's dense networks take them."""
    return np.stack([x, np.zeros_like(x)], axis=1).astype("float32")


def judged(normals, generated, steps, seed):
    """D's logits on the grid at each look, (LOOKS, 4001)."""
    tz.runtime.setup(seed=seed)
    random, latents, film = np.random.default_rng(seed), Input((2,)), []
    generator = Model(latents, layers.Rescaling([generated[2], 0.0], [generated[1], 0.0])(latents))  # nothing to learn
    discriminator = tz.networks.mlp.discriminator((2,), width=64)
    gan = tz.GAN(generator, discriminator, objective=tz.objectives.NonSaturating(), ema_decay=0)
    rate = optimizers.schedules.CosineDecay(1e-2, steps)
    gan.compile(None, optimizers.Adam(rate, beta_2=0.99), steps_per_execution=steps // LOOKS)
    weights, means, stds = np.transpose(normals)
    which = random.choice(len(weights), 2**19, p=weights)
    data = tz.data.load(on_a_line(random.normal(means[which], stds[which])), batch_size=1024, seed=seed)
    look = callbacks.LambdaCallback(on_epoch_end=lambda *_: film.append(discriminator(on_a_line(GRID)).numpy()[:, 0]))
    gan.fit(data.take(steps // LOOKS), epochs=LOOKS, verbose=0, callbacks=[look])
    return np.float64(film)


def main(steps: int = 3000, seed: int = 0, out: Path = OUT, quiet: bool = False):
    """Train D for each pair of densities; write it beside the best, and its value beside the theory's."""
    if not LOOKS <= steps <= 512 * LOOKS:
        raise typer.BadParameter(f"{steps=}: give from {LOOKS} to {512 * LOOKS}, D is looked at {LOOKS} times.")
    path, panels, found = tz.files.directory(out) / "optimal_discriminator.json", {}, {}
    text = "| densities | value of D | -log 4 + 2 JSD | JSD by D | JSD | mean error of D |\n" + "|---" * 6 + "|\n"
    for name, (normals, generated) in track(PAIRS.items(), "Judging", disable=quiet):
        p, q = (sum(w * norm.pdf(GRID, *moments) for w, *moments in some) for some in (normals, [generated]))
        best, film = p / (p + q), judged(normals, generated, steps, seed)
        divergence = np.trapezoid(p * np.log(2 * best) + q * np.log(2 * (1 - best)), GRID) / 2
        values = -np.trapezoid(p * np.logaddexp(0, -film) + q * np.logaddexp(0, film), GRID, axis=1)
        theory, reached = 2 * divergence - np.log(4), 1 / (1 + np.exp(-film[-1]))
        error = np.trapezoid((p + q) / 2 * np.abs(reached - best), GRID)
        numbers = (values[-1], theory, (values[-1] + np.log(4)) / 2, divergence, error)
        found[name] = dict(zip(("value", "theory", "jsd_by_d", "jsd", "error"), map(float, numbers), strict=True))
        text += f"| {name} | " + " | ".join(f"{number:.4f}" for number in numbers) + " |\n"
        drawn = {"p, the data": (GRID, p), "q, generated": (GRID, q), "D(x)": (GRID, reached)}
        panels[f"{name}: densities and discriminator"] = drawn | {"p / (p + q)": (GRID, best, "k--")}
        by = np.arange(1, LOOKS + 1) * (steps // LOOKS)
        panels[f"{name}: the discriminator's value by step"] = {
            "D": (by, values),
            "-log 4 + 2 JSD": (by[[0, -1]], [theory] * 2, "k--"),
        }
    tz.pictures.save_lines(panels, path.with_suffix(".png"), columns=2)
    tz.metrics.records.save({"steps": steps, "seed": seed, "pairs": found}, path)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{path.with_suffix('')}\n{text}")


if __name__ == "__main__":
    tz.cli.run(main)
