"""What a person sees of a search: a table that lives while it runs; a ranking and two pictures at its end."""

import math
import sys
import threading

from tfgan_zoo import pictures

ENDED = {"all": "green", "no": "yellow"}  # by the first word of why a trial ended; the rest is red


class View:
    """A live table on a terminal, a line for each trial in a log, or nothing.

    Args:
        objective: an `Objective`, or anything with its name and direction.
        names: of the dimensions that are searched.
        finished: function without arguments that gives the records of the trials that have ended.
        total: trials there will be, or None.
        quiet: True shows nothing.
    """

    def __init__(self, objective, names, finished, total, quiet=False):
        self.objective, self.names, self.finished, self.total, self.quiet = objective, names, finished, total, quiet
        self.running, self.lock = {}, threading.Lock()

    def __enter__(self):
        if not self.quiet:
            from rich.console import Console
            from rich.live import Live

            self.console = Console(stderr=True)
            if self.console.is_terminal:
                self.live = Live(get_renderable=self.table, console=self.console, refresh_per_second=1)
                self.live.start()
        return self

    def __exit__(self, *_):
        if hasattr(self, "live"):
            self.live.stop()

    def begin(self, trial, values):
        """A trial begins."""
        with self.lock:
            self.running[trial] = {"trial": trial, "values": values, "score": None, "epochs": 0}

    def look(self, trial, epoch, score):
        """A running trial was scored."""
        with self.lock:
            self.running[trial] |= {"epochs": epoch, "score": score}

    def end(self, record):
        """A trial has ended."""
        with self.lock:
            self.running.pop(record["trial"], None)
        if not self.quiet and not hasattr(self, "live"):
            numbers = " ".join(f"{name}={_cell(record['values'][name])}" for name in self.names)
            self.console.print(
                f"trial {record['trial']}  {numbers}  {self.objective.name} {_score(record)}  "
                f"{record['wall_s']:.0f} s  {record['ended']}",
                soft_wrap=True,
                highlight=False,
            )

    def table(self):
        """The rich table of all trials, those that run at the end."""
        from rich.table import Table

        done = self.finished()
        table = Table(title=f"{len(done)}{f' of {self.total}' if self.total else ''} trials")
        for name in ("trial", *self.names, "epochs", self.objective.name, "s", "ended"):
            table.add_column(name, no_wrap=name != "ended", overflow="fold")
        best = ranked(done, self.objective.direction)[:1]
        for record in done:
            style = "bold" if best and record["trial"] == best[0]["trial"] else None
            ended = f"[{ENDED.get(record['ended'].split()[0], 'red')}]{_plain(record['ended'])}"
            table.add_row(*self._row(record), f"{record['wall_s']:.0f}", ended, style=style)
        with self.lock:
            for record in self.running.values():
                table.add_row(*self._row(record), "", "running", style="dim")
        return table

    def _row(self, record):
        numbers = (_plain(_cell(record["values"].get(name))) for name in self.names)
        return (record["trial"], *numbers, str(record["epochs"]), _score(record))


def ranked(trials, direction):
    """Trials from best to worst, each with its "rank": one more than there are trials better by more than the spread.

    The spread between two trials is the larger of their standard deviations over seeds; with one seed there is none,
    and no tie but equality. Trials that hyperband let go on stand behind all others, diverged and collapsed ones last.

    Args:
        trials: records.
        direction: "min" or "max".
    """
    sign = 1 if direction == "min" else -1
    went_on = {record["goes_on_from"]: record["trial"] for record in trials}

    def place(record):
        return record["hopeless"], record["trial"] in went_on

    def better(one, other):
        spread = max(one["spread"] or 0.0, other["spread"] or 0.0)
        ahead = sign * (other["score"] - one["score"]) > spread
        return place(one) < place(other) or (place(one) == place(other) and ahead)

    order = sorted(trials, key=lambda record: (*place(record), sign * record["score"]))
    return [
        record
        | ({"ended": f"went on as trial {went_on[record['trial']]}"} if record["trial"] in went_on else {})
        | {"rank": 1 + sum(better(other, record) for other in trials)}
        for record in order
    ]


