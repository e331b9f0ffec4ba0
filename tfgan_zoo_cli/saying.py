"""What the command line says: results as tables or JSON on standard output, all else on standard error."""

import contextlib
import difflib
import json
import os
import pathlib
import sys
import traceback

import typer
import typer.core

_OURS = {"tfgan_zoo", "tfgan_zoo_cli", "tfgan_zoo_serving", "tfgan_zoo_recipes", "recipes"}
_STATUS = 2  # of bad input


class Group(typer.core.TyperGroup):
    """A group of commands that names the nearest where one is unknown."""

    def list_commands(self, ctx):
        """In the order they are written."""
        return [*self.commands]

    def resolve_command(self, ctx, args):
        """The command of the first word."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], self.commands, n=2, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(self.commands)}."
            fail(f"There is no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)


def fail(sentence):
    """End with a sentence on standard error and status 2."""
    print(f"error: {sentence}", file=sys.stderr)
    raise typer.Exit(_STATUS)


@contextlib.contextmanager
def sentences():
    """Bad input ends the program with one sentence and status 2, Ctrl-C with 130; a fault keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        raise typer.Exit(130) from None
    except (ValueError, OSError, RuntimeError, MemoryError, ImportError, FloatingPointError) as error:
        if not (_is_ours(error) or isinstance(error, OSError)):
            raise
        fail(_in_words(error))


def _is_ours(error):
    """Whether the sentence was raised by the project itself, so that a traceback would add nothing."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(_OURS & {*pathlib.Path(frames[-1].filename).parent.parts})


def _in_words(error):
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}."
    return " ".join(str(getattr(error, "strerror", None) or error).split())


def show(value, as_json, text):
    """Print a result: JSON for programs, or `text` for people."""
    print(json.dumps(value, indent=2, ensure_ascii=False) if as_json else text)


def table(columns, rows):
    """Rows as aligned text; the first column to the left, numbers to the right."""
    cells = [[str(name) for name in columns], *([("–" if one is None else str(one)) for one in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    right = [all(_is_number(row[place]) for row in cells[1:]) for place in range(len(columns))]
    lines = []
    for row in cells:
        parts = [one.rjust(w) if r else one.ljust(w) for one, w, r in zip(row, widths, right, strict=True)]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def _is_number(text):
    return text == "–" or text.replace(",", "").replace(".", "").replace("-", "").isdigit()


def without_greeting():
    """Keep TensorFlow's C++ from greeting, before anything imports it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextlib.contextmanager
def silence(wanted=True):
    """Send what C++ writes to standard error nowhere, while a runtime is loaded."""
    if not wanted:
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
