"""Pictures that cannot be decoded: found before training begins, and listed in a file with the reason of each."""

import concurrent.futures
import csv
import functools
import os
import re
import warnings

import numpy as np
import tensorflow as tf

from tfgan_zoo import files

CORRUPT_RECORDS = (tf.errors.InvalidArgumentError, tf.errors.DataLossError)
UNREADABLE = (OSError, SyntaxError, ValueError, *CORRUPT_RECORDS)  # Pillow raises SyntaxError for a broken PNG
_CHUNK_BYTES = 2**25  # of images read at a time


def examine(rows, keep=None, verbose=True):
    """Read every image once.

    Args:
        rows: a `Rows`.
        keep: function of (images, labels) that is given the readable ones in their order, chunk by chunk.
        verbose: True shows a bar with rate and time left.

    Returns:
        Dict of row to the reason why it cannot be read.
    """
    count, corrupt = rows.shape[0], {}
    size = max(1, min(4096, _CHUNK_BYTES // int(np.prod(rows.shape[1:]))))
    chunks = [range(start, min(start + size, count)) for start in range(0, count, size)]
    long = verbose and len(chunks) > 2
    for chunk in with_progress(chunks, count, f"Reading {rows.name}") if long else chunks:
        images, labels, found = _readable(rows, chunk)
        corrupt |= found
        if keep and len(images):
            keep(images, labels)
    return corrupt


def _readable(rows, chunk):
    """The images of a chunk that can be read, their labels, and why the others cannot."""
    try:
        return *rows.read(chunk), {}
    except UNREADABLE:
        pass
    good, corrupt = [], {}
    for row in chunk:
        try:
            good.append(rows.read([row]))
        except UNREADABLE as error:
            corrupt[row] = reason(error)
    images, labels = (np.concatenate(part) for part in zip(*good, strict=True)) if good else ((), ())
    return images, labels, corrupt


def reason(error):
    """One line for an exception, without the memory address Pillow puts into it."""
    text = " ".join(str(getattr(error, "message", None) or error).split()) or type(error).__name__
    return re.sub(r" <_io\.\S+ object at 0x[0-9a-f]+>", " the file", text)


def raise_or_warn(corrupt, rows, skip):
    """Raise if images are corrupt, or warn if they may be left out; either way with the path of the whole list.

    Args:
        corrupt: what `examine` returned.
        rows: the `Rows` that were examined.
        skip: True leaves them out.

    Raises:
        ValueError: if there are some and `skip` is False, or all are.
    """
    if not corrupt:
        return
    count = rows.shape[0]
    shown = ", ".join(rows.origin(row) for row in list(corrupt)[:5]) + (", …" if len(corrupt) > 5 else "")
    first = next(iter(corrupt))
    listed = f"; of the first: {corrupt[first].replace(rows.origin(first), 'it')}{_listed(corrupt, rows)}"
    if len(corrupt) == count:
        raise ValueError(f"None of the {count:,} pictures can be read: {shown}{listed}. Check where they come from")
    if not skip:
        raise ValueError(
            f"{len(corrupt):,} of {count:,} pictures cannot be read: {shown}{listed}. "
            "Repair or remove them, or load the others with skip_corrupt=True"
        )
    warnings.warn(f"Left out {len(corrupt):,} of {count:,} pictures that cannot be read: {shown}{listed}", stacklevel=2)


def report(corrupt, rows):
    """Write the list of corrupt images, with the reason of each, as CSV; returns its path.

    Args:
        corrupt: what `examine` returned.
        rows: the `Rows` that were examined.

    Raises:
        OSError: if the cache directory cannot be written.
    """
    path = cache_path(rows, ".corrupt.csv")
    with files.atomic_write(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "where", "reason"))
        writer.writerows((row, rows.origin(row), why) for row, why in corrupt.items())
    return path


def _listed(corrupt, rows):
    try:
        return f" (all of them, with reasons: {report(corrupt, rows)})"
    except OSError:  # a cache that cannot be written: the names are still said
        return ""


def cache_path(rows, suffix=""):
    """Where something about rows is kept."""
    name = re.sub(r"[^\w.-]+", "_", rows.name)
    return files.cache_directory() / "data" / f"{name}-{rows.fingerprint()[:16]}{suffix}"


def with_progress(chunks, count, title):
    """The chunks themselves, with a bar on stderr that shows images per second and the time left."""
    from rich import progress
    from rich.console import Console

    columns = ("{task.description}", progress.BarColumn(), progress.MofNCompleteColumn(), "{task.fields[rate]}")
    console = Console(stderr=True)
    bar = progress.Progress(*columns, progress.TimeRemainingColumn(), console=console, transient=True)
    with bar:
        task = bar.add_task(title, total=count, rate="")
        for chunk in chunks:
            yield chunk
            speed = bar.tasks[task].speed
            bar.update(task, advance=len(chunk), rate=f"{speed:,.0f} images/s" if speed else "")


@functools.cache
def threads():
    """The pool that decodes: Pillow and TensorFlow do so without holding the interpreter."""
    return concurrent.futures.ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")
