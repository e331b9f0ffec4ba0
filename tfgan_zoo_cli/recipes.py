"""The recipes, wherever they are: beside the package in a clone, `tfgan_zoo_recipes` where it was installed."""

import importlib
import importlib.util
import pathlib
import sys

_CLONE = pathlib.Path(__file__).resolve().parent.parent


def directory():
    """Where the recipes lie.

    Raises:
        FileNotFoundError: if they are nowhere.
    """
    if (_CLONE / "recipes").is_dir() and (_CLONE / "pyproject.toml").is_file():
        return _CLONE / "recipes"
    spec = importlib.util.find_spec("tfgan_zoo_recipes")
    if spec is None:
        raise FileNotFoundError("The recipes are not installed: pip install tfgan-zoo brings them.")
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


def names():
    """Names of all recipes, sorted; nothing is imported."""
    return sorted(path.stem for path in directory().glob("[a-z]*.py"))


def load(name):
    """The module of a recipe."""
    package = directory().name
    if package == "recipes" and str(_CLONE) not in sys.path:
        sys.path.insert(0, str(_CLONE))
    return importlib.import_module(f"{package}.{name}")


def shipped():
    """What stands in exported/: name of the export -> (name of its recipe, the flags it is trained by).

    Each recipe says it of itself, by `shipped=` of `tz.runs.recipe` or an attribute of its `main`.
    """
    rows = {}
    for name in names():
        main = getattr(load(name), "main", None)
        given = getattr(main, "shipped", None) or ()
        for flags in (given,) if isinstance(given, dict) else given:
            rows[f"{name}_{pathlib.Path(flags['dataset']).stem}"] = name, dict(flags)
    return rows


def of_entry(entry):
    """The recipe of a zoo entry: the one of its name, else the first that trains it; None for an entry without one."""
    if entry in names():
        return entry
    for name in names():
        if f'recipe("{entry}"' in (directory() / f"{name}.py").read_text(encoding="utf-8"):
            return name
    return None
