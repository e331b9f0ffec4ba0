"""Two parallel lines: what KL, Jensen-Shannon and Wasserstein say of them, and how much a generator learns from it.

    python -m recipes.divergences [--steps 500]                                                       a minute

Arjovsky et al. 2017, Example 1: data is (0, U[0, 1]), G makes (θ, U[0, 1]). Off θ = 0, KL is infinite, JS is log 2
without a slope, and W1 is |θ|. At each θ a discriminator and a critic learn from samples, G resting; then they
are asked for the divergence, and for its slope in θ, which is all that G is ever told. Written: figure, table, JSON.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import typer
from keras import Input, Model, layers, optimizers
from rich.progress import track

import tfgan_zoo as tz

OUT, LOG_2, HEIGHTS = Path("exported/divergences"), float(np.log(2)), (np.arange(1024) + 0.5) / 1024
PLAYS = {
    "js": {"objective": tz.objectives.MinimaxGAN()},
    "w1": {"objective": tz.objectives.Wasserstein(), "penalties": (tz.penalties.GradientPenalty(50.0),)},
}
HEAD = "| θ | KL by D | JS by D | its slope | W1 by critic | its slope |\n" + "|---" * 6 + "|\n"


def line(theta):
    """Points (1024, 2) all along it."""
    return tf.stack([tf.fill(HEIGHTS.shape, theta), tf.constant(HEIGHTS, tf.float32)], axis=1)


def learned(play, theta, steps, seed):
    """The discriminator's value at θ, the slope of G's loss there, and the mean logit of the data."""
    tz.runtime.setup(seed=seed)
    objective, latents, judge = PLAYS[play]["objective"], Input((2,)), tz.networks.mlp.discriminator((2,), width=64)
    generator = Model(latents, layers.Rescaling([0.0, 1.0], [theta, 0.0])(latents))  # nothing to learn
    gan = tz.GAN(generator, judge, prior=tz.priors.Uniform(0.0, 1.0), ema_decay=0, **PLAYS[play])
    rate = optimizers.schedules.CosineDecay(1e-2, steps)
    gan.compile(None, optimizers.Adam(rate, beta_2=0.99), steps_per_execution=50)
    random = np.random.default_rng(seed).uniform(size=(2**15, 1)) * (0, 1)
    gan.fit(tz.data.load(random.astype("float32"), batch_size=256, seed=seed).repeat().take(steps), verbose=0)
    with tf.GradientTape() as tape:
        tape.watch(place := tf.constant(theta, tf.float32))
        fake, real = judge(line(place)), judge(line(0.0))
        loss = objective.generator_loss(fake)
    found = (-objective.discriminator_loss(real, fake), tape.gradient(loss, place), tf.reduce_mean(real))
    return tuple(map(float, found))


def main(steps: int = 500, places: int = 9, seed: int = 0, out: Path = OUT, quiet: bool = False):
    """Measure at evenly spread θ from -1 to 1; write the estimates beside the truth."""
    if steps < 1 or places < 3 or places % 2 == 0:
        raise typer.BadParameter(f"{steps=}, {places=}: give at least 1 step, and an odd number of places from 3.")
    path, found, text = tz.files.directory(out) / "divergences.json", [], HEAD
    for theta in track(np.linspace(-1, 1, places).tolist(), "Learning", disable=quiet):
        (value, js_slope, kl), (w1, w1_slope, _) = (learned(play, theta, steps, seed) for play in PLAYS)
        numbers = (theta, kl, value / 2 + LOG_2, js_slope / 2, w1, w1_slope)
        found.append(dict(zip(("theta", "kl", "js", "js_slope", "w1", "w1_slope"), numbers, strict=True)))
        text += "| " + " | ".join(f"{number:.4g}" for number in numbers) + " |\n"
    text += "| exact, off 0 | ∞ | log 2 = 0.6931 | 0 | \\|θ\\| | sign of θ |\n"
    by = {name: ([row["theta"] for row in found], [row[name] for row in found], "o") for name in found[0]}
    for thetas, slopes, _ in (by["js_slope"], by["w1_slope"]):  # there is none at θ = 0
        del thetas[places // 2], slopes[places // 2]
    zero, log_2 = ([0], [0], "kD"), ([-1, 1], [LOG_2] * 2, "k--")
    truth = ([-1, 1, np.nan, -1, 0, 0, 1], [0, 0, np.nan, -1, -1, 1, 1], "k--")
    panels = {
        "Jensen-Shannon": {"a discriminator's": by["js"], "log 2": log_2, "0": zero},
        "Wasserstein-1": {"a critic's": by["w1"], "|θ|": ([-1, 0, 1], [1, 0, 1], "k--")},
        "KL(data, generated)": {"a discriminator's": by["kl"], "0, elsewhere infinite": zero},
        "what G is told: the slopes": {"JS": by["js_slope"], "W1": by["w1_slope"], "0 and the sign of θ": truth},
    }
    tz.pictures.save_lines(panels, path.with_suffix(".png"), xlabel="θ, between the lines", columns=2)
    tz.metrics.records.save({"steps": steps, "seed": seed, "places": found}, path)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{path.with_suffix('')}\n{text}")


if __name__ == "__main__":
    tz.cli.run(main)
