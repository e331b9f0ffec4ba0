"""The story of a search: check, try, rank, train the winner again, ask the test split once, export."""

import pathlib
import shutil

from tfgan_zoo import callbacks, directories, errors, files
from tfgan_zoo.export import export
from tfgan_zoo.tuning import interrupts, report, spaces


@interrupts.remembered()
def search(
    name,
    data,
    space=None,
    tuner="hyperband",
    objective=None,
    max_trials=None,
    epochs=27,
    directory=None,
    seed=0,
    seeds=1,
    batch_size=64,
    split="train",
    validation=None,
    image_size=None,
    extractor=None,
    every=None,
    patience=5,
    diversity=0.1,
    fresh=False,
    quiet=False,
):
    """Search the numbers of a zoo entry, train the best ones again, score them once on test, and export.

    The same call continues what an earlier one left, after a kill too, or says that it is done. Every trial sees the
    same training images in as many epochs, whatever its n_critic, begins from the same seeds, and is scored against the
    same validation images. Several processes share a search by keras-tuner's environment variables, KERASTUNER_TUNER_ID
    ("chief" for one of them), KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT, and one directory.

    Source: Li et al. 2018 (Hyperband); Lucic et al. 2018 (the ranges).

    Args:
        name: of the zoo entry.
        data: a source, as in `tz.data.load`.
        space: dict name -> dimension, over `tz.tuning.wide(name)`. A name is a keyword of the entry, "batch_size", or
            reaches into a keyword, such as "penalties.weight". A dimension is a list of values to choose from, (low,
            high) or (low, high, "log") for numbers between, or a value that is fixed.
        tuner: "hyperband", "random" or "bayesian".
        objective: a score of `tz.evaluate` without its count, such as "fd_classifier", "recall_classifier" or
            "kid_custom"; None for the Fréchet distance. Which way is better stands in the table of metrics.
        max_trials: trials, for "random" and "bayesian"; None for 20. Hyperband counts its own, one sweep over its
            brackets, unless a number cuts or prolongs it.
        epochs: of a trial, and of the winner's own training; hyperband's shorter trials go on to as many.
        directory: of the search; None for exported/tuned_<name>_<data>.
        seed: of the search and of its first run; a trial's further runs have the seeds after it.
        seeds: runs of a trial; with two or more, each score is a mean with its spread.
        batch_size: images of one update, where the space does not say.
        split: what may be trained and chosen on; never the test split.
        validation: images carved from `split` to choose by; None for the source's own "validation" split or, without
            one, a fifth, at most 10,000.
        image_size: side in pixels that all images are brought to; None keeps theirs.
        extractor: as in `tz.evaluate`; None for the classifier that is shipped for the data, or what
            `tz.metrics.train_extractor` kept for it. Without one, name an objective that needs no features, such as
            "sliced_wasserstein".
        every: epochs between two looks at the score; None for about ten looks.
        patience: looks without a better score that end a run; None for no such end.
        diversity: share of the data's diversity under which a run, if it does not grow, has collapsed.
        fresh: True forgets the search that is there.
        quiet: True shows nothing.

    Returns:
        What `directory/ranking.json` holds: "config", "objective", "trials" from best to worst, and "confirmed", what
        the winner scores when it is trained again. None in a worker, which only runs trials.

    Raises:
        ValueError: before the first trial: a name the entry does not take, an objective that no metric gives, a
            directory of something else, data that does not suffice.
        RuntimeError: if no trial ended well, another process fills the directory, or tensorboard is missing.
    """
    from tfgan_zoo.tuning import tuners
    from tfgan_zoo.tuning.hypermodel import ZooHyperModel

    max_trials = 20 if max_trials is None and tuner != "hyperband" else max_trials
    max_trials = tuners.check(tuner, max_trials)
    seed, seeds = errors.whole_number("seed", seed, at_least=0), errors.whole_number("seeds", seeds)
    directory = pathlib.Path(directory or f"exported/tuned_{name}_{_named(data)}")
    ours = directories.check_ours("directory", directory, ("run/search.json", "run/.lock", "ranking.json"), "search")
    model = ZooHyperModel(
        name,
        data,
        space,
        objective=objective,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        split=split,
        validation=validation,
        image_size=image_size,
        extractor=extractor,
        every=every,
        patience=patience,
        diversity=diversity,
    )
    objective, numbers = model.objective, {"max_trials": max_trials, "seeds": seeds, "seed": seed}
    config = {"model": name, "tuner": tuner, "objective": objective.name} | numbers
    config |= {"patience": patience, "diversity": diversity} | _described(model)
    if not tuners.is_worker():
        _claim(directory, forget=fresh and ours)
    if done := _done(directory, config):
        return _shown(done, directory, quiet)
    searched = [key for key, dimension in model.space.items() if not isinstance(dimension, spaces.Fixed)]
    oracle = tuners.oracle(tuner, objective, max_trials, model.epochs, seed)
    with report.View(objective, searched, lambda: tuners.finished(directory), max_trials, quiet) as view:
        tuners.Tuner(oracle, model, directory, seeds, view).search()
    if tuners.is_worker():
        return None
    ranking = {
        "title": f"{name} on {_named(data)}, {tuner} search",
        "objective": objective.name,
        "direction": objective.direction,
        "untrained": objective.untrained,
        "searched": searched,
        "config": config,
        "trials": report.ranked(tuners.finished(directory), objective.direction),
    }
    _write(ranking, directory)
    best, record = _retrain(ranking, model, oracle, quiet)
    export(
        best,
        directory / "best",
        scores=record,
        about=_about(ranking),
        pictures={"Score against budget": directory / "budget.png", "Every trial": directory / "parallel.png"},
    )
    tuners.sweep(directory)
    _write(ranking, directory)
    return _shown(ranking, directory, quiet)


