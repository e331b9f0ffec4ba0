"""Improved GAN (Salimans et al. 2016, Sec. 5 and 6.1): a classifier that learns from few labels and many images.

    python -m recipes.improved_gan                                              handwritten digits, 20 to 500 labels
    python -m recipes.improved_gan --dataset fashion_mnist --labels 100,300,1000,4000 --epochs 4 --width 500 --seeds 1

Half of each batch is labelled images, over and over, half any image without its label; each seed labels others. In
`run/errors.png` are wrong answers on the test split, beside D's alone, trained as long. The first GAN is exported.
"""

from pathlib import Path

import numpy as np
from keras import Model, losses, optimizers

import tfgan_zoo as tz


def trained(kind, count, seed, config, callbacks):
    """A GAN whose D learned from `count` labels and all images, or alone from the labelled images."""
    images, labels = tz.data.arrays(config["dataset"])
    rows, classes = tz.data.few_of_each(labels, count, seed), len(np.unique(labels))
    data = tz.data.half_labelled(images, labels, rows, config["batch_size"], seed)
    tz.runtime.setup(seed=seed)
    tz.data.set_epoch(0)
    rate = optimizers.schedules.PolynomialDecay(3e-3, config["epochs"] * len(data), end_learning_rate=0.0)
    gan = tz.create("improved_gan", images.shape[1:], num_classes=classes, width=config["width"], learning_rate=rate)
    gan.compile()
    alone = Model(gan.discriminator.inputs, gan.discriminator.output["classes"])
    alone.compile(optimizers.Adam(rate, 0.5), losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    (alone if kind == "alone" else gan).fit(data, epochs=config["epochs"], verbose=0, callbacks=callbacks)
    return gan


def main(
    dataset: str = "digits",
    epochs: int = 100,
    batch_size: int = 100,
    width: int = 256,
    labels: str = "20,50,100,200,500",
    seeds: int = 2,
    seed: int = 0,
    out: Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
    compact: bool = False,
):
    """Train for each number of labels and each seed; the same command again continues, or says that it is done."""
    config = {name: value for name, value in locals().items() if name not in ("out", "fresh", "quiet", "compact")}
    run = tz.Run(out or f"exported/improved_gan_{Path(dataset).stem}", config | {"image_size": None}, fresh=fresh)
    if run.is_done(epochs):
        return run.report(again=True)
    (images, answers), gans, kept = run.test_images(), [], run.directory / f"errors_{epochs}.json"
    found, bar = tz.metrics.records.load(kept) if kept.exists() else {}, [] if quiet else [tz.callbacks.Progress()]
    kinds, counts = ("semi-supervised", "alone"), sorted(map(int, labels.split(",")), reverse=True)
    for job in (jobs := [(kind, count, seed + one) for kind in kinds for count in counts for one in range(seeds)]):
        if not gans or str(job) not in found:  # the first is exported, and comes from its checkpoint
            gans.append(trained(*job, config, bar if gans else run.callbacks(quiet=True) + bar))
            found[str(job)] = float((gans[-1].classify(images).argmax(axis=1) != answers).mean())
            tz.metrics.records.save(found, kept)
    figure, axis = tz.pictures.new_figure(6.4, 4.8)
    for kind, errors in zip(kinds, np.reshape([found[str(job)] for job in jobs], (2, len(counts), seeds)), strict=True):
        axis.errorbar(counts, 100 * errors.mean(1), 100 * errors.std(1), marker=".", capsize=3, label=kind)
    axis.set(xlabel="labels", ylabel="test error, %", xscale="log", xticks=counts, xticklabels=counts, ylim=0)
    axis.minorticks_off()
    axis.legend()
    tz.pictures.save_figure(figure, run.directory / "errors.png")
    record = tz.evaluate(gans[0], dataset, verbose=not quiet) if tz.metrics.distance_name(dataset) else None
    about = run.about(model="Improved GAN, Salimans et al. 2016", data=dataset, test_errors=found)
    kind, shown = tz.runs.compact(gans[0]) if compact else {}, {"Test errors": run.directory / "errors.png"}
    tz.export(gans[0], run.out, scores=record, about=about, pictures=shown, **kind)
    run.finish(epochs, record)
    return run.report()


main.shipped = {"dataset": "digits"}

if __name__ == "__main__":
    tz.cli.run(main)
