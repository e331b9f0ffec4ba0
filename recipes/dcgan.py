"""DCGAN (Radford et al. 2016) on images of any source.

    python -m recipes.dcgan                                                        handwritten digits, two minutes
    python -m recipes.dcgan --dataset fashion_mnist --epochs 10 --width 32         ten minutes on two cores: fd about 64

The update rule is the paper's: Adam 2e-4 with beta_1 0.5, z of 100 uniform numbers, batch normalisation, LeakyReLU 0.2.
The paper's networks start at width 128 for 64 x 64 photographs; small images need less.
"""

from pathlib import Path

import tfgan_zoo as tz

SCORES = 10  # times a run is scored
BUDGET = {"epochs": 20, "width": 64, "image_size": None}
BUDGETS = {
    "digits": {"epochs": 120, "width": 32, "image_size": 16}
}  # 1,077 images of 8 x 8, smoother to see at 16 x 16


def main(
    dataset: str = "digits",
    epochs: int | None = None,
    batch_size: int = 64,
    image_size: int | None = None,
    width: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
):
    """Train, picture, score and export a DCGAN; the same command again continues, or says that it is done."""
    name, budget = Path(dataset).stem, BUDGETS.get(dataset, BUDGET)
    epochs, width = epochs or budget["epochs"], width or budget["width"]
    image_size, out = image_size or budget["image_size"], out or Path(f"exported/dcgan_{name}")
    config = {
        "dataset": dataset,
        "epochs": epochs,
        "batch_size": batch_size,
        "image_size": image_size,
        "width": width,
        "seed": seed,
    }
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
