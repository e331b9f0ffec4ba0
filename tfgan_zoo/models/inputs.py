"""What users give to `fit` and `evaluate`, as a dataset that the model can learn from, or a sentence about why not."""

import inspect
import pathlib
import re
import warnings

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import data, runtime

_NAMED = (str, pathlib.Path, data.Clustered, data.HeldOut, data.Pairs, data.Unpaired, data.WithAttributes)
_OURS, _END = "tfgan_zoo: ", " |"  # around what is asserted of every batch, inside a graph


def dataset(model, images, labels=None, batch_size=None, shuffle=False):
    """A dataset of (images, labels) whose first batch is known to suit a model, and whose others are checked as read.

    Args:
        model: the model.
        images: a tf.data.Dataset or keras.utils.PyDataset of batches; an array, (images, labels), or a list of images;
            a source by name, or such as `data.Pairs`, as in `tz.data.load`.
        labels: beside an array.
        batch_size: images in a batch; None for 64 an update.
        shuffle: another order of arrays and sources in every epoch.

    Returns:
        tf.data.Dataset or keras.utils.PyDataset.

    Raises:
        ValueError, TypeError: a sentence on what does not fit.
    """
    if isinstance(images, tf.data.Dataset):
        return _each_checked(model, _as_pairs(images, model))
    if isinstance(images, keras.utils.PyDataset):
        check_batch(model, images[0])
        return images
    if inspect.isgenerator(images) or inspect.isgeneratorfunction(images):
        raise TypeError(
            "A Python generator ends once and cannot be checked: wrap the function that makes it in "
            "tf.data.Dataset.from_generator(function, output_signature=...).batch(64)."
        )
    if not isinstance(images, (np.ndarray, tuple, list, *_NAMED)):
        return images  # a dataset that a strategy has distributed, or what Keras itself refuses
    if isinstance(images, list):
        images = _stacked(images)
    if isinstance(images, tuple) and labels is None:
        images, labels = images if len(images) == 2 else (images, None)
    batch_size = batch_size or 64 * model.updates_per_step
    if isinstance(images, _NAMED):
        height, width = model.image_shape[:2] if len(model.image_shape) == 3 else (None, None)
        size = {"image_size": height if height == width else (height, width)} if height else {}
        loaded = data.load(images, batch_size=batch_size, shuffle=shuffle, seed=model.seed, verbose=False, **size)
        check_batch(model, next(iter(loaded)))
        if model.num_classes is not None:
            model.name_classes_of(data.info(images))
        return loaded
    images = np.asarray(images)
    if labels is not None:
        model.check_labels(labels := np.asarray(labels), len(images))  # all of them, not only a batch's
        _warn_of_classes_never_seen(model, labels)
    source = images if labels is None else model.source_of(images, labels)
    batch_size = min(batch_size, max(len(images), 1))
    loaded = data.load(source, batch_size=batch_size, shuffle=shuffle, seed=model.seed, drop_remainder=shuffle)
    for batch in loaded.take(1):
        check_batch(model, batch)
    return loaded


def check_batch(model, batch):
    """Raise unless a batch suits a model.

    Args:
        model: the model.
        batch: images, (images, labels) or (images, labels, weights).
    """
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(batch)
    if weights is not None:
        raise ValueError(f"The dataset gives weights of examples, which {model.name} does not use: leave them out.")
    images = tf.convert_to_tensor(images)
    model.check_images(images)
    model.check_labels(labels, len(images))


def sentence(error):
    """Of an error that TensorFlow raised inside a graph, what the zoo said; None if it was not the zoo."""
    match = re.search(f"{_OURS}(.*?){re.escape(_END)}", str(error))
    return match and match.group(1)


def _as_pairs(dataset, model):
    """A dataset's batches as Keras has them: TFDS' dicts become (image, label)."""
    spec = dataset.element_spec
    if isinstance(spec, dict) and "image" in spec:
        names = ("image", "label") if "label" in spec else ("image",)
        dataset = dataset.map(lambda batch: tuple(batch[name] for name in names))
    elif isinstance(spec, dict):
        raise ValueError(
            f"The dataset gives dicts of {', '.join(map(repr, spec))}: map them to images or (images, labels)."
        )
    first = tf.nest.flatten(dataset.element_spec)[0]
    if getattr(first, "shape", None) is not None and first.shape.rank == len(model.image_shape):
        raise ValueError("The dataset gives one image at a time: write dataset.batch(64), for instance.")
    return dataset


def _each_checked(model, dataset):
    for batch in dataset.take(1):
        check_batch(model, batch)
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
        break
    else:
        raise ValueError("The dataset is empty: there is no batch to train on.")
    if data.is_ours(dataset):
        return dataset
    _warn_of_slices(model, len(images))
    _warn_of_range(model, images)

    def check(images, labels=None):
        images = tf.ensure_shape(images, (None, *model.source_shape))
        checks = []
        seen = [images] if labels is None or len(labels.shape) < 4 else [images, labels]  # those of a translator
        if len(model.source_shape) == 3:
            message = f"{_OURS}images leave [-1, 1] or are not finite, in a batch behind the first{_END}"
            checks += [tf.debugging.assert_less_equal(tf.abs(one), 1.001, message=message) for one in seen]
        classes = model.condition if labels is not None else None
        if getattr(classes, "num_classes", None):
            labels = tf.ensure_shape(labels, (None, *labels.shape[1:]) if labels.shape.rank else (None,))
            message = (
                f"{_OURS}labels of a batch behind the first are outside of 0 to {classes.num_classes - 1}; "
                f"{model.name} knows no others{_END}"
            )
            checks.append(tf.debugging.assert_less(labels, tf.cast(classes.num_classes, labels.dtype), message=message))
            checks.append(tf.debugging.assert_non_negative(labels, message=message))
        with tf.control_dependencies(checks):
            images = tf.identity(images)
        return images if labels is None else (images, labels)

    return dataset.map(check if labels is not None else lambda *batch: check(batch[0]))


def _stacked(images):
    shapes = {np.shape(image) for image in images}
    if len(shapes) != 1:
        shown = ", ".join(map(str, sorted(shapes)[:3]))
        raise ValueError(
            f"The list holds {len(shapes)} shapes of image ({shown}): bring them to one, and np.stack them."
        )
    return np.stack(images)


def _warn_of_classes_never_seen(model, labels):
    classes = getattr(model.condition, "num_classes", None)
    if classes and len(labels) and int(labels.max()) + 1 < classes:
        warnings.warn(
            f"labels run from {labels.min()} to {labels.max()}, but {model.name} has num_classes={classes}: generate() "
            "would draw classes that it never learned. Create it with as many as there are.",
            stacklevel=4,
        )


def _warn_of_slices(model, count):
    updates = model.updates_per_step
    if updates > 1 and runtime.is_chief():
        warnings.warn(
            f"{model.name} makes {updates} updates a step, each on its own {max(1, count // updates)} of a batch's "
            f"{count} images: for {count} in each, batch the dataset by {count * updates}.",
            stacklevel=4,
        )


def _warn_of_range(model, images):
    if len(model.image_shape) == 3 and float(tf.reduce_min(images)) >= 0.0 and runtime.is_chief():
        warnings.warn(
            "No pixel of the first batch is below 0. If the images were scaled to [0, 1], map them with x * 2 - 1: "
            "the zoo's are in [-1, 1].",
            stacklevel=4,
        )
