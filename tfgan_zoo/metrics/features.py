"""Images → features: the networks that metrics measure in, and how images are brought to their input."""

import collections.abc
import dataclasses
import functools
import hashlib
import pathlib

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import files, runtime

WEIGHTS = pathlib.Path(__file__).parent / "weights"


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A network with images in and features out, and what a record must say of it.

    Args:
        kind: the word that stands in a score's key: "classifier" (shipped), "own" with eight digits of the hash (of
            `train_extractor`), "custom" (yours), "points" (identity), "inceptionv3keras", "inception2015".
        name: which one it is, such as "digits".
        hash: first 16 hex digits of the SHA-256 over its weights' bytes.
        image_shape: (height, width, channels) it wants; None where any size will do. (2,) for points.
        width: d, the number of features.
        classes: C, the number of classes whose probabilities it gives; None if it gives none.
        model: the keras.Model, whose weights change no more; None for the identity.
        resize: how images are brought to its size.
    """

    kind: str
    name: str
    hash: str
    image_shape: tuple
    width: int
    classes: int | None = None
    model: keras.Model | None = dataclasses.field(default=None, compare=False)
    resize: "Resize" = dataclasses.field(default_factory=lambda: ANTIALIASED)

    @property
    def is_inception(self):
        """Whether its scores bear the names FID and Inception Score."""
        return self.kind.startswith("inception")

    def key(self, score, count=None):
        """The name of a score of `count` images in these features, "kid_classifier_10000"; None leaves that out."""
        count = None if count is None else str(count)
        return "_".join(filter(None, (score, self.kind, count, self.resize.suffix)))

    @property
    def distance(self):
        """The name of the Fréchet distance in these features, its count of images left out."""
        return self.key("fid" if self.is_inception else "fd")

    def describe(self):
        """What a record says: {"name", "hash", "features"}."""
        return {"name": self.name, "hash": self.hash, "features": self.width}

    def preprocessing(self, image_shape):
        """What happens to images of a shape before the network sees them, in words; "none" when nothing does.

        Raises:
            ValueError: the channels cannot be converted.
        """
        if self.kind == "points":
            return "none"
        (height, width, channels), wanted = image_shape, self._wanted(image_shape)
        steps = []
        if channels != wanted[2]:
            if {channels, wanted[2]} != {1, 3}:
                raise ValueError(
                    f"The images have {channels} channels and the extractor {self.name!r} wants {wanted[2]}: "
                    "only gray (1) and RGB (3) are converted into each other."
                )
            steps.append("gray to RGB" if wanted[2] == 3 else "RGB to gray")
        if (height, width) != wanted[:2]:
            steps.append(f"{self.resize.name} {height}x{width} to {wanted[0]}x{wanted[1]}")
        return ", ".join(steps) or "none"

    def __call__(self, images):
        """Features of one batch, which the devices of the current strategy share.

        Args:
            images: float32 (N, height, width, channels) in [-1, 1], of any size; or points (N, 2).

        Returns:
            {"features": (N, d)} and, if the network classifies, "probabilities": (N, C); NumPy arrays.
        """
        if self.kind == "points":
            return {"features": np.asarray(images)}
        return self._forward(tf.convert_to_tensor(images, tf.float32))

    @functools.cached_property
    def _forward(self):
        def forward(images):
            images = fitted(images, self._wanted(images.shape[1:]), self.resize)
            return {
                name: tf.cast(value, tf.float32) for name, value in heads(self.model(images, training=False)).items()
            }

        # one graph per shape: relaxed shapes would forget the channels
        return runtime.map_rows_on_devices(forward, fixed=self.model.variables)

    def _wanted(self, image_shape):
        """The input's shape, with the images' own size where the network takes any."""
        return tuple(
            own if wanted is None else wanted for wanted, own in zip(self.image_shape, image_shape, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class Resize:
    """A way to another size.

    Args:
        name: what a record says of it.
        suffix: what stands at the end of a score's key; "" for the zoo's own way.
        function: (images (N, height, width, channels), [height, width]) -> images.
        always: True sends images that have the size already through the function too.
    """

    name: str
    suffix: str
    function: collections.abc.Callable = dataclasses.field(compare=False)
    always: bool = False


ANTIALIASED = Resize(
    "bilinear antialiased",
    "",
    lambda images, size: tf.image.resize(images, size, method="bilinear", antialias=True),
)


def fitted(images, image_shape, resize=ANTIALIASED):
    """Images brought to (height, width, channels): gray and RGB into each other, size by antialiased resizing.

    Source: Parmar et al. 2022, Sec. 3: a resize that does not low-pass first moves a Fréchet distance by itself. Lucic
    et al. 2018, Sec. 5: gray is repeated for networks that want RGB.

    Args:
        images: float32 (N, height, width, channels) in [-1, 1].
        image_shape: the (height, width, channels) wanted.
        resize: a `Resize`.

    Returns:
        A float32 tensor (N, *image_shape).
    """
    *size, channels = image_shape
    images = tf.convert_to_tensor(images)
    if images.shape[-1] == 1 and channels == 3:
        images = tf.image.grayscale_to_rgb(images)
    elif images.shape[-1] == 3 and channels == 1:
        images = tf.image.rgb_to_grayscale(images)
    if resize.always or list(images.shape[1:3]) != size:
        images = resize.function(images, size)
    return images


def heads(outputs):
    """A network's outputs as {"features": …} with "probabilities" if it has them."""
    if not isinstance(outputs, dict):
        return {"features": outputs}
    return {name: outputs[name] for name in ("features", "probabilities") if name in outputs}


