"""Whether the decoded images fit into memory, asked before they are decoded."""

import math

FRACTION = 0.45  # of what is free: while a dataset is made, the array and its tensor exist side by side


def check(shape, itemsize=1, available=None):
    """Raise a sentence if an array would not fit.

    Args:
        shape: of the array.
        itemsize: bytes a value takes.
        available: bytes of free memory; None asks the system.

    Raises:
        MemoryError: if the array takes more than 45 % of what is free.
    """
    available = _available() if available is None else available
    needed = math.prod(shape) * itemsize
    if available is not None and needed > FRACTION * available:
        raise MemoryError(
            f"{shape[0]:,} images of shape {tuple(shape[1:])} take {needed / 2**30:.1f} GiB and "
            f"{available / 2**30:.1f} GiB are free. Give a smaller image_size, or a slice such as split='train[:10%]'"
        )


def _available():
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None  # not Linux: nothing is known, so nothing is refused
