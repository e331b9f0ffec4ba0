"""The zoo's names: registering a function is what makes it a model of the zoo."""

import fnmatch
import functools
import inspect

from tfgan_zoo.errors import unknown

_ENTRIES = {}
_KEYWORDS = {}  # name -> keyword -> default


def register(function=None, *, extends=None):
    """Decorator: `function(image_shape, **numbers)` builds the zoo entry of its name.

    Args:
        extends: the class whose keywords the function's own **keywords are passed on to.
    """
    if function is None:
        return functools.partial(register, extends=extends)
    if function.__name__ in _ENTRIES:
        raise ValueError(
            f"The zoo already has a model {function.__name__!r}, from {_ENTRIES[function.__name__].__module__}."
        )
    _ENTRIES[function.__name__] = function
    _KEYWORDS[function.__name__] = _keywords(extends) | _keywords(function)
    return function


def list_models(pattern="*"):
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


def create(name, image_shape, **overrides):
    """A model of the zoo with its paper's networks, objective and optimizers, not yet trained.

    Args:
        name: one of `list_models()`.
        image_shape: (height, width, channels) of the images, or (2,) for 2-D points.
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
    for override in overrides:
        if override not in _KEYWORDS[name]:
            raise unknown(f"argument of {name!r}", override, _KEYWORDS[name])
    return entry(_shape(image_shape), **overrides)


def function_of(name):
    """The function that builds a zoo entry."""
    if name not in _ENTRIES:
        raise unknown("model", name, _ENTRIES)
    return _ENTRIES[name]


def keywords(name):
    """What `create` takes for a zoo entry, keyword -> default: the one list of its numbers."""
    function_of(name)
    return dict(_KEYWORDS[name])


def _keywords(called):
    """Keyword-only parameters and their defaults; of a class, those of all its ancestors in the zoo."""
    if called is None:
        return {}
    if isinstance(called, type):
        ours = [cls for cls in called.__mro__ if cls.__module__.startswith("tfgan_zoo") and "__init__" in vars(cls)]
        return {name: default for cls in reversed(ours) for name, default in _keywords(cls.__init__).items()}
    parameters = inspect.signature(called).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


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