def classifier_for(dataset):
    """The classifier shipped for a dataset, as an extractor.

    Args:
        dataset: its name, such as "digits".

    Returns:
        An `Extractor` whose model gives {"features": (N, d), "probabilities": (N, C)}.

    Raises:
        ValueError: none is shipped for that dataset, or the file is not the one its sidecar describes.
    """
    path = WEIGHTS / f"{dataset}.keras"
    if dataset not in shipped():
        raise ValueError(no_extractor(dataset))
    return _load(path, path.stat().st_mtime_ns)


def no_extractor(name):
    """The sentence that says how to get features of a data source, where nobody has given any."""
    return (
        f"No classifier is shipped for {name!r}, only for {' and '.join(shipped()) or 'no dataset'}: train one, "
        "tz.metrics.train_extractor(source) or python -m tfgan_zoo.metrics.extractor SOURCE, or pass "
        "extractor=your_keras_model, any keras.Model with images in and features (N, d) out."
    )


def shipped():
    """The names of the datasets that have a shipped classifier."""
    return sorted(path.stem for path in WEIGHTS.glob("*.keras"))


@functools.lru_cache(maxsize=4)
@runtime.no_strategy()
def _load(path, _written):
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    model.trainable = False
    sha256 = sha256_of(model)
    if sha256 != files.read_json(path.with_suffix(".json"))["sha256"]:
        raise ValueError(
            f"{path.name} is not the file that {path.stem}.json describes (other weights). Install the package again, "
            f"or train it: python -m tfgan_zoo.metrics.classifier --dataset {path.stem}"
        )
    return make_extractor("classifier", path.stem, model)


def read(path):
    """The extractor in a file: of `train_extractor`, known by its sidecar, or any keras.Model of yours.

    Args:
        path: a .keras file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the weights are not those that the sidecar describes, or the model is no extractor.
    """
    path = pathlib.Path(path).expanduser()
    if path.suffix != ".keras" or not path.is_file():
        raise FileNotFoundError(f"extractor={str(path)!r}: there is no such .keras file; train_extractor makes one.")
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
@runtime.no_strategy()
def _read(path, _written):
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    model.trainable = False
    if not path.with_suffix(".json").exists():
        return extractor_of(model)
    card, sha256 = files.read_json(path.with_suffix(".json")), sha256_of(model)
    if sha256 != card.get("sha256"):
        raise ValueError(f"{path} is not the file that {path.stem}.json describes (other weights): train it again.")
    return make_extractor(f"own{sha256[:8]}", card["dataset"], model)


def make_extractor(kind, name, model, resize=ANTIALIASED):
    """An `Extractor` around a keras.Model whose output "features" has the shape (N, d)."""
    outputs = heads(model.compute_output_spec(keras.KerasTensor((None, *model.input_shape[1:]))))
    classes = outputs["probabilities"].shape[-1] if "probabilities" in outputs else None
    width = outputs["features"].shape[-1]
    return Extractor(kind, name, sha256_of(model)[:16], model.input_shape[1:], width, classes, model, resize)


