"""Train every generator that stands in exported/: a row a recipe, which says itself by which flags.

    make train-zoo                                                  all rows, hours; it can be stopped and goes on
    python -m benchmarks.train_zoo --list                           the rows, what is done, and how long the rest takes
    python -m benchmarks.train_zoo --only "vae*,cgan*" --budget 5min
    python -m benchmarks.train_zoo --minutes 0.5 --train-only --in-process         a GPU: score and export elsewhere

A row is trained in exported/NAME/run/, which git ignores, and exported from there, compact: a half-precision .tflite,
the networks, pictures, card. A row that fails is named at the end and stops nobody. Afterwards: `make zoo-index`.
"""

import fnmatch
import os
import pathlib
import subprocess
import sys
import time
from typing import Annotated

import typer

from tfgan_zoo_cli import recipes

ROOT = pathlib.Path(__file__).resolve().parent.parent
_BESIDE = 1.3  # what scoring, pictures and export take beside the steps, as a factor, and in seconds
_BESIDE_S = 90.0


def chosen(only):
    """The rows whose name, or whose recipe's, matches one of the patterns."""
    rows, patterns = recipes.shipped(), only.split(",") if only else ["*"]
    picked = {
        name: row for name, row in rows.items() if any(fnmatch.fnmatch(n, p) for n in (name, row[0]) for p in patterns)
    }
    if not picked:
        raise ValueError(f"--only {only!r} matches none of {', '.join(rows)}.")
    return picked


def with_length(flags, budget, minutes):
    """A row's flags, with another length of training where one is given."""
    if budget is None and minutes is None:
        return flags
    flags = {name: value for name, value in flags.items() if name not in ("budget", "epochs", "minutes")}
    return flags | ({"minutes": minutes} if minutes else {"budget": budget})


def seconds(flags):
    """About how long a row takes; None where its budget is no time."""
    from tfgan_zoo.runs import BUDGETS

    minutes = flags.get("minutes", (BUDGETS.get(flags.get("budget")) or {}).get("minutes"))
    return minutes and 60.0 * minutes * _BESIDE + _BESIDE_S


def is_done(directory):
    """Whether a row has been trained, scored and exported."""
    is_run, is_export = (directory / "run").exists(), (directory / "card.json").exists()
    return (directory / "run/done.json").exists() or (is_export and not is_run)


def command(recipe, flags, directory, more):
    """The command of a row, as a list of words."""
    words = [sys.executable, "-m", f"recipes.{recipe}", "--out", str(directory)]
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    return [*words, *more]


def in_words(amount):
    """A time as people say it."""
    return f"{amount / 3600:.1f} h" if amount >= 3600 else f"{amount / 60:.0f} min"


def run_here(recipe, flags, directory, train_only, no_figures):
    """A row within this process: TensorFlow starts once for all of them."""
    import keras

    import tfgan_zoo as tz

    keras.backend.clear_session()
    tz.runtime.setup()
    extra = {"train_only": train_only, "no_figures": no_figures, "quiet": True}
    recipes.load(recipe).main(**flags, out=directory, compact=True, **extra)


def main(
    only: Annotated[str, typer.Option(help="Patterns of names, with commas between.")] = "",
    budget: Annotated[str | None, typer.Option(help="Another one for every row: smoke, 5min, 20min, paper.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Of training, for every row, in place of its budget.")] = None,
    out: Annotated[pathlib.Path, typer.Option(help="Where the exports go.")] = ROOT / "exported",
    train_only: Annotated[bool, typer.Option(help="The same call without it scores and exports.")] = False,
    no_figures: Annotated[bool, typer.Option(help="Without the papers' figures, some of which train models.")] = False,
    again: Annotated[bool, typer.Option(help="Also what is done, from the beginning.")] = False,
    in_process: Annotated[bool, typer.Option(help="All rows in one process.")] = False,
    within: Annotated[float | None, typer.Option(help="Begin no row after so many minutes.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Print the rows and end.")] = False,
):
    """Train the rows in turn, and say what is left and how long it takes."""
    os.chdir(ROOT)
    rows = {name: (recipe, with_length(flags, budget, minutes)) for name, (recipe, flags) in chosen(only).items()}
    left = [name for name in rows if again or not is_done(out / name)]
    rest = lambda names: sum(seconds(rows[name][1]) or 0.0 for name in names)  # noqa: E731
    if list_only:
        for name, (recipe, flags) in rows.items():
            state = "to train" if name in left else "done"
            print(f"{name:36s} {state:9s} {' '.join(command(recipe, flags, out / name, [])[1:])}")
        print(f"{len(left)} of {len(rows)} to train, about {in_words(rest(left))}")
        return
    begin, failed = time.monotonic(), {}
    for number, name in enumerate(left):
        if within is not None and time.monotonic() - begin > 60 * within:
            print(f"{within:g} minutes are over: {len(left) - number} rows are left.", flush=True)
            break
        recipe, flags = rows[name]
        took = seconds(flags)
        print(
            f"[{number + 1}/{len(left)}] {name}: about {in_words(took) if took else '?'}; "
            f"all that is left about {in_words(rest(left[number:]))}",
            flush=True,
        )
        started = time.monotonic()
        try:
            if in_process:
                run_here(recipe, flags, out / name, train_only, no_figures)
            else:
                given = {"--compact": True, "--train-only": train_only, "--no-figures": no_figures, "--fresh": again}
                more = [flag for flag, wanted in given.items() if wanted]
                subprocess.run(command(recipe, flags, out / name, more), check=True)
        except Exception as error:  # one row's fault leaves the others their turn
            failed[name] = error
            print(f"{name} FAILED: {type(error).__name__}: {error}", flush=True)
        print(f"    {name} took {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        sys.exit(f"{len(failed)} failed: {', '.join(failed)}")


if __name__ == "__main__":
    typer.run(main)
