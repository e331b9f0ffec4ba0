"""The story every recipe tells: train, picture, score, export; its flags written once."""

import inspect
import pathlib
import sys

from tfgan_zoo import data, errors, registry, runtime
from tfgan_zoo.export import compact as compactly
from tfgan_zoo.export import export
from tfgan_zoo.runs.run import ENDLESS, ENTRYS, Run

_BATCH = 64  # images of one update, where neither flag nor budget says
_NUMBERS = {  # that every run has -> the flag's type and default; None leaves it to the budget
    "dataset": (str, None),
    "epochs": (int | None, None),
    "batch_size": (int | None, None),
    "image_size": (int | None, None),
    "width": (int | None, None),
    "seed": (int, 0),
}
_SPENT = {"minutes": (float | None, None), "budget": (str | None, None)}
BUDGETS = {  # by name, for any recipe -> the flags that say how long; None leaves it to the recipe
    "smoke": {"epochs": 1, "split": "train[:1000]"},
    "5min": {"minutes": 5.0},
    "20min": {"minutes": 20.0},
    "paper": None,
}
SHIPPED = {"dataset": "digits"}  # flags of what a recipe gives to exported/
FASHION = {"dataset": "fashion_mnist", "minutes": 20.0}  # the same, for those whose clothes stand there
_FALL = {"decay_from": (float | None, None)}  # of what has a learning rate: `callbacks.LinearDecay`
_OF_DATA = {"split": (str | None, None), "skip_corrupt": (bool, False)}
_OF_DATA |= {"flip": (bool | None, None), "jitter": (float | None, None), "clusters": (int | None, None)}
_OF_RUN = {
    **{"out": (pathlib.Path | None, None), "fresh": (bool, False), "quiet": (bool, False)},
    **{"compact": (bool, False), "no_figures": (bool, False), "train_only": (bool, False)},
}


