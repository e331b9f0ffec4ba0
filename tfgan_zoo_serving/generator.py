"""An exported generator, asked like the model it came from."""

import difflib
import random
import types

import numpy as np

from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import draws, runtimes
from tfgan_zoo_serving.reference import start_of

_BATCH = 64  # images at a time; the images do not depend on it


def opened(directory, card, name, **options):
    """A format of an export as an `ExportedGenerator`, once its files are known to be those of the card.

    Args:
        directory: the export.
        card: its card.
        name: of the format.
        **options: of its runtime.

    Returns:
        (the generator, the path of what it runs).

    Raises:
        DamagedError: if a file is another, or is none that the runtime can read.
        ImportError: if the runtime is not installed, or unknown to this version of the package.
        ValueError: if the runtime has no such option.
    """
    entry = card["formats"][name]
    if runtimes.kind(name) not in runtimes.NEEDS:
        raise ImportError(f"The format {name!r} is newer than this package: install a newer one.")
    runtimes.check_options(name, **options)
    path = cards.check_files(directory, card, cards.own(entry)) / entry["path"]
    try:
        run = runtimes.load(name, path, **options)
    except ImportError:
        raise
    except Exception as error:  # whatever a runtime raises at a file that is not what it seems
        raise cards.DamagedError(f"{path} cannot be loaded: {cards.first_line(error)}") from error
    return ExportedGenerator(card["model"], run, name, entry.get("max_images")), path


