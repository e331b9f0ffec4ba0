"""Directions for the factors that images were drawn from (Shen et al. 2020): found in styles, judged by an oracle.

    python -m recipes.factors                    StyleGAN2 on shapes of 32 x 32; in latents: --entry dcgan --width 32

The oracle, a convolutional network, learns to tell the seven factors of `shapes` from images. What it says of samples
cuts each factor's values into two halves, which a direction is learned to part. factors.md: how well its plane parts
held-out samples; the share whose factor flips when they are led across; how many of the other factors' values stay; how
often the oracle is right of test images; DCI and MIG of latents and styles. factors.png: a pair of rows a factor.
"""

from pathlib import Path

import keras
import numpy as np

import tfgan_zoo as tz

FACTORS, SHOWN = {name: len(values) for name, values in tz.data.shapes.factors().items()}, 10  # samples of a row


def oracle(size, seed, epochs=5):
    """A function images -> values of factors (N, 7), and how often it is right of each on the test split."""
    tz.runtime.seed_all(seed)
    maps = inputs = keras.Input((size, size, 3))
    for width in (32, 64, 128):
        maps = keras.layers.Conv2D(width, 3, 2, "same", activation="relu")(maps)
    features = keras.layers.Dense(256, "relu")(keras.layers.Flatten()(maps))
    network = keras.Model(inputs, [keras.layers.Dense(count, "softmax")(features) for count in FACTORS.values()])
    network.compile("adam", ["sparse_categorical_crossentropy"] * len(FACTORS))
    indices = {split: tz.data.shapes.factor_indices(split) for split in ("train", "test")}
    images = {split: tz.pixels.from_uint8(tz.data.shapes.render(rows, size)) for split, rows in indices.items()}
    network.fit(images["train"], list(indices["train"].T), batch_size=128, epochs=epochs, verbose=0)

    def told(images):
        return np.stack([chances.argmax(1) for chances in network.predict(images, verbose=0)], axis=1)

    return told, (told(images["test"]) == indices["test"]).mean(axis=0)


def judged(model, told, column, count):
    """What a direction does to one factor, as numbers, and samples before and behind its plane."""

    def has(images):
        seen.append((images, told(images)))
        return seen[-1][1][:, column] >= list(FACTORS.values())[column] // 2

    seen = []
    direction = tz.latents.attribute_direction(model, has, count)
    flipped = tz.latents.flip_attribute(model, direction, has, num_latents=count // 4)
    (before, values), (across, after) = seen[-2:]
    stay = np.delete(values == after, column, axis=1).mean()
    return (direction.accuracy, flipped, stay), (before[:SHOWN], across[:SHOWN])


# fmt: off
def main(entry: str = "stylegan2", minutes: float = 60.0, width: int = 16, batch_size: int = 32, image_size: int = 32,
         samples: int = 2000, seed: int = 0, out: Path = Path("exported/factors"), quiet: bool = False):
    """Train a generator and the oracle, and judge a direction for each factor."""
    if samples < 80 or not hasattr(tz.create(entry, (image_size, image_size, 3), width=width), "draw_latents"):
        raise ValueError(f"{entry=}, {samples=}: give an entry with latents, such as 'dcgan', and at least 80 samples.")
    config = {"epochs": 1_000_000, "minutes": minutes, "batch_size": batch_size, "width": width, "seed": seed}
    run = tz.Run(out, config | {"dataset": "shapes", "image_size": image_size, "decay_from": 0.5}, quiet=quiet)
    model, (told, right) = run.train(entry, quiet=quiet), oracle(image_size, seed)
    text, sheet = "| factor | parted | flipped | others that stay | oracle right |\n" + "|---" * 5 + "|\n", []
    for column, name in enumerate(FACTORS):
        numbers, pictures = judged(model, told, column, samples)
        text += f"| {name} | " + " | ".join(f"{one:.2f}" for one in (*numbers, right[column])) + " |\n"
        sheet += pictures
    values = told(np.asarray(model.draw(latents=(latents := model.draw_latents(samples, seed=2)))))
    styles = {"styles": np.asarray(model.map(latents))[:, 0]} if hasattr(model, "map") else {}
    for name, code in ({"latents": latents} | styles).items():
        found = tz.metrics.dci(code, values) | {"MIG": tz.metrics.mutual_information_gap(code, values)}
        text += f"\n{name}: " + ", ".join(f"{key} {one:.2f}" for key, one in found.items()) + "\n"
    (out / "factors.md").write_text(text, encoding="utf-8")
    tz.pictures.save_labelled_grid(np.vstack(sheet), out / "factors.png", SHOWN, [n for n in FACTORS for _ in "ab"])
    print(text)


if __name__ == "__main__":
    tz.cli.run(main)
