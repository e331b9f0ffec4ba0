"""`evaluate`: images → features → statistics → numbers → a record of all that decided them."""

import collections
import contextlib
import functools
import json
import re
import time

import numpy as np

from tfgan_zoo import data, pixels
from tfgan_zoo.metrics import features, image_sources, measures, own_extractors, records
from tfgan_zoo.metrics.metric_inputs import MetricInputs
from tfgan_zoo.metrics.reference import Reference
from tfgan_zoo.version import __version__

USUAL = 10_000  # images generated, and real images taken, where nobody asks for more


def evaluate(
    model_or_images,
    reference,
    metrics=None,
    num_images=None,
    seed=0,
    split="test",
    extractor=None,
    batch_size=256,
    labels=None,
    verbose=True,
    floor=True,
    skip_corrupt=False,
) -> dict:
    """Score generated images against real ones.

    The images are made once and pass through the extractor once; every metric looks at what that pass has left. What is
    known of real images is kept on disk. Source: of each metric, see `metrics.measures`. Where all that is asked for
    looks at real images only ("likelihood", "reconstruction", "translation"), none is made and no extractor needed.

    Args:
        model_or_images: a model with `.stream(num_images, labels=, seed=, batch_size=)`, and what else it can do:
            `draw_latents`, `log_prob`, `reconstruct`, `translate` have metrics of their own; a NumPy array of images,
            float32 in [-1, 1] or uint8; a folder of pictures; or a tf.data.Dataset of images, batched or not. For a
            reference of points: points (N, 2).
        reference: the real images: a data source such as "digits", a folder, or an array, as in `data.arrays`. Images
            of a folder or file are brought to the size of the generated ones, as they are for training; RGBA is laid
            over white.
        metrics: names such as ("fd", "kid", "density_coverage"); "all" for every one that applies; None for the usual
            ones: fd, precision_recall, classifier_score, class_histogram and, of points, modes; where there is no
            extractor, sliced_wasserstein and ms_ssim, which need none.
        num_images: generated images to score, or real ones where none is generated; None for min(10,000, images in the
            split, images given).
        seed: of the generated images, of the labels drawn for them, and of what metrics draw.
        split: of the reference. Where that has no test split, "test" is what `data.HeldOut` holds out of "train": have
            the model trained on the rest.
        extractor: a keras.Model with images in and features (N, d) out, or {"features": …, "probabilities": …}, or a
            .keras file of one; or `metrics.inception_v3()`, `metrics.inception_2015(path)`; None for the classifier
            shipped for the reference, or what `metrics.train_extractor` last kept in the cache for this very source.
            A Fréchet distance needs at least 2 d images on either side, since the covariance of fewer is far from any
            truth.
        batch_size: images per forward pass, on all devices together.
        labels: (num_images,) labels for a conditional model; None draws them like the reference's. Of images that are
            there already: their classes, for gan_train and gan_test.
        verbose: True shows progress.
        floor: True adds, beside the distance, the same distance for as many real images from another split.
        skip_corrupt: leave unreadable pictures of the reference out, as in `data.load`, instead of raising.

    Returns:
        The record, a dict that JSON can hold. "scores": fd_classifier_<n>, its _floor, precision_, recall_ and
        classifier_score_ likewise, class_histogram, and what else was asked for. With your own extractor the word is
        "custom" instead of "classifier", "own" and its hash if `train_extractor` made it; for points it is "points".
        "deviations": the standard deviation or error of
        the scores that have one. "protocol": what decided them, with "likelihood" where there is one: exact or bound,
        samples, dequantisation, scale. "wall_s", "cpu_s" (seconds), "cpu_s_of" the features and each metric,
        "commit", "created". With "all", and with the usual metrics of one's own data, "left_out" says why a metric does
        not apply.

    Raises:
        ValueError: one sentence on the images, labels, extractor, counts or metrics that do not fit.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    reference = data.with_test(reference) if re.search(r"\btest\b", split) else reference
    info = data.info(reference)
    source, folder_labels = image_sources.opened(model_or_images, info.class_names)
    image_sources.inspect(source, info.is_points)
    metrics = metrics if metrics is None or isinstance(metrics, str) else tuple(metrics)
    generates = measures.look_at_generated(metrics)
    found = extractor_for(reference, extractor) if generates else None
    shape = image_sources.shape_of(source)
    reference = Reference(reference, found, batch_size, verbose, shape, skip_corrupt)
    split = split if reference.has_splits else "train"
    if callable(getattr(source, "translate", None)) and getattr(source, "translates", True):  # exports say whether
        of = functools.partial(_sources, reference, split, getattr(source, "source_shape", None))
        source = image_sources.Translations(source, of, len(of(None)))
    held_out = info.num_images["test"] if isinstance(data.underlying(reference.source), data.HeldOut) else None
    if held_out and verbose:
        print(
            f"{info.name} has no test split: {held_out:,} of its {sum(info.num_images.values()):,} images stand for "
            "one. Models of runs and searches, and of tz.data.load(tz.data.HeldOut(...)), are not trained on them."
        )
    count = _count(source, num_images, reference.size(split), reference.extractor)
    inputs = MetricInputs(
        source=source,
        reference=reference,
        split=split,
        num_real=min(reference.size(split), max(USUAL, count) if generates else count),
        count=count,
        seed=seed,
        shape=shape,
        labels=folder_labels if labels is None else labels,
        floor_split=reference.other_split(split) if floor else None,
        held_out=held_out,
    )
    asked, left_out = measures.chosen(metrics, inputs)
    spent = {}
    if generates:
        inputs.labels, origin = _labels(inputs, labels, asked)
        with _timed("features", spent):
            _look(inputs, asked, exact=num_images is not None)
    elif labels is not None:
        raise ValueError("labels tell a model what to generate, and these metrics look at real images: leave them out.")
    else:
        inputs.count, origin, inputs.shape = 0, "none", inputs.shape or reference.image_shape
    scores, deviations = _numbers(inputs, asked, spent)
    return {
        "scores": scores,
        "deviations": deviations,
        "protocol": _protocol(inputs, asked, origin),
        "model": _described(inputs.model),
        **({"left_out": left_out} if metrics == "all" or "fd" in left_out else {}),
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "cpu_s_of": {name: round(seconds, 3) for name, seconds in spent.items()},
        "commit": records.commit(),
        "created": records.now(),
    }


def _sources(reference, split, image_shape, count):
    """So many images of a reference that are to be translated; all, if there are fewer."""
    return reference.sources(split, count, image_shape)


def _described(model):
    """What a record says of the model that was scored; None for images."""
    weights = records.fingerprint(model)
    if weights is None:
        return None
    return {"name": model.name, "image_shape": list(model.image_shape), "weights": weights}


def distance_name(reference, extractor=None):
    """What the Fréchet distance to a data source is called, its count of images left out: `callbacks.Evaluate`'s key.

    Args:
        reference: a data source.
        extractor: as in `evaluate`.

    Returns:
        Such as "fd_classifier", "fd_points" or "fid_inception2015_clean"; None where there is no extractor.
    """
    found = extractor_for(data.underlying(reference), extractor)
    return None if found is None else found.distance


def extractor_for(reference, extractor=None):
    """The network that `evaluate` takes features in.

    Args:
        reference: a data source.
        extractor: as in `evaluate`.

    Returns:
        An `Extractor`: the one given, the identity of points, the classifier shipped for a name, or what
        `train_extractor` kept in the cache for this very source; None if there is none.

    Raises:
        ValueError, FileNotFoundError: one sentence on an extractor that is none.
    """
    info = data.info(reference)
    if info.is_points:
        if extractor is not None:
            raise ValueError(f"{info.name} is points in the plane, which are their own features: leave extractor out.")
        return features.POINTS
    if extractor is not None:
        return features.extractor_of(extractor)
    if data.name_of(reference) in features.shipped():
        return features.classifier_for(info.name)
    return own_extractors.find(reference)


def _count(source, num_images, in_split, extractor):
    available = image_sources.available(source)
    if num_images is None:
        num_images = min(USUAL, in_split, in_split if available is None else available)
    if isinstance(num_images, bool) or not isinstance(num_images, int | np.integer) or num_images < 1:
        raise ValueError(f"num_images={num_images!r} is not a number of images. Give a positive int such as 10000.")
    if available is not None and available < num_images:
        raise ValueError(f"num_images={num_images}, and only {available} images were given.")
    if extractor is not None and (shape := image_sources.shape_of(source)) is not None:
        extractor.preprocessing(shape)  # raises now, not after the generation, if the channels do not fit
    return int(num_images)


def _labels(inputs, given, asked):
    """Labels for a conditional model, or those of images, and a word on where they come from."""
    if given is not None and inputs.model is None and not any("labels" in measure.needs for measure in asked.values()):
        raise ValueError(
            "labels tell a model what to generate; images that are there already take none, but for gan_train and "
            "gan_test."
        )
    if given is not None:
        if len(given) != inputs.count:
            raise ValueError(f"labels has {len(given)} entries for {inputs.count} images: they must be as many.")
        return np.asarray(given, np.int32), "given"
    if inputs.labels is not None:
        return inputs.labels[: inputs.count], "the folder's"
    if not inputs.is_labelled:
        return None, "none" if inputs.condition is None else "the model's"
    classes, random = inputs.condition.num_classes, np.random.default_rng(inputs.seed)
    if isinstance(inputs.reference.source, data.Clustered):
        return random.integers(classes, size=inputs.count).astype(np.int32), "uniform: clusters are of one size"
    names, theirs = getattr(inputs.condition, "names", None), inputs.reference.info.class_names
    if names and theirs and set(names).isdisjoint(theirs):
        return random.integers(classes, size=inputs.count).astype(np.int32), "uniform: the reference has other classes"
    histogram = inputs.reference.histogram(inputs.split, inputs.num_real)
    if len(histogram) > classes:
        raise ValueError(
            f"The reference has {len(histogram)} classes and the model knows {classes}: give labels=, one per image."
        )
    if not histogram.size:
        drawn = random.integers(classes, size=inputs.count)
        return drawn.astype(np.int32), "uniform: the reference has no labels"
    drawn = random.choice(len(histogram), size=inputs.count, p=histogram)
    return drawn.astype(np.int32), "drawn like the reference's"


def _look(inputs, asked, exact):
    """The one pass over the generated images: features, probabilities, and the images where a metric needs them.

    Raises:
        ValueError: bad images, or a dataset that ends early although a number of images was asked for.
    """
    keep = any("images" in measure.needs for measure in asked.values())
    seen = 0

    def generated():
        nonlocal seen
        labels = inputs.labels if inputs.model is not None else None
        points = inputs.reference.info.is_points
        batch_size = inputs.reference.batch_size
        for batch in image_sources.stream(inputs.source, inputs.count, labels, inputs.seed, batch_size, points):
            if not seen:
                _first(inputs, batch, asked, keep)
            if keep:
                inputs.images[seen : seen + len(batch)] = _to_uint8(batch)
            seen += len(batch)
            yield batch

    title = "generated images"
    if inputs.extractor is None:
        shown = features.watched(generated(), inputs.count, title) if inputs.reference.verbose else generated()
        collections.deque(shown, maxlen=0)
    else:
        outputs = features.collect(inputs.extractor, generated(), inputs.count, title, inputs.reference.verbose)
        inputs.features, inputs.probabilities = outputs["features"], outputs.get("probabilities")
    if seen < inputs.count:
        if exact:
            raise ValueError(f"{inputs.count} images were asked for and the dataset ended after {seen}.")
        inputs.count, inputs.images = seen, inputs.images[:seen] if keep else None
        _check(inputs, asked)


def _first(inputs, batch, asked, keep):
    """What the first batch says of all: the images' shape."""
    inputs.shape = tuple(int(side) for side in batch.shape[1:])
    _check(inputs, asked)
    if keep:
        inputs.images = np.empty((inputs.count, *inputs.shape), np.uint8)