def _retrain(ranking, model, oracle, quiet):
    """Train the first of the ranking again with a seed no trial had, down the ranking until one ends well."""
    trials = [one for one in ranking["trials"] if not one["hopeless"]]
    if not trials:
        first = ranking["trials"][0]["ended"] if ranking["trials"] else "there was none"
        raise RuntimeError(
            f"None of {len(ranking['trials'])} trials ended well (the first: {first}): narrow the space, raise epochs, "
            "or lower diversity. fresh=True starts over."
        )
    dropped = {}
    for record in trials:
        hp = oracle.get_trial(record["trial"]).hyperparameters
        seed = ranking["config"]["seed"] + ranking["config"]["seeds"]
        progress = [] if quiet else [callbacks.Progress()]
        trial = model.train(hp, model.build(hp, seed), seed=seed, callbacks=progress, keep=True)
        run = trial.run()
        if not run["hopeless"]:
            break
        dropped[record["trial"]] = run["ended"]
    else:
        raise RuntimeError(f"Trained again, every trial ended badly ({'; '.join(dropped.values())}): raise seeds.")
    trial.model.set_weights(trial.weights)
    tested = model.splits.score_on_test(trial.model)
    ranking["confirmed"] = {
        "trial": record["trial"],
        "seed": seed,
        "values": record["values"],
        "validation": run["score"],
        "test": model.objective.of(tested),
        "epoch": run["best"]["epoch"],
        "ended": run["ended"],
        "dropped": dropped,
    }
    return trial.model, tested | {"epoch": run["best"]["epoch"]}


def _about(ranking):
    confirmed, config, objective = ranking["confirmed"], ranking["config"], ranking["objective"]
    kept = ("rank", "score", "spread", "epochs", "ended", "values")
    return {
        "model": f"{config['model']}, found by {config['tuner']} search",
        "data": config["data"],
        "hyper-parameters": confirmed["values"],
        "chosen by": f"{objective} {confirmed['validation']:.4g} on validation, in epoch {confirmed['epoch']}",
        "search": {key: value for key, value in config.items() if key not in ("model", "data")},
        "trials": {f"trial {one['trial']}:": {key: one[key] for key in kept} for one in ranking["trials"]},
    }


def _write(ranking, directory):
    """The ranking as Markdown and JSON, and the pictures."""
    if ranking["trials"]:
        report.draw_budget(ranking, directory / "budget.png")
        report.draw_parallel(ranking, directory / "parallel.png")
    with files.atomic_write(directory / "ranking.md") as temporary:
        temporary.write_text(report.markdown(ranking), encoding="utf-8")
    files.write_json(directory / "ranking.json", ranking)


def _described(model):
    """What decides a trial, as the search's configuration has it."""
    numbers = {"epochs": model.epochs, "batch_size": model.batch_size, "every": model.watched["every"]}
    space = {key: dimension.described() for key, dimension in model.space.items()}
    return numbers | model.splits.description | {"space": space}


def _claim(directory, forget):
    """Be the one process that writes there, after forgetting what stands there if that is asked."""
    directories.hold(directory / "run")
    if forget:
        shutil.rmtree(directory / "run")
        (directory / "ranking.json").unlink(missing_ok=True)
        directories.hold(directory / "run")


def _done(directory, config):
    """The ranking of an earlier call, if it came to its end with these numbers.

    Raises:
        ValueError: if the directory holds a search with other numbers.
    """
    path = directory / "run/search.json"
    sentence = f"{directory} holds another search ({{}}): give another directory, or fresh=True."
    directories.check_same(path, config, ("max_trials",), sentence)
    files.write_json(path, config)
    if not (directory / "ranking.json").exists():
        return None
    ranking = files.read_json(directory / "ranking.json")
    return ranking if ranking["config"] == config and "confirmed" in ranking else None


def _shown(ranking, directory, quiet):
    directories.release(directory / "run")
    if not quiet:
        report.show(ranking)
        print(f"{directory} holds this as ranking.md and two pictures; best/README.md says how to load the winner.")
    return ranking


def _named(data):
    return pathlib.Path(data).stem if isinstance(data, str | pathlib.Path) else "the_array"
