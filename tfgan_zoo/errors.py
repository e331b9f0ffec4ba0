"""Sentences for bad input: what came, what is allowed, the nearest fix."""

import difflib
import numbers


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
    spellings = (str(name), str(name).lower().replace("-", "_"))
    near = next(filter(None, (difflib.get_close_matches(one, known, n=3, cutoff=0.5) for one in spellings)), [])
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(known)}."
    return ValueError(f"Unknown {kind} {name!r}. {hint}")


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
