"""The directory of a run: what is private to training stands in `run/`, apart from what is served."""

import pathlib
import shutil
import sys

import numpy as np

from tfgan_zoo import callbacks, data, files, pictures, pixels, profiling, registry, runtime
from tfgan_zoo.export import export
from tfgan_zoo.metrics import distance_name, evaluate, records

_SERVED = {
    "generator.tflite": "LiteRT, for phones and browsers",
    "generator.keras": "Keras",
    "samples.png": "what it draws: look at it",
    "README.md": "how to load and serve each of them; card.json says the same to programs",
    "run/": "the training: history.csv, curves.png, samples/samples.gif, last.keras",
}
_LOADING = """
Load it without this package:
  import tensorflow as tf
  generator = tf.saved_model.load("{path}")
  images = generator.signatures["sample"](num_images=tf.constant(16), seed=tf.constant(0))["images"]"""

_SCORES = 10  # times a run is scored
_BATCH = 64  # images of one update, where neither flag nor budget says
_NUMBERS = ("dataset", "epochs", "batch_size", "image_size", "width", "seed")  # that every run has


def run_recipe(entry, paper, flags, budgets, figures=None, scores=None, **overrides):
    """A paper from data to export, as every recipe does it: train, score, draw, export.

    The same call continues what an earlier one left, or says that it is done.

    Args:
        entry: name of a zoo entry.
        paper: what the card calls the model, such as "LSGAN, Mao et al. 2017".
        flags: a recipe's own: dataset, epochs, batch_size (images of one update), image_size, width, seed, out, fresh,
            quiet, and any further one, which is kept as a number of the run; None leaves a number to the budget.
        budgets: dataset -> the numbers of flags for it; None -> those for any other dataset.
        figures: function (model, run) -> dict caption -> path of the paper's own figures, called when training is over
            and the model holds the weights of its best epoch.
        scores: function (model, run) -> dict name -> number, further scores for the record, where there is one.
        **overrides: further keywords of the entry.

    Returns:
        The score record, or None where the dataset has no extractor; None on every worker but the chief.
    """
    flags = dict(flags)
    out, fresh, quiet = (flags.pop(name) for name in ("out", "fresh", "quiet"))
    dataset = flags["dataset"]
    budget = {"batch_size": _BATCH} | budgets.get(dataset, budgets[None])
    names = dict.fromkeys((*_NUMBERS, *flags))
    config = {name: budget.get(name) if flags.get(name) is None else flags[name] for name in names}
    if runtime.precision() != "float32":
        config["precision"] = runtime.precision()
    name, epochs = pathlib.Path(dataset).stem, config["epochs"]
    run = Run(out or pathlib.Path(f"exported/{entry}_{name}"), config, fresh=fresh)
    if runtime.gathered([run.is_done(epochs)])[0, 0]:  # the chief's word
        return run.report("is done already; --fresh starts over") if runtime.is_chief() else None

    model = run.train(entry, quiet=quiet, **overrides)
    if not runtime.is_chief():
        return None
    with runtime.no_strategy():  # the other workers, if there are any, have gone
        record = run.score(model, dataset, quiet=quiet)
        if scores and record:
            record["scores"] |= scores(model, run)
        drawn = figures(model, run) if figures else {}
        about = run.about(model=paper, data=name)
        export(model, run.out, scores=record, about=about, pictures=drawn | run.pictures())
    run.finish(epochs, record)
    return run.report("is ready to serve")