def markdown(ranking):
    """A ranking as Markdown.

    Args:
        ranking: what `search` returns.
    """
    names, trials = ranking["searched"], ranking["trials"]
    ranks = [record["rank"] for record in trials]
    head = ["rank", "trial", *names, "epochs", ranking["objective"], "CPU s", "ended"]
    rows = [
        [
            f"{record['rank']}{'=' if ranks.count(record['rank']) > 1 else ''}",
            record["trial"],
            *(_cell(record["values"].get(name)) for name in names),
            str(record["epochs"]),
            _score(record),
            f"{record['cpu_s']:.0f}",
            record["ended"],
        ]
        for record in trials
    ]
    lines = [
        f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in (head, ["---"] * len(head), *rows)
    ]
    return "\n".join([f"# {ranking['title']}", "", *lines, "", *sentences(ranking), ""])


def sentences(ranking):
    """What a ranking means, in words: how far it may be trusted, and what came of the winner."""
    trials, config = ranking["trials"], ranking["config"]
    seeds, ties = config["seeds"], [one for one in trials[1:] if one["rank"] == 1]
    way = "lower" if ranking["direction"] == "min" else "higher"
    validation = config["validation"]
    yield (
        f"{ranking['objective']} is the best of a trial's looks at validation images ({validation}); {way} is better. "
        f"A model before training has {ranking['untrained']:.4g}, and a trial that diverged or collapsed counts as one."
    )
    if seeds == 1:
        yield "One seed a trial: how much of a difference is luck cannot be told."
    elif ties:
        yield f"Within the spread of {seeds} seeds the first and {_listed([one['trial'] for one in ties])} are a tie."
    else:
        yield f"The first is ahead of the others by more than the spread of {seeds} seeds."
    if confirmed := ranking.get("confirmed"):
        for trial, ended in confirmed["dropped"].items():
            yield f"Trained again, trial {trial} {ended}: it is passed over."
        yield (
            f"Trained again with a seed of its own, trial {confirmed['trial']} has {confirmed['validation']:.4g} on "
            f"validation and, asked once, {confirmed['test']:.4g} on test."
        )


