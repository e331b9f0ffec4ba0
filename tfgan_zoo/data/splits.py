"""The grammar of splits: `train`, `train[:10000]`, `train[-5000:]`, `train[10%:20%]`, and sums; and a fixed order."""

import re

import numpy as np

_PART = re.compile(r"(?P<name>\w+)(\[(?P<start>-?\d+%?)?:(?P<stop>-?\d+%?)?\])?")


def pieces(split, counts, source):
    """The stretches of data that `split` names.

    Source: the grammar of TFDS, https://www.tensorflow.org/datasets/splits (percentages round to the closest image).

    Args:
        split: such as "train", "train[:80%]" or "train[-500:]+test".
        counts: dict of split name to number of images.
        source: the name of the source, for messages.

    Returns:
        List of (name, start, stop).

    Raises:
        ValueError: for a split that is not there, is not written in this grammar, or selects nothing.
    """
    found = []
    for part in str(split).split("+"):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"split={split!r} is not understood. Write 'train', 'train[:1000]' or 'train[10%:20%]'")
        check_name(match["name"], counts, source)
        count = counts[match["name"]]
        start = _position(match["start"], 0, count, split, source)
        stop = _position(match["stop"], count, count, split, source)
        found.append((match["name"], start, stop))
    if sum(max(stop - start, 0) for _, start, stop in found) == 0:
        raise ValueError(f"split={split!r} of {source} selects no image. Widen the slice")
    return found


def check_name(name, counts, source):
    """Raise ValueError, with the splits there are, unless `name` is one of them."""
    if name not in counts:
        raise ValueError(f"{source} has no split {name!r}. It has {', '.join(map(repr, counts))}")


def _position(text, default, count, split, source):
    if text is None:
        return default
    position = round(int(text[:-1]) * count / 100) if text.endswith("%") else int(text)
    if abs(position) > count:
        raise ValueError(f"split={split!r} reaches beyond the {count:,} images that {source} has there")
    return position + count if position < 0 else position


def permutation(count, seed=0):
    """A fixed order of range(count), the same with every version of every library.

    Source: the mixing of SplitMix64 (Steele et al. 2014, Fig. 14), by whose numbers the indices are sorted.

    Args:
        count: how many.
        seed: int that chooses the order.

    Returns:
        int64 (count,).
    """
    mixed = (np.arange(count, dtype="uint64") + np.uint64(seed * 2**32 + 1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")
