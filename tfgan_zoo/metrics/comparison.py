"""`compare`: records side by side, if they were made alike."""

import collections.abc
import pathlib

from tfgan_zoo import files, pictures
from tfgan_zoo.metrics.measures import best as direction
from tfgan_zoo.metrics.records import FLOOR, load

DECIDES = (
    "reference",
    "content",
    "split",
    "held_out",
    "num_real",
    "num_generated",
    "extractor",
    "resize",
    "image_shape",
    "settings",
    "likelihood",
)
_ASIDE = {"kind", "samples", "data_scale"}  # of a likelihood: a bound may be ranked among exact ones, on any scale
_ROW_INCHES, _NAME_INCHES, _COLUMN_INCHES = 0.3, 3.0, 1.7
_BEST, _LINES = "#d5e8d4", "#d0d0d0"


def compare(records, to=None) -> str:
    """A table of score records, a row each, the best of every column in bold.

    Only like is compared with like: the reference (by its name, or one's own by its content), its split, the counts,
    the extractor, the resize, the images' size and the metrics' settings must be the same, and what likelihoods are of:
    dequantised or binarised images. Seeds and labels may differ, and so may bounds and exact likelihoods. Differences
    smaller than those between two seeds mean nothing, whatever is bold.

    Args:
        records: dict name -> record; or a list. A record is what `evaluate` returned, the path of a JSON file of one,
            or a directory with the card.json of an export.
        to: a .png or .md to save the table in as well; None saves nothing.

    Returns:
        The table as Markdown.

    Raises:
        ValueError: no record, one without a protocol, unlike ones (it names what differs), or another kind of file.
        FileNotFoundError: there is no such file.

    Example:

    >>> import tfgan_zoo as tz
    >>> protocol = {"reference": "digits", "num_generated": 360}
    >>> scores = {"ours": {"fd_classifier_360": 1.5}, "theirs": {"fd_classifier_360": 2.25}}
    >>> print(tz.compare({name: {"scores": row, "protocol": protocol} for name, row in scores.items()}))
    |        | fd_classifier_360 ↓ |
    |--------|--------------------:|
    | ours   |             **1.5** |
    | theirs |                2.25 |
    """
    to = None if to is None else pathlib.Path(to)
    if to is not None and to.suffix not in (".png", ".md"):
        raise ValueError(f"to={str(to)!r} must end in .png or .md.")
    named = _named(records)
    _alike(named)
    scores = {name: _numbers(record) for name, record in named.items()}
    columns = list(dict.fromkeys(key for row in scores.values() for key in row))
    best = {key: _best(key, [row[key] for row in scores.values() if key in row]) for key in columns}
    cells = {name: [_cell(row.get(key)) for key in columns] for name, row in scores.items()}
    winners = {name: [row.get(key) == best[key] is not None for key in columns] for name, row in scores.items()}
    titles = [key + {min: " ↓", max: " ↑", None: ""}[_direction(key)] for key in columns]
    table = _markdown(titles, cells, winners)
    if to is not None and to.suffix == ".md":
        with files.atomic_write(to) as temporary:
            temporary.write_text(table + "\n", encoding="utf-8")
    elif to is not None:
        _draw(titles, cells, winners, _caption(named), to)
    return table


def _named(records):
    if isinstance(records, collections.abc.Mapping) and "scores" not in records:
        pairs = [(str(name), one) for name, one in records.items()]
    elif isinstance(records, list | tuple):
        pairs = [(None, one) for one in records]
    else:
        raise ValueError("records must be a list, or a dict of name -> record: give at least two to compare.")
    named = {}
    for number, (name, one) in enumerate(pairs, 1):
        title, record = _read(one)
        title = name or title or f"record {number}"
        named[title if title not in named else f"{title} ({number})"] = record
    if not named:
        raise ValueError("records is empty: give at least one record to show.")
    return named


