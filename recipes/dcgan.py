"""DCGAN (Radford et al. 2016) on images of any source.

    python -m recipes.dcgan --dataset fashion_mnist --epochs 10 --batch-size 64 --seed 0 --out exported/dcgan_fashion_mnist

The update rule is the paper's: Adam 2e-4 with beta_1 0.5, z of 100 uniform numbers, batch normalisation, LeakyReLU 0.2.
The paper's networks start at width 128 for 64 x 64 photographs; --width 64 is enough for small images.
"""

from pathlib import Path

import tfgan_zoo as tz

EPOCHS = {"digits": 400}  # 1,077 images: sixteen updates an epoch
SCORES = 10  # times a run is scored


def main(
    dataset: str = "digits",
    epochs: int | None = None,
    batch_size: int = 64,
    image_size: int | None = None,
    width: int = 64,
    seed: int = 0,
    out: Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
):
    """Train, picture, score and export a DCGAN; the same command again continues, or says that it is done."""
    name = Path(dataset).stem
    epochs, out = epochs or EPOCHS.get(dataset, 20), out or Path(f"exported/dcgan_{name}")
    config = {"dataset": dataset, "batch_size": batch_size, "image_size": image_size, "width": width, "seed": seed}
    run = tz.Run(out, config, fresh=fresh)
    if run.is_done(epochs):
        return run.report("is done already; --fresh starts over")

    tz.runtime.setup(seed=seed)
    images = tz.data.load(dataset, image_size=image_size, batch_size=batch_size, seed=seed)
    gan = tz.create("dcgan", image_shape=tz.data.shape_of(images), width=width)
    gan.compile()
    callbacks = run.callbacks(epochs, score_on=dataset, score_every=max(1, epochs // SCORES), quiet=quiet)
    gan.fit(images, epochs=epochs, verbose=0, callbacks=callbacks)

    record = run.score(gan, dataset, quiet=quiet)
    about = run.about(model="DCGAN, Radford et al. 2016", data=name)
    tz.export(gan, out, scores=record, about=about, pictures=run.pictures())
    run.finish(epochs, record)
    return run.report("is ready to serve")


if __name__ == "__main__":
    tz.cli.run(main)