class ExportedGenerator:
    """Images from a file, by the same words and with the same draws as the model it was exported from.

    Threads may share one: what a call needs beside the file belongs to the call.

    Args:
        facts: what the card says of the model: "name", "image_shape", "start" (or, in older cards, "latent_dim"),
            "num_classes", "class_names", "attribute_names", "prior", "seeded".
        run: function of what images start from, by name, and "labels" -> images.
        format: name of the format it runs.
        most: images that the format makes at a time; None for any number.
    """

    def __init__(self, facts, run, format, most=None):
        self.name, self.format = facts["name"], format
        self._together = min(_BATCH, most or _BATCH)
        self.image_shape = tuple(facts["image_shape"])
        self.latent_dim, self.num_classes = facts["latent_dim"], facts["num_classes"]
        (self._start, shape), *others = start_of(facts).items()
        self._shape, self._seeded, self._run = tuple(shape), facts["seeded"], run
        self._others = {name: tuple(shape) for name, shape in others}
        self.translates = facts.get("translates", False)
        self.attribute_names = tuple(facts.get("attribute_names") or ()) or None
        self.class_names = tuple(facts.get("class_names") or ()) or None
        told = types.SimpleNamespace(num_classes=self.num_classes, names=self.class_names)
        self.condition = None if self.num_classes is None else told
        self._prior = facts.get("prior")

    def __call__(self, latents, labels=None, beside=None):
        """Images for latents of your own.

        Args:
            latents: (N, latent_dim) numbers, N >= 1; or what else the model's images start from.
            labels: (N,) integers in [0, num_classes), or names of `class_names`, if the model knows classes, None if
                not.
            beside: dict name -> (N, ...) numbers in [0, 1), where images start from more than latents; None for the
                same for all, so that images of different latents differ by these alone.

        Returns:
            float32 array (N, *image_shape), in [-1, 1] unless the model makes points.

        Raises:
            ValueError: if latents or labels are none of these.
        """
        latents = np.asarray(latents)
        if latents.shape != (len(latents), *self._shape) or not len(latents) or latents.dtype.kind not in "fiu":
            shape = ", ".join(map(str, self._shape))
            raise ValueError(
                f"{self._start} are {latents.dtype} {latents.shape}: give numbers (N, {shape}), N at least 1."
            )
        latents = latents.astype(np.float32)
        if not np.isfinite(latents).all():
            raise ValueError(f"{self._start} hold NaN or infinity: give finite numbers.")
        if labels is None and self.num_classes is not None:
            raise ValueError(f"{self.name} needs labels beside latents: one integer a row.")
        return self.of({self._start: latents} | self._beside(len(latents), beside) | self._labels(len(latents), labels))

    def translate(self, images, condition=None, seed=0):
        """The translations that `translate` of the model gives for the same arguments.

        Args:
            images: (N, *shape of what is translated), numbers in [-1, 1] or uint8, N >= 1.
            condition: what each is to become: (N,) integers or names of classes, or (N, A) numbers from 0 to 1 of
                attributes, whose names are `attribute_names`; None for a model that is told nothing.
            seed: integer from 0 to 2147483647, of what is drawn beside images, such as dropout.

        Returns:
            float32 array (N, *image_shape), in [-1, 1].

        Raises:
            ValueError: if an argument is none of these, or the model does not translate.
        """
        if not self.translates:
            raise ValueError(f"{self.name} translates no images: ask it to generate them.")
        images = np.asarray(images)
        images = images.astype(np.float32) / np.float32(127.5) - np.float32(1) if images.dtype == np.uint8 else images
        if images.shape != (len(images), *self._shape) or not len(images) or images.dtype.kind not in "fiu":
            shape = ", ".join(map(str, self._shape))
            raise ValueError(
                f"images are {images.dtype} {images.shape}: give numbers in [-1, 1] or uint8 (N, {shape})."
            )
        if not np.abs(images).max() <= 1.001:
            raise ValueError("images leave [-1, 1]: for 0 to 255 give uint8, or x / 127.5 - 1.")
        prior = {"class": "Uniform", "low": 0.0, "high": 1.0}
        inputs = {self._start: images.astype(np.float32)} | self._told(len(images), condition)
        inputs |= {name: draws.rows(prior, len(images), shape, int(seed)) for name, shape in self._others.items()}
        return self.of(inputs)

    def of(self, inputs):
        """Images for rows of all that the file takes, by its own names, float32 (N, *image_shape)."""
        count = len(next(iter(inputs.values())))
        starts = range(0, count, self._together)
        parts = [self._run({name: rows[at : at + self._together] for name, rows in inputs.items()}) for at in starts]
        return np.concatenate(parts).astype(np.float32, copy=False)

    def _told(self, count, condition):
        if self.attribute_names is None:
            if condition is None and self.num_classes is not None:
                raise ValueError(f"{self.name} is told what images are to become: one integer for each.")
            return self._labels(count, condition)
        values = None if condition is None else np.asarray(condition)
        if values is None or values.shape != (count, len(self.attribute_names)) or values.dtype.kind not in "biuf":
            came = "missing" if values is None else f"{values.dtype} {values.shape}"
            raise ValueError(
                f"attributes are {came}: {self.name} takes {len(self.attribute_names)} numbers from 0 to 1 for each of "
                f"the {count} images: {', '.join(self.attribute_names)}."
            )
        return {"attributes": values.astype(np.float32)}

    def generate(self, num_images, labels=None, seed=None):
        """The images that `generate` of the model gives for the same arguments.

        Args:
            num_images: at least 1.
            labels: (num_images,) integers in [0, num_classes), or names of `class_names`; None draws them from the
                seed, if the model knows any.
            seed: integer from 0 to 2147483647: image i depends on (seed, i) alone. None for another draw each time.

        Returns:
            float32 array (num_images, *image_shape), in [-1, 1] unless the model makes points.

        Raises:
            ValueError: if an argument is none of these, or the model's latents come from a prior of its own.
        """
        return np.concatenate(list(self.stream(num_images, labels, seed)))

    def stream(self, num_images, labels=None, seed=None, batch_size=_BATCH):
        """The images of `generate`, in batches.

        Args:
            num_images, labels, seed: as in `generate`.
            batch_size: images in a batch, at least 1; the last may have fewer.

        Returns:
            An iterator of float32 arrays (<= batch_size, *image_shape).
        """
        num_images, seed = self._checked(num_images, seed)
        batch_size = _integer("batch_size", batch_size, "ask for at least 1 image in a batch.", 1)
        given = None if labels is None else self._labels(num_images, labels)["labels"]
        return self._streamed(num_images, given, seed, batch_size)

    def draw_latents(self, num_images, seed=None):
        """What the images of `generate` start from, to change it, or to go from one to another.

        Args:
            num_images, seed: as in `generate`.

        Returns:
            float32 array (num_images, latent_dim), or of what else the model's images start from.
        """
        num_images, seed = self._checked(num_images, seed)
        return draws.rows(self._prior, num_images, self._shape, seed)

    def _checked(self, num_images, seed):
        num_images = _integer("num_images", num_images, "ask for at least 1 image.", 1)
        seed = random.randrange(2**31) if seed is None else seed
        sentence = "give an integer from 0 to 2147483647, or None for another draw each time."
        seed = _integer("seed", seed, sentence, 0, 2**31 - 1)
        if not self._seeded:
            raise ValueError(f"{self.name} draws its latents in a way of its own: call it with latents instead.")
        return num_images, seed

    def _streamed(self, num_images, labels, seed, batch_size):
        shapes = {self._start: self._shape} | self._others
        blocks, rest = _blocks(self._prior, num_images, shapes, seed), None
        for first in range(0, num_images, batch_size):
            count, parts = min(batch_size, num_images - first), [] if rest is None else [rest]
            while sum(len(part[self._start]) for part in parts) < count:
                parts.append(next(blocks))
            whole = {name: np.concatenate([part[name] for part in parts]) for name in shapes}
            rows, rest = ({name: one[cut] for name, one in whole.items()} for cut in (slice(count), slice(count, None)))
            told = None if labels is None else labels[first : first + count]
            if labels is None and self.num_classes is not None:
                told = draws.labels(count, self.num_classes, seed, first)
            yield self(rows.pop(self._start), told, rows)

    def _beside(self, count, given):
        if given is None:
            one = {name: draws.beside(name, 1, shape, 0) for name, shape in self._others.items()}
            return {name: np.repeat(row, count, axis=0) for name, row in one.items()}
        given = {name: np.asarray(rows, np.float32) for name, rows in given.items()}
        came, wanted = ({name: rows.shape for name, rows in given.items()}, self._others)
        if came != {name: (count, *shape) for name, shape in wanted.items()}:
            raise ValueError(f"beside has {came}: give numbers from 0 to 1 (N, ...) of {wanted or 'nothing'}.")
        if not all(((rows >= 0) & (rows <= 1)).all() for rows in given.values()):
            raise ValueError("beside leaves [0, 1]: give uniform numbers.")
        return given

    def _numbered(self, labels):
        """Names of classes as their numbers; any other labels as they are."""
        if labels.dtype.kind not in "USO" or labels.size == 0:
            return labels
        names = labels.reshape(-1).tolist()
        if self.class_names is None:
            raise ValueError(
                f"labels are names, such as {names[0]!r}, and the card of {self.name} knows its classes by their "
                f"numbers only, from 0 to {self.num_classes - 1}: give those."
            )
        for name in names:
            if name not in self.class_names:
                near = difflib.get_close_matches(str(name).lower(), self.class_names, n=1, cutoff=0.5)
                hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(self.class_names[:12])}."
                raise ValueError(f"Unknown class {name!r}. {hint}")
        return np.array([self.class_names.index(name) for name in names], np.int32)

    def _labels(self, count, labels):
        if self.num_classes is None:
            if labels is not None:
                raise ValueError(f"labels were given, but {self.name} is unconditional: leave them out.")
            return {}
        labels = self._numbered(np.asarray(labels))
        if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels are {labels.dtype} {labels.shape}: {self.name} takes one integer for each of the {count} "
                f"images, from 0 to {self.num_classes - 1}."
            )
        if labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(
                f"labels run from {labels.min()} to {labels.max()}: {self.name} knows 0 to {self.num_classes - 1}."
            )
        return {"labels": labels.reshape(-1).astype(np.int32)}


def _blocks(prior, num_images, shapes, seed):
    """What the images of each block start from, by name: latents of the prior, and uniform numbers beside them."""
    (start, shape), *others = shapes.items()
    for number, first in enumerate(range(0, num_images, draws.BLOCK)):
        count = min(draws.BLOCK, num_images - first)
        rows = {start: draws.block(prior, number, count, shape, seed)}
        yield rows | {name: draws.block_beside(name, number, count, of, seed) for name, of in others}


def _integer(name, number, sentence, least, most=None):
    """`number` as an int, or a sentence about why it is none."""
    is_one = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if not is_one or number < least or (most is not None and number > most):
        raise ValueError(f"{name}={number!r}: {sentence}")
    return int(number)
