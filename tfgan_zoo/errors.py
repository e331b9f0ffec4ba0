"""Sentences for bad input: what came, what is allowed, the nearest fix."""

import difflib
import numbers
import re

_SHOWN = 12  # names in a sentence


def unknown(kind: str, name, known) -> ValueError:
    """A ValueError for a name that is not among the known ones, with the nearest of them.

    Args:
        kind: what the name stands for, such as "model" or "data source".
        name: what the user wrote.
        known: iterable of the names that would have been right.

    Returns:
        The exception, for the caller to raise.
    """
    known = sorted(map(str, known))
    shown = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else "")
    near = nearest(name, known)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {shown}."
    return ValueError(f"Unknown {kind} {name!r}. {hint}")


def nearest(name, known, cutoff: float = 0.5) -> list:
    """The known names that a name may stand for: those that differ by capitals and hyphens only, else up to three.

    Args:
        name: what the user wrote.
        known: iterable of the names that would have been right.
        cutoff: how alike two must be, from 0 to 1.
    """
    letters = {one: _letters(one) for one in sorted(map(str, known))}
    same = [one for one, plain in letters.items() if plain == _letters(name)]
    return same or difflib.get_close_matches(str(name).lower().replace("-", "_"), letters, n=3, cutoff=cutoff)


def _letters(name):
    return re.sub(r"[\W_]", "", str(name).lower())


def whole_number(argument: str, value, at_least: int = 1) -> int:
    """The value as an int.

    Args:
        argument: its name, for the sentence.
        value: what the user gave; NumPy's integers are integers.
        at_least: the smallest that is allowed.

    Raises:
        ValueError: if it is none, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
        raise ValueError(f"{argument}={value!r}: give a whole number, at least {at_least}.")
    return int(value)
