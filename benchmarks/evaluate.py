"""What `evaluate` costs beside its parts: one pass of 10,000 images through the extractor, and every statistic alone.

    python -m benchmarks.evaluate

The exported DCGAN on Fashion-MNIST, every metric that applies to it; CPU seconds of one process. Real images are known
from an earlier call, as in every call but the first. The parts are plain functions of `tz.metrics` on arrays in memory.
"""

import time

import keras
import numpy as np
import typer

import tfgan_zoo as tz
from tfgan_zoo.metrics import distances
from tfgan_zoo.metrics.frechet import Moments, frechet_from_moments
from tfgan_zoo.metrics.measures import MEASURES
from tfgan_zoo.metrics.memorisation import authentic, copied
from tfgan_zoo.metrics.parzen import VALIDATION_ROWS


class Served:
    """An exported generator with what `evaluate` asks of a model."""

    prior = tz.priors.Uniform()
    name, image_shape, condition = "served", (28, 28, 1), None

    def __init__(self, path):
        self.generator = keras.saving.load_model(path, compile=False)

    def draw_latents(self, num_images, seed):
        return np.asarray(self.prior.sample(num_images, self.generator.input_shape[1], [seed, 0]))

    def draw(self, latents, condition=None):
        return self.generator(latents, training=False)

    def stream(self, num_images, labels=None, seed=0, batch_size=256):
        latents = self.draw_latents(num_images, seed)
        for start in range(0, num_images, batch_size):
            yield np.asarray(self.draw(latents[start : start + batch_size]))


def parts(model, num_images, settings):
    """What is timed: name -> a function without arguments; each finds its inputs made."""
    extractor = tz.metrics.classifier_for("fashion_mnist")
    stored = {split: tz.data.arrays("fashion_mnist", split)[0] for split in ("train", "test")}
    counts = {"train": settings["memorisation"]["num_train"], "test": num_images}
    chosen = {
        split: np.sort(np.random.default_rng(0).permutation(len(x))[: counts[split]]) for split, x in stored.items()
    }
    images = {split: np.asarray(tz.pixels.from_uint8(stored[split][rows])) for split, rows in chosen.items()}
    seen = {split: extractor_pass(extractor, batches(x)) for split, x in images.items()}
    train, real = (seen[split]["features"] for split in ("train", "test"))
    made = np.concatenate(list(model.stream(num_images)))
    fakes = extractor_pass(extractor, batches(made))
    fake, probabilities = fakes["features"], fakes["probabilities"]
    neighbours = tz.metrics.neighbour_distances(real, 5)
    known = Moments.of(real)
    held_out, own = distances.nearest(real, train)[0], tz.metrics.neighbour_distances(train, 1)[:, 0]
    few = settings["sliced_wasserstein"]["num_images"]

    def distance():
        moments = Moments.of(fake)
        return frechet_from_moments(known.mean, known.covariance, moments.mean, moments.covariance)

    def rows(x):
        return (x.reshape(len(x), -1) + 1) / 2

    def memorisation():
        squared, index = distances.nearest(fake, train)
        return copied(squared, held_out), authentic(squared, index, own)

    def path_length():
        latents = model.draw_latents(2 * settings["path_length"]["num_paths"], 0)
        return tz.metrics.perceptual_path_length(
            lambda z: np.asarray(model.draw(z.astype(np.float32))),
            lambda x: extractor(x)["features"],
            latents,
            interpolate=tz.latents.lerp,
            batch_size=256,
        )

    return {
        "feature pass": lambda: extractor_pass(extractor, model.stream(num_images)),
        "fd": distance,
        "precision_recall, density_coverage": lambda: tz.metrics.neighbour_scores(
            real, fake, real_distances=neighbours
        ),
        "kid": lambda: tz.metrics.kernel_distance(real, fake),
        "classifier_score, class_histogram": lambda: (
            tz.metrics.classifier_score(probabilities),
            tz.metrics.class_histogram(probabilities),
        ),
        "sliced_wasserstein": lambda: tz.metrics.sliced_wasserstein(
            images["test"][:few],
            made[:few],
            settings["sliced_wasserstein"]["patches_per_image"],
            num_projections=settings["sliced_wasserstein"]["num_projections"],
        ),
        "ms_ssim, twice": lambda: [tz.metrics.ms_ssim(x, num_pairs=1000) for x in (made, images["test"])],
        "parzen": lambda: tz.metrics.parzen_log_likelihood(
            rows(made), rows(images["test"]), validation=rows(images["train"][:VALIDATION_ROWS])
        ),
        "ndb": lambda: tz.metrics.different_bins(real, fake),
        "memorisation": memorisation,
        "path_length": path_length,
    }


def batches(images):
    """Images, 256 at a time."""
    return (images[start : start + 256] for start in range(0, len(images), 256))


def extractor_pass(extractor, batches):
    """Features and probabilities of a stream of images."""
    found = [extractor(batch) for batch in batches]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def main(num_images: int = 10_000, generator: str = "exported/dcgan_fashion_mnist/generator.keras"):
    """Print the parts, their sum, the whole and the ratio."""
    model = Served(generator)
    ask = {"metrics": "all", "num_images": num_images, "verbose": False}
    tz.evaluate(model, "fashion_mnist", **ask | {"metrics": ("fd", "precision_recall", "memorisation")})
    settings = {name: measure.settings for name, measure in MEASURES.items()}
    total = 0.0
    for name, part in parts(model, num_images, settings).items():
        begin = time.process_time()
        part()
        spent = time.process_time() - begin
        total += spent
        print(f"{name:40}{spent:8.1f} CPU s")
    record = tz.evaluate(model, "fashion_mnist", **ask)
    print(f"{'the sum':40}{total:8.1f} CPU s\n{'evaluate':40}{record['cpu_s']:8.1f} CPU s")
    print(f"ratio {record['cpu_s'] / total:.2f}   (goal <= 1.3)")
    print("evaluate by metric: " + ", ".join(f"{name} {spent:.1f}" for name, spent in record["cpu_s_of"].items()))


if __name__ == "__main__":
    typer.run(main)
