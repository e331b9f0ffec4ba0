"""Datasets by their TensorFlow Datasets name, read whole into memory."""

import collections
import contextlib
import functools
import pathlib
import re

import numpy as np

from tfgan_zoo.data import decoding, room, splits
from tfgan_zoo.data.source import Info, Source

_KEEP = 4  # arrays kept for the next call, and
_SMALL = 2**30  # only those of up to 1 GiB
_kept = collections.OrderedDict()


@contextlib.contextmanager
def quiet():
    """A block in which TFDS keeps its remarks about itself, which say nothing about the data."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


@functools.cache
def names():
    """The names of all the datasets that TFDS can prepare, without asking the network."""
    import tensorflow_datasets as tfds

    return tuple(tfds.list_builders(with_community_datasets=False))


def find(name, data_dir=None):
    """TFDS' builder for a name such as "cifar10" or "celeb_a_hq/64", or None if it knows none.

    Args:
        name: dataset, optionally with /config and :version.
        data_dir: TFDS' data directory; None means its own default.

    Raises:
        ValueError: if TFDS knows the dataset, but not the configuration or version of it.
    """
    import tensorflow_datasets as tfds

    try:
        with quiet():
            return tfds.builder(name, data_dir=data_dir and pathlib.Path(data_dir).expanduser())
    except tfds.core.registered.DatasetNotFoundError:
        return None
    except (ValueError, AssertionError) as error:
        if re.split("[/:]", name)[0] in names():
            raise ValueError(f"TFDS refuses {name!r}: {' '.join(str(error).split())}") from error
        return None


def from_builder(name, builder):
    """A source from a TFDS builder; the network is asked only when it is read and not prepared yet.

    Args:
        name: what the user calls it.
        builder: a `tfds.core.DatasetBuilder`.

    Raises:
        ValueError: if the dataset has no image.
    """
    image_key, label_key = _keys(name, builder.info)
    shape = tuple(builder.info.features[image_key].shape)
    label = builder.info.features[label_key] if label_key else None
    info = Info(
        name,
        shape,
        label and label.num_classes,
        label and tuple(label.names),
        {split: found.num_examples for split, found in builder.info.splits.items()},
    )
    return Source(info, lambda split, wanted: _read(name, builder, image_key, label_key, split, wanted))


def _keys(name, info):
    """The names of the image and of the class label (None without one) among a dataset's features."""
    import tensorflow_datasets as tfds

    features = dict(info.features.items()) if hasattr(info.features, "items") else {}
    preferred = [key for key in info.supervised_keys or () if isinstance(key, str)]
    order = preferred + [key for key in features if key not in preferred]
    images = [key for key in order if isinstance(features.get(key), tfds.features.Image)]
    labels = [key for key in order if isinstance(features.get(key), tfds.features.ClassLabel)]
    if not images:
        raise ValueError(f"TFDS' {name} has no image, only {', '.join(features)}. Choose a dataset of images")
    return images[0], labels[0] if labels else None


def prepare(name, builder):
    """Download and prepare a dataset unless it is prepared already.

    Raises:
        RuntimeError: with one sentence, if that does not work.
    """
    with quiet():
        prepared = builder.is_prepared()
    if prepared:
        return
    try:
        builder.download_and_prepare()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        advice = "Connect to the network, or give the data_dir of a prepared copy"
        if builder.name == "fashion_mnist":
            advice = "Offline: `apt install dataset-fashion-mnist`, then `python -m tfgan_zoo.data.fashion_mnist`"
        raise RuntimeError(
            f"{name} is not prepared in {builder.data_dir} and could not be downloaded ({reason}). {advice}"
        ) from error


def _read(name, builder, image_key, label_key, split, wanted):
    key = (str(builder.data_dir), str(split), wanted.image_size, wanted.channels)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    prepare(name, builder)
    with quiet():
        images, labels = _decoded(name, builder, image_key, label_key, split, wanted)
    if images.nbytes <= _SMALL:
        images.flags.writeable = False
        _kept[key] = images, labels
        while len(_kept) > _KEEP:
            _kept.popitem(last=False)
    return images, labels


def _decoded(name, builder, image_key, label_key, split, wanted):
    import tensorflow_datasets as tfds

    for part in str(split).split("+"):
        splits.check_name(part.split("[")[0].strip(), builder.info.splits, name)
    count = builder.info.splits[split].num_examples
    height, width, channels = builder.info.features[image_key].shape
    if wanted.image_size is None and None in (height, width):
        raise ValueError(f"{name} has images of different sizes. Give image_size, such as image_size=64")
    channels = wanted.channels or channels
    size = (wanted.image_size,) * 2 if wanted.image_size else (height, width)
    room.check((count, *size, channels))
    images = np.empty((count, *size, channels), "uint8")
    labels = None if label_key is None else np.empty(count, "int32")
    used = {key: True for key in (image_key, label_key) if key}
    others = set(builder.info.features) - set(used)
    stream = builder.as_dataset(
        split=split,
        batch_size=None if None in (height, width) else 256,
        decoders=tfds.decode.PartialDecoding(used) if others else None,
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    done = 0
    for batch in stream.as_numpy_iterator():
        found = batch[image_key] if batch[image_key].ndim == 4 else batch[image_key][None]
        images[done : done + len(found)] = decoding.fit(found, wanted)
        if labels is not None:
            labels[done : done + len(found)] = batch[label_key]
        done += len(found)
    return images[:done], None if labels is None else labels[:done]
