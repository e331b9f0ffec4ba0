"""Data of which only few labels are known, for models that learn from these and from all images."""

import numpy as np
import tensorflow as tf

from tfgan_zoo import errors
from tfgan_zoo.data.pipeline import load


def few_of_each(labels, count, seed=0):
    """Rows of few images, as many of each class: those whose labels a semi-supervised model may see.

    Source: Salimans et al. 2016, Sec. 6.1, balanced random choices.

    Args:
        labels: (N,) integers.
        count: of labels in all, at least one a class; what does not divide evenly is left out.
        seed: of the choice.

    Returns:
        int64 array of rows, class by class; all of a class that has fewer.

    Raises:
        ValueError: if there are more classes than labels asked for.

    Example:

    >>> few_of_each([0, 1, 1, 0, 1], count=2, seed=0).tolist()
    [0, 4]
    """
    labels = np.asarray(labels)
    classes, random = np.unique(labels), np.random.default_rng(seed)
    errors.whole_number("count", count)
    if count < len(classes):
        raise ValueError(f"count={count}: there are {len(classes)} classes, and each needs a label.")
    each = count // len(classes)
    return np.concatenate([random.permutation(np.flatnonzero(labels == one))[:each] for one in classes])


def half_labelled(images, labels, rows, batch_size=100, seed=0):
    """Batches whose first half has labels, over and over, and whose second half is any image, without its label.

    Source: Salimans et al. 2016, Sec. 5. An epoch is one pass over all images.

    Args:
        images: (N, H, W, C), as `data.load` takes them.
        labels: (N,) integers.
        rows: of `images` whose labels are known, such as `few_of_each` chooses.
        batch_size: an even number.
        seed: int that, with the epoch, fixes the order.

    Returns:
        `tf.data.Dataset` of (float32 images (N, H, W, C), int32 labels (N,), -1 where none is known).

    Raises:
        ValueError: if batch_size is odd, or no row is given.
    """
    errors.whole_number("batch_size", batch_size, at_least=2)
    if batch_size % 2:
        raise ValueError(f"batch_size={batch_size}: half of a batch has labels, so give an even number.")
    if not len(rows):
        raise ValueError("rows is empty: give the rows of at least one image whose label is known.")
    half, labels = batch_size // 2, np.asarray(labels)
    known = labelled(images, labels, rows, half, seed)
    together = tf.data.Dataset.zip(known, load(images, batch_size=half, seed=seed))
    unknown = [[0, half]]

    def joined(one, any_image):
        return tf.concat([one[0], any_image], axis=0), tf.pad(one[1], unknown, constant_values=-1)

    return together.map(joined)


def labelled(images, labels, rows, batch_size=50, seed=0):
    """The images whose labels are known, over and over in whole batches; arguments as in `half_labelled`."""
    rows = np.resize(rows, np.lcm(len(rows), batch_size))
    return load((images[rows], np.asarray(labels)[rows]), batch_size=batch_size, seed=seed).repeat()
