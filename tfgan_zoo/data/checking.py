"""What a source holds, before hours are spent on it: counts, sizes, modes, classes, corrupt files and speed."""

import collections
import dataclasses
import time

import numpy as np

from tfgan_zoo.data import corrupt_files, finding, pipeline, planner, writing
from tfgan_zoo.data.source import Wanted, rows_of

MODES = {1: "grey", 3: "RGB", 4: "RGB with transparency"}
_SHOWN = 10  # sizes and classes in a table, at most
_PROBE = 16  # side in pixels at which images of different sizes are decoded, where none is given
_IMBALANCE = 10  # times as many images in the largest class as in the smallest: worth a word


@dataclasses.dataclass
class Part:
    """What is known about a split.

    Args:
        count: images in it.
        sizes: Counter of (height, width).
        modes: Counter of channels.
        classes: images of each class, in the order of the labels; empty without labels.
        corrupt: dict of where an image lies to the reason why it cannot be read.
        report: path of the list of these, or None.
    """

    count: int
    sizes: collections.Counter
    modes: collections.Counter
    classes: tuple
    corrupt: dict
    report: object = None


@dataclasses.dataclass
class Findings:
    """What `check` found.

    Args:
        name: of the source.
        class_names: names of the classes, or None.
        parts: dict of split to `Part`.
        wrong: sentences about what would keep training from beginning, or starve it.
        noted: sentences about what is worth knowing.
        plan: where the images of the first split would be kept, in a sentence, or None.
        given: images a second of the input pipeline, or None if it was not measured.
        needed: images a second that a training step takes, or None.
    """

    name: str
    class_names: tuple | None
    parts: dict
    wrong: list
    noted: list
    plan: str | None = None
    given: float | None = None
    needed: float | None = None


def check(
    source,
    image_size=None,
    channels=None,
    batch_size=64,
    data_dir=None,
    cache=None,
    taken=None,
    verbose=True,
    *,
    resize="crop",
):
    """Look at every image of a source, and measure how fast batches of it come.

    Args:
        source, image_size, channels, batch_size, data_dir, cache, resize: as in `load`.
        taken: function of a dataset that returns the images a second a training step takes; None measures none.
        verbose: True shows progress.

    Returns:
        `Findings`; nothing is wrong if `wrong` is empty.

    Raises:
        ValueError, FileNotFoundError, RuntimeError: as `load`, for a source that is nothing that is known.
    """
    wanted = Wanted(image_size, channels, resize=resize)
    wanted.check()
    found = finding.find(source, data_dir)
    if found.info.is_points:
        raise ValueError(f"{found.info.name} is points: there are no images to check")
    splits = writing.splits_of(found)
    parts = {split: _examined(found, split, wanted, verbose) for split in splits}
    findings = Findings(found.info.name, found.info.class_names, parts, [], [])
    _diagnose(findings, wanted, batch_size)
    if not findings.wrong:
        arguments = {"cache": cache, "data_dir": data_dir, "verbose": verbose}
        _measure(findings, found, source, splits[0], batch_size, wanted, taken, arguments)
    return findings


def _examined(found, split, wanted, verbose):
    try:
        rows = rows_of(found, split, wanted)
    except ValueError:
        if wanted.size is not None:
            raise
        rows = rows_of(found, split, Wanted(_PROBE, wanted.channels))  # of different sizes: all are decoded to one
    labels, count = [], rows.shape[0]
    corrupt = corrupt_files.examine(rows, lambda _, some: labels.append(some), verbose)
    good = [row for row in range(count) if row not in corrupt]
    headers = list(corrupt_files.threads().map(rows.header, good)) if rows.encoded else [rows.header(0)] * count
    classes = ()
    if rows.labelled and labels and rows.attributes is None:
        named = np.concatenate(labels)
        classes = tuple(np.bincount(named[named >= 0], minlength=found.info.num_classes).tolist())
    return Part(
        count,
        collections.Counter(header[:2] for header in headers),
        collections.Counter(header[2] for header in headers),
        classes,
        {rows.origin(row): why for row, why in corrupt.items()},
        corrupt_files.report(corrupt, rows) if corrupt else None,
    )


