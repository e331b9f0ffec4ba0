"""Few images, with and without adaptive augmentation (Karras et al. 2020): when does the discriminator learn by heart?

    python -m recipes.limited_data [--count 1000] [--kimg 600]          hours of a CPU, minutes of a GPU
    python -m recipes.limited_data --dataset digits --count 200 --kimg 20 --every 10 --width 8 --image-size 16

StyleGAN2 on the first images of a data set, twice: as it is, and behind ADA. Written, every so many thousand images:
the Fréchet distance from held-out images; D's mean logit of images that it trains on, of held-out and of generated ones
(where the first two part, D knows its images, and not what they have in common); and p. The paper's Fig. 1 and 7.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import typer
from matplotlib.figure import Figure

import tfgan_zoo as tz

OUT = Path("exported/limited_data")
KINDS = ("trained on", "held out", "generated")


def trained(ada, images, held_out, dataset, kimg, every, width, seed, quiet):
    """What is seen of one training: a list of dicts, a row every so many thousand images."""
    tz.runtime.seed_all(seed)
    keywords = {"augmentations": (tz.augmentations.ADA(kimg=100.0),) if ada else (), "path_length": None}
    model = tz.create("stylegan2_ada", images.shape[1:], width=width, channel_max=4 * width, seed=seed, **keywords)
    model.compile()
    data = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=seed).repeat().batch(64)
    rows = []
    for shown in range(every, kimg + 1, every):
        model.fit(data, epochs=1, steps_per_epoch=max(1, 1000 * every // 64), verbose=0)
        scores = tz.evaluate(model, dataset, ["fd"], min(5000, len(held_out)), verbose=False)["scores"]
        rows.append({"kimg": shown, "fd": next(iter(scores.values())), "p": float(model.state.get("ada_p", 0.0))})
        for kind, part in zip(KINDS, (images, held_out, model.generate(500, seed=0)), strict=True):
            rows[-1][kind] = float(np.mean(model.discriminator(part[:500], training=False)))
        if not quiet:
            print("ADA" if ada else "without", {name: round(value, 3) for name, value in rows[-1].items()}, flush=True)
    return rows


def draw(found, path):
    """Distances, logits of both trainings, and p."""
    figure = Figure(figsize=(12.0, 7.0), layout="constrained", dpi=110)
    axes = dict(zip(("fd", "p", *found), figure.subplots(2, 2).ravel(), strict=True))
    for name, rows in found.items():
        kimg = [row["kimg"] for row in rows]
        for key in ("fd", "p"):
            axes[key].plot(kimg, [row[key] for row in rows], marker=".", label=name)
        for kind in KINDS:
            axes[name].plot(kimg, [row[kind] for row in rows], marker=".", label=kind)
    titles = {"fd": "Fréchet distance, held out", "p": "p"} | {name: f"D's mean logit, {name}" for name in found}
    for name, axis in axes.items():
        axis.set(title=titles[name], xlabel="thousand images shown")
        axis.legend()
    figure.savefig(path)


def main(dataset: str = "fashion_mnist", count: int = 1000, kimg: int = 600, every: int = 20, width: int = 16,
         image_size: int | None = None, seed: int = 0, out: Path = OUT, quiet: bool = False):  # fmt: skip
    """Train twice, and write rows, a table and a picture."""
    if count < 64 or not 1 <= every <= kimg:
        raise typer.BadParameter(f"{count=}, {kimg=}, {every=}: give 64 images or more, and 1 <= every <= kimg.")
    path = tz.files.directory(out) / "limited_data.json"
    parts = [tz.data.arrays(dataset, split, image_size=image_size)[0] for split in (f"train[:{count}]", "test")]
    given = (*(np.asarray(tz.pixels.from_uint8(one)) for one in parts), dataset, kimg, every, width, seed, quiet)
    found = {name: trained(name == "ADA", *given) for name in ("without", "ADA")}
    draw(found, out / "limited_data.png")
    tz.metrics.records.save({"dataset": dataset, "count": count, "seed": seed, "rows": found}, path)
    text = "| training | best fd | at kimg | last fd | p at the end |\n" + "|---" * 5 + "|\n"
    for name, rows in found.items():
        best, last = min(rows, key=lambda row: row["fd"]), rows[-1]
        text += f"| {name} | {best['fd']:.1f} | {best['kimg']} | {last['fd']:.1f} | {last['p']:.2f} |\n"
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{path.with_suffix('')}\n{text}")


if __name__ == "__main__":
    tz.cli.run(main)
