"""The semi-supervised adversarial autoencoder (Makhzani et al. 2016, Sec. 5): a class from few labels, and a style.

    python -m recipes.semi_supervised_autoencoder                            handwritten digits, 100 labels
    python -m recipes.semi_supervised_autoencoder --dataset fashion_mnist --epochs 5 --width 64 --labels 1000

Half of each batch is labelled images, over and over, half any image without its label; each seed labels others. In
`run/`: `styles.png`, a row a class, a column a style of the prior; `same_style.png`, test images and each as every
class. `test_errors` on the card: wrong answers on the test split, and the encoder's alone. The first is exported.
"""

from pathlib import Path

import keras
import numpy as np

import tfgan_zoo as tz


def trained(seed, config, callbacks):
    """A model that learned from few labels and all images, and its encoder, which saw only the labelled."""
    images, labels = tz.data.arrays(config["dataset"])
    rows = tz.data.few_of_each(labels, config["labels"], seed)
    data = tz.data.half_labelled(images, labels, rows, config["batch_size"], seed)
    known = tz.data.labelled(images, labels, rows, config["batch_size"] // 2, seed)
    tz.runtime.setup(seed=seed)
    tz.data.set_epoch(0)
    told = {"num_classes": len(np.unique(labels)), "width": config["width"], "seed": seed}
    model = tz.create("semi_supervised_autoencoder", images.shape[1:], **told)
    alone = keras.models.clone_model(model.encoder)
    alone = keras.Model(alone.inputs, alone.output[:, model.style_dim :])
    alone.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    alone.fit(known, steps_per_epoch=50, epochs=10, shuffle=False, verbose=0)
    model.compile()
    model.fit(data, epochs=config["epochs"], verbose=0, callbacks=callbacks)
    return model, alone


def figures(model, images, directory):
    """A row a class and a column a style; and images, each as every class."""
    paths, one_hot, columns = {}, np.eye(model.known.num_classes), len(images)
    told = ("A row a class, a column a style", model.draw_latents(columns, 0), images[:0], "styles.png")
    for caption, codes, above, name in (told, ("Each as every class", model.encode(images), images, "same_style.png")):
        styles = np.tile(np.asarray(codes)[:, : model.style_dim], (len(one_hot), 1))
        made = np.asarray(model.decode(np.concatenate([styles, np.repeat(one_hot, columns, axis=0)], axis=1)))
        rows = ["image"] * bool(len(above)) + [str(one) for one in range(len(one_hot))]
        paths[caption] = directory / name
        tz.pictures.save_labelled_grid(np.concatenate([above, made]), paths[caption], columns, row_titles=rows)
    return paths


def main(
    dataset: str = "digits", epochs: int = 60, batch_size: int = 100, width: int = 32, labels: int = 100,
    seeds: int = 2, seed: int = 0, out: Path | None = None, fresh: bool = False, quiet: bool = False,
    compact: bool = False,
):  # fmt: skip
    """Train for each seed; the same command again continues, or says that it is done."""
    config = {name: value for name, value in locals().items() if name not in ("out", "fresh", "quiet", "compact")}
    out = out or f"exported/semi_supervised_autoencoder_{Path(dataset).stem}"
    run, found, models = tz.Run(out, config | {"image_size": None}, fresh=fresh), {}, []
    if run.is_done(epochs):
        return run.report(again=True)
    (images, answers), bar = run.test_images(), [] if quiet else [tz.callbacks.Progress()]
    for one in range(seed, seed + seeds):  # the first is exported, and goes on from its checkpoint
        models += trained(one, config, bar if models else run.callbacks(quiet=True) + bar)
        said = {"autoencoder": models[-2].classify(images), "encoder alone": models[-1].predict(images, verbose=0)}
        found |= {f"{kind}, seed {one}": float((of.argmax(axis=1) != answers).mean()) for kind, of in said.items()}
    metrics = ("fd", "precision_recall", "reconstruction") if tz.metrics.distance_name(dataset) else "reconstruction"
    record = tz.evaluate(models[0], dataset, metrics=metrics, verbose=not quiet)
    about = run.about(model="Adversarial autoencoder, Makhzani et al. 2016", data=dataset, test_errors=found)
    shown, kind = figures(models[0], images[:10], run.directory), tz.runs.compact(models[0]) if compact else {}
    tz.export(models[0], run.out, scores=record, about=about, pictures=shown, **kind)
    run.finish(epochs, record)
    return run.report()


main.shipped = {"dataset": "digits"}

if __name__ == "__main__":
    tz.cli.run(main)
