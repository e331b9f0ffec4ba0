"""What a source holds, before hours are spent on it: counts, sizes, modes, corrupt files and speed.

And what belongs to images: classes, attributes, the other one of a pair, a second domain.
"""

import collections
import dataclasses
import os
import time

import numpy as np

from tfgan_zoo.data import attributes, corrupt_files, finding, pipeline, planner, writing
from tfgan_zoo.data.pairs import Pairs, Unpaired, info_of_both
from tfgan_zoo.data.source import Wanted, rows_of

MODES = {1: "grey", 3: "RGB", 4: "RGB with transparency"}
_SHOWN = 10  # sizes and classes in a table, at most
_PROBE = 16  # side in pixels at which images of different sizes are decoded, where none is given
_EXAMPLES, _SIDE = 8, 64  # images of a row to look at, and their side where none is given and theirs differ
_IMBALANCE = 10  # times as many images in the largest class as in the smallest: worth a word


@dataclasses.dataclass
class Part:
    """What is known about a split, or about a split of one of two domains.

    Args:
        split: such as "train".
        domain: "A" or "B" of two domains, else "".
        count: images in it, or pairs.
        sizes: Counter of (height, width); of pairs those of the sources.
        modes: Counter of channels; likewise.
        classes: images of each class, in the order of the labels; empty without labels.
        corrupt: dict of where an image lies to the reason why it cannot be read.
        report: path of the list of these, or None.
        target_sizes, target_modes: of pairs, the same of their targets; else empty.
        attributes: images that have each attribute, in the order of the columns; empty without attributes.
        attribute_range: (least, largest) value of any attribute, or None.
        examples: dict of a row's title to images uint8 (n, height, width, channels), to look at.
    """

    split: str
    domain: str
    count: int
    sizes: collections.Counter
    modes: collections.Counter
    classes: tuple
    corrupt: dict
    report: object = None
    target_sizes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    target_modes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    attributes: tuple = ()
    attribute_range: tuple | None = None
    examples: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Findings:
    """What `check` found.

    Args:
        name: of the source.
        class_names: names of the classes, or None.
        parts: dict of split to `Part`; of two domains "train, A" and so on.
        wrong: sentences about what would keep training from beginning, or starve it.
        noted: sentences about what is worth knowing.
        plan: where the images of the first split would be kept, in a sentence, or None.
        given: images a second of the input pipeline, or None if it was not measured.
        needed: images a second that a training step takes, or None.
        attribute_names: names of the attributes, or None.
    """

    name: str
    class_names: tuple | None
    parts: dict
    wrong: list
    noted: list
    plan: str | None = None
    given: float | None = None
    needed: float | None = None
    attribute_names: tuple | None = None

    @property
    def examples(self):
        """Images to look at: dict of a row's title to uint8 (n, height, width, channels), n up to 8."""
        parts = [part for part in self.parts.values() if part.split == next(iter(self.parts.values())).split]
        return {part.domain + title: images for part in parts for title, images in part.examples.items()}


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
        source, image_size, channels, batch_size, data_dir, cache, resize: as in `load`; of `Pairs` of two folders names
            without a partner are found, of `Unpaired` each domain is looked at, of `WithAttributes` each column.
        taken: function of a dataset that returns the images a second a training step takes; None measures none.
        verbose: True shows progress.

    Returns:
        `Findings`; nothing is wrong if `wrong` is empty.

    Raises:
        ValueError, FileNotFoundError, RuntimeError: as `load`, for a source that is nothing that is known.
    """
    wanted = Wanted(image_size, channels, resize=resize)
    wanted.check()
    alone = []
    domains = _domains(source, data_dir, alone)
    parts = {}
    for letter, found in domains.items():
        if found.info.is_points:
            raise ValueError(f"{found.info.name} is points: there are no images to check")
        for split in writing.splits_of(found):
            parts[f"{split}, {letter}" if letter else split] = _examined(found, split, letter, wanted, verbose)
    info = info_of_both(domains.values()) if len(domains) > 1 else found.info
    findings = Findings(info.name, info.class_names, parts, alone, [], attribute_names=info.attribute_names)
    _diagnose(findings, domains, wanted, batch_size)
    if len(domains) > 1:
        _compare(findings, domains, wanted)
    if table := getattr(source, "table", None):
        _look_into_table(findings, found, table, wanted)
    if not findings.wrong:
        arguments = {"cache": cache, "data_dir": data_dir, "verbose": verbose}
        split = next(iter(info.num_images), "train")
        _measure(findings, list(domains.values()), source, split, batch_size, wanted, taken, arguments)
    return findings


def _domains(source, data_dir, alone):
    """The sources to look at by the letters of their domains, "" for one alone; names without partners in `alone`."""
    if isinstance(source, Unpaired):
        return dict(zip("AB", source.resolve_both(finding.find, data_dir), strict=True))
    if isinstance(source, Pairs):
        return {"": source.resolve(finding.find, data_dir, alone)}
    return {"": finding.find(source, data_dir)}


def _examined(found, split, letter, wanted, verbose):
    try:
        rows = rows_of(found, split, wanted)
    except ValueError:
        if wanted.size is not None:
            raise
        rows = rows_of(found, split, Wanted(_PROBE, wanted.channels))  # of different sizes: all are decoded to one
    labels, count = [], rows.shape[0]
    corrupt = corrupt_files.examine(rows, lambda _, some: labels.append(some), verbose)
    good = [row for row in range(count) if row not in corrupt]
    if rows.encoded:
        headers = list(corrupt_files.threads().map(rows.headers, good))
    else:
        headers = [rows.headers(0)] * count if count else []
    known = np.concatenate(labels) if labels else np.zeros(0)
    part = Part(
        split,
        letter,
        count,
        collections.Counter(header[0][:2] for header in headers),
        collections.Counter(header[0][2] for header in headers),
        (),
        {rows.origin(row): why for row, why in corrupt.items()},
        corrupt_files.report(corrupt, rows) if corrupt else None,
    )
    titles = {"": np.arange(len(good))}  # rows among the good ones
    if found.info.is_pairs:
        part.target_sizes = collections.Counter(header[1][:2] for header in headers)
        part.target_modes = collections.Counter(header[1][2] for header in headers)
    elif rows.attributes is not None and len(known) and not letter:
        part.attributes = tuple((known > 0.5).sum(axis=0).tolist())
        part.attribute_range = float(known.min()), float(known.max())
        titles = {name: np.flatnonzero(known[:, at] > 0.5) for at, name in enumerate(found.info.attribute_names)}
    elif rows.labelled and len(known) and not letter:  # what domains say of their classes is not read
        part.classes = tuple(np.bincount(known[known >= 0], minlength=found.info.num_classes).tolist())
        titles = {name: np.flatnonzero(known == label) for label, name in enumerate(found.info.class_names)}
    part.examples = _examples(found, split, wanted, good, titles)
    return part


def _examples(found, split, wanted, good, titles):
    """Images to look at, title -> uint8 (n, H, W, C): of pairs the sources and the targets."""
    try:
        rows = rows_of(found, split, wanted)
    except ValueError:
        rows = rows_of(found, split, Wanted(_SIDE, wanted.channels, resize=wanted.resize))
    shown = {}
    for title, among in list(titles.items())[:_SHOWN]:
        spread = among[:: max(1, len(among) // _EXAMPLES)][:_EXAMPLES]
        if len(spread):
            shown[title] = rows.read([good[place] for place in spread])[0]
    if found.info.is_pairs and shown:
        return {"source": shown[""][:, 0], "target": shown[""][:, 1]}
    return shown


def _diagnose(findings, domains, wanted, batch_size):
    wrong, noted = findings.wrong, findings.noted
    for split, part in findings.parts.items():
        if part.corrupt:
            wrong.append(
                f"{split}: {len(part.corrupt):,} of {part.count:,} images cannot be read; "
                f"{part.report} lists them with reasons. Repair or remove them, or give skip_corrupt=True."
            )
        if part.count < 2:
            what = "pair" if "" in domains and domains[""].info.is_pairs else "image"
            what += "" if part.count == 1 else "s"
            wrong.append(f"{split} has {part.count} {what}. Training and scoring need at least two.")
        empty = [findings.class_names[index] for index, count in enumerate(part.classes) if not count]
        if empty:
            shown = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
            wrong.append(f"{split} has no image of {len(empty):,} of its classes: {shown}.")
        elif part.classes and max(part.classes) > _IMBALANCE * min(part.classes):
            ratio = max(part.classes) / min(part.classes)
            noted.append(f"{split}: the largest class has {ratio:.0f} times the images of the smallest.")
        low, high = part.attribute_range or (0.0, 1.0)
        if low < 0.0 or high > 1.0:
            wrong.append(
                f"{split}: attributes run from {low:g} to {high:g}, and models are told 0 for without and 1 for with. "
                "Bring them there, or choose others by names=."
            )
        for name, count in zip(findings.attribute_names, part.attributes, strict=True) if part.attributes else ():
            if count in (0, part.count):
                noted.append(f"{split}: {'every' if count else 'no'} image is {name!r}, which nobody could learn.")
        smaller = sum(count for size, count in (part.sizes + part.target_sizes).items() if _is_smaller(size, wanted))
        if smaller:
            noted.append(
                f"{split}: {smaller:,} images are smaller than image_size={wanted.image_size} and will be enlarged."
            )
    begin = next(iter(findings.parts.values())).split
    first = max(part.count for part in findings.parts.values() if part.split == begin)
    if first < batch_size:
        wrong.append(f"A batch of {batch_size} is larger than the {first:,} images there are to train on.")
    sizes = set().union(*(part.sizes + part.target_sizes for part in findings.parts.values()))
    if wanted.size is None and len(sizes) > 1:
        wrong.append(f"Images have {len(sizes):,} different sizes. Give one, such as image_size=64.")
    for letter, found in domains.items():
        parts = [part for part in findings.parts.values() if part.domain == letter]
        modes = set().union(*(part.modes + part.target_modes for part in parts))
        if wanted.channels is None and len(modes) > 1:
            shown = ", ".join(MODES[mode] for mode in sorted(modes))
            become = f"all become {MODES[found.info.image_shape[2]]}{'' if found.info.is_pairs else ', what most are'}"
            of = f" of {letter}" if letter else ""
            noted.append(f"Images{of} are {shown}: {become}. channels=3, for example, says otherwise.")


def _compare(findings, domains, wanted):
    """What two domains have in common, and what not."""
    (one, two), shapes = domains.values(), [found.info.image_shape for found in domains.values()]
    if wanted.channels is None and shapes[0][2] != shapes[1][2]:
        findings.wrong.append(
            f"A is {MODES[shapes[0][2]]} and B {MODES[shapes[1][2]]}: an image of one cannot stay as it is in the "
            "other, as an identity loss wants. Give channels=3, or train with identity_weight=0."
        )
    splits = [list(found.info.num_images) for found in (one, two)]
    if splits[0] != splits[1]:
        findings.noted.append(f"A has the splits {', '.join(splits[0])}, and B {', '.join(splits[1])}.")


def _look_into_table(findings, found, table, wanted):
    """Lines of a table that no picture goes by."""
    if found.rows is None or not isinstance(table, str | os.PathLike):
        return
    names = set()
    for split in found.info.num_images:
        rows = rows_of(found, split, Wanted(wanted.size or _PROBE, wanted.channels))
        for name in map(rows.file_name, range(rows.shape[0])):
            names |= {name, name.rsplit("/", 1)[-1]}
    lines = attributes.read_table(table)[1]
    idle = [name for name in lines if name not in names]
    if idle:
        shown = ", ".join(idle[:5]) + (", …" if len(idle) > 5 else "")
        findings.noted.append(f"{len(idle):,} of {len(lines):,} lines of {table} have no picture: {shown}.")


def _is_smaller(size, wanted):
    return wanted.size is not None and any(side < aim for side, aim in zip(size, wanted.size, strict=True))


def _measure(findings, sources, source, split, batch_size, wanted, taken, arguments):
    plans = [planner.choose(one.rows(split, wanted), arguments["cache"]) for one in sources if one.rows is not None]
    findings.plan = "\n".join(plan.sentence for plan in plans) or None
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
        corrupt = f"{len(part.corrupt):,}"
        if part.target_sizes:
            table.add_row(f"{split}, sources", f"{part.count:,}", *_sizes_and_modes(part.sizes, part.modes), corrupt)
            targets = _sizes_and_modes(part.target_sizes, part.target_modes)
            table.add_row(f"{split}, targets", f"{part.count:,}", *targets, "")
        else:
            table.add_row(split, f"{part.count:,}", *_sizes_and_modes(part.sizes, part.modes), corrupt)
    console.print(table)
    if any(part.attributes for part in findings.parts.values()):
        console.print(_attribute_table(findings))
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


def _sizes_and_modes(sizes, modes):
    """Two cells of a table."""
    shown = [f"{height}×{width}: {count:,}" for (height, width), count in sizes.most_common(_SHOWN)]
    shown += [f"and {len(sizes) - _SHOWN:,} more"] if len(sizes) > _SHOWN else []
    return "\n".join(shown), "\n".join(f"{MODES.get(mode, mode)}: {count:,}" for mode, count in modes.most_common())


def _attribute_table(findings):
    """Images that have each attribute, by split."""
    from rich.table import Table

    names = findings.attribute_names
    table = Table("attribute", *findings.parts, title=f"{len(names):,} attributes")
    for index, name in enumerate(names):
        shares = (
            f"{part.attributes[index]:,} ({part.attributes[index] / part.count:.1%})" if part.attributes else "-"
            for part in findings.parts.values()
        )
        table.add_row(name, *shares)
    return table


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
