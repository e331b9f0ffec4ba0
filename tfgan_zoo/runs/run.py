"""The directory that one command fills."""

import numbers
import pathlib
import shutil
import sys

import numpy as np

from tfgan_zoo import callbacks, data, directories, files, pixels, profiling, registry, runtime
from tfgan_zoo.metrics import distance_name, evaluate, records
from tfgan_zoo.runs.figures import Figures

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
ENTRYS = {"n_critic": (int | None, None), "learning_rate": (float | None, None)}  # flags of entries that take them
ENDLESS = 1_000_000  # epochs of a run that its minutes end
_BY_CLASSIFIER = ("fd", "kid", "precision_recall", "classifier_score", "class_histogram")  # of data that has one


class Run(Figures):
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
        """What `data.load` takes: the dataset's name, or what the recipe and `clusters` make of it."""
        name = self.config["dataset"]
        source, clusters = name if self._source is None else self._source(name), self.config.get("clusters")
        return source if clusters is None else data.Clustered(source, clusters)

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
        if seen := collapse_in(record, data.info(data.underlying(self.source)).class_names):
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
        configured = {name: self.config.get(name) for name in ("width", *ENTRYS)}
        overrides |= {name: number for name, number in configured.items() if number is not None}
        runtime.seed_all(seed)
        model = registry.create(entry, _image_shape(info, dataset, wanted), **overrides)
        model.name_classes_of(info)
        wanted |= self._changed(model.image_shape)
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

    def _changed(self, image_shape):
        """What `data.load` is told of images that are changed while they are learned from: mirrored, and cut out."""
        told = {"flip": True} if self.config.get("flip") else {}
        if jitter := self.config.get("jitter"):
            if len(image_shape) == 1:
                raise ValueError(
                    f"jitter={jitter}: {self.config['dataset']} is points, which are not cut: leave it out."
                )
            size = tuple(image_shape[:2])
            told |= {"image_size": size, "crop_from": tuple(round(jitter * side) for side in size)}
        return told

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

    def likelihood(self, model, *others, num_images=1000):
        """How likely images of the test split are under a model, as scores for its record.

        Args:
            model: one that has `log_prob`.
            *others: metrics beside it, as `tz.evaluate` knows them.
            num_images: of the test split, or all there are.

        Returns:
            Dict name -> number: nats an image, and bits a dimension where they mean something.
        """
        which = {"metrics": ("likelihood", *others), "num_images": num_images, "verbose": False}
        return evaluate(model, self.source, **which)["scores"]

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
        if given.get("epochs") == ENDLESS:
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
