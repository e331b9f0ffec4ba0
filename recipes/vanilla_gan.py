"""The first GAN (Goodfellow et al. 2014): dense networks on a 2-D Gaussian at (5, 5), or on small images.

    python -m recipes.vanilla_gan                               the orange cloud moves onto the blue one, in a minute
    python -m recipes.vanilla_gan --dataset digits              handwritten digits, dense layers only
    python -m recipes.vanilla_gan --dataset fashion_mnist --epochs 20

The figure, `run/by_epoch.png`, shows one fixed latent batch at chosen epochs.
"""

from pathlib import Path

import tfgan_zoo as tz

EPOCHS = {"gaussian": 20, "ring8": 40, "grid25": 40, "digits": 400}
POINTS = {"gaussian", "ring8", "grid25"}
SCORES = 10  # times a run is scored
PANELS = 8  # of the figure


def main(
    dataset: str = "gaussian",
    epochs: int | None = None,
    batch_size: int | None = None,
    width: int = 128,
    seed: int = 0,
    out: Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
):
    """Train, picture, score and export a dense GAN; the same command again continues, or says that it is done."""
    name, points = Path(dataset).stem, dataset in POINTS
    epochs, out = epochs or EPOCHS.get(dataset, 20), out or Path(f"exported/vanilla_gan_{name}")
    batch_size = batch_size or (256 if points else 64)
    config = {"dataset": dataset, "epochs": epochs, "batch_size": batch_size, "width": width, "seed": seed}
    run = tz.Run(out, config, fresh=fresh)
    if run.is_done(epochs):
        return run.report("is done already; --fresh starts over")

    tz.runtime.setup(seed=seed)
    images = tz.data.load(dataset, batch_size=batch_size, seed=seed)
    cloud = tz.data.arrays(dataset, split="test[:1000]")[0] if points else None
    gan = tz.create("gan", image_shape=tz.data.shape_of(images), width=width)
    gan.compile()
    callbacks = run.callbacks(
        epochs, score_on=dataset, score_every=max(1, epochs // SCORES), reference=cloud, quiet=quiet
    )
    gan.fit(images, epochs=epochs, verbose=0, callbacks=callbacks)
    figure = run.by_epoch(panels=PANELS)

    record = run.score(gan, dataset, quiet=quiet)
    about = run.about(model="GAN, Goodfellow et al. 2014", data=name)
    tz.export(gan, out, scores=record, about=about, pictures={"By epoch": figure} | run.pictures())
    run.finish(epochs, record)
    return run.report("is ready to serve")


if __name__ == "__main__":
    tz.cli.run(main)
