"""Extractors of one's own data: trained in a minute, kept with their hash, found again for the very same source."""

import dataclasses
import hashlib
import math
import pathlib

import keras
import numpy as np

from tfgan_zoo import data, errors, files, pixels, runtime
from tfgan_zoo.metrics import features

LARGEST_SIDE = 32  # pixels that images are brought to, where nobody says how many
UPDATES, BATCH = 1500, 64
LABELLED, UNLABELLED = 20_000, 5_000  # images that are learned from, at most
TURNS = "which way up an image is: 0, 90, 180 or 270 degrees"


def train_extractor(
    source, image_size=None, to=None, seed=0, updates=UPDATES, fresh=False, skip_corrupt=False, verbose=True
):
    """Train a small extractor on one's own data, by its labels if it has any, else by which way up an image is.

    Without labels a network learns to tell by how many quarter turns an image was rotated, for which it must know what
    is shown (Gidaris et al. 2018). That is the simplest of such tasks, and it has limits: it learns little from images
    without an up and down (textures, stars, cells seen from above), more of shapes and their places than of colour and
    texture, and it knows no classes. `test_accuracy` says whether it could be learned: chance is 0.25.

    What is held out of the source for scoring, by `data.HeldOut`, or its test split, is not trained on. A score in
    such features compares with scores in the same ones only: their hash is part of the metric's name, such as
    "fd_own1a2b3c4d_1000". The same call returns what is there already; one that was cut short starts over.

    Args:
        source: as in `data.load`: a folder, a file, arrays or a name; of images, not points.
        image_size: side in pixels of the extractor's input, at least 8; None for the images' own, at most 32. Images of
            any size are scored, resized to it.
        to: the .keras file to write, beside a .json that describes it; give it as `extractor=`. None keeps one for each
            source in the cache, where `tz.evaluate`, runs, callbacks and searches find it as long as its files stay
            where and as they are.
        seed: of the weights and the order. It becomes the program's, as by `keras.utils.set_random_seed`.
        updates: optimizer steps of 64 images, rounded to whole passes. Forms that lie anywhere in any colour take more:
            of `shapes` of 32 x 32, 29 % are right after 1,500 and 99 % after 5,000 (chance is 20 %).
        fresh: True trains again what is there already.
        skip_corrupt: as in `data.load`.
        verbose: True shows progress, and says how well it learned.

    Returns:
        The `Extractor`.

    Raises:
        ValueError: points or pairs, too few images, or a number that is none.
    """
    info, target = _checked(source, to)
    size = errors.whole_number("image_size", _side(info) if image_size is None else image_size, at_least=8)
    seed = errors.whole_number("seed", seed, at_least=0)
    updates = errors.whole_number("updates", updates)
    identity = data.fingerprint(source)
    target = _kept(identity) if target is None else target
    asked = {"source": identity, "image_size": size, "seed": seed, "updates": updates}
    sidecar = target.with_suffix(".json")
    if target.exists() and sidecar.exists() and not fresh and asked.items() <= files.read_json(sidecar).items():
        return features.read(target)
    source = data.with_test(source)
    wanted = {"image_size": size, "channels": 3 if info.image_shape[2] == 4 else None, "skip_corrupt": skip_corrupt}
    train = data.arrays(source, "train", verbose=verbose, **wanted)
    splits = data.info(source).num_images
    tested = data.arrays(source, "test", verbose=verbose, **wanted) if "test" in splits else None
    labelled = _classes(train[1]) > 1
    train = _lesson(train, LABELLED if labelled else UNLABELLED, labelled)
    if len(train[0]) < BATCH // 4:
        raise ValueError(f"{info.name} has {len(train[0])} images to learn from: give at least {BATCH // 4}.")
    tested = None if tested is None else _lesson(tested, UNLABELLED, labelled)
    batch_size = min(BATCH, len(train[0]))
    recipe = _recipe(size, batch_size, max(1, round(updates / (len(train[0]) // batch_size))), labelled, splits)
    network, accuracy = _learned(recipe, train, tested, (info.num_classes if labelled else 4), seed, verbose)
    if not labelled:  # how an image is turned is no class that a score may speak of
        network = keras.Model(network.input, {"features": network.output["features"]}, name="extractor")
    card = asked | {
        "dataset": info.name,
        "learned": "its labels" if labelled else TURNS,
        "test_accuracy": accuracy,
        "chance": 1 / (_classes(train[1]) or 1),
        "num_images": len(train[0]) if labelled else len(train[0]) // 4,
        "features": recipe.feature_width,
        "parameters": network.count_params(),
        "recipe": dataclasses.asdict(recipe) | {"filters": list(recipe.filters)},
        "keras": keras.__version__,
        "sha256": features.sha256_of(network),
    }
    with files.atomic_write(target) as temporary:
        network.save(temporary)
    files.write_json(sidecar, card)
    if verbose:
        print(described(card, target))
    return features.read(target)


def find(source):
    """The extractor that `train_extractor` kept for this very source, as an `Extractor`; None if there is none."""
    if not _directory().is_dir():
        return None
    try:
        path = _kept(data.fingerprint(source))
    except (ValueError, OSError, RuntimeError):  # no source that one could train on, or one that cannot be read now
        return None
    return features.read(path) if path.exists() and path.with_suffix(".json").exists() else None


def described(card, path):
    """One sentence on an extractor, from its sidecar."""
    learned = f"an extractor of {card['dataset']} has learned {card['learned']}"
    if card["test_accuracy"] is None:
        return f"{path}: {learned}."
    little = card["test_accuracy"] < card["chance"] + (1 - card["chance"]) / 5
    cure = "give labels, more images, or more updates"
    warning = f" That is little better than chance: its scores say little; {cure}." if little else ""
    return f"{path}: {learned}, {card['test_accuracy']:.1%} right on images held out.{warning}"


def _checked(source, to):
    info = data.info(source)
    if info.is_points or info.is_pairs:
        raise ValueError(f"{info.name} is {'points' if info.is_points else 'pairs'}: an extractor learns from images.")
    target = None if to is None else pathlib.Path(to).expanduser()
    if target is not None and target.suffix != ".keras":
        raise ValueError(f"to={str(to)!r} must end in .keras.")
    files.directory(_directory() if target is None else target.parent)
    return info, target


def _directory():
    return files.cache_directory() / "extractors"


def _kept(identity):
    return _directory() / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.keras"


def _side(info):
    return max(8, min([LARGEST_SIDE, *(side for side in info.image_shape[:2] if side)]))


def _classes(labels):
    """How many classes there are images of; 0 without labels, or of attributes."""
    return 0 if labels is None or labels.ndim != 1 else len(np.unique(labels[labels >= 0]))


def _lesson(part, most, labelled):
    """(images float32 in [-1, 1], classes): labels, or each image in its four turns."""
    images, labels = part
    rows = np.flatnonzero(labels >= 0) if labelled else np.arange(len(images))
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    images = images[rows]
    images = np.asarray(pixels.from_uint8(images)) if images.dtype == np.uint8 else images
    if labelled:
        return images, labels[rows]
    turned = np.concatenate([np.rot90(images, turns, (1, 2)) for turns in range(4)])
    return turned, np.repeat(np.arange(4, dtype=np.int32), len(images))


def _recipe(size, batch_size, epochs, labelled, num_images):
    """As many halvings as leave 4 pixels or fewer; so few features that the held-out images are twice as many."""
    from tfgan_zoo.metrics import classifier  # which is also a program: python -m must find it not yet imported

    stages = max(2, math.ceil(math.log2(size / 4)))
    held_out = num_images.get("test", num_images["train"])
    width = 2 ** int(np.clip(math.log2(max(held_out, 2) / 2), 3, 6))
    moved = {"shift": 0.1} if labelled else {}
    return classifier.Recipe((32, *(64,) * (stages - 1)), 3, width, epochs, batch_size, **moved)


def _learned(recipe, train, tested, num_classes, seed, verbose):
    """The trained network in float32, on one device, and how often it is right on images held out."""
    from tfgan_zoo.metrics import classifier

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        with runtime.no_strategy():
            shown = [_Bar(recipe.epochs * (len(train[0]) // recipe.batch_size))] if verbose else []
            return classifier.fit(recipe, train, tested, num_classes, seed, verbose=0, callbacks=shown)
    finally:
        keras.config.set_dtype_policy(policy)


class _Bar(keras.callbacks.Callback):
    """Updates, images per second, accuracy and the time left, in one line."""

    def __init__(self, updates):
        super().__init__()
        self.updates = updates

    def on_train_begin(self, logs=None):
        from rich import progress

        columns = ("{task.description}", progress.BarColumn(), progress.MofNCompleteColumn(), "{task.fields[right]}")
        self.bar = progress.Progress(*columns, progress.TimeRemainingColumn())
        self.bar.start()
        self.task = self.bar.add_task("extractor", total=self.updates, right="")

    def on_train_batch_end(self, batch, logs=None):
        speed, right = self.bar.tasks[self.task].speed, f"{(logs or {}).get('accuracy', 0):.0%} right"
        self.bar.update(self.task, advance=1, right=f"{speed:,.0f} updates/s, {right}" if speed else right)

    def on_train_end(self, logs=None):
        self.bar.stop()
