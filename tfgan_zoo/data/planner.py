"""Where decoded images are kept while one trains: in memory, in a file, or nowhere."""

import dataclasses
import logging
import math
import sys

from tfgan_zoo import errors
from tfgan_zoo.data import memory_budget, store

log = logging.getLogger("tfgan_zoo")
CACHES = ("memory", "file", "none")


@dataclasses.dataclass(frozen=True)
class Plan:
    """A choice and its reason.

    Args:
        cache: "memory", "file" or "none".
        sentence: what was chosen and why.
    """

    cache: str
    sentence: str

    def say(self):
        """Print the sentence on stderr; images that fit into memory are the usual case and only logged."""
        if self.cache == "memory":
            log.info(self.sentence)
        else:
            print(self.sentence, file=sys.stderr)


def choose(rows, cache=None):
    """The fastest place that can hold the decoded images.

    Memory if they take at most 45 % of what is free; else a file, if reading them means decoding and they take at most
    90 % of the free disk; else none: each is read where it lies whenever its turn comes.

    Args:
        rows: a `Rows`.
        cache: "memory", "file" or "none" to choose oneself; None to let size decide.

    Returns:
        A `Plan`.

    Raises:
        ValueError: if `cache` is none of these.
        MemoryError: if cache="memory" and they would not fit.
        OSError: if cache="file" and the disk is too full.
    """
    if cache not in (None, *CACHES):
        raise errors.unknown("cache", cache, CACHES)
    needed = math.prod(rows.shape)
    begin = f"{rows.name}: {rows.shape[0]:,} images take {memory_budget.gib(needed)} decoded"
    reason = (
        f"{memory_budget.gib(memory_budget.memory())} of memory are free"
        if cache is None
        else f"cache={cache!r} was asked for"
    )
    if cache == "memory":
        memory_budget.check(rows.shape)
    if cache == "memory" or (cache is None and memory_budget.fits_memory(needed)):
        return Plan("memory", f"{begin}; {reason}: they are held in memory.")
    directory = store.path_of(rows)
    there, fits = directory.exists(), memory_budget.fits_disk(needed, directory)
    free = f"{memory_budget.gib(memory_budget.disk(directory))} of disk at {directory}"
    if cache == "file" and not (there or fits):
        raise OSError(f"{begin}, and of {free} at most 90 % are used. Set TFGAN_ZOO_CACHE to a larger disk")
    if cache == "file" or (cache is None and rows.encoded and (there or fits)):
        kept = "they are there, decoded," if there else "they are decoded once and kept"
        return Plan("file", f"{begin}; {reason}: {kept} in {directory}.")
    if cache is None:
        reason += f", {free}" if rows.encoded else ", and they lie there decoded"
    return Plan("none", f"{begin}; {reason}: each is read where it lies whenever its turn comes.")
