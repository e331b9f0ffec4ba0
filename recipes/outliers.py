"""Outliers by reconstruction and by likelihood (Nalisnick et al. 2019): a class that was held out of training.

    python -m recipes.outliers                                                                handwritten digits
    python -m recipes.outliers --dataset fashion_mnist --classes 10 --steps 2000

For each class in turn an autoencoder and a VAE learn from all images but that class's; the area under the ROC curve
says how well a score tells the test images of the class (outliers) from the others: |x - x'|^2 of the autoencoder, and
minus the VAE's bound on log p(x). 0.5 is chance. A density is no outlier score: where the class is simple, it may have
more of it than what was learned. The scores are of the last step, not of the best; `<out>/auc.json` holds them all.
"""

import json
import pathlib

import numpy as np

import tfgan_zoo as tz


def auc(outliers, others):
    """The chance that an outlier has the higher score, ties counted half: Mann & Whitney 1947."""
    below = np.searchsorted(np.sort(others), outliers, "left") + np.searchsorted(np.sort(others), outliers, "right")
    return float(np.mean(below) / (2 * len(others)))


def main(
    *,
    dataset: str = "digits",
    classes: int = 10,
    steps: int = 600,
    batch_size: int = 64,
    width: int = 16,
    test_images: int = 1000,
    seed: int = 0,
    out: pathlib.Path | None = None,
    quiet: bool = False,
):
    """Hold each class out, and print and keep the areas."""
    out = pathlib.Path(out or f"exported/outliers_{dataset}")
    (images, labels), (test, of_test) = (tz.data.arrays(dataset, split) for split in ("train", "test"))
    test, of_test = np.asarray(tz.pixels.from_uint8(test[:test_images])), of_test[:test_images]
    areas = {"reconstruction": [], "likelihood": []}
    for held_out in range(classes):
        data = tz.data.load(images[labels != held_out], batch_size=batch_size, seed=seed).repeat()
        tz.runtime.seed_all(seed)
        models = [
            tz.create(name, test.shape[1:], width=width, seed=seed, **flags)
            for name, flags in (("autoencoder", {"convolutional": False}), ("vae", {}))
        ]
        for model in models:
            model.compile(steps_per_execution=20)
            model.fit(data, steps_per_epoch=steps, verbose=0)
        error = np.sum((np.asarray(models[0].reconstruct(test)) - test) ** 2, axis=(1, 2, 3))
        scores = {"reconstruction": error, "likelihood": -np.asarray(models[1].log_prob(test, seed))}
        for name, score in scores.items():
            areas[name].append(auc(score[of_test == held_out], score[of_test != held_out]))
        if not quiet:
            print(f"class {held_out}: " + ", ".join(f"{name} {found[-1]:.3f}" for name, found in areas.items()))
    means = {f"mean_auc_{name}": float(np.mean(found)) for name, found in areas.items()}
    out.mkdir(parents=True, exist_ok=True)
    (out / "auc.json").write_text(json.dumps({"classes": areas, **means}, indent=1) + "\n")
    bars = {name: (range(classes), found, "o-") for name, found in areas.items()}
    tz.pictures.save_lines({"one class held out": bars}, out / "auc.png", "class", "area under the ROC curve")
    print(", ".join(f"{name} {value:.3f}" for name, value in means.items()))
    return means


if __name__ == "__main__":
    tz.cli.run(main)
