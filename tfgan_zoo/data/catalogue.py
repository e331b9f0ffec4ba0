"""Datasets of TensorFlow Datasets, by name or by directory: read into memory at once, or record by record."""

import collections
import contextlib
import dataclasses
import functools
import hashlib
import pathlib
import re
import socket
import urllib.parse
import urllib.request

import numpy as np

from tfgan_zoo import errors
from tfgan_zoo.data import corrupt_files, decoding, splits
from tfgan_zoo.data.records import Records
from tfgan_zoo.data.source import Info, Rows, Source

ATTRIBUTES = "attributes"  # the feature that keeps them, in TFDS' celeb_a for example
_KEEP = 4  # arrays kept for the next call, and
_SMALL = 2**30  # only those of up to 1 GiB
_ANSWERS_IN_S = 5.0  # of a place to download from
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
            reason = " ".join(str(error).split("Here are")[0].split())  # all the others that there are
            raise ValueError(f"TFDS refuses {name!r}: {reason}") from error
        return None


def is_prepared(folder):
    """Whether a directory is one that TFDS, or `writing.write`, has filled."""
    return all((pathlib.Path(folder) / name).is_file() for name in ("dataset_info.json", "features.json"))


def from_directory(folder):
    """A source from a directory of a prepared dataset, of which `is_prepared` is true.

    Raises:
        ValueError: if the dataset has no image.
    """
    import tensorflow_datasets as tfds

    with quiet():
        return from_builder(pathlib.Path(folder).name, tfds.builder_from_directory(folder))


def from_builder(name, builder):
    """A source from a TFDS builder; the network is asked only when it is read and not prepared yet.

    Args:
        name: what the user calls it.
        builder: a `tfds.core.DatasetBuilder`.

    Raises:
        ValueError: if the dataset has no image.
    """
    image_key, label_key = _keys(name, builder.info)
    label = builder.info.features[label_key] if label_key else None
    info = Info(
        name,
        tuple(builder.info.features[image_key].shape),
        label and label.num_classes,
        label and tuple(label.names),
        {split: part.num_examples for split, part in builder.info.splits.items()},
    )
    keys = Keys(image_key, label_key)
    attributes = _attribute_names(builder.info)

    def with_attributes(names):
        chosen = checked_names(names, attributes, name)
        described = dataclasses.replace(info, num_classes=None, class_names=None, attribute_names=chosen)
        keys = Keys(image_key, attributes=chosen)
        return Source(described, rows=lambda split, wanted: _rows(name, builder, keys, split, wanted))

    return Source(
        info,
        rows=lambda split, wanted: _rows(name, builder, keys, split, wanted),
        with_attributes=with_attributes if attributes else None,
    )


@dataclasses.dataclass(frozen=True)
class Keys:
    """Which features of a dataset are read.

    Args:
        image: the name of the image.
        label: the name of the class label, or None.
        attributes: names of those in the feature "attributes" that come in place of labels; None for none.
    """

    image: str
    label: str | None = None
    attributes: tuple | None = None

    @property
    def used(self):
        """The features to decode, as TFDS takes them."""
        other = ATTRIBUTES if self.attributes is not None else self.label
        return {key: True for key in (self.image, other) if key}


def checked_names(names, known, source):
    """The names of attributes that are wanted, all of them for None.

    Raises:
        ValueError: for a name that is not known.
    """
    chosen = known if names is None else tuple(names)
    for name in chosen:
        if name not in known:
            raise errors.unknown(f"attribute of {source}", name, known)
    return chosen


def _attribute_names(info):
    """The names of the attributes that a dataset has in a feature of this name; () without it."""
    import tensorflow_datasets as tfds

    feature = dict(info.features.items()).get(ATTRIBUTES) if hasattr(info.features, "items") else None
    if isinstance(feature, tfds.features.FeaturesDict):
        return tuple(sorted(feature))  # what is read from a file comes in another order in each process
    if isinstance(feature, tfds.features.Tensor) and len(feature.shape) == 1 and feature.shape[0]:
        return tuple(map(str, range(feature.shape[0])))
    return ()


def _attributes(values, names):
    """float32 (A,) of the feature "attributes" of an example: a dict of scalars, or a vector, named by its indices."""
    import tensorflow as tf

    if isinstance(values, dict):
        return tf.stack([tf.cast(values[name], tf.float32) for name in names])
    return tf.cast(tf.gather(values, list(map(int, names))), tf.float32)


def _keys(name, info):
    """The names of the image and of the class label (None without one) among a dataset's features."""
    import tensorflow_datasets as tfds

    features = dict(info.features.items()) if hasattr(info.features, "items") else {}
    preferred = [key for key in info.supervised_keys or () if isinstance(key, str)]
    order = preferred + [key for key in features if key not in preferred]
    images = [key for key in order if isinstance(features.get(key), tfds.features.Image)]
    if images and features[images[0]].np_dtype != np.uint8:
        raise ValueError(
            f"TFDS' {name} has images of {features[images[0]].np_dtype.__name__}, and uint8 are read. Give its images "
            "as an array of float32 in [-1, 1]"
        )
    images += [key for key in order if _is_pixels(features.get(key))]
    labels = [key for key in order if isinstance(features.get(key), tfds.features.ClassLabel)]
    if not images:
        raise ValueError(f"TFDS' {name} has no image, only {', '.join(features)}. Choose a dataset of images")
    return images[0], labels[0] if labels else None


