"""Few images, with and without adaptive augmentation (Karras et al. 2020): when does the discriminator learn by heart?

    python -m recipes.limited_data --kimg 600                       hours of a CPU; or a half of it: --only ADA
    python -m recipes.limited_data --count 500 --width 32 --kimg 380    six minutes of a GPU: fd 224 without, 147 by ADA
    python -m recipes.limited_data --dataset digits --count 200 --kimg 20 --every 10 --width 8 --image-size 16

StyleGAN2 on the first images of a data set, as it is and behind ADA. Seen, every so many thousand images: Fréchet's
distance from held-out images; p; D's mean logit of images it trains on, of held-out and of generated ones (where the
first two part, D knows its images, and not what they have in common). The paper's Fig. 1 and 7.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import typer

import tfgan_zoo as tz

OUT, TRAININGS, KINDS = Path("exported/limited_data"), ("without", "ADA"), ("trained on", "held out", "generated")


def trained(ada, images, held_out, dataset, kimg, every, width, seed):
    """Train once; yields what is seen of it every so many thousand images, a dict."""
    tz.runtime.seed_all(seed)
    keywords = {"augmentations": (tz.augmentations.ADA(kimg=100.0),) if ada else (), "path_length": None}
    model = tz.create("stylegan2_ada", images.shape[1:], width=width, channel_max=4 * width, seed=seed, **keywords)
    model.compile()
    data = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=seed).repeat().batch(64, True)
    for shown in range(every, kimg + 1, every):
        model.fit(data, epochs=1, steps_per_epoch=max(1, 1000 * every // 64), verbose=0)
        scores = tz.evaluate(model, dataset, ["fd"], min(5000, len(held_out)), verbose=False)["scores"]
        row = {"kimg": shown, "fd": next(iter(scores.values())), "p": float(model.state.get("ada_p", 0.0))}
        for kind, part in zip(KINDS, (images, held_out, model.generate(500, seed=0)), strict=True):
            row[kind] = float(np.mean(model.discriminator(part[:500], training=False)))
        yield row


def draw(found, path):
    """Distances, logits of both trainings, and p."""
    figure, cells = tz.pictures.new_figure(12.0, 7.0, 2, 2)
    axes = dict(zip(("fd", "p", *TRAININGS), cells.ravel(), strict=True))
    for name, rows in found.items():
        for axis, key, label in [("fd", "fd", name), ("p", "p", name), *((name, kind, kind) for kind in KINDS)]:
            axes[axis].plot([row["kimg"] for row in rows], [row[key] for row in rows], marker=".", label=label)
    for name, axis in axes.items():
        axis.set(title=name, xlabel="thousand images shown")
        axis.legend()
    tz.pictures.save_figure(figure, path)


# fmt: off
def main(dataset: str = "fashion_mnist", count: int = 1000, kimg: int = 600, every: int = 20, only: str = "",
         width: int = 16, image_size: int | None = None, seed: int = 0, out: Path = OUT, quiet: bool = False):
    """Train what is not there yet; write rows, a table and a picture of all that is."""
    if count < 64 or not 1 <= every <= kimg or only not in ("", *TRAININGS):
        raise typer.BadParameter(f"{count=}, {kimg=}, {every=}, {only=}: >= 64, every <= kimg, one of {TRAININGS}.")
    parts = (tz.data.arrays(dataset, split, image_size=image_size)[0] for split in (f"train[:{count}]", "test"))
    given = (*(np.asarray(tz.pixels.from_uint8(one)) for one in parts), dataset, kimg, every, width, seed)
    paths = {name: tz.files.directory(out) / f"{name}.json" for name in TRAININGS}
    for name in [only] if only else TRAININGS:
        rows = tz.metrics.records.load(paths[name])["rows"] if paths[name].exists() else []
        for row in () if rows and rows[-1]["kimg"] >= kimg else trained(name == "ADA", *given):
            rows = [*(one for one in rows if one["kimg"] < row["kimg"]), row]
            tz.metrics.records.save({"dataset": dataset, "count": count, "seed": seed, "rows": rows}, paths[name])
            if not quiet:
                print(name, {key: round(value, 3) for key, value in row.items()}, flush=True)
    found = {name: tz.metrics.records.load(path)["rows"] for name, path in paths.items() if path.exists()}
    draw(found, out / "limited_data.png")
    text = "| training | best fd | at kimg | last fd | p at the end |\n" + "|---" * 5 + "|\n"
    for name, rows in found.items():
        best, last = min(rows, key=lambda row: row["fd"]), rows[-1]
        text += f"| {name} | {best['fd']:.1f} | {best['kimg']} | {last['fd']:.1f} | {last['p']:.2f} |\n"
    (out / "limited_data.md").write_text(text, encoding="utf-8")
    print(f"\n{out / 'limited_data'}\n{text}")


if __name__ == "__main__":
    tz.cli.run(main)
