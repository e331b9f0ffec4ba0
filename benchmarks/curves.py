"""Fréchet distance against images seen and against minutes, of several runs: where do families cross?

    python -m benchmarks.curves NAME=RUN NAME=RUN ... [--out benchmarks/curves]

RUN is a run's directory, with history.csv, config.json and clock.json, as recipes leave in `exported/*/run`. Written:
<out>.json, the points, and <out>.png. Without runs the picture is drawn anew from the points that are there. Those of
benchmarks/curves.json are the trainings of docs/scaling.md: nine and ten at once on one GPU, six minutes each, so that
minutes compare no better than one model's share of a card; distances are to the training split, which picks epochs.
"""

import csv
import itertools
import json
import pathlib
from typing import Annotated

import typer

import tfgan_zoo as tz

OUT = pathlib.Path(__file__).with_suffix("")


def points(run):
    """[(images seen, minutes, Fréchet distance)] of the epochs of a run that were scored."""
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    batch_size = tz.files.read_json(run / "config.json")["batch_size"]
    steps = [epoch[2] for epoch in tz.files.read_json(run / "clock.json").values()]
    seen = [batch_size * count for count in itertools.accumulate(steps)]
    key = next(name for name in rows[0] if name.startswith("fd_"))
    scored = [(images, row) for images, row in zip(seen, rows, strict=False) if row[key]]  # the last may be cut short
    return [(images, round(float(row["minutes"]), 3), round(float(row[key]), 2)) for images, row in scored]


def draw(found, path):
    """Two panels, a line a run."""
    figure, axes = tz.pictures.new_figure(11, 4.5, 1, 2, sharey=True)
    for axis, place, label in zip(axes, (0, 1), ("images seen", "minutes"), strict=True):
        for name, rows in found.items():
            axis.plot([row[place] for row in rows], [row[2] for row in rows], marker=".", label=name)
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.grid(alpha=0.3)
    tz.pictures.plain_ticks(axes[0].yaxis)
    tz.pictures.plain_ticks(axes[1].xaxis)
    axes[0].set_ylabel("Fréchet distance, training split")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    tz.pictures.save_figure(figure, path)


def main(runs: Annotated[list[str] | None, typer.Argument()] = None, out: pathlib.Path = OUT):
    """Read, keep and draw."""
    kept = out.with_suffix(".json")
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    found |= {name: points(pathlib.Path(run)) for name, run in (one.split("=", 1) for one in runs or ())}
    if not found:
        raise typer.BadParameter("no runs, and no points from before: give NAME=RUN.")
    tz.files.write_json(kept, found, readable=False)
    draw(found, out.with_suffix(".png"))
    for name, rows in found.items():
        best = min(rows, key=lambda row: row[2])
        print(f"{name:20} best {best[2]:7.1f} after {best[0]:,} images, {best[1]:.1f} minutes")


if __name__ == "__main__":
    typer.run(main)
