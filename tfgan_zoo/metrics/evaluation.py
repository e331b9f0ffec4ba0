"""`evaluate`: images → features → statistics → numbers → a record of all that decided them."""

import hashlib
import pathlib
import re
import time

import numpy as np

from tfgan_zoo import data, pixels
from tfgan_zoo.data.bundled import MIXTURES
from tfgan_zoo.metrics import cache, fakes, features, records
from tfgan_zoo.metrics.frechet import frechet_distance
from tfgan_zoo.metrics.neighbours import covered, squared_radii
from tfgan_zoo.metrics.points import high_quality, modes_covered
from tfgan_zoo.metrics.scores import class_histogram, classifier_score
from tfgan_zoo.version import __version__

USUAL = 10_000  # images generated, and real images taken, where nobody asks for more
NEIGHBOUR = 3  # k of precision and recall, as in Kynkäänniemi et al. 2019
FORMAT = 1  # raise it when what is kept about real images changes


def evaluate(
    model_or_images,
    reference,
    num_images=None,
    seed=0,
    split="test",
    extractor=None,
    batch_size=256,
    labels=None,
    verbose=True,
    floor=True,
):
    """Score generated images against real ones.

    Source: Heusel et al. 2017 (Fréchet distance); Kynkäänniemi et al. 2019 (precision and recall); Salimans et al. 2016
    (classifier score). All are measured in the features of a classifier of the reference dataset, so they compare
    with each other and with their floor, and never with an FID from Inception.

    Args:
        model_or_images: a model with `.stream(num_images, labels=, seed=, batch_size=)`; a NumPy array of images,
            float32 in [-1, 1] or uint8; or a tf.data.Dataset of images, batched or not. For a reference of points:
            points (N, 2).
        reference: the real images: a data source such as "digits", or an array, as in `data.arrays`.
        num_images: generated images to score; None for min(10,000, images in the split, images given).
        seed: of the generated images and of the labels drawn for them.
        split: of the reference.
        extractor: a keras.Model with images in and features (N, d) out, or {"features": …, "probabilities": …}; None
            for the classifier shipped for the reference. At least 2 d images are needed on either side, since the
            covariance of fewer is far from any truth.
        batch_size: images per forward pass.
        labels: (num_images,) labels for a conditional model; None draws them like the reference's.
        verbose: True shows progress.
        floor: True adds, beside the distance, the same distance for as many real images from another split.

    Returns:
        The record, a dict that JSON can hold. "scores": fd_classifier_<n>, its _floor, precision_, recall_ and
        classifier_score_ likewise, class_histogram. With your own extractor the word is "custom" instead of
        "classifier"; for points it is "points", with modes_covered_<n> and high_quality_<n> where the modes are known.
        "protocol": what decided them. "wall_s", "cpu_s" (seconds), "commit", "created".

    Raises:
        ValueError: one sentence on the images, labels, extractor or counts that do not fit.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    info = data.info(reference)
    extractor = _extractor_for(info, extractor)
    fakes.inspect(model_or_images, info.is_points)
    split = split if _has_splits(reference) else "train"
    in_split = _size(reference, info, split)
    count = _count(model_or_images, num_images, in_split, extractor)
    num_real = min(in_split, max(USUAL, count))
    _enough(num_real, extractor, f"the split {split!r} of the reference has")

    def reals(split, count):
        return _reals(reference, info, split, count, extractor, batch_size, verbose)

    real = reals(split, num_real)
    labels, told = _labels(model_or_images, labels, count, real["histogram"], seed)
    shapes = []  # of what was generated

    def generated():
        for batch in fakes.stream(model_or_images, count, labels, seed, batch_size, info.is_points):
            shapes.append(batch.shape[1:])
            yield batch

    fake = features.collect(extractor, generated(), count, "generated images", verbose)
    if len(fake["features"]) < count:
        if num_images is not None:
            raise ValueError(f"{num_images} images were asked for and the dataset ended after {len(fake['features'])}.")
        count = len(fake["features"])
        _enough(count, extractor, "the dataset has")

    kind = extractor.kind
    scores = {f"fd_{kind}_{count}": frechet_distance(real["features"], fake["features"])}
    floor_split = _other_split(info, split) if floor and _has_splits(reference) else None
    floor_count = None
    if floor_split:
        floor_count = min(count, _size(reference, info, floor_split))
        other = reals(floor_split, floor_count)["features"]
        scores[f"fd_{kind}_{count}_floor"] = frechet_distance(real["features"], other)
    inside = covered(fake["features"], real["features"], real["radii"])
    reached = covered(real["features"], fake["features"], squared_radii(fake["features"], NEIGHBOUR))
    scores |= {f"precision_{kind}_{count}": float(inside.mean()), f"recall_{kind}_{count}": float(reached.mean())}
    if "probabilities" in fake:
        scores[f"classifier_score_{count}"] = classifier_score(fake["probabilities"])[0]
        scores["class_histogram"] = class_histogram(fake["probabilities"]).tolist()
    if info.is_points and len(MIXTURES.get(info.name, ([],))[0]) > 1:
        scores[f"modes_covered_{count}"] = modes_covered(fake["features"], *MIXTURES[info.name])
        scores[f"high_quality_{count}"] = high_quality(fake["features"], *MIXTURES[info.name])

    shape = tuple(int(side) for side in shapes[0])
    fitted = {"generated": extractor.preprocessing(shape), "real": str(real["preprocessing"])}
    protocol = {
        "reference": info.name,
        "split": split if _has_splits(reference) else None,
        "num_real": num_real,
        "num_generated": count,
        "seed": seed,
        "extractor": extractor.describe(),
        "resize": fitted["real"]
        if len(set(fitted.values())) == 1
        else "; ".join(f"{k}: {v}" for k, v in fitted.items()),
        "neighbour": NEIGHBOUR,
        "labels": told,
        "image_shape": list(shape),
        "floor_num_real": floor_count,
        "floor_split": floor_split,
        "version": __version__,
    }
    return {
        "scores": scores,
        "protocol": protocol,
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "commit": records.commit(),
        "created": records.now(),
    }


def distance_name(reference):
    """What the Fréchet distance to a data source is called, its count of images left out.

    Args:
        reference: a data source.

    Returns:
        "fd_classifier" or "fd_points"; None where `evaluate` needs an extractor of yours.
    """
    info = data.info(reference)
    if info.is_points:
        return "fd_points"
    return "fd_classifier" if info.name in features.shipped() else None


def _extractor_for(info, extractor):
    if info.is_points:
        if extractor is not None:
            raise ValueError(f"{info.name} is points in the plane, which are their own features: leave extractor out.")
        return features.POINTS
    return features.classifier_for(info.name) if extractor is None else features.extractor_of(extractor)


def _has_splits(reference):
    """Arrays given by hand are one heap, without a test split and without other images for a floor."""
    return isinstance(reference, str | pathlib.Path)


def _size(reference, info, split):
    """How many images a split has; of a slice like "test[:500]" that shows only when it is read."""
    return info.num_images[split] if split in info.num_images else len(data.arrays(reference, split)[0])


def _count(source, num_images, in_split, extractor):
    available = fakes.available(source)
    if num_images is None:
        num_images = min(USUAL, in_split, in_split if available is None else available)
    if isinstance(num_images, bool) or not isinstance(num_images, int | np.integer):
        raise ValueError(f"num_images={num_images!r} is not a number of images. Give a positive int such as 10000.")
    if available is not None and available < num_images:
        raise ValueError(f"num_images={num_images}, and only {available} images were given.")
    _enough(num_images, extractor, "num_images is" if available is None else "the array gives")
    if fakes.is_model(source) and (shape := getattr(source, "image_shape", None)) and len(shape) == 3:
        extractor.preprocessing(shape)  # raises now, not after the generation, if the channels do not fit
    elif isinstance(source, np.ndarray) and source.ndim == 4:
        extractor.preprocessing(source.shape[1:])
    return int(num_images)


def _enough(count, extractor, whose):
    needed = max(2 * extractor.width, NEIGHBOUR + 1)
    if count < needed:
        raise ValueError(
            f"A Fréchet distance in {extractor.width} features needs at least {needed} images (twice as many, or the "
            f"covariance is next to singular), and {whose} {count}."
        )


def _labels(source, labels, count, histogram, seed):
    """Labels for a conditional model, and a word on where they come from."""
    classes = getattr(source, "num_classes", None) if fakes.is_model(source) else None
    if labels is not None:
        if not fakes.is_model(source):
            raise ValueError("labels tell a model what to generate; images that are there already take none.")
        if len(labels) != count:
            raise ValueError(f"labels has {len(labels)} entries for {count} images: they must be as many.")
        return np.asarray(labels, np.int32), "given"
    if not isinstance(classes, int) or isinstance(classes, bool):
        return None, "none"
    if len(histogram) > classes:
        raise ValueError(
            f"The reference has {len(histogram)} classes and the model knows {classes}: give labels=, one per image."
        )
    random = np.random.default_rng(seed)
    if not histogram.size:
        return random.integers(classes, size=count).astype(np.int32), "uniform: the reference has no labels"
    return random.choice(len(histogram), size=count, p=histogram).astype(np.int32), "drawn like the reference's"


def _other_split(info, split):
    """A split that shares no image with this one; None if there is none."""
    used = {re.split(r"\[", part)[0].strip() for part in split.split("+")}
    return next(
        (name for name in ("train", "test", "validation") if name in info.num_images and name not in used), None
    )


def _reals(reference, info, split, count, extractor, batch_size, verbose):
    """What is known of real images, through the cache: features, radii, share of each label, preprocessing.

    Which `count` of them depends on the split alone and not on the seed of the fakes.
    """
    name = {"name": info.name} if isinstance(reference, str) and not pathlib.Path(reference).exists() else {}
    stored = None if name else data.arrays(reference, split)
    key = {
        "format": FORMAT,
        "reference": name or {"content": hashlib.sha256(np.ascontiguousarray(stored[0]).tobytes()).hexdigest()},
        "split": split,
        "count": count,
        "shape": list(info.image_shape),
        "neighbour": NEIGHBOUR,
        "extractor": features.fingerprint(extractor),
    }

    def build():
        images, labels = stored or data.arrays(reference, split)
        rows = np.sort(np.random.default_rng(0).permutation(len(images))[:count])
        known = np.zeros(0, np.int32) if labels is None else labels[labels >= 0]  # -1 stands for no label
        histogram = np.bincount(known, minlength=info.num_classes or 0) / len(known) if known.size else np.zeros(0)
        floats = images.dtype != np.uint8
        cut = (images[rows[start : start + batch_size]] for start in range(0, count, batch_size))
        batches = (batch if floats else np.asarray(pixels.from_uint8(batch)) for batch in cut)
        found = features.collect(extractor, batches, count, f"{info.name}/{split}", verbose)["features"]
        return {
            "features": found,
            "radii": squared_radii(found, NEIGHBOUR),
            "histogram": histogram,
            "preprocessing": np.array(extractor.preprocessing(images.shape[1:])),
        }

    return cache.fetch(key, build)
