"""The directory of a run, and the story every recipe tells: train, picture, score, export."""

import inspect
import numbers
import pathlib
import shutil
import sys

import numpy as np
from keras import ops

from tfgan_zoo import callbacks, data, directories, errors, files, pictures, pixels, profiling, registry, runtime
from tfgan_zoo.export import compact as compactly
from tfgan_zoo.export import export
from tfgan_zoo.metrics import distance_name, evaluate, records

_SERVED = {
    "generator.tflite": "LiteRT, for phones and browsers",
    "generator.keras": "Keras",
    "samples.png": "what it draws: look at it",
}
_BESIDE = {
    "README.md": "how to load and serve each of them; card.json says the same to programs",
    "run/": "the training: history.csv, curves.png, samples/samples.gif, last.keras",
}
_LOADING = """
Load it without this package:
  import tensorflow as tf
  generator = tf.saved_model.load("{path}")
  images = generator.signatures["sample"](num_images=tf.constant(16), seed=tf.constant(0))["images"]"""

_SCORED, _LOOKS, _LOOKS_A_MINUTE = 5000, 10, 2  # images of a score while it trains, and how many scores, at most
_ENDLESS = 1_000_000  # epochs of a run that its minutes end
_BY_CLASSIFIER = ("fd", "kid", "precision_recall", "classifier_score", "class_histogram")  # of data that has one
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
SHIPPED = {"dataset": "fashion_mnist", "budget": "20min"}  # flags of what a recipe gives to exported/
_ENTRYS = {"n_critic": (int | None, None), "learning_rate": (float | None, None)}  # flags of entries that take them
_FALL = {"decay_from": (float | None, None)}  # of what has a learning rate: `callbacks.LinearDecay`
_OF_DATA = {"split": (str | None, None), "skip_corrupt": (bool, False)}
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
    seed, n_critic and learning_rate where the entry takes them, decay_from (`callbacks.LinearDecay`), split and
    skip_corrupt as in `data.load`, out, fresh, quiet, compact (export no more than is committed in exported/),
    no_figures, train_only (the next call scores and exports), and the recipe's own. The same call continues what an
    earlier one left, or says that it is done. It returns the score record; None on every worker but the chief, and
    where it only trains. A dataset without a test split is scored on the images that `data.HeldOut` holds out, which
    are not trained on; one without an extractor in pixels only.

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
        shipped: the flags by which `make train-zoo` trains the generator that stands in exported/; None for a recipe
            that gives none, such as a second one of an entry.
        looks, num_images: as of `Run`, for models whose images are dear.
        source: function of the dataset's name to what `data.load` takes, such as `data.Pairs`; None for the name.

    Returns:
        Function of keywords, for `tz.cli.run`; it has the attributes entry, paper, budgets and shipped.
    """
    module, known = sys._getframe(1).f_globals, registry.keywords(entry)
    taken = _NUMBERS | {"dataset": (str, next(iter(budgets)))} | _SPENT
    taken |= {name: kind for name, kind in _ENTRYS.items() if name in known}
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
            config["epochs"] = _ENDLESS
        given = {name for name, value in config.items() if value is not None and value is not False}
        config = {name: value for name, value in config.items() if name in _NUMBERS or name in given}
        _check(config)
        overrides = (flags(**{name: config.get(name) for name in own}) if flags else None) or {}
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
            kind = compactly(model) if compact else {}
            shown = drawn | ({} if compact else run.pictures())
            export(model, run.out, scores=record, about=about, pictures=shown, **kind)
        run.finish(run.checkpoint.history[-1]["epoch"], record, config.get("minutes"))
        return run.report()

    main.__signature__, main.__module__ = signature, module["__name__"]
    main.__annotations__ = {name: kind for name, (kind, _) in taken.items()}
    main.entry, main.paper, main.budgets, main.shipped = entry, paper, budgets, shipped
    return main


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
    if not 0.0 <= (start := config.get("decay_from", 0.0)) <= 1.0:
        raise ValueError(f"decay_from={start}: give the share of training after which rates fall, from 0 to 1 (none).")
    if any(part.split("[")[0].strip() == "test" for part in config.get("split", "train").split("+")):
        raise ValueError(f"split={config['split']!r}: a run is scored on the test split, so train it on another.")


class Run:
    """A directory that one command fills, and that the same command continues.

    `out/run/` holds config.json, history.csv, checkpoints, last.keras, samples and curves; what stands beside it is
    for serving.

    Args:
        out: directory, new, empty, or a run's with the same configuration.
        config: dict of the run's numbers; those of the run which is there must be the same, but for "epochs".
        fresh: True forgets the run that is there. What it has exported stays.
        extractor: what scores are taken in, as in `tz.evaluate`; None for the classifier shipped for the dataset, or
            what `train_extractor` kept for it.
        quiet: for whoever trains beside it: whether progress is to be shown.
        looks: how often it is scored while it trains; None for ten times, or twice a minute if that is less often.
        num_images: of a score; None for as many as the test split has, and 5,000 at most while it trains.
        source: as in `recipe`.

    Raises:
        ValueError: if `out` belongs to something else or to a run with other numbers.
        RuntimeError: if another process is filling it.
    """

    def __init__(
        self,
        out,
        config,
        fresh=False,
        extractor=None,
        quiet=False,
        looks=None,
        num_images=None,
        source=None,
    ):
        self.out, self.config, self.extractor, self.quiet = pathlib.Path(out), config, extractor, quiet
        self.looks, self.num_images = looks, num_images
        self.recipe = None  # its name, where one fills it
        self._source = source
        self.directory = self.out / "run"
        directories.check_ours("out", self.out, ("run/config.json", "run/.lock", "card.json"), "run")
        if fresh and self.directory.exists():
            if runtime.is_chief():
                directories.hold(self.directory)
            shutil.rmtree(self.directory, ignore_errors=True)  # by each of several workers, which may share it
        sentence = f"{self.out} holds a run with other numbers ({{}}): give another --out, or --fresh."
        directories.check_same(self.directory / "config.json", config, ("epochs", "minutes"), sentence)

    @property
    def source(self):
        """What `data.load` takes: the dataset's name, or what the recipe makes of it."""
        name = self.config["dataset"]
        return name if self._source is None else self._source(name)

    def is_done(self, epochs, minutes=None):
        """Whether training, scoring and export have all ended, for at least `epochs` epochs or `minutes` minutes."""
        path = self.directory / "done.json"
        done = files.read_json(path) if path.exists() else {"epochs": 0}
        return done["epochs"] >= epochs or (minutes is not None and (done.get("minutes") or 0.0) >= minutes)

    def finish(self, epochs, record, minutes=None):
        """Say that training, scoring and export have all ended."""
        files.write_json(self.directory / "done.json", {"epochs": epochs, "minutes": minutes, "scores": record})
        directories.release(self.directory)

    def report(self, again=False):
        """Print what stands in `out`, its scores, and how to load it; return the score record, or None.

        Args:
            again: whether it stood there before this call.
        """
        record = files.read_json(self.directory / "done.json")["scores"]
        headline = "is done already; --fresh starts over" if again else "is ready to serve"
        if seen := collapse_in(record, data.info(self.source).class_names):
            headline = f"{headline if again else 'is exported'}, but its model has collapsed: {seen}"
        print(f"\n{self.out} {headline}.")
        versions = sorted((path.name for path in self.out.iterdir() if path.name.isdigit()), key=int)
        drawn = {name: caption for caption, name in files.read_json(self.out / "card.json")["pictures"].items()}
        drawn = {name: caption for name, caption in drawn.items() if name not in ("samples.gif", "curves.png")}
        listed = {f"{versions[-1]}/": "SavedModel for TensorFlow Serving"} if versions else {}
        listed |= {name: what for name, what in (drawn | _SERVED).items() if (self.out / name).exists()} | _BESIDE
        for name, what in listed.items():
            print(f"  {name:{max(map(len, listed))}}  {what}")
        if record:
            records.show(record)
        if versions:
            print(_LOADING.format(path=self.out / versions[-1]))
        return record

    def train(self, entry, quiet=False, **overrides):
        """A zoo entry, trained by the numbers of this run's `config` from where an earlier call was cut short.

        Of a dataset without a test split it learns what `data.HeldOut` leaves to "train", and is scored on the rest.

        Args:
            entry: name of a zoo entry.
            quiet: True shows no progress.
            **overrides: keywords of the entry, beside those that are configured and the number of classes of the data.

        Returns:
            The model, with the weights of the last epoch.

        Raises:
            ValueError: if the entry needs classes and the dataset has none, or as `data.load` and `create` do.
            RuntimeError: if another process is filling this run's directory.
        """
        dataset, (epochs, seed) = self.source, (self.config[name] for name in ("epochs", "seed"))
        wanted = {"image_size": self.config["image_size"], "split": self.config.get("split", "train")}
        wanted |= {"skip_corrupt": self.config.get("skip_corrupt", False), "verbose": not quiet}
        dataset = data.with_test(dataset)
        info = data.info(dataset)
        overrides |= registry.keywords_from(entry, info)
        configured = {name: self.config.get(name) for name in ("width", *_ENTRYS)}
        overrides |= {name: number for name, number in configured.items() if number is not None}
        runtime.seed_all(seed)
        model = registry.create(entry, _image_shape(info, dataset, wanted), **overrides)
        model.name_classes_of(info)
        images = data.load(dataset, batch_size=self.config["batch_size"] * model.updates_per_step, seed=seed, **wanted)
        model.compile()
        cloud = data.arrays(dataset, split="test[:1000]")[0] if info.is_points else None
        chosen = self.callbacks(dataset, reference=cloud, quiet=quiet)
        if profiling.requested() and runtime.is_chief():
            chosen.insert(0, profiling.Profile(self.directory / "profile", images))
        if minutes := self.config.get("minutes"):
            epochs = callbacks.Minutes(minutes, self.checkpoint).at_most(epochs)
        model.fit(images, epochs=epochs, verbose=0, callbacks=chosen)
        return model

    def test_images(self, count=None):
        """Images of the test split as a model sees them, and their labels.

        Args:
            count: how many, spread over the split; None for all.

        Returns:
            (images float32 (N, *image_shape) in [-1, 1], labels int32 (N,) or None); N <= count. Of pairs (sources,
            targets), of two domains images of both.
        """
        source, size = data.with_test(self.source), self.config["image_size"]
        images, labels = data.arrays(source, "test", image_size=size)
        rows = slice(None, None, max(1, len(images) // (count or len(images))))
        both = images[rows][:count], None if labels is None else labels[rows][:count]
        floats = (
            np.asarray(pixels.from_uint8(one)) if one is not None and one.dtype == "uint8" else one for one in both
        )
        return tuple(floats)

    def callbacks(self, score_on=None, reference=None, quiet=False):
        """The callbacks of a run: samples, scores, checkpoints, curves and progress, in the order they need.

        Args:
            score_on: data source to score on, by its training split, some ten times; the epoch with the lowest Fréchet
                distance is kept as the best. None, or one without an extractor, scores none.
            reference: points of the data, for scatters.
            quiet: True shows no progress.

        Returns:
            List of keras callbacks for `fit(callbacks=..., verbose=0)`.
        """
        if runtime.is_chief():
            directories.hold(self.directory)
        files.write_json(self.directory / "config.json", self.config)
        chosen = [callbacks.SampleGrid(self.directory / "samples", every=None, reference=reference)]
        score_on = data.with_test(score_on)
        most = self.num_images or _SCORED
        count = None if score_on is None else min(most, data.info(score_on).num_images["train"])
        monitor = count and distance_name(score_on, self.extractor)
        if monitor:
            looks = self.looks or min(_LOOKS, max(2, round(_LOOKS_A_MINUTE * self.config.get("minutes", _LOOKS))))
            scored = {"every": None, "times": looks, "num_images": count, "extractor": self.extractor}
            scored |= {"skip_corrupt": self.config.get("skip_corrupt", False)}
            chosen.append(callbacks.Evaluate(score_on, **scored))
        self.checkpoint = callbacks.Checkpoint(self.directory, monitor=monitor)
        if minutes := self.config.get("minutes"):
            chosen.insert(0, callbacks.Minutes(minutes, self.checkpoint))
        if (start := self.config.get("decay_from")) is not None:
            chosen.append(callbacks.LinearDecay(start))
        chosen += [self.checkpoint, callbacks.Curves(self.directory / "curves.png", self.checkpoint)]
        chosen.append(callbacks.Clock(self.directory / "clock.json"))
        return chosen if quiet else [*chosen, callbacks.Progress()]

    def by_epoch(self, panels=8):
        """Draw the run's samples at chosen epochs side by side, `by_epoch.png`, and return its path.

        Args:
            panels: how many epochs, spaced ever wider from the first to the last.
        """
        found = (self.directory / "samples").glob("epoch_*.png")
        frames = [path for _, path in sorted((int(path.stem.removeprefix("epoch_")), path) for path in found)]
        steps = {round((len(frames) - 1) * (share / max(panels - 1, 1)) ** 2) for share in range(panels)}
        chosen = {f"epoch {int(frames[step].stem.removeprefix('epoch_'))}": frames[step] for step in sorted(steps)}
        pictures.save_strip(chosen, self.directory / "by_epoch.png")
        return self.directory / "by_epoch.png"

    def by_class(self, model, columns=10, rows=10):
        """Draw a grid of classes, `by_class.png`: a row is a class, a column one latent; returns its path.

        Args:
            model: a conditional model of images.
            columns: latents.
            rows: classes at most, the first of them.
        """
        classes = model.condition.num_classes
        names = data.info(self.config["dataset"]).class_names or tuple(map(str, range(classes)))
        rows = min(rows, classes)
        latents = ops.tile(model.draw_latents(columns, seed=0), (rows, 1))
        images = model.draw(latents=latents, condition=model.condition.as_tensor(np.repeat(np.arange(rows), columns)))
        path = self.directory / "by_class.png"
        pictures.save_labelled_grid(np.asarray(images), path, columns, row_titles=names[:rows])
        return path

    def reconstructions(self, model, count=32, seen=None):
        """Draw images of the test split beside their reconstructions, `reconstructions.png`; returns its path.

        Args:
            model: a model that reconstructs.
            count: images.
            seen: function of the images to what the model is given instead, drawn between the two; None for the images.
        """
        images, labels = self.test_images(count)
        told = (labels,) * (model.condition is not None and len(inspect.signature(model.reconstruct).parameters) > 1)
        given = [] if seen is None else [np.asarray(seen(images))]
        shown = [images, *given, np.asarray(model.reconstruct(given[0] if given else images, *told))]
        path, rows = self.directory / "reconstructions.png", np.stack(shown, axis=1).reshape(-1, *images.shape[1:])
        pictures.save_grid(np.clip(rows, -1.0, 1.0), path, columns=4 * len(shown))
        return path

    def translations(self, model, count=32):
        """Draw images of the test split beside what a model makes of them, `translations.png`; returns its path.

        Args:
            model: a model that translates.
            count: images.
        """
        panels, path = model.panels(*self.test_images(count)), self.directory / "translations.png"
        if len(panels) > 1:
            pictures.save_panels(panels, path)
        else:
            ((images, columns),) = panels.values()
            pictures.save_grid(images, path, columns=columns)
        return path

    def score(self, model, reference, quiet=False, **arguments):
        """Score the last epoch and the best one on the test split; the model holds the best afterwards.

        Args:
            model: the model that `fit` trained with this run's callbacks.
            reference: data source, as in `tz.evaluate`.
            quiet: True shows no progress.
            **arguments: passed on to `tz.evaluate`.

        Returns:
            The record of the best epoch, with "epoch", and the last epoch's scores under "last". Without an extractor
            no epoch is the best, and the record of the last one has scores of pixels.
        """
        if self.num_images:
            most = data.info(data.with_test(reference)).count("test")
            arguments = {"num_images": min(self.num_images, most)} | arguments
        arguments = {"extractor": self.extractor, "skip_corrupt": self.config.get("skip_corrupt", False)} | arguments
        if distance_name(reference, self.extractor) == "fd_classifier":
            arguments = {"metrics": _BY_CLASSIFIER} | arguments
        last_epoch = self.checkpoint.history[-1]["epoch"]
        last = evaluate(model, reference, verbose=not quiet, **arguments)
        best_epoch = self.checkpoint.restore_best(model)
        best = last if best_epoch == last_epoch else evaluate(model, reference, verbose=not quiet, **arguments)
        if "fd" in best.get("left_out", {}):
            print(f"Only what needs no features was scored. {best['left_out']['fd']}")
        return best | {"epoch": best_epoch, "last": {"epoch": last_epoch, "scores": last["scores"]}}

    def made(self, model, record):
        """What training took and gave, for the card: updates, images, minutes, and the last epoch's distance.

        Args:
            model: that was trained.
            record: of `score`, or None.
        """
        spent = callbacks.Clock.read(self.directory / "clock.json")
        if not spent:
            return {}
        updates = spent.pop("steps") * model.updates_per_step
        training = {"epochs": self.checkpoint.history[-1]["epoch"], "updates": updates}
        training |= {"images": updates * self.config["batch_size"], **spent}
        last = (record or {}).get("last")
        if not last:
            return {"training": training}
        numbers = {name: one for name, one in last["scores"].items() if isinstance(one, int | float)}
        numbers = {name: one for name, one in numbers.items() if name.split("_")[0] in ("fd", "nats", "bits")}
        return {"training": training | {"best_epoch": record["epoch"]}, "last_epoch": numbers}

    def about(self, **facts):
        """What the card of an export says of its making: `facts`, and this run's numbers and command."""
        name = self.recipe or pathlib.Path(sys.argv[0]).stem
        given = {flag.replace("_", "-"): value for flag, value in self.config.items() if value is not None}
        if given.get("epochs") == _ENDLESS:
            del given["epochs"]
        flags = " ".join(f"--{flag}" if value is True else f"--{flag} {value}" for flag, value in given.items())
        return facts | {"command": f"tfgan-zoo train {name} {flags}"}

    def pictures(self):
        """Pictures of the training that belong beside an export: caption -> path."""
        known = {
            "One latent batch by epoch": self.directory / "samples/samples.gif",
            "Training": self.directory / "curves.png",
        }
        return {caption: path for caption, path in known.items() if path.exists()}


def collapse_in(record, class_names=None):
    """What a score record says of a model that has collapsed, in words; None if it says nothing of the kind.

    Args:
        record: of `tz.evaluate`, or None.
        class_names: of the data, or None.
    """
    scores = (record or {}).get("scores", {})
    shares = scores.get("class_histogram", [0.0])
    if max(shares) > 0.95:
        name = class_names[np.argmax(shares)] if class_names else np.argmax(shares)
        return f"{max(shares):.0%} of its images are taken for one class, {name}"
    of = {key.split("_")[0]: value for key, value in scores.items() if key.startswith(("precision_", "recall_"))}
    if of.get("precision", 0.0) > 0.95 and of["recall"] < 0.05:
        return f"its images look real and alike (precision {of['precision']:.2f}, recall {of['recall']:.2f})"
    return None


def _image_shape(info, dataset, wanted):
    """Of the images that `data.load` will give: what is known of the source, or seen in it where too little is."""
    size, shape = wanted["image_size"], info.image_shape
    if size is not None and not info.is_points:
        shape = (*((size, size) if isinstance(size, numbers.Integral) else size), shape[-1])
    return shape if None not in shape else data.shape_of(data.load(dataset, batch_size=2, **wanted))