def _diagnose(findings, wanted, batch_size):
    wrong, noted = findings.wrong, findings.noted
    for split, part in findings.parts.items():
        if part.corrupt:
            wrong.append(
                f"{split}: {len(part.corrupt):,} of {part.count:,} images cannot be read; "
                f"{part.report} lists them with reasons. Repair or remove them, or give skip_corrupt=True."
            )
        if part.count < 2:
            wrong.append(f"{split} has {part.count} image. Training and scoring need at least two.")
        empty = [findings.class_names[index] for index, count in enumerate(part.classes) if not count]
        if empty:
            shown = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
            wrong.append(f"{split} has no image of {len(empty):,} of its classes: {shown}.")
        elif part.classes and max(part.classes) > _IMBALANCE * min(part.classes):
            ratio = max(part.classes) / min(part.classes)
            noted.append(f"{split}: the largest class has {ratio:.0f} times the images of the smallest.")
        smaller = sum(count for size, count in part.sizes.items() if _is_smaller(size, wanted))
        if smaller:
            noted.append(
                f"{split}: {smaller:,} images are smaller than image_size={wanted.image_size} and will be enlarged."
            )
    first = next(iter(findings.parts.values()))
    if first.count < batch_size:
        wrong.append(f"A batch of {batch_size} is larger than the {first.count:,} images there are to train on.")
    sizes = set().union(*(part.sizes for part in findings.parts.values()))
    if wanted.size is None and len(sizes) > 1:
        wrong.append(f"Images have {len(sizes):,} different sizes. Give one, such as image_size=64.")
    modes = set().union(*(part.modes for part in findings.parts.values()))
    if wanted.channels is None and len(modes) > 1:
        shown = ", ".join(MODES[mode] for mode in sorted(modes))
        noted.append(f"Images are {shown}: all become what most are. channels=3, for example, says otherwise.")


def _is_smaller(size, wanted):
    return wanted.size is not None and any(side < aim for side, aim in zip(size, wanted.size, strict=True))


def _measure(findings, found, source, split, batch_size, wanted, taken, arguments):
    if found.rows is not None:
        findings.plan = planner.choose(found.rows(split, wanted), arguments["cache"]).sentence
    dataset = pipeline.load(
        source, split, wanted.image_size, wanted.channels, batch_size, resize=wanted.resize, **arguments
    )
    findings.given = images_per_second(dataset, batch_size)
    if taken is None:
        return
    findings.needed = taken(dataset)
    if findings.given < findings.needed:
        findings.wrong.append(
            f"Training takes {findings.needed:,.0f} images a second and is given {findings.given:,.0f}: "
            "it will wait for its input. Write the images decoded: python -m tfgan_zoo.data write."
        )


def images_per_second(dataset, batch_size, seconds=1.0):
    """Images a second of wall time that a dataset gives when nothing else is asked of the machine.

    Args:
        dataset: of `load`.
        batch_size: images of one batch.
        seconds: how long to measure, about, after the first batch.
    """
    count, begin = 0, None
    for _ in dataset.repeat():
        now = time.perf_counter()
        if begin is None:  # the first batch also pays for threads and buffers
            begin = now
            continue
        count += batch_size
        if now >= begin + seconds:
            return count / (now - begin)


def show(findings):
    """Print findings as tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table("split", "images", "sizes (height × width)", "modes", "corrupt", title=findings.name)
    for split, part in findings.parts.items():
        sizes = [f"{height}×{width}: {count:,}" for (height, width), count in part.sizes.most_common(_SHOWN)]
        sizes += [f"and {len(part.sizes) - _SHOWN:,} more"] if len(part.sizes) > _SHOWN else []
        modes = [f"{MODES.get(mode, mode)}: {count:,}" for mode, count in part.modes.most_common()]
        table.add_row(split, f"{part.count:,}", "\n".join(sizes), "\n".join(modes), f"{len(part.corrupt):,}")
    console.print(table)
    if any(part.classes for part in findings.parts.values()):
        console.print(_class_table(findings))
    for where, why in [item for part in findings.parts.values() for item in part.corrupt.items()][:_SHOWN]:
        console.print(f"corrupt: {where}: {why}", soft_wrap=True, markup=False)
    if findings.plan:
        console.print(findings.plan, soft_wrap=True, markup=False)
    if findings.given:
        need = f"; a training step takes {findings.needed:,.0f}" if findings.needed else ""
        console.print(f"The input pipeline gives {findings.given:,.0f} images a second{need}.")
    for word, sentences in (("note", findings.noted), ("wrong", findings.wrong)):
        for sentence in sentences:
            console.print(f"{word}: {sentence}", soft_wrap=True, markup=False)
    if not findings.wrong:
        console.print("Nothing is wrong.")


def _class_table(findings):
    """Images of each class by split; of many classes, the largest and the smallest of the first split."""
    from rich.table import Table

    table = Table("class", *findings.parts, title=f"{len(findings.class_names):,} classes")
    counts = [part.classes or (0,) * len(findings.class_names) for part in findings.parts.values()]
    shown = list(range(len(findings.class_names)))
    if len(shown) > 2 * _SHOWN:
        shown.sort(key=lambda index: -counts[0][index])
        shown = shown[:_SHOWN] + shown[-_SHOWN:]
    for index in shown:
        shares = (f"{one[index]:,} ({one[index] / max(sum(one), 1):.1%})" for one in counts)
        table.add_row(findings.class_names[index], *shares)
    return table
