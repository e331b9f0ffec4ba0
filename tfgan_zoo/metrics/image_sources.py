"""What is scored, be it a model, an array, a folder or a dataset, as one stream of checked batches."""

import pathlib
import re

import numpy as np
import tensorflow as tf

from tfgan_zoo import data, pixels

SLACK = 1e-3  # how far beyond [-1, 1] round-off may carry a pixel


def is_model(source):
    """Whether images can be asked of it."""
    return callable(getattr(source, "stream", None))


class Translations:
    """A model that translates, as one that makes images: those of a reference's sources. All else is the model's own.

    Args:
        model: the model.
        sources: function of a number of images that returns (N, *source_shape), as stored.
        available: how many sources there are.
    """

    def __init__(self, model, sources, available):
        self._model, self._sources, self.available = model, sources, available

    def __getattr__(self, name):
        return getattr(self._model, name)

    def stream(self, num_images, labels=None, seed=0, batch_size=256):
        """Translations of the first sources, in batches; to labels, or to conditions that are drawn from the seed."""
        sources, condition = self._sources(num_images), self._model.condition
        told = None if condition is None else condition.sample(num_images, seed) if labels is None else labels
        for at in range(0, num_images, batch_size):
            part = slice(at, at + batch_size)
            yield self._model.translate(sources[part], *(() if told is None else (np.asarray(told)[part],)), seed=seed)


def opened(source, class_names):
    """A folder of pictures as an array and the labels that its class folders tell; all else as it is.

    Args:
        source: what is scored.
        class_names: the reference's, which class folders are named after (or else by number); None without classes.

    Returns:
        (source, labels): uint8 (N, height, width, channels) in place of a folder; labels int32 (N,) or None.

    Raises:
        ValueError, FileNotFoundError: no folder, or pictures that do not fit together.
    """
    if not isinstance(source, str | pathlib.Path):
        return source, None
    if not pathlib.Path(source).is_dir():
        raise FileNotFoundError(
            f"There is no folder {source} of pictures to score. Give its path, a model, an array or a tf.data.Dataset; "
            "the data to score against is the second argument, reference."
        )
    folder = pathlib.Path(source)
    info = data.info(folder)
    channels = 3 if info.image_shape[2] == 4 else None
    images, labels = data.arrays(folder, "+".join(info.num_images), channels=channels)
    if labels is None:
        return images, None
    known = {name: number for number, name in enumerate(class_names or ())}
    known |= {str(number): number for number in known.values()}
    if not set(info.class_names) <= set(known):
        return images, None
    return images, np.array([known[name] for name in info.class_names], np.int32)[labels]


def shape_of(source):
    """(height, width, channels) of what is scored; None where that shows only in the first batch."""
    shape = _shape_of(source)
    return (*shape[:2], 3) if shape is not None and len(shape) == 3 and shape[2] == 4 else shape


def _shape_of(source):
    if isinstance(source, np.ndarray):
        return tuple(source.shape[1:])
    if isinstance(source, tf.data.Dataset):
        shape = getattr(_images_of(source.element_spec), "shape", None)
        shape = None if shape is None or shape.rank is None else tuple(shape)[-3:]
    else:
        shape = getattr(source, "image_shape", None)
    return tuple(shape) if shape is not None and len(shape) == 3 and None not in shape else None


def available(source):
    """How many images there are; None if that shows only when they are drawn.

    Raises:
        ValueError: it is nothing that gives images.
    """
    if is_model(source) or isinstance(source, tf.data.Dataset):
        return getattr(source, "available", None)
    if isinstance(source, np.ndarray):
        return len(source)
    raise ValueError(
        f"A {type(source).__name__} cannot be scored. Give a model with .stream(num_images, ...), a NumPy array of "
        "images, a folder of them, or a tf.data.Dataset."
    )


def inspect(source, points):
    """Check as much of what is scored as is there before anything is computed: all of an array, nothing of a stream.

    Raises:
        ValueError: one sentence on what is wrong with the images.
    """
    if isinstance(source, np.ndarray):
        check_all(source, points)


def check_all(images, points=False):
    """Raise ValueError unless an array holds images, as `checked`; floats of which none is below 0 look like [0, 1].

    Of a model's images that is never asked, for its background may be white; nor of uint8, which cannot be in doubt.
    """
    _check_shape(images, points)
    low, high = np.inf, -np.inf
    for start in range(0, 0 if images.dtype == np.uint8 and not points else len(images), 1024):
        part = checked(images[start : start + 1024], points)
        low, high = min(low, part.min()), max(high, part.max())
    if not points:
        _check_range(low, high)