class Run:
    """A directory that one command fills, and that the same command continues.

    `out/run/` holds config.json, history.csv, checkpoints, last.keras, samples and curves; what stands beside it is
    for serving.

    Args:
        out: directory, new, empty, or a run's with the same configuration.
        config: dict of the run's numbers; those of the run which is there must be the same, but for "epochs".
        fresh: True forgets the run that is there. What it has exported stays.

    Raises:
        ValueError: if `out` belongs to something else or to a run with other numbers.
    """

    def __init__(self, out, config, fresh=False):
        self.out = pathlib.Path(out)
        self.directory = self.out / "run"
        if self.out.exists() and not self.out.is_dir():
            raise ValueError(f"out={self.out} is a file: give a directory.")
        ours = (self.directory / "config.json").exists() or (self.out / "card.json").exists()
        if self.out.exists() and any(self.out.iterdir()) and not ours:
            raise ValueError(f"out={self.out} holds files that are not a run's: give a new or an empty directory.")
        if fresh:
            shutil.rmtree(self.directory, ignore_errors=True)  # by each of several workers, which may share it
        self.config = config
        self._check_config()

    def _check_config(self):
        path = self.directory / "config.json"
        there = files.read_json(path) if path.exists() else self.config
        names = sorted(name for name in there.keys() | self.config.keys() if there.get(name) != self.config.get(name))
        names = [name for name in names if name != "epochs"]  # a run may be prolonged
        if names:
            changes = ", ".join(f"{name}={there.get(name)!r} became {self.config.get(name)!r}" for name in names)
            raise ValueError(f"{self.out} holds a run with other numbers ({changes}): give another --out, or --fresh.")

    def is_done(self, epochs):
        """Whether training, scoring and export have all ended, for at least `epochs` epochs."""
        path = self.directory / "done.json"
        return path.exists() and files.read_json(path)["epochs"] >= epochs

    def finish(self, epochs, record):
        """Say that training, scoring and export have all ended."""
        files.write_json(self.directory / "done.json", {"epochs": epochs, "scores": record})

    def report(self, headline):
        """Print what stands in `out`, its scores, and how to load it; return the score record, or None.

        Args:
            headline: what to say of the directory, such as "is ready to serve".
        """
        record = files.read_json(self.directory / "done.json")["scores"]
        versions = sorted((path.name for path in self.out.iterdir() if path.name.isdigit()), key=int)
        print(f"\n{self.out} {headline}.")
        for name, what in {f"{versions[-1]}/": "SavedModel for TensorFlow Serving", **_SERVED}.items():
            print(f"  {name:18}{what}")
        if record:
            records.show(record)
        print(_LOADING.format(path=self.out / versions[-1]))
        return record

    def train(self, entry, quiet=False, **overrides):
        """A zoo entry, trained by the numbers of this run's `config` from where an earlier call was cut short.

        Args:
            entry: name of a zoo entry.
            quiet: True shows no progress.
            **overrides: keywords of the entry, beside the configured width and the number of classes of the data.

        Returns:
            The model, with the weights of the last epoch.

        Raises:
            ValueError: if the entry needs classes and the dataset has none, or as `data.load` and `create` do.
        """
        dataset, epochs, seed = (self.config[name] for name in ("dataset", "epochs", "seed"))
        known, info = registry.keywords(entry), data.info(dataset)
        if "num_classes" in known:
            if (info.num_classes or 0) < 2:
                raise ValueError(f"{dataset} has no classes, but {entry!r} is told one with every image: take another.")
            overrides["num_classes"] = info.num_classes
        if self.config["width"] is not None:
            overrides["width"] = self.config["width"]
        runtime.seed_all(seed)
        batch = self.config["batch_size"] * overrides.get("n_critic", known["n_critic"])
        images = data.load(
            dataset, image_size=self.config["image_size"], batch_size=batch, seed=seed, verbose=not quiet
        )
        model = registry.create(entry, data.shape_of(images), **overrides)
        model.compile()
        cloud = data.arrays(dataset, split="test[:1000]")[0] if info.is_points else None
        callbacks = self.callbacks(epochs, dataset, max(1, epochs // _SCORES), reference=cloud, quiet=quiet)
        if profiling.requested() and runtime.is_chief():
            callbacks.insert(0, profiling.Profile(self.directory / "profile", images))
        model.fit(images, epochs=epochs, verbose=0, callbacks=callbacks)
        return model

    def test_images(self, count=None):
        """Images of the test split as a model sees them, and their labels.

        Args:
            count: how many, spread over the split; None for all.

        Returns:
            (images float32 (N, *image_shape) in [-1, 1], labels int32 (N,) or None); N <= count.
        """
        images, labels = data.arrays(self.config["dataset"], "test", image_size=self.config["image_size"])
        rows = slice(None, None, max(1, len(images) // (count or len(images))))
        images, labels = images[rows][:count], None if labels is None else labels[rows][:count]
        return np.asarray(pixels.from_uint8(images)) if images.dtype == "uint8" else images, labels

    def callbacks(self, epochs, score_on=None, score_every=1, reference=None, quiet=False):
        """The callbacks of a run: samples, scores, checkpoints, curves and progress, in the order they need.

        Args:
            epochs: of the run; about forty of them are pictured.
            score_on: data source to score on, by its training split; None, or one without a classifier, scores nothing.
            score_every: epochs between two scores; the epoch with the lowest Fréchet distance is kept as the best.
            reference: points of the data, for scatters.
            quiet: True shows no progress.

        Returns:
            List of keras callbacks for `fit(callbacks=..., verbose=0)`.
        """
        files.write_json(self.directory / "config.json", self.config)
        every = max(1, epochs // 40)
        chosen = [callbacks.SampleGrid(self.directory / "samples", every=every, reference=reference)]
        monitor = distance_name(score_on) if score_on is not None else None
        if monitor:
            chosen.append(callbacks.Evaluate(score_on, every=score_every))
        self.checkpoint = callbacks.Checkpoint(self.directory, monitor=monitor)
        chosen += [self.checkpoint, callbacks.Curves(self.directory / "curves.png", self.checkpoint)]
        return chosen if quiet else [*chosen, callbacks.Progress()]

    def by_epoch(self, panels=8):
        """Draw the run's samples at chosen epochs side by side, `by_epoch.png`, and return its path.

        Args:
            panels: how many epochs, spaced ever wider from the first to the last.
        """
        frames = sorted((self.directory / "samples").glob("epoch_*.png"))
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
        names = data.info(self.config["dataset"]).class_names
        names = [str(number) for number in range(model.num_classes)] if names is None else names
        rows = min(rows, model.num_classes)
        latents = np.tile(model.draw_latents(columns, seed=0), (rows, 1))
        images = model([latents, np.repeat(np.arange(rows, dtype="int32"), columns)])
        path = self.directory / "by_class.png"
        pictures.save_labelled_grid(np.asarray(images), path, columns, row_titles=names[:rows])
        return path

    def score(self, model, reference, quiet=False, **arguments):
        """Score the last epoch and the best one on the test split; the model holds the best afterwards.

        Args:
            model: the model that `fit` trained with this run's callbacks.
            reference: data source, as in `tz.evaluate`.
            quiet: True shows no progress.
            **arguments: passed on to `tz.evaluate`.

        Returns:
            The record of the best epoch, with "epoch", and the last epoch's scores under "last"; None where no
            classifier is shipped for the reference.
        """
        if not (distance_name(reference) or "extractor" in arguments):
            print(
                f"{reference} is not scored: no classifier is shipped for it, and tz.evaluate was given no extractor."
            )
            return None
        last_epoch = self.checkpoint.history[-1]["epoch"]
        last = evaluate(model, reference, verbose=not quiet, **arguments)
        best_epoch = self.checkpoint.restore_best(model)
        best = last if best_epoch == last_epoch else evaluate(model, reference, verbose=not quiet, **arguments)
        return best | {"epoch": best_epoch, "last": {"epoch": last_epoch, "scores": last["scores"]}}

    def about(self, **facts):
        """What the card of an export says of its making: `facts`, and this run's numbers and command."""
        recipe = pathlib.Path(sys.argv[0]).stem
        flags = " ".join(
            f"--{name.replace('_', '-')} {value}" for name, value in self.config.items() if value is not None
        )
        return facts | {"command": f"python -m recipes.{recipe} {flags}"}

    def pictures(self):
        """Pictures of the training that belong beside an export: caption -> path."""
        known = {
            "One latent batch by epoch": self.directory / "samples/samples.gif",
            "Training": self.directory / "curves.png",
        }
        return {caption: path for caption, path in known.items() if path.exists()}
