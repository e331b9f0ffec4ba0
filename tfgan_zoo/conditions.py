"""Conditions: what a model is told about an image beside the image itself.

A condition is a frozen value that says what it takes (`check`), draws some where nobody gives any (`sample`), and
describes itself to whoever serves or pictures the model (`spec`, `examples`). Networks have an input of its `name`.
"""

import dataclasses
import numbers

import numpy as np
from keras import ops

from tfgan_zoo import noise
from tfgan_zoo.serialization import serializable

_LABELS = 0x1ABE15  # the purpose of labels that `generate` draws, folded into its seed


@serializable
@dataclasses.dataclass(frozen=True)
class Classes:
    """The class of an image, an integer.

    Args:
        num_classes: labels are integers in [0, num_classes), at least 2.
        unknown: whether -1 says that an image has no label.

    Raises:
        ValueError: if it is no number of classes.
    """

    num_classes: int
    unknown: bool = False

    name = "labels"
    dtype = "int32"
    shape = ()

    def __post_init__(self):
        given = self.num_classes
        if isinstance(given, bool) or not isinstance(given, numbers.Integral) or given < 2:
            raise ValueError(f"num_classes={given!r}: give the number of classes, at least 2.")
        object.__setattr__(self, "num_classes", int(given))

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
