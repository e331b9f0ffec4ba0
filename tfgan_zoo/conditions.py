"""Conditions: what a model is told about an image beside the image itself.

A condition is a frozen value that says what it takes (`check`), draws some where nobody gives any (`sample`), and
describes itself to whoever serves or pictures the model (`spec`, `examples`). Networks have an input of its `name`.
"""

import dataclasses
import numbers

import numpy as np
from keras import ops

from tfgan_zoo import noise
from tfgan_zoo.errors import unknown
from tfgan_zoo.serialization import serializable

_LABELS = 0x1ABE15  # the purpose of labels that `generate` draws, folded into its seed


@serializable
@dataclasses.dataclass(frozen=True)
class Classes:
    """The class of an image, an integer.

    Args:
        num_classes: labels are integers in [0, num_classes), at least 2.
        unknown: whether -1 says that an image has no label.
        names: of the classes, in the order of the labels; None if nobody knows them.

    Raises:
        ValueError: if it is no number of classes, or there are not as many names.
    """

    num_classes: int
    unknown: bool = False
    names: tuple | None = None

    name = "labels"
    dtype = "int32"
    shape = ()

    def __post_init__(self):
        given = self.num_classes
        if isinstance(given, bool) or not isinstance(given, numbers.Integral) or given < 2:
            raise ValueError(f"num_classes={given!r}: give the number of classes, at least 2.")
        object.__setattr__(self, "num_classes", int(given))
        if self.names is not None:
            names = tuple(map(str, self.names))
            if len(set(names)) != len(names) or len(names) != given:
                raise ValueError(f"names={self.names!r}: give {given} names of classes, each once.")
            object.__setattr__(self, "names", names)

    def numbered(self, labels, model):
        """Names of classes as their numbers; any other labels as they are.

        Args:
            labels: what was given: names, or numbers.
            model: its name, for a sentence.

        Raises:
            ValueError: if nobody knows the names, or one is none of them, with the nearest.
        """
        if np.asarray(labels).dtype.kind not in "USO":
            return labels
        names = np.asarray(labels).reshape(-1).tolist()
        if self.names is None:
            raise ValueError(
                f"labels are names, such as {names[0]!r}, and {model} knows its classes by their numbers only, from 0 "
                f"to {self.num_classes - 1}. Name them: model.name_classes(names)."
            )
        for name in names:
            if name not in self.names:
                raise unknown("class", name, self.names)
        return np.array([self.names.index(name) for name in names], np.int32)

    def check(self, labels, count, model):
        """Labels as int32 (count,), or a sentence about why they are none.

        Args:
            labels: what was given, or None.
            count: of the images.
            model: its name, for the sentence.

        Raises:
            ValueError: if they are missing, no integers, not one for each image, or out of range.
        """
        if labels is None:
            raise ValueError(
                f"{model} needs labels beside images: give a dataset of (images, labels), or fit(images, labels)."
            )
        if not count:
            raise ValueError(f"There are no images and no labels: {model} has nothing to learn from.")
        allowed, labels = range(-1 if self.unknown else 0, self.num_classes), np.asarray(labels)
        if labels.shape not in ((count,), (count, 1)) or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"labels are {labels.dtype} {labels.shape}: {model} takes one integer for each of the {count} images, "
                f"from {allowed[0]} to {allowed[-1]}."
            )
        low, high = int(labels.min()), int(labels.max())
        if low not in allowed or high not in allowed:
            raise ValueError(
                f"labels run from {low} to {high}: {model} knows {allowed[0]} to {allowed[-1]}. "
                "Count them from 0, or create it with a larger num_classes."
            )
        return labels.reshape(-1).astype(np.int32)

    def as_tensor(self, labels):
        """Labels (N,) or (N, 1) of a batch as int32 (N,), inside a graph."""
        return ops.cast(ops.reshape(labels, (-1,)), "int32")

    def sample(self, count, seed):
        """Labels (count,) int32 drawn evenly; label i depends on (seed, i) alone.

        Args:
            count: how many; may be a tensor.
            seed: integer; may be a tensor.
        """
        drawn = noise.uniform((count, 1), ops.stack([ops.cast(seed, "int32"), _LABELS]), 0.0, float(self.num_classes))
        return ops.cast(ops.floor(drawn[:, 0]), "int32")

    def examples(self, count, most=None):
        """Labels for a picture of about `count` images, a row a class; and how many make a row.

        Args:
            count: images wanted.
            most: classes at most, the first of them; None for all.

        Returns:
            (int32 (classes * columns,), columns).
        """
        classes = min(self.num_classes, most or self.num_classes)
        columns = max(1, round(count / classes))
        return np.repeat(np.arange(classes, dtype=np.int32), columns), columns

    def changes(self, known):
        """What each image may be told to become: every class.

        Args:
            known: (N,) labels of the images as they are.

        Returns:
            (int32 (N, num_classes), names of the columns).
        """
        columns = np.arange(self.num_classes, dtype=np.int32)
        return np.tile(columns, (len(known), 1)), self.names or tuple(map(str, columns))