def extractor_of(model):
    """Your own keras.Model, or a file of one, as an extractor.

    Args:
        model: a .keras file, as in `read`; or a model with images (N, height, width, channels) in [-1, 1] in, and out
            (N, d) or a dict with "features" (N, d) and perhaps "probabilities" (N, C).

    Returns:
        An `Extractor` of kind "custom"; of a file that `train_extractor` wrote, "own" and its hash.

    Raises:
        ValueError: not one input of images, or no output (N, d).
        FileNotFoundError: there is no such file.
    """
    if isinstance(model, Extractor):
        return model
    if isinstance(model, pathlib.Path) or (isinstance(model, str) and model.endswith(".keras")):
        return read(model)
    if not isinstance(model, keras.Model):
        raise ValueError(
            "extractor must be a keras.Model with images in and features (N, d) out, or a .keras file of one, not "
            f"{type(model).__name__}."
        )
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] is None:
        raise ValueError(
            f"The extractor's input is {shape}: one input of images (N, height, width, channels) with known channels "
            "is needed. Build it from keras.Input((height, width, channels))."
        )
    outputs = heads(model.compute_output_spec(keras.KerasTensor((None, *shape[1:]))))
    head = getattr(outputs.get("features"), "shape", None)
    if head is None or len(head) != 2 or head[1] is None:
        raise ValueError(
            f"The extractor's features must have the shape (N, d), and theirs is {head}: end it in "
            'GlobalAveragePooling2D or Flatten, or name the output "features".'
        )
    return make_extractor("custom", model.name, model)


def collect(extractor, batches, count, title, verbose=True):
    """Features of a stream of batches, in one pass.

    Args:
        extractor: an `Extractor`.
        batches: iterable of float32 images (n, height, width, channels) in [-1, 1], or points (n, 2).
        count: how many images are expected, for the progress bar.
        title: what they are, for the progress bar.
        verbose: True shows a bar with rate and time left.

    Returns:
        {"features": (N, d)} and perhaps "probabilities": (N, C), float32.

    Raises:
        ValueError: a feature is not finite, or there was no batch.
    """
    outputs, seen = {}, 0  # one array from the start: parts to be joined would need the room twice
    for batch in watched(batches, count, title) if verbose else batches:
        for name, rows in extractor(batch).items() if len(batch) else ():
            if name not in outputs:
                outputs[name] = np.empty((count, *rows.shape[1:]), np.float32)
            outputs[name][seen : seen + len(rows)] = rows
        seen += len(batch)
    if not seen:
        raise ValueError(f"{title}: there is no image.")
    outputs = {name: rows[:seen] for name, rows in outputs.items()}
    if not np.isfinite(
        np.sum(outputs["features"], dtype=np.float64)
    ):  # isfinite of each would be a mask of every number
        raise ValueError(f"{title}: the extractor {extractor.name!r} gives features that are NaN or infinite.")
    return outputs


def watched(batches, count, title, unit="images"):
    """The batches themselves, with a bar that shows images per second and the time left."""
    from rich import progress

    columns = ("{task.description}", progress.BarColumn(), progress.MofNCompleteColumn(), "{task.fields[rate]}")
    with progress.Progress(*columns, progress.TimeRemainingColumn()) as bar:
        task = bar.add_task(title, total=count, rate="")
        for batch in batches:
            yield batch
            speed = bar.tasks[task].speed
            bar.update(task, advance=len(batch), rate=f"{speed:,.0f} {unit}/s" if speed else "")


def fingerprint(extractor):
    """What an extractor computes, for the cache: its hash and, for one of yours, what it makes of a few fixed images.

    Two models with the same weights, or with none, can still differ in what they do with them.
    """
    if extractor.kind != "custom":
        return [extractor.kind, extractor.name, extractor.hash, extractor.resize.name]
    shape = [side or 32 for side in extractor.image_shape]
    probe = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype(np.float32)
    seen = np.round(extractor(probe)["features"].astype(np.float64), 3) + 0.0  # + 0.0 turns -0.0 into 0.0
    return [extractor.kind, extractor.hash, hashlib.sha256(seen.tobytes()).hexdigest()]


POINTS = Extractor("points", "identity", hashlib.sha256(b"").hexdigest()[:16], (2,), 2)


def sha256_of(model):
    """Hex SHA-256 over the bytes of a model's weights, in their order: the same for a model saved again.

    Args:
        model: a keras.Model.

    Returns:
        64 hex digits.
    """
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