def show(ranking):
    """Print the ranking and what it means."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout)
    console.width = console.width if console.is_terminal else 200  # in a log nothing is gained by folding
    table = Table(title=ranking["title"])
    rows = [line.strip("| ").split(" | ") for line in markdown(ranking).splitlines() if line.startswith("|")]
    for name in rows[0]:
        table.add_column(name, no_wrap=name != "ended", overflow="fold")
    for row in rows[2:]:
        table.add_row(*map(_plain, row))
    console.print(table)
    for sentence in sentences(ranking):
        console.print(sentence, highlight=False)


def draw_budget(ranking, path):
    """Draw every trial's score, and the best so far, over the CPU seconds spent so far, as a PNG.

    Args:
        ranking: what `search` returns.
        path: the PNG to write.
    """
    trials = sorted(ranking["trials"], key=lambda one: int(one["trial"]))
    better = min if ranking["direction"] == "min" else max
    spent, best, x, y = 0.0, None, [], []
    for record in trials:
        spent += record["cpu_s"]
        if not record["hopeless"]:
            best = record["score"] if best is None else better(best, record["score"])
        x.append(spent)
        y.append(best)
    figure, axis = pictures.new_figure(7.2, 4.0)
    for hopeless, colour, name in ((False, "tab:blue", "trial"), (True, "tab:red", "diverged or collapsed")):
        chosen = [(at, one) for at, one in zip(x, trials, strict=True) if one["hopeless"] == hopeless]
        if chosen:
            axis.errorbar(
                [at for at, _ in chosen],
                [one["score"] for _, one in chosen],
                [one["spread"] or 0.0 for _, one in chosen],
                fmt="o" if not hopeless else "x",
                color=colour,
                label=name,
            )
    line = [(at, value) for at, value in zip(x, y, strict=True) if value is not None]
    if line:
        axis.step(*zip(*line, strict=True), where="post", color="tab:orange", label="best so far")
    scores = [one["score"] for one in trials]
    if min(scores) > 0 and max(scores) / min(scores) > 5:
        axis.set_yscale("log")
        pictures.plain_ticks(axis.yaxis)
    axis.set(
        xlim=(0, 1.05 * spent), xlabel="CPU s, all trials together", ylabel=ranking["objective"], title=ranking["title"]
    )
    axis.grid(alpha=0.3)
    axis.legend()
    pictures.save_figure(figure, path)


def draw_parallel(ranking, path):
    """Draw a line for each trial through its numbers and its score, coloured by score, the best one thick, as a PNG.

    Args:
        ranking: what `search` returns.
        path: the PNG to write.
    """
    from matplotlib import colormaps

    trials = ranking["trials"]
    columns = [_Column(name, [one["values"].get(name) for one in trials]) for name in ranking["searched"]]
    columns.append(_Column(ranking["objective"], [one["score"] for one in trials]))
    figure, axis = pictures.new_figure(2.0 * len(columns) + 1.6, 4.4)
    places = [[column.place(value) for value in column.values] for column in columns]
    shades = places[-1] if ranking["direction"] == "max" else [1 - place for place in places[-1]]
    order = sorted(range(len(trials)), key=lambda index: -index)  # the best last, above the others
    for index in order:
        look = {"color": "tab:red", "linestyle": ":", "linewidth": 1.0, "alpha": 0.7}
        if not trials[index]["hopeless"]:
            look = {"color": colormaps["viridis_r"](0.9 * shades[index]), "linewidth": 4.0 if index == 0 else 1.4}
        axis.plot(range(len(columns)), [place[index] for place in places], **look)
    for number, column in enumerate(columns):
        axis.axvline(number, color="black", linewidth=0.8)
        for tick, text in column.ticks():
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
            axis.text(number + 0.03, tick, text, fontsize=8, va="center", bbox=box)
    names = [column.name for column in columns]
    axis.set(xticks=range(len(names)), xlim=(-0.1, len(names) - 0.5), ylim=(-0.05, 1.05), yticks=[])
    axis.set_xticklabels(names)
    axis.spines[:].set_visible(False)
    axis.set_title(f"{ranking['title']}: the best thick, dark is good, dotted red diverged or collapsed", fontsize=10)
    pictures.save_figure(figure, path)


class _Column:
    """One axis of parallel coordinates: where a value stands between 0 and 1, and what to write there."""

    def __init__(self, name, values):
        self.name, self.values = name, values
        self.numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        self.kinds = sorted({str(value) for value in values})
        if self.numbers:
            low, high = min(values), max(values)
            self.log = low > 0 and high / low > 10
            self.low, self.high = self._scaled(low), self._scaled(high)

    def _scaled(self, value):
        return math.log10(value) if self.log else float(value)

    def place(self, value):
        """From 0, at the foot, to 1."""
        if not self.numbers:
            return self.kinds.index(str(value)) / max(1, len(self.kinds) - 1)
        return (self._scaled(value) - self.low) / (self.high - self.low) if self.high > self.low else 0.5

    def ticks(self):
        """Pairs of place and text."""
        if not self.numbers or len(self.kinds) <= 4:
            marks = []
            for value in dict.fromkeys(self.values):  # from the best trial's on; texts must not lie on each other
                if all(abs(self.place(value) - place) > 0.05 for place, _ in marks):
                    marks.append((self.place(value), _cell(value)))
            return marks
        if self.high == self.low:
            return [(0.5, _cell(self.values[0]))]
        steps = (self.low + (self.high - self.low) * share / 4 for share in range(5))
        return [(share / 4, _cell(10**step if self.log else step, 2)) for share, step in enumerate(steps)]


def _cell(value, digits=4):
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _score(record):
    if record["score"] is None:
        return ""
    spread = record.get("spread")
    return f"{record['score']:.4g}" + (f" ± {spread:.2g}" if spread is not None else "")


def _listed(names):
    return f"trial {names[0]}" if len(names) == 1 else f"trials {', '.join(names[:-1])} and {names[-1]}"


def _plain(text):
    from rich.markup import escape

    return escape(str(text))
