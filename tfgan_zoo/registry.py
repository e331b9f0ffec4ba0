"""The zoo's names: registering a function is what makes it a model of the zoo."""

import dataclasses
import fnmatch
import functools
import inspect
import itertools
import typing

import keras
import numpy as np

from tfgan_zoo.errors import unknown

if typing.TYPE_CHECKING:
    import tfgan_zoo

_ROWS_OWN = {"image_shape", "condition", "averaged", "state", "optimizers"}  # of a class: an entry decides them itself
_ENTRIES = {}


@dataclasses.dataclass(frozen=True)
class Search:
    """What a tuner may try for a keyword; each as in the space of `tz.tuning.search`.

    Args:
        wide: for a search that knows nothing yet.
        narrow: around what is known to work.
    """

    wide: object
    narrow: object


@dataclasses.dataclass(frozen=True)
class _Entry:
    function: object
    keywords: dict  # keyword -> default
    ranges: dict  # keyword, or a dotted name within one's default -> Search
    flags: object = None  # function of a recipe's own flags


def register(function=None, *, extends=None, ranges=None, flags=None):
    """Decorator: `function(image_shape, **numbers)` builds the zoo entry of its name.

    Args:
        extends: what the function's own **keywords are passed on to: a class, whose keywords and those of its ancestors
            `create` then takes too; or the function of another entry, for its keywords, defaults and ranges.
        ranges: what a tuner may search, name -> `Search`, or a dimension for both of its ranges. A name is a keyword,
            or reaches into its default, such as "penalties.weight"; one that the entry does not have is left out, so
            that a family may share a table.
        flags: function whose annotated keywords are flags of a command, and which returns keywords of the entry, for
            recipes of several entries; None for those of the entry that it extends.

    Raises:
        ValueError: if there is an entry of that name.
    """
    if function is None:
        return functools.partial(register, extends=extends, ranges=ranges, flags=flags)
    name = function.__name__
    if name in _ENTRIES:
        raise ValueError(f"The zoo already has a model {name!r}, from {_ENTRIES[name].function.__module__}.")
    inherited = next((entry for entry in _ENTRIES.values() if entry.function is extends), None)
    given = {key: one if isinstance(one, Search) else Search(one, one) for key, one in (ranges or {}).items()}
    _ENTRIES[name] = _Entry(
        function,
        _keywords(function, inherited.keywords if inherited else _keywords_of_class(extends)),
        (inherited.ranges if inherited else {}) | given,
        flags or (inherited.flags if inherited else None),
    )
    return function


def list_models(pattern="*") -> list[str]:
    """Names of the zoo's models that match a shell pattern, sorted.

    Args:
        pattern: such as "*gan"; the default matches all.

    Returns:
        List of names for `create`.

    Example:

    >>> import tfgan_zoo as tz
    >>> tz.list_models("dc*")
    ['dcgan']
    """
    return sorted(fnmatch.filter(_ENTRIES, pattern))


def create(name, image_shape=None, init_from=None, **overrides) -> "tfgan_zoo.GenerativeModel":
    """A model of the zoo with its paper's networks, objective and optimizers, not yet trained.

    Args:
        name: one of `list_models()`.
        image_shape: (height, width, channels) of the images, or (2,) for 2-D points; must be given.
        init_from: path of a saved model of the same family, or of a run's directory, whose weights it begins with where
            shapes agree, as transfer learning between data sets and sizes does; what was copied is printed.
        **overrides: any keyword of the entry's function in `tfgan_zoo.zoo` or of its model, such as `width=32` or
            `objective=Hinge()`.

    Returns:
        A `GenerativeModel`; `compile()` with no argument gives it the paper's optimizers.

    Raises:
        ValueError: if the name or a keyword is unknown, or the networks cannot make `image_shape`.

    Example:

    >>> import tfgan_zoo as tz
    >>> gan = tz.create("dcgan", image_shape=(28, 28, 1), width=8)
    >>> gan.generate(4, seed=0).shape
    (4, 28, 28, 1)
    """
    entry = function_of(name)
    if image_shape is None:
        raise ValueError(f"image_shape is missing: say what {name!r} makes, such as create({name!r}, (28, 28, 1)).")
    for override in overrides:
        if override not in _ENTRIES[name].keywords:
            raise unknown(f"argument of {name!r}", override, _ENTRIES[name].keywords)
    # Keras wants Python's own numbers, and so does the JSON of a config
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in overrides.items()}
    model = entry(_shape(image_shape), **plain)
    if init_from is not None:
        print(f"{name} from {init_from}: {model.init_from(init_from)}.")
    return model


def function_of(name):
    """The function that builds a zoo entry."""
    if name not in _ENTRIES:
        raise unknown("model", name, _ENTRIES)
    return _ENTRIES[name].function


def keywords(name):
    """What `create` takes for a zoo entry, keyword -> default: the one list of its numbers."""
    function_of(name)
    return dict(_ENTRIES[name].keywords)


def flags(name):
    """The function of an entry's flags, for recipes; None where no row of the zoo has one."""
    function_of(name)
    return _ENTRIES[name].flags


def keywords_from(name, info):
    """What the data says to a zoo entry: the number of its classes, or the names of attributes, if it asks for them.

    Args:
        name: of the entry.
        info: what `data.info` says of the source.

    Raises:
        ValueError: if the entry needs classes and there are none.
    """
    known = keywords(name)
    if "attribute_names" in known and info.attribute_names:
        return {"attribute_names": info.attribute_names}
    if known.get("num_classes") is None:  # it knows none, or is told of them only where somebody asks for it
        return {}
    if (info.num_classes or 0) < 2:
        raise ValueError(
            f"{info.name} has no classes, but {name!r} needs one with every image: take another, or clusters "
            "in their place, tz.data.Clustered(...) or --clusters 32."
        )
    return {"num_classes": info.num_classes}


def ranges(name):
    """What a tuner may search of a zoo entry, name -> `Search`; empty, where its row says nothing."""
    function_of(name)
    return dict(_ENTRIES[name].ranges)


def _keywords(called, inherited):
    """Keyword-only parameters and their defaults, over the inherited ones if the rest is passed on."""
    parameters = inspect.signature(called).parameters.values()
    passed_on = any(one.kind is one.VAR_KEYWORD for one in parameters)
    return (inherited if passed_on else {}) | {
        one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY
    }


def _keywords_of_class(cls):
    """Those of a class and of its ancestors before Keras' own."""
    if not isinstance(cls, type):
        return {} if cls is None else _keywords(cls, {})
    keywords = {}
    for ancestor in reversed([*itertools.takewhile(lambda one: one is not keras.Model, cls.__mro__)]):
        if "__init__" in vars(ancestor):
            keywords = _keywords(ancestor.__init__, keywords)
    return {name: default for name, default in keywords.items() if name not in _ROWS_OWN}


def _shape(image_shape):
    try:
        shape = tuple(int(size) for size in image_shape)
    except (TypeError, ValueError):
        shape = ()
    images = len(shape) == 3 and shape[-1] in (1, 3, 4) and min(shape) > 0
    if not (images or shape == (2,)) or shape != tuple(image_shape):
        raise ValueError(
            f"image_shape={image_shape!r}: give (height, width, channels), channels 1, 3 or 4, or (2,) for 2-D points."
        )
    return shape