def _read(one):
    """(name or None, record) of a record, a file of one, or the directory of an export."""
    title = None
    if isinstance(one, str | pathlib.Path):
        path = pathlib.Path(one).expanduser()
        title = path.name if path.is_dir() else path.stem
        path = path / "card.json" if path.is_dir() else path
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no {path}. Give a record, a JSON file of one, or a directory with card.json."
            )
        one = load(path)
    if not isinstance(one, collections.abc.Mapping) or not all(
        isinstance(one.get(part), collections.abc.Mapping) for part in ("scores", "protocol")
    ):
        raise ValueError(
            f'{title or "A record"} has no "scores" with a "protocol": tz.evaluate returns both, and without a '
            "protocol numbers cannot be compared."
        )
    return title, one


def _alike(named):
    (first, one), *others = named.items()
    for name, other in others:
        different = [
            f"{key} ({_said(one['protocol'].get(key))} and {_said(other['protocol'].get(key))})"
            for key in DECIDES
            if not _agree(key, one["protocol"].get(key), other["protocol"].get(key))
        ]
        if different:
            raise ValueError(
                f"{first} and {name} cannot be ranked, for they were not scored alike: they differ in "
                f"{', '.join(different)}. Score both again with the same arguments of tz.evaluate."
            )


def _agree(key, one, other):
    """Settings and likelihoods must agree where both have a metric; everything else must be the same."""
    if key not in ("settings", "likelihood"):
        return one == other
    one, other = one or {}, other or {}
    return all(one[name] == other[name] for name in (one.keys() & other.keys()) - _ASIDE)


def _said(value):
    return " ".join(map(str, value.values())) if isinstance(value, collections.abc.Mapping) else str(value)


def _numbers(record):
    return {
        key: value
        for key, value in record["scores"].items()
        if isinstance(value, int | float) and not isinstance(value, bool) and not key.endswith(FLOOR)
    }


def _direction(key):
    """min or max; None where neither is better, or no metric of ours gave the score."""
    try:
        return direction(key)
    except ValueError:
        return None


def _best(key, values):
    better = _direction(key)
    return better(values) if better and len(values) > 1 else None


def _cell(value):
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _markdown(titles, cells, winners):
    rows = [["", *titles]]
    for name, values in cells.items():
        cells_of = [f"**{value}**" if won else value for value, won in zip(values, winners[name], strict=True)]
        rows.append([name.replace("|", "\\|"), *cells_of])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *values in rows:
        right = [value.rjust(width) for value, width in zip(values, widths[1:], strict=True)]
        lines.append(f"| {' | '.join([name.ljust(widths[0]), *right])} |")
    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def _caption(named):
    protocol = next(iter(named.values()))["protocol"]
    split = f", {protocol['split']}" if protocol.get("split") else ""
    generated, real = (f"{protocol[key]:,} " if key in protocol else "" for key in ("num_generated", "num_real"))
    return f"{generated}images against {real}of {protocol.get('reference')}{split}"


def _draw(titles, cells, winners, caption, path):
    """The table as a PNG, on its side: scores are many, and their names are long."""
    from matplotlib.figure import Figure

    names = list(cells)
    widths = [_NAME_INCHES, *(max(_COLUMN_INCHES, 0.1 * len(name)) for name in names)]
    figure = Figure(figsize=(sum(widths), _ROW_INCHES * (len(titles) + 2)), dpi=140)
    axis = figure.add_axes((0, 0, 1, (len(titles) + 1) / (len(titles) + 2)))
    axis.axis("off")
    axis.set_title(caption, fontsize=11)
    rows = [[title, *(cells[name][row] for name in names)] for row, title in enumerate(titles)]
    shares = [width / sum(widths) for width in widths]
    drawn = axis.table(rows, colLabels=["", *names], colWidths=shares, cellLoc="right", bbox=(0, 0, 1, 1))
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(10)
    for (row, column), cell in drawn.get_celld().items():
        cell.set_edgecolor(_LINES)
        if column == 0:
            cell.set_text_props(ha="left")
            cell.PAD = 0.03
        elif row and winners[names[column - 1]][row - 1]:
            cell.set_text_props(weight="bold")
            cell.set_facecolor(_BEST)
    pictures.save_figure(figure, path, bbox_inches="tight")
