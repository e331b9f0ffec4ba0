"""Write docs/api.md, the reference of the public names, from their docstrings.

python -m docs.make_api          or: make docs
"""

import importlib
import inspect
import pathlib
import pkgutil
import sys

import tfgan_zoo as tz

PAGE = pathlib.Path(__file__).parent / "api.md"
_INTRODUCTION = """# API reference

Made from the docstrings by `make docs`. `import tfgan_zoo as tz`."""


def public(module):
    """(name, object) of what a module offers: its `__all__`, or the functions and classes that it defines."""
    names = getattr(module, "__all__", None) or [
        name
        for name, one in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(one) or inspect.isclass(one))
        and one.__module__.startswith(module.__name__)
    ]
    for name in sorted(names, key=str.lower):
        one = getattr(module, name)
        if inspect.isfunction(one) or inspect.isclass(one):
            yield name, one


def entry(name, one, level):
    """A heading, the signature and the docstring of a name; of a class also its public methods."""
    lines = [f"{'#' * level} `{name}{_signature(one)}`", "", _text(one)]
    if inspect.isclass(one):
        for method, function in _own(one).items():
            if not method.startswith("_") and inspect.isfunction(function) and function.__doc__:
                first = inspect.cleandoc(function.__doc__).splitlines()[0]
                lines.append(f"- `.{method}{_signature(function, skip=1)}` {first}")
    return "\n".join(lines).rstrip()


def _own(one):
    """What a class defines, and what bases do that have no place of their own in these pages."""
    unnamed = [base for base in one.__mro__[1:] if base.__module__.startswith("tfgan_zoo.") and not _is_named(base)]
    return {name: function for base in [*reversed(unnamed), one] for name, function in vars(base).items()}


def _is_named(base):
    package = sys.modules[base.__module__.rpartition(".")[0]]
    every_models = issubclass(tz.GenerativeModel, base)
    return every_models or hasattr(tz, base.__name__) or hasattr(package, base.__name__)


def _signature(one, skip=0):
    try:
        parameters = [*inspect.signature(one).parameters.values()][skip:]
    except (TypeError, ValueError):
        return "(...)"
    return f"({', '.join(map(_parameter, parameters))})"


def _parameter(one):
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    if one.default is one.empty:
        return f"{stars}{one.name}"
    shown = getattr(one.default, "__name__", None) if callable(one.default) else None
    text = shown or repr(one.default)
    return f"{one.name}={text if ' at 0x' not in text else '...'}"


def _text(one):
    """A docstring, its sections as they are."""
    text = inspect.cleandoc(one.__doc__ or "").split("\n\n")
    shown = []
    for part in text:
        verbatim = part.startswith(("Args:", "Returns:", "Raises:", "Example", ">>>")) or "\n    " in part
        shown.append(f"```text\n{part}\n```" if verbatim else part)
    return "\n\n".join(shown) + "\n"


def page():
    """The whole reference."""
    top = [("tfgan_zoo", tz)]
    rooms = [(f"tz.{name}", getattr(tz, name)) for name in tz.__all__ if inspect.ismodule(getattr(tz, name))]
    rooms += [*_within("tz.networks", tz.networks), *_within("tz.zoo", tz.zoo)]
    rooms = [(name, module) for name, module in rooms if any(public(module))]
    parts = [_INTRODUCTION, "Contents: " + " · ".join(f"[`{name}`](#{_anchor(name)})" for name, _ in top + rooms)]
    for name, module in top + rooms:
        parts.append(f"## {name}\n\n{inspect.cleandoc(module.__doc__ or '').splitlines()[0]}")
        parts += [entry(f"{'tz' if module is tz else name}.{own}", one, 3) for own, one in public(module)]
    return "\n\n".join(parts) + "\n"


def _within(name, package):
    """The modules of a package that offers none of their names itself."""
    for one in pkgutil.iter_modules(package.__path__):
        yield f"{name}.{one.name}", importlib.import_module(f"{package.__name__}.{one.name}")


def _anchor(name):
    return name.replace(".", "").lower()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(page().splitlines()):,} lines")