@serializable
@dataclasses.dataclass(frozen=True)
class Attributes:
    """Attributes of an image, each 0 or 1 (Choi et al. 2018, Sec. 3.1).

    Args:
        names: of the attributes, in the order of their columns.
        exclusive: groups of names of which an image has one, such as the colours of hair.

    Raises:
        ValueError: if there is no name, one twice, or a group with a name that is none.
    """

    names: tuple
    exclusive: tuple = ()

    name = "attributes"
    dtype = "float32"

    def __post_init__(self):
        if isinstance(self.names, str) or not self.names or len(set(self.names)) < len(tuple(self.names)):
            raise ValueError(f"names={self.names!r}: give the names of the attributes, each once.")
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "exclusive", tuple(tuple(group) for group in self.exclusive))
        grouped = [name for group in self.exclusive for name in group]
        for name in grouped:
            if name not in self.names:
                raise unknown("attribute in exclusive", name, self.names)
            if grouped.count(name) > 1:
                raise ValueError(f"exclusive={self.exclusive!r}: {name!r} is in two groups; give each name once.")

    @property
    def shape(self):
        """Of what one image is told."""
        return (len(self.names),)

    def check(self, attributes, count, model):
        """Attributes as float32 (count, A), or a sentence about why they are none.

        Args:
            attributes: what was given, or None.
            count: of the images.
            model: its name, for the sentence.

        Raises:
            ValueError: if they are missing, not as many, or no numbers from 0 to 1.
        """
        if attributes is None:
            raise ValueError(
                f"{model} needs attributes beside images: give a dataset of (images, attributes), such as "
                "tz.data.load(tz.data.WithAttributes(folder, table))."
            )
        attributes = np.asarray(attributes)
        if attributes.shape != (count, *self.shape) or attributes.dtype.kind not in "biuf":
            raise ValueError(
                f"attributes are {attributes.dtype} {attributes.shape}: {model} takes {len(self.names)} numbers for "
                f"each of the {count} images: {', '.join(self.names)}."
            )
        if not (np.isfinite(attributes).all() and attributes.min() >= 0 and attributes.max() <= 1):
            raise ValueError(
                f"attributes run from {attributes.min():g} to {attributes.max():g}: {model} takes 0 for without and 1 "
                "for with; of -1 and 1 take (x + 1) / 2."
            )
        return attributes.astype(np.float32)

    def as_tensor(self, attributes):
        """Attributes (N, A) of a batch as float32, inside a graph."""
        return ops.cast(attributes, "float32")

    def sample(self, count, seed):
        """Attributes (count, A) drawn evenly, one of each exclusive group; row i depends on (seed, i) alone.

        Args:
            count: how many; may be a tensor.
            seed: integer; may be a tensor.
        """
        drawn = noise.uniform((count, len(self.names)), ops.stack([ops.cast(seed, "int32"), _LABELS]))
        columns = [ops.cast(drawn[:, index] < 0.5, "float32") for index in range(len(self.names))]
        for group in self.exclusive:
            members = [self.names.index(name) for name in group]
            chosen = ops.floor(drawn[:, members[0]] * float(len(members)))
            for place, member in enumerate(members):
                columns[member] = ops.cast(ops.equal(chosen, float(place)), "float32")
        return ops.stack(columns, axis=1)

    def examples(self, count, most=None):
        """Attributes for a picture of about `count` images, a row an attribute; and how many make a row.

        Args:
            count: images wanted.
            most: attributes at most, the first of them; None for all.

        Returns:
            (float32 (rows * columns, A), columns): each row has its attribute, and of the other exclusive groups the
            first.
        """
        rows = min(len(self.names), most or len(self.names))
        columns = max(1, round(count / rows))
        plain = np.zeros((1, len(self.names)), np.float32)
        for group in self.exclusive:
            plain[0, self.names.index(group[0])] = 1.0
        return np.repeat(self.changes(plain)[0][0, :rows], columns, axis=0), columns

    def changes(self, known):
        """What each image may be told to become: each attribute the other way round, or the one of its group.

        Args:
            known: (N, A) attributes of the images as they are.

        Returns:
            (float32 (N, A, A): of each image a row for each attribute, names of the rows).
        """
        known = np.asarray(known, np.float32)
        changed = np.repeat(known[:, None], len(self.names), axis=1)
        for index, name in enumerate(self.names):
            group = next((group for group in self.exclusive if name in group), None)
            if group is None:
                changed[:, index, index] = 1.0 - known[:, index]
            else:
                changed[:, index, [self.names.index(one) for one in group]] = 0.0
                changed[:, index, index] = 1.0
        return changed, self.names
