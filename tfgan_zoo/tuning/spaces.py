"""What is searched: dimensions over the keywords that a zoo entry takes anyway.

The names come from the entry's own signature. A dotted one reaches into a keyword's default: "penalties.weight" into
`penalties=(GradientPenalty(10.0),)`, "objective.gamma" into `objective=BoundaryEquilibrium()`. One name is of the run
and not of the model: "batch_size", the images of one update.
"""

import dataclasses
import numbers

import numpy as np

from tfgan_zoo import errors, registry

BATCH_SIZE = "batch_size"
SCALES = ("linear", "log")


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included, evenly or evenly in their logarithm; ints if both are."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self):
        """Whether the numbers are ints."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def ask(self, hp, name, default):
        """The number that keras-tuner's `hp` has for this dimension."""
        inside = _is_number(default) and self.low <= default <= self.high and isinstance(default, int) == self.whole
        number = (hp.Int if self.whole else hp.Float)(
            name, self.low, self.high, sampling=SCALES[self.log], default=default if inside else None
        )
        # Four digits: what is written is what is used, and numbers that cross keras-tuner's protocol as float32 agree.
        return int(number) if self.whole else min(max(float(f"{number:.4g}"), self.low), self.high)

    def described(self):
        """The dimension as JSON holds it."""
        return [self.low, self.high, SCALES[self.log]]


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of several values of any kind."""

    values: tuple

    def ask(self, hp, name, default):
        """The value that keras-tuner's `hp` has for this dimension."""
        labels, own = [label(value) for value in self.values], label(default)
        if len({type(one) for one in labels}) > 1:  # keras-tuner wants them alike
            labels, own = [str(one) for one in labels], str(own)
        chosen = hp.Choice(name, labels, default=own if own in labels and type(own) is type(labels[0]) else None)
        if isinstance(chosen, float):  # as above: a float32 is near its label, not equal to it
            return min(self.values, key=lambda value: abs(value - chosen))
        return self.values[labels.index(chosen)]

    def described(self):
        """The dimension as JSON holds it."""
        return {"one of": [label(value) for value in self.values]}


@dataclasses.dataclass(frozen=True)
class Fixed:
    """A value that is not searched."""

    value: object

    def ask(self, hp, name, default):
        """The value, whatever `hp` says."""
        return self.value

    def described(self):
        """The value as JSON holds it."""
        return label(self.value)


def wide(name):
    """The wide ranges of a zoo entry; `search` begins with them. Those of the GANs are Lucic et al. 2018's.

    Args:
        name: of the entry.

    Returns:
        Dict of dimensions, as `search(space=...)` takes them.

    Example:

    >>> import tfgan_zoo as tz
    >>> tz.tuning.wide("dcgan")
    {'learning_rate': (1e-05, 0.01, 'log'), 'beta_1': (0.0, 0.999), 'n_critic': [1, 5]}
    """
    known = parts(name)
    return {key: one.wide for key, one in registry.ranges(name).items() if key in known}


def narrow(name):
    """The narrow ranges of a zoo entry, for `search(space=tz.tuning.narrow(name) | {...})`.

    Args:
        name: of the entry.

    Returns:
        Dict of dimensions; some are fixed, as beta_1 and n_critic of the GANs.
    """
    return {key: registry.ranges(name)[key].narrow for key in wide(name)}


def read(name, space=None):
    """The dimensions of a search: the wide ranges, and over them what the user says.

    Args:
        name: of the zoo entry.
        space: dict name -> dimension, or None: a list of values to choose from; (low, high) or (low, high, "log") for
            numbers between; anything else is a fixed value.

    Returns:
        Dict name -> `Range`, `Choice` or `Fixed`; at least one is not fixed.

    Raises:
        ValueError: if a name is none of the entry's, or a dimension is empty or runs the wrong way.
    """
    if not isinstance(space or {}, dict):
        raise ValueError(f"space is a {type(space).__name__}: give a dict such as {{'width': [16, 32]}}.")
    space = {key: _dimension(key, value) for key, value in (space or {}).items()}
    known = parts(name, {key: one.value for key, one in space.items() if isinstance(one, Fixed)})
    for key in space:
        if key not in known and key != BATCH_SIZE:
            raise errors.unknown(f"hyper-parameter of {name!r}", key, {*known, BATCH_SIZE})
    default = {key: _dimension(key, value) for key, value in wide(name).items() if key in known}
    space = default | space
    if not space:
        own = ", ".join(key for key, value in known.items() if _is_number(value)) or "batch_size"
        raise ValueError(f"{name!r} has no ranges to begin with: give a space over some of {own}.")
    if all(isinstance(one, Fixed) for one in space.values()):
        raise ValueError(f"space fixes all of {', '.join(space)}: leave one a range or a list, or there is no search.")
    return space


def parts(name, fixed=None):
    """What `create(name)` takes, and what is inside its defaults: name -> default.

    Args:
        name: of the zoo entry.
        fixed: dict of keywords with other values than their defaults, or None.
    """
    keywords = registry.keywords(name)
    keywords |= {key: value for key, value in (fixed or {}).items() if key in keywords}
    inside = {}
    for key, default in keywords.items():
        for part in default if isinstance(default, tuple) else (default,):
            inside |= {f"{key}.{field}": getattr(part, field) for field in _fields(part)}
    return keywords | inside


def arguments(name, values):
    """Keywords for `create` from the values of a trial: dotted ones go into the keyword that holds them.

    Args:
        name: of the zoo entry.
        values: dict name -> value, without "batch_size".
    """
    given = {key: value for key, value in values.items() if "." not in key}
    for key, value in values.items():
        if "." in key:
            keyword, field = key.split(".")
            holder = given.get(keyword, registry.keywords(name)[keyword])
            held = holder if isinstance(holder, tuple) else (holder,)
            held = tuple(dataclasses.replace(one, **{field: value}) if field in _fields(one) else one for one in held)
            given[keyword] = held if isinstance(holder, tuple) else held[0]
    return given


def label(value):
    """A value as JSON and a table hold it: itself, if it is a number, a word or None; else what it prints as."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _fields(part):
    is_object = dataclasses.is_dataclass(part) and not isinstance(part, type)
    return [field.name for field in dataclasses.fields(part) if field.init] if is_object else []


def _dimension(key, value):
    if isinstance(value, list):
        if not value:
            raise ValueError(f"space[{key!r}] is an empty list: give at least one value.")
        return Choice(tuple(map(_plain, value))) if len(value) > 1 else Fixed(_plain(value[0]))
    ends = isinstance(value, tuple) and len(value) in (2, 3) and all(map(_is_number, value[:2]))
    if not ends or (len(value) == 3 and not isinstance(value[2], str)):
        return Fixed(_plain(value))
    low, high, scale = (*map(_plain, value), "linear")[:3]
    if scale not in SCALES:
        raise errors.unknown(f"scale of space[{key!r}]", scale, SCALES)
    if not low < high:
        raise ValueError(f"space[{key!r}]={value}: a range goes from a lower to a higher number.")
    if scale == "log" and low <= 0:
        raise ValueError(f"space[{key!r}]={value}: a logarithmic range begins above 0.")
    return Range(low, high, scale == "log")


def _plain(value):
    """Python's own number for one of NumPy's, which neither JSON nor keras-tuner knows."""
    return value.item() if isinstance(value, np.generic) else value


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
