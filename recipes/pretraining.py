"""Pre-training (Hinton & Salakhutdinov 2006; Vincent et al. 2010): an encoder that starts a classifier of few labels.

    python -m recipes.pretraining                                                             handwritten digits
    python -m recipes.pretraining --dataset fashion_mnist --steps 3000

A denoising autoencoder learns from all training images, without labels. Then the same network, with a layer for the
classes, learns from 10, 50 and 100 labelled images a class: once from the autoencoder's weights, once from scratch,
with several seeds. `<out>/accuracy.json` holds the test accuracies, mean and standard deviation over seeds; the figure
is `<out>/accuracy.png`.
"""

import json
import pathlib

import keras
import numpy as np

import tfgan_zoo as tz

LABELLED = (10, 50, 100)  # images a class


def classifier(encoder, classes):
    """The encoder with its last layer replaced by the classes."""
    hidden = encoder.layers[-2].output
    return keras.Model(encoder.input, keras.layers.Dense(classes, dtype="float32")(hidden))


def main(
    *,
    dataset: str = "digits",
    steps: int = 1000,
    seeds: int = 5,
    batch_size: int = 64,
    width: int = 16,
    epochs: int = 40,
    seed: int = 0,
    out: pathlib.Path | None = None,
    quiet: bool = False,
):
    """Train once without labels, then often with few."""
    out = pathlib.Path(out or f"exported/pretraining_{dataset}")
    (images, labels), (test, of_test) = (tz.data.arrays(dataset, split) for split in ("train", "test"))
    images, test = (np.asarray(tz.pixels.from_uint8(one)) for one in (images, test))
    classes = int(labels.max()) + 1
    tz.runtime.seed_all(seed)
    learner = tz.create("denoising_autoencoder", images.shape[1:], width=width, seed=seed)
    learner.compile(steps_per_execution=20)
    learner.fit(tz.data.load(dataset, batch_size=batch_size, verbose=False).repeat(), steps_per_epoch=steps, verbose=0)
    learned, found = learner.encoder.get_weights(), {"pre-trained": {}, "from scratch": {}}
    for count in LABELLED:
        for start in found:
            accuracies = []
            for one in range(seeds):
                tz.runtime.seed_all(one)
                fresh = tz.create("denoising_autoencoder", images.shape[1:], width=width, seed=one)
                if start == "pre-trained":
                    fresh.encoder.set_weights(learned)
                order = np.random.default_rng(one).permutation(len(labels))  # the same images for both
                rows = np.concatenate([order[labels[order] == k][:count] for k in range(classes)])
                model = classifier(fresh.encoder, classes)
                loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                model.compile("adam", loss, metrics=["accuracy"])
                model.fit(images[rows], labels[rows], batch_size=32, epochs=epochs, verbose=0)
                accuracies.append(float(model.evaluate(test, of_test, verbose=0, batch_size=500)[1]))
            found[start][count] = float(np.mean(accuracies)), float(np.std(accuracies))
            if not quiet:
                print(f"{count} labels a class, {start}: {found[start][count][0]:.4f} ± {found[start][count][1]:.4f}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "accuracy.json").write_text(json.dumps(found, indent=1) + "\n")
    lines = {start: (LABELLED, [of[n][0] for n in LABELLED], "o-") for start, of in found.items()}
    tz.pictures.save_lines({dataset: lines}, out / "accuracy.png", "labelled images a class", "test accuracy")
    return found


if __name__ == "__main__":
    tz.cli.run(main)
