"""The vanishing gradient: what an ever better discriminator tells a generator (Arjovsky & Bottou 2017, Fig. 2 and 3).

    python -m recipes.vanishing_gradients [--dataset digits --steps 500]     10,000 of Fashion-MNIST, five CPU minutes

A DCGAN is trained for 1, 10 and 25 epochs. Each time its G rests while a new D learns to tell, and the length of G's
gradient is taken under log(1 - D) and under -log D. Written: figure, table, JSON.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import typer
from keras import optimizers
from rich.progress import track

import tfgan_zoo as tz

LOSSES = {"log(1 - D)": tz.objectives.MinimaxGAN(), "-log D": tz.objectives.NonSaturating()}
HEAD = "| loss, after epochs of G | first | peak | last |\n" + "|---" * 4 + "|\n"
OUT, DATA, BATCH, LOOKS = Path("exported/vanishing_gradients"), "fashion_mnist", 64, 50


def narrow(images, seed, rate):
    """A DCGAN for such images with a G of half D's width, ready to train; the rate is D's."""
    tz.runtime.setup(seed=seed)
    shape, nets = images.element_spec.shape[1:], tz.networks.dcgan
    gan = tz.GAN(nets.generator(shape, 100, 8), nets.discriminator(shape, 16), objective=LOSSES["-log D"], ema_decay=0)
    gan.compile(None, optimizers.Adam(rate, 0.5))
    return gan


def lengths(generator, images, steps, seed):
    """Of G's gradient under each loss, (LOOKS, 2), while a new D learns and G rests."""
    gan, film = narrow(images, seed, 1e-3), []  # five times as fast, for the paper's 4,000 steps within a minute
    gan.generator.set_weights(generator.get_weights())

    @tf.function
    def learn(real):
        gan.update_discriminator(real)
        gan.step.assign_add(1)

    @tf.function
    def look():
        with tf.GradientTape(persistent=True) as tape:
            logits = gan.adversary.discriminate(gan.synthesize(None, BATCH, 0, purpose="look")[0])["logits"]
            losses = [objective.generator_loss(logits) for objective in LOSSES.values()]
        return [tf.linalg.global_norm(tape.gradient(loss, gan.generator.trainable_variables)) for loss in losses]

    for step, real in enumerate(images.repeat().take(steps)):
        film += [] if step % (steps // LOOKS) else [look()]
        learn(real)
    return np.float64(film[:LOOKS])


def main(
    dataset: str = DATA, epochs: str = "1,10,25", steps: int = 1000, seed: int = 0, out: Path = OUT, quiet: bool = False
):
    """Train G, rest it and look; write its gradients by the new D's step."""
    known, panels, found = {int(e) for e in epochs.split(",") if e.isdecimal()} - {0}, {}, {}
    if len(known) <= epochs.count(",") or steps < LOOKS:
        raise typer.BadParameter(f"{epochs=}, {steps=}: give epochs from 1, like 1,10,25, and steps from {LOOKS}.")
    images = tz.data.load(tz.data.arrays(dataset)[0][:10_000], batch_size=BATCH, seed=seed)
    path, trained = tz.files.directory(out) / f"{Path(dataset).stem}.json", narrow(images, seed, 2e-4)
    for epoch in track(range(1, max(known) + 1), "Training", disable=quiet):
        trained.fit(images, initial_epoch=epoch - 1, epochs=epoch, verbose=0)
        if epoch in known:
            for loss, film in zip(LOSSES, lengths(trained.generator, images, steps, seed + 1).T, strict=True):
                panels.setdefault(loss, {})[f"G after {epoch} epochs"] = (np.arange(LOOKS) * (steps // LOOKS), film)
                found[f"{loss} after {epoch}"] = {"first": film[0], "peak": film.max(), "last": film[-5:].mean()}
    text = HEAD + "".join("| {} | {:.3g} | {:.3g} | {:.3g} |\n".format(row, *found[row].values()) for row in found)
    tz.pictures.save_lines(panels, path.with_suffix(".png"), "D's step", "|G's gradient|", log=True, shared=True)
    tz.metrics.records.save({"steps": steps, "seed": seed, "gradients": found}, path)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{path.with_suffix('')}\n{text}")


if __name__ == "__main__":
    tz.cli.run(main)