def recipe(
    entry,
    paper,
    budgets,
    figures=None,
    scores=None,
    flags=None,
    extractor=None,
    shipped=SHIPPED,
    looks=None,
    num_images=None,
    source=None,
):
    """A recipe's `main`: a paper from data to export, as every recipe does it.

    Its parameters are the flags of the command line: dataset, epochs, minutes (of training, in place of epochs:
    `callbacks.Minutes`), budget (either by a name of `BUDGETS`), batch_size (images of one update), image_size, width,
    seed, n_critic and learning_rate where the entry takes them, decay_from (`callbacks.LinearDecay`), split,
    skip_corrupt and flip as in `data.load`, jitter (how much larger images come before a window is cut out at random:
    1.117 is 286 for 256), clusters (so many of `data.Clustered` in place of classes), out, fresh, quiet, compact
    (export no more than is committed in exported/), no_figures, train_only (the next call scores and exports), and the
    recipe's own. The same call continues what an earlier one left, or says that it is done. It returns the score
    record; None on every worker but the chief, and where it only trains. A dataset without a test split is scored on
    the images that `data.HeldOut` holds out, which are not trained on; one without an extractor in pixels only.

    Args:
        entry: name of a zoo entry.
        paper: what the card calls the model, such as "LSGAN, Mao et al. 2017".
        budgets: dataset -> the numbers of flags for it; None -> those for any other. The first is the default dataset.
        figures: function (model, run) -> dict caption -> path of the paper's own figures, called when training is over
            and the model holds the weights of its best epoch.
        scores: function (model, run) -> dict name -> number, further scores for the record, where there is one.
        flags: function whose annotated keywords are the recipe's own flags, and which returns keywords of the entry, or
            None; what it has a parameter for is a number of the run. It may ask for other flags by their names. None
            for the flags that the entry registers, if any; or a dict of other defaults for these.
        extractor: as in `tz.evaluate`, for datasets without a classifier; None finds what `train_extractor` kept.
        shipped: the flags by which `make train-zoo` trains the generator that stands in exported/, or a tuple of such
            dicts, one for each dataset; None for a recipe that gives none, such as a second one of an entry.
        looks, num_images: as of `Run`, for models whose images are dear.
        source: function of the dataset's name to what `data.load` takes, such as `data.Pairs`; None for the name.

    Returns:
        Function of keywords, for `tz.cli.run`; it has the attributes entry, paper, budgets and shipped.
    """
    module, known = sys._getframe(1).f_globals, registry.keywords(entry)
    taken = _NUMBERS | {"dataset": (str, next(iter(budgets)))} | _SPENT
    taken |= {name: kind for name, kind in ENTRYS.items() if name in known}
    taken |= _FALL if "learning_rate" in known else {}
    if flags is None or isinstance(flags, dict):
        defaults, flags = flags or {}, registry.flags(entry)
        own = inspect.signature(flags).parameters if flags else {}
        if strange := [name for name in defaults if name not in own]:
            raise errors.unknown(f"flag of {entry!r}", strange[0], own)
        own = {name: one.replace(default=defaults.get(name, one.default)) for name, one in own.items()}
    else:
        own = inspect.signature(flags).parameters
    taken |= {name: (one.annotation, one.default) for name, one in own.items() if name not in taken}
    taken |= _OF_DATA | _OF_RUN
    signature = inspect.Signature(
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in taken.items()
    )

    def main(**keywords):
        """Train, picture, score and export; the same command again continues, or says that it is done."""
        bound = signature.bind(**keywords)
        bound.apply_defaults()
        config = dict(bound.arguments)
        out, fresh, quiet, compact, no_figures, train_only = (config.pop(name) for name in _OF_RUN)
        config |= _of_budget(config)
        budget = {"batch_size": _BATCH} | budgets.get(config["dataset"], budgets[None])
        config = {name: budget.get(name) if value is None else value for name, value in config.items()}
        if config["minutes"] is not None and bound.arguments["epochs"] is None:
            config["epochs"] = ENDLESS
        asked = {name: config.get(name) for name in own}
        given = {name for name, value in config.items() if value is not None and value is not False}
        config = {name: value for name, value in config.items() if name in _NUMBERS or name in given}
        _check(config)
        if config.get("clusters") is not None:
            data.Clustered(config["dataset"], config["clusters"])  # which says what is wrong with their number
            if known.get("num_classes") is None:
                raise ValueError(f"clusters={config['clusters']}: {entry!r} is told no classes, so leave them out.")
        overrides = (flags(**asked) if flags else None) or {}
        if runtime.precision() != "float32":
            config["precision"] = runtime.precision()
        data_name = pathlib.Path(config["dataset"]).stem
        name = pathlib.Path(module["__file__"]).stem
        out = out or pathlib.Path(f"exported/{name}_{data_name}")
        run = Run(out, config, fresh, extractor, quiet, looks, num_images, source)
        run.recipe = name
        if runtime.gathered([run.is_done(config["epochs"], config.get("minutes"))])[0, 0]:  # the chief's word
            return run.report(again=True) if runtime.is_chief() else None
        model = run.train(entry, quiet=quiet, **overrides)
        if train_only or not runtime.is_chief():
            return None
        with runtime.no_strategy():  # the other workers, if there are any, have gone
            record = run.score(model, run.source, quiet=quiet)
            if scores and record:
                record["scores"] |= scores(model, run)
            drawn = figures(model, run) if figures and not no_figures else {}
            about = run.about(model=paper, data=data_name, **run.made(model, record))
            kind, shown = (compactly(model), without_training(drawn)) if compact else ({}, drawn | run.pictures())
            export(model, run.out, scores=record, about=about, pictures=shown, **kind)
        run.finish(run.checkpoint.history[-1]["epoch"], record, config.get("minutes"))
        return run.report()

    main.__signature__, main.__module__ = signature, module["__name__"]
    main.__annotations__ = {name: kind for name, (kind, _) in taken.items()}
    main.entry, main.paper, main.budgets, main.shipped = entry, paper, budgets, shipped
    return main


def without_training(drawn):
    """Figures without the one that tells how training went, which is large: the run keeps it."""
    return {caption: path for caption, path in drawn.items() if path.name != "by_epoch.png"}


def _of_budget(config):
    """What a budget's name stands for, in place of flags that say the same."""
    name = config.pop("budget")
    if name is None:
        return {}
    if name not in BUDGETS:
        raise errors.unknown("budget", name, BUDGETS)
    meant = BUDGETS[name] or {}
    for flag in ("epochs", "minutes"):
        if config[flag] is not None:
            raise ValueError(f"{flag}={config[flag]} and budget={name!r} both say how long: give one of them.")
    return {flag: value for flag, value in meant.items() if config.get(flag) is None}


def _check(config):
    """Raise ValueError for a number that no run can have, before anything is read."""
    for name in ("epochs", "batch_size", "image_size", "width", "n_critic"):
        if config.get(name) is not None:
            errors.whole_number(name, config[name])
    errors.whole_number("seed", config["seed"], at_least=0)
    for name in ("learning_rate", "minutes"):
        if not config.get(name, 1.0) > 0:
            raise ValueError(f"{name}={config[name]}: give a number above 0.")
    if not config.get("jitter", 1.0) >= 1.0:
        raise ValueError(f"jitter={config['jitter']}: how much larger images come than they are cut, from 1 (none) on.")
    if not 0.0 <= (start := config.get("decay_from", 0.0)) <= 1.0:
        raise ValueError(f"decay_from={start}: give the share of training after which rates fall, from 0 to 1 (none).")
    if any(part.split("[")[0].strip() == "test" for part in config.get("split", "train").split("+")):
        raise ValueError(f"split={config['split']!r}: a run is scored on the test split, so train it on another.")
