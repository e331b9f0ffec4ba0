"""The small classifiers whose features the metrics measure in, and the command that trains them.

    python -m tfgan_zoo.metrics.classifier --dataset digits          # two minutes on two cores
    python -m tfgan_zoo.metrics.classifier --dataset fashion_mnist   # five

Inception was trained on colour photographs; on 8x8 digits or 28x28 garments its features say little. A classifier of
the very dataset knows what tells a 3 from an 8, and on images that small it costs next to nothing.
"""

import dataclasses
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import data, errors, files, pixels
from tfgan_zoo.metrics import features


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one classifier is made. Several seeds are told apart by validation accuracy alone, never by the test split.

    Args:
        filters: channels of the convolutional stages; the image is halved after each while it is larger than 3x3.
        kernel: side of the first convolution's window; the others have 3.
        feature_width: d, the width of the layer that the metrics read.
        epochs: passes over the training images; the learning rate falls along a cosine to 0.
        batch_size: images per update.
        shift: largest random translation, as a fraction of the image's side.
        rotation: largest random rotation, as a fraction of a full turn.
        seeds: how many seeds are tried, counted from `--seed`; more than one needs a validation split.
    """

    filters: tuple[int, ...]
    kernel: int
    feature_width: int
    epochs: int
    batch_size: int
    shift: float = 0.0
    rotation: float = 0.0
    seeds: int = 1


RECIPES = {
    "digits": Recipe((32, 64, 64), 3, feature_width=32, epochs=40, batch_size=32, shift=0.1, rotation=0.03, seeds=3),
    "fashion_mnist": Recipe((24, 48, 96), 5, feature_width=64, epochs=8, batch_size=128),
}


def build(recipe, image_shape, num_classes):
    """A plain convolutional classifier with two heads.

    The features are taken before the last non-linearity: a ReLU would pile half of them up at 0, and a Gaussian, which
    is all that a Fréchet distance sees, fits that badly.

    Args:
        recipe: a `Recipe`.
        image_shape: (height, width, channels) of the images.
        num_classes: C.

    Returns:
        A keras.Model from images (N, height, width, channels) in [-1, 1] to
        {"features": (N, d), "probabilities": (N, C)}.
    """
    images = x = keras.Input(image_shape, name="images")
    for stage, filters in enumerate(recipe.filters):
        x = keras.layers.Conv2D(filters, recipe.kernel if stage == 0 else 3, padding="same", use_bias=False)(x)
        if min(x.shape[1:3]) > 3:
            x = keras.layers.MaxPooling2D()(x)  # before the normalisation: a quarter of the work, and nearly the same
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
    vector = keras.layers.Dense(recipe.feature_width, name="features")(x)
    x = keras.layers.Dropout(0.3)(keras.layers.ReLU()(vector))
    probabilities = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(images, {"features": vector, "probabilities": probabilities}, name="classifier")


def batches(recipe, images, labels, seed):
    """Shuffled, gently moved training batches of (images, labels); moving happens here, so the model stays plain."""
    rows = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed=seed)
    rows = rows.batch(recipe.batch_size, drop_remainder=True)
    black = {"fill_mode": "constant", "fill_value": -1.0, "seed": seed}
    if recipe.shift:
        shifted = keras.layers.RandomTranslation(recipe.shift, recipe.shift, **black)
        rows = rows.map(lambda x, y: (shifted(x, training=True), y))
    if recipe.rotation:
        turned = keras.layers.RandomRotation(recipe.rotation, **black)
        rows = rows.map(lambda x, y: (turned(x, training=True), y))
    return rows.prefetch(tf.data.AUTOTUNE)


def fit(recipe, train, validation, num_classes, seed, verbose=2, callbacks=()):
    """Train one classifier.

    Args:
        recipe: a `Recipe`.
        train: images float32 (N, height, width, channels) in [-1, 1] and labels (N,).
        validation: the same of the validation split, or None.
        num_classes: C.
        seed: of the initial weights, the order and the moves.
        verbose, callbacks: as in keras.Model.fit.

    Returns:
        The model with its two heads, and its accuracy on the validation split (None without one).
    """
    keras.utils.set_random_seed(seed)
    model = build(recipe, train[0].shape[1:], num_classes)
    learner = keras.Model(model.input, model.output["probabilities"])
    steps = recipe.epochs * (len(train[0]) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    learner.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    images = batches(recipe, *train, seed)
    learner.fit(images, epochs=recipe.epochs, shuffle=False, verbose=verbose, callbacks=list(callbacks))
    return model, None if validation is None else accuracy(model, *validation)


def accuracy(model, images, labels):
    """The fraction of images whose likeliest class is their label.

    Args:
        model: a classifier with an output "probabilities".
        images: float32 (N, height, width, channels) in [-1, 1].
        labels: integers (N,).

    Returns:
        A float in [0, 1].
    """
    predicted = model.predict(images, batch_size=500, verbose=0)["probabilities"].argmax(-1)
    return float(np.mean(predicted == labels))


def train(dataset, seed=0, out=features.WEIGHTS, verbose=2):
    """Train the classifier of a dataset and save it, with a sidecar that says how well it does and how it was made.

    Args:
        dataset: a key of `RECIPES`.
        seed: the first seed that is tried.
        out: the directory of <dataset>.keras and <dataset>.json.
        verbose: as in keras.Model.fit.

    Returns:
        The sidecar's content, a dict.

    Raises:
        ValueError: there is no recipe for the dataset.
    """
    if dataset not in RECIPES:
        raise errors.unknown("classifier recipe", dataset, RECIPES)
    recipe, info = RECIPES[dataset], data.info(dataset)
    splits = {split: _split(dataset, split) for split in ("train", "validation", "test") if split in info.num_images}
    held_out = splits.get("validation")
    tried = {
        seed + i: fit(recipe, splits["train"], held_out, info.num_classes, seed + i, verbose)
        for i in range(recipe.seeds if held_out else 1)
    }
    best = max(tried, key=lambda one: tried[one][1] or 0.0)
    model = tried[best][0]
    out = pathlib.Path(out)
    with files.atomic_write(out / f"{dataset}.keras") as temporary:
        model.save(temporary)
    card = {
        "dataset": dataset,
        "test_accuracy": accuracy(model, *splits["test"]),
        "validation_accuracy": {str(one): score for one, (_, score) in tried.items()},
        "num_images": {split: len(rows[1]) for split, rows in splits.items()},
        "image_shape": list(info.image_shape),
        "num_classes": info.num_classes,
        "features": recipe.feature_width,
        "parameters": model.count_params(),
        "seed": best,
        "recipe": dataclasses.asdict(recipe) | {"filters": list(recipe.filters)},
        "command": f"python -m tfgan_zoo.metrics.classifier --dataset {dataset} --seed {seed}",
        "keras": keras.__version__,
        "sha256": features.sha256_of(model),
    }
    files.write_json(out / f"{dataset}.json", card)
    return card


def _split(dataset, split):
    """Images float32 in [-1, 1] and labels of one split, as NumPy arrays."""
    stored, labels = data.arrays(dataset, split)
    return np.asarray(pixels.from_uint8(stored)), np.asarray(labels)


def main(dataset: str = "digits", seed: int = 0, out: pathlib.Path = features.WEIGHTS):
    """Train and save the classifier that scores images of a dataset (digits or fashion_mnist)."""
    try:
        card = train(dataset, seed, out)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    print(f"{dataset}: test accuracy {card['test_accuracy']:.2%} with seed {card['seed']}, saved in {out}")


if __name__ == "__main__":
    import typer

    typer.run(main)
