"""How much memory and disk is free, asked before images are decoded."""

import math
import pathlib
import shutil

FRACTION = 0.45  # of free memory: while a dataset is made, the array and its tensor exist side by side
_DISK_FRACTION = 0.9


def check(shape, itemsize=1, available=None):
    """Raise a sentence if an array would not fit into memory.

    Args:
        shape: of the array.
        itemsize: bytes a value takes.
        available: bytes of free memory; None asks the system.

    Raises:
        MemoryError: if the array takes more than 45 % of what is free.
    """
    available = memory() if available is None else available
    needed = math.prod(shape) * itemsize
    if needed > FRACTION * available:
        raise MemoryError(
            f"{shape[0]:,} images of shape {tuple(shape[1:])} take {gib(needed)} and {gib(available)} are free. "
            "Give a smaller image_size, or a slice such as split='train[:10%]'"
        )


def fits_memory(needed):
    """Whether so many bytes may be held in memory."""
    return needed <= FRACTION * memory()


def fits_disk(needed, directory):
    """Whether so many bytes may be written beneath a directory, which need not be there yet."""
    return needed <= _DISK_FRACTION * disk(directory)


def memory():
    """Bytes of free memory: the machine's, or what is left of the container's limit if that is less."""
    import psutil

    return min(psutil.virtual_memory().available, _left_of_limit())


def disk(directory):
    """Bytes that are free where a directory is, or will be."""
    there = pathlib.Path(directory).absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def gib(size):
    """A number of bytes in words, such as "1.5 GiB" or "12 MiB"."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"


def _left_of_limit(group=pathlib.Path("/sys/fs/cgroup")):
    """Bytes that a container's limit (cgroup v2) leaves; infinity without one. Its file pages can be given up."""
    try:
        limit, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        pages = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # not Linux, not in a group of its own, or "max"
        return math.inf
    return limit - used + int(pages["file"])
