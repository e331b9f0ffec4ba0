"""A zoo entry as a keras-tuner HyperModel: numbers in, a compiled model; a fit that ends in scores."""

import dataclasses
import gc
import importlib.util
import time

import keras
import keras_tuner

from tfgan_zoo import errors, files, registry, runtime
from tfgan_zoo.metrics import features
from tfgan_zoo.tuning import data_splits, interrupts, spaces
from tfgan_zoo.tuning.objective import Objective, metrics_for
from tfgan_zoo.tuning.trial_callback import TrialCallback, numbers_of

LOOKS = 10  # times a trial is scored, where nobody says how often


class ZooHyperModel(keras_tuner.HyperModel):
    """A zoo entry on data, for the tuners of keras-tuner.

    `build(hp)` asks `hp` for every dimension of the space and returns the compiled model; `fit(hp, model)` trains it
    and returns the scores of its best look at validation images.

    Args:
        name: of the zoo entry.
        data: a source, as in `tz.data.load`.
        space: as in `tz.tuning.search`.
        objective, epochs, batch_size, seed, split, validation, image_size, extractor, every, patience, diversity: as in
            `tz.tuning.search`.

    Raises:
        ValueError: one sentence on a space, an objective or data that does not fit, before anything is trained.
        RuntimeError: if tensorboard is missing, without which keras-tuner's own tuners fail in every trial.

    Example:

        model = tz.tuning.ZooHyperModel("dcgan", "digits", {"width": [8, 16]}, epochs=5)
        tuner = keras_tuner.RandomSearch(model, objective=model.objective, max_trials=4)
        tuner.search(verbose=0)
    """

    def __init__(
        self,
        name,
        data,
        space=None,
        objective=None,
        epochs=27,
        batch_size=64,
        seed=0,
        split="train",
        validation=None,
        image_size=None,
        extractor=None,
        every=None,
        patience=5,
        diversity=0.1,
    ):
        super().__init__(name=name)
        check_tensorboard()
        registry.function_of(name)
        self.epochs, self.batch_size = (
            errors.whole_number("epochs", epochs),
            errors.whole_number("batch_size", batch_size),
        )
        every = max(1, self.epochs // LOOKS) if every is None else errors.whole_number("every", every)
        self.space, self.seed = spaces.read(name, space), seed
        splits = data_splits.read(data, split, validation, image_size, extractor)
        self.from_data = registry.keywords_from(name, splits.info)
        self.policy = keras.config.dtype_policy()  # which a cleared session forgets
        self.watched = {"every": every, "patience": patience, "floor": diversity}
        self.splits = splits
        if objective is None and splits.extractor is None and not splits.info.is_points:
            raise ValueError(
                f"{features.no_extractor(splits.info.name)} Or name an objective that needs none, such as "
                "objective='sliced_wasserstein'."
            )
        untrained = splits.score(model := self.build(keras_tuner.HyperParameters()))
        if wanted := metrics_for(objective, untrained):
            self.splits = dataclasses.replace(splits, metrics=wanted)
            untrained = self.splits.score(model)
        self.objective = Objective(objective, untrained)

    def values(self, hp):
        """The number or object that a trial has for every dimension, dict name -> value."""
        known = spaces.parts(self.name) | {spaces.BATCH_SIZE: self.batch_size}
        return {name: dimension.ask(hp, name, known.get(name)) for name, dimension in self.space.items()}

    def build(self, hp, seed=None):
        """The compiled model of a trial, its weights and noise drawn from `seed`."""
        values = self.values(hp)
        values.pop(spaces.BATCH_SIZE, None)
        keras.config.set_dtype_policy(self.policy)
        keras.utils.set_random_seed(self.seed if seed is None else seed)
        model = registry.create(
            self.name, self.splits.image_shape, **self.from_data | spaces.arguments(self.name, values)
        )
        model.compile()
        return model

    def fit(self, hp, model, *args, epochs=None, initial_epoch=0, callbacks=(), verbose=0, **kwargs):
        """Train, scored as it goes; the scores of the best look, or an untrained model's without one."""
        run = self.train(hp, model, epochs, initial_epoch, callbacks=callbacks, verbose=verbose).run()
        return {self.objective.name: run["score"]} | (numbers_of(run["best"]) if run["best"] else {})

    def train(self, hp, model, epochs=None, initial_epoch=0, seed=None, callbacks=(), verbose=0, **watched):
        """Train, scored as it goes.

        Args:
            hp: of the trial.
            model: that `build` made.
            epochs: to train to; None for the search's.
            initial_epoch: to go on from.
            seed: of the order of the data; None for the search's.
            callbacks: further ones, after the trial's own.
            verbose: as in `fit`.
            **watched: past, keep, on_look of `TrialCallback`.

        Returns:
            The `TrialCallback`.
        """
        trial = TrialCallback(self.splits, self.objective, **self.watched | watched)
        images = self.splits.batches(
            self.values(hp).get(spaces.BATCH_SIZE, self.batch_size) * model.updates_per_step,
            self.seed if seed is None else seed,
        )
        epochs, callbacks = epochs or self.epochs, [trial, *callbacks]
        with runtime.each_traced_once():
            model.fit(images, initial_epoch=initial_epoch, epochs=epochs, callbacks=callbacks, verbose=verbose)
        return trial

    def run(self, hp, seed, epochs=None, before=None, kept=None, on_look=None):
        """One run of a trial, from a seed to a record; what it raises is recorded too.

        Args:
            hp: of the trial.
            seed: of weights, noise and order.
            epochs: to train to; None for the search's.
            before: (run, path of its weights) that this one goes on from, or None.
            kept: path that the weights of the last epoch are to be saved at, or None.
            on_look: as in `TrialCallback`.

        Returns:
            Dict, as JSON holds it.
        """
        wall, cpu, fit_s, score_s = time.perf_counter(), time.process_time(), 0.0, 0.0
        past, path = before or (None, None)
        try:
            keras.utils.clear_session()
            gc.collect()
            interrupts.check()
            model = self.build(hp, seed)
            if path is not None:
                model.load_weights(path)
            begin = time.process_time()
            trial = self.train(hp, model, epochs, (past or {}).get("epochs", 0), seed, past=past, on_look=on_look)
            fit_s, score_s = time.process_time() - begin - trial.score_s, trial.score_s
            result = trial.run()
        except Exception as error:  # a trial may fail in any way without ending the search
            sentence = (str(error).strip() or "no message").splitlines()[0]
            result = {"ended": f"{type(error).__name__}: {sentence}", "hopeless": True, "failed": True, "epochs": 0}
            result |= {"score": self.objective.untrained, "best": None, "looks": []}
        if kept is not None and not result["hopeless"]:
            with files.atomic_write(kept) as temporary:
                model.save(temporary)
        spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        spent |= {"fit_s": fit_s, "score_s": score_s}
        return {"seed": seed, **result, **{name: round(seconds, 3) for name, seconds in spent.items()}}


def check_tensorboard():
    """Raise RuntimeError if tensorboard, which keras-tuner imports in every trial, is not there."""
    if importlib.util.find_spec("tensorboard") is None:
        raise RuntimeError("keras-tuner needs tensorboard, which TensorFlow does not bring: pip install tensorboard")