def _check(inputs, asked):
    for measure in asked.values():
        if sentence := measure.lacks(inputs):
            raise ValueError(sentence)


def _to_uint8(images):
    return np.asarray(pixels.to_uint8(images))


def _numbers(inputs, asked, spent):
    """(scores, their standard deviations) of every metric; the CPU seconds of each go into `spent`."""
    scores, deviations = {}, {}
    steps = [[name] for name in asked]
    for [name] in features.watched(steps, len(steps), "metrics", "metrics") if inputs.reference.verbose else steps:
        with _timed(name, spent):
            result = asked[name](inputs)
        for key, value in result.items():
            if isinstance(value, tuple):
                value, deviations[key] = value
            scores[key] = value
    return scores, deviations


@contextlib.contextmanager
def _timed(name, spent):
    begin = time.process_time()
    yield
    spent[name] = time.process_time() - begin


def _protocol(inputs, asked, origin):
    reference, fitted, extractor = inputs.reference, {}, inputs.extractor
    if extractor is not None:
        fitted["generated"] = extractor.preprocessing(inputs.shape)
        fitted["real"] = str(reference.features(inputs.split, inputs.num_real)["preprocessing"])
    alike = len(set(fitted.values())) < 2
    return {
        "reference": reference.info.name,
        "content": reference.content(inputs.split),
        "split": inputs.split if reference.has_splits else None,
        "held_out": inputs.held_out,
        "num_real": inputs.num_real,
        "num_generated": inputs.count,
        "seed": inputs.seed,
        "extractor": extractor and extractor.describe(),
        "resize": fitted.get("real", "none")
        if alike
        else "; ".join(f"{side}: {what}" for side, what in fitted.items()),
        "labels": origin,
        "image_shape": list(inputs.shape),
        "floor_num_real": inputs.floor_count if "fd" in asked else None,
        "floor_split": inputs.floor_split if "fd" in asked else None,
        **({"likelihood": inputs.likelihood_protocol} if "likelihood" in asked else {}),
        "settings": json.loads(json.dumps({name: one.settings for name, one in asked.items() if one.settings})),
        "version": __version__,
    }