def stream(source, count, labels, seed, batch_size, points):
    """Batches of at most `count` images.

    Args:
        source: a model, an array (its first `count` images) or a tf.data.Dataset (batched or not, with labels or not).
        count: images wanted.
        labels: (count,) class labels for a conditional model, or None.
        seed: of a model's images.
        batch_size: images per batch; a batched dataset keeps its own.
        points: True for points (N, 2) instead of images.

    Yields:
        float32 (n, height, width, channels) in [-1, 1], or (n, 2).

    Raises:
        ValueError: one sentence on what is wrong with the images; at the end, that a dataset seems to be in [0, 1].
    """
    left, low, high = count, np.inf, -np.inf
    for batch in _batches(source, count, labels, seed, batch_size, points):
        batch, floats = checked(batch[:left], points), batch.dtype != np.uint8
        left -= len(batch)
        if floats and len(batch):
            low, high = min(low, batch.min()), max(high, batch.max())
        yield batch
        if not left:
            break
    if isinstance(source, tf.data.Dataset) and not points:
        _check_range(low, high)


def _batches(source, count, labels, seed, batch_size, points):
    if isinstance(source, np.ndarray):
        for start in range(0, count, batch_size):
            yield source[start : start + batch_size]
    elif isinstance(source, tf.data.Dataset):
        shape = getattr(_images_of(source.element_spec), "shape", None)
        if shape is not None and shape.rank == (1 if points else 3):
            source = source.map(lambda *element: _images_of(element[0])).batch(batch_size)
        try:
            for batch in source:
                yield np.asarray(_images_of(batch))
        except tf.errors.InvalidArgumentError as error:
            why = re.sub(r"\{\{.*?\}\} ?| ?\[Op:.*", "", error.message.splitlines()[0])
            raise ValueError(
                f"The dataset cannot be read: {why} Bring images to one size with tf.image.resize."
            ) from error
    else:
        for batch in source.stream(count, labels=labels, seed=seed, batch_size=batch_size):
            yield np.asarray(batch)


def _images_of(element):
    """The images of what a dataset gives: images, (images, labels), or TFDS' dict.

    Raises:
        ValueError: if it is a dict without them.
    """
    if isinstance(element, dict):
        if "image" not in element:
            raise ValueError(f"The dataset gives dicts of {', '.join(map(repr, element))}: map them to images.")
        return element["image"]
    return element[0] if isinstance(element, tuple) else element


def checked(images, points=False):
    """Images as float32 in [-1, 1], or a sentence about why they are not.

    Args:
        images: an array: uint8, or floats in [-1, 1]; or points. RGBA is laid over white.
        points: True for points (N, 2), which have no range.

    Returns:
        float32 with 1 or 3 channels, clipped to [-1, 1]; points as they are.

    Raises:
        ValueError: wrong rank, type or range, NaN or infinity.
    """
    _check_shape(images, points)
    if images.dtype == np.uint8 and not points:
        return _opaque(np.asarray(pixels.from_uint8(images)))
    if not np.issubdtype(images.dtype, np.floating) and images.dtype != tf.bfloat16.as_numpy_dtype:
        raise ValueError(f"Images must be float32 in [-1, 1] or uint8 in 0 to 255; they are {images.dtype}.")
    images = images.astype(np.float32)
    if not np.isfinite(images).all():
        broken = np.count_nonzero(~np.isfinite(images.reshape(len(images), -1)).all(1))
        raise ValueError(
            f"{broken} of {len(images)} images contain NaN or infinity: the model has diverged, or the data is damaged."
        )
    if points or not len(images):
        return images
    low, high = images.min(), images.max()
    if low < -1 - SLACK or high > 1 + SLACK:
        advice = "Pixels from 0 to 255: x / 127.5 - 1, or uint8." if low >= 0 and high > 2 else "Clip or rescale them."
        raise ValueError(f"Images must lie in [-1, 1]; these run from {low:.3g} to {high:.3g}. {advice}")
    return _opaque(np.clip(images, -1, 1))


def _check_range(low, high):
    """Raise ValueError if floats between these look like [0, 1]: one flat gray is a collapsed model and no range."""
    if 0 <= low < high:
        raise ValueError(
            f"These images run from {low:.3g} to {high:.3g} and none is below 0: they seem to be in [0, 1]. "
            "The zoo's images are in [-1, 1]: give x * 2 - 1; or uint8, if they have no dark pixel."
        )


def _opaque(images):
    """RGBA in [-1, 1] over white; all else as it is."""
    if images.shape[-1] != 4:
        return images
    opacity = (images[..., 3:] + 1) / 2
    return images[..., :3] * opacity + (1 - opacity)


def _check_shape(images, points):
    if points:
        if images.ndim != 2 or images.shape[1] != 2:
            raise ValueError(f"The reference is points in the plane: an array (N, 2) is needed, not {images.shape}.")
    elif images.ndim != 4:
        raise ValueError(
            f"Images must be an array (N, height, width, channels); the shape is {images.shape}. "
            "Gray images without a channel axis: images[..., None]; one image at a time: dataset.batch(64)."
        )
    elif images.shape[3] not in (1, 3, 4):
        raise ValueError(
            f"Images must have 1 or 3 channels, or 4 (RGBA), last of the four axes; the shape is {images.shape}."
        )