def _is_pixels(feature):
    """Whether a feature is an image that is stored as pixels rather than as PNG or JPEG."""
    import tensorflow_datasets as tfds

    plain = isinstance(feature, tfds.features.Tensor) and not isinstance(feature, tfds.features.Image)
    return plain and feature.np_dtype == np.uint8 and len(feature.shape) == 3 and feature.shape[2] in (1, 3, 4)


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
        check_reachable(builder)
        builder.download_and_prepare()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        advice = "Connect to the network, or give the data_dir of a prepared copy"
        if builder.name == "fashion_mnist":
            advice = "Offline: `apt install dataset-fashion-mnist`, then `python -m tfgan_zoo.data.fashion_mnist`"
        raise RuntimeError(
            f"{name} is not prepared in {builder.data_dir} and could not be downloaded ({reason}). {advice}"
        ) from error


def check_reachable(builder):
    """Raise at once if none of the places a dataset is downloaded from answers: TFDS would ask again for minutes.

    Nothing is asked where downloads were kept, or where a proxy stands between, which alone knows the way.

    Raises:
        ConnectionError: with the name of a place.
    """
    root = str(builder.data_dir).removesuffix(str(pathlib.Path(builder.info.full_name)))
    kept = pathlib.Path(root) / "downloads"
    if urllib.request.getproxies() or any(kept.glob("*.INFO")):  # which TFDS writes beside what has come
        return
    places = {urllib.parse.urlsplit(url) for url in getattr(builder, "url_infos", None) or {}}
    hosts = {(one.hostname, one.port or (80 if one.scheme == "http" else 443)) for one in places if one.hostname}
    for host, port in hosts:
        try:
            socket.create_connection((host, port), timeout=_ANSWERS_IN_S).close()
            return
        except OSError as error:
            reason = error
    if hosts:
        raise ConnectionError(f"{host} does not answer: {reason}")


def _rows(name, builder, keys, split, wanted):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    prepare(name, builder)
    for part in str(split).split("+"):
        splits.check_name(part.split("[")[0].strip(), builder.info.splits, name)
    part = builder.info.splits[split]
    stored = builder.info.features[keys.image].shape
    shape, one_size = _shape(name, stored, wanted), None not in stored
    with quiet():
        features = tfds.decode.PartialDecoding(keys.used).extract_features(builder.info.features)
    random_access = builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD  # which TFDS does not stream
    records = functools.cache(lambda: Records(part.file_instructions, random_access))
    dtype = tf.int32 if keys.attributes is None else tf.float32

    def parse(record):
        example = features.deserialize_example(record)
        if keys.attributes is not None:
            return example[keys.image], _attributes(example[ATTRIBUTES], keys.attributes)
        return example[keys.image], tf.cast(example[keys.label], tf.int32) if keys.label else tf.constant(0)

    parse_one = tf.function(parse, input_signature=[tf.TensorSpec((), tf.string)])

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def parse_all(batch):
        return tf.map_fn(parse, batch, fn_output_signature=(tf.uint8, dtype))

    def one(record):
        image, label = parse_one(record)
        return decoding.fit(image.numpy()[None], wanted)[0], label.numpy()

    def read(rows):
        batch = records().read(rows)
        if one_size:
            images, labels = parse_all(batch)
            return decoding.fit(images.numpy(), wanted), labels.numpy()
        images, labels = zip(*corrupt_files.threads().map(one, batch), strict=True)
        return np.stack(images), np.array(labels, dtype.as_numpy_dtype)

    def read_all():
        return _read(name, builder, keys, split, wanted, (part.num_examples, *shape))

    def fingerprint():
        about = (pathlib.Path(builder.data_dir) / "dataset_info.json").read_bytes()
        chosen = (str(builder.data_dir), str(split), wanted.key, keys)
        return hashlib.sha256(about + repr(chosen).encode()).hexdigest()

    return Rows(
        f"{name}/{split}",
        (part.num_examples, *shape),
        keys.label is not None or keys.attributes is not None,
        read,
        headers=lambda row: (tuple(stored if one_size else parse_one(records().read([row])[0])[0].shape),),
        origin=lambda row: records().origin(row),
        fingerprint=fingerprint,
        encoded=isinstance(builder.info.features[keys.image], tfds.features.Image),
        read_all=None if random_access or keys.attributes is not None else read_all,
        attributes=None if keys.attributes is None else len(keys.attributes),
    )


def _shape(name, stored, wanted):
    """(height, width, channels) of the images as they come out."""
    height, width, channels = stored
    if wanted.image_size is None and None in (height, width):
        raise ValueError(f"{name} has images of different sizes. Give image_size, such as image_size=64")
    return (*(wanted.size or (height, width)), wanted.channels or channels)


def _read(name, builder, keys, split, wanted, shape):
    key = (str(builder.data_dir), str(split), wanted.key)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    with quiet():
        images, labels = _decoded(builder, keys, split, wanted, shape)
    if images.nbytes <= _SMALL:
        images.flags.writeable = False
        _kept[key] = images, labels
        while len(_kept) > _KEEP:
            _kept.popitem(last=False)
    return images, labels


def _decoded(builder, keys, split, wanted, shape):
    import tensorflow_datasets as tfds

    images = np.empty(shape, "uint8")
    labels = None if keys.label is None else np.empty(len(images), "int32")
    others = set(builder.info.features) - set(keys.used)
    one_size = None not in builder.info.features[keys.image].shape[:2]
    stream = builder.as_dataset(
        split=split,
        batch_size=256 if one_size else None,
        decoders=tfds.decode.PartialDecoding(keys.used) if others else None,
        # shard after shard: TFDS' own habit of reading 16 at a time would number images otherwise than `Records` does
        read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
    )
    done = 0
    for batch in stream.as_numpy_iterator():
        some = batch[keys.image] if batch[keys.image].ndim == 4 else batch[keys.image][None]
        images[done : done + len(some)] = decoding.fit(some, wanted)
        if labels is not None:
            labels[done : done + len(some)] = batch[keys.label]
        done += len(some)
    return images[:done], None if labels is None else labels[:done]
