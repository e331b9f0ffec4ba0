"""keras-tuner's oracles and tuner, with files that are whole or absent and trials that are never fatal."""

import contextlib
import io
import os
import pathlib
import shutil

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus

from tfgan_zoo import errors, files
from tfgan_zoo.metrics import records
from tfgan_zoo.tuning import spaces
from tfgan_zoo.tuning.trial_callback import IN_FULL

PROJECT = "run"


class _Atomic:
    """An oracle whose files survive a kill at any moment."""

    def save(self):
        files.write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        files.write_json(pathlib.Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self):
        super().reload()
        for trial in self.trials.keys() - set(self.start_order):  # killed between its file and the oracle's
            del self.trials[trial]


class _Random(_Atomic, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Hyperband(_Atomic, keras_tuner.oracles.HyperbandOracle):
    pass


class _Bayesian(_Atomic, keras_tuner.oracles.BayesianOptimizationOracle):
    pass


ORACLES = {"random": _Random, "hyperband": _Hyperband, "bayesian": _Bayesian}


def oracle(tuner, objective, max_trials, epochs, seed):
    """The oracle of a search.

    Args:
        tuner: "random", "hyperband" or "bayesian".
        objective: a keras_tuner.Objective.
        max_trials: trials; None for hyperband's own number, one sweep over its brackets.
        epochs: of a trial at most.
        seed: integer >= 0.
    """
    common = {"objective": objective, "seed": seed + 1}  # keras-tuner takes 0 for "none given"
    if tuner == "hyperband":
        made = _Hyperband(max_epochs=epochs, hyperband_iterations=1 if max_trials is None else None, **common)
        made.max_trials = max_trials
    else:
        made = ORACLES[tuner](max_trials=max_trials, **common)
    made.verbose = 0
    return made


def check(tuner, max_trials):
    """The number of trials, or None for hyperband's own.

    Raises:
        ValueError: unless there is such a tuner, and may be such a number.
    """
    if tuner not in ORACLES:
        raise errors.unknown("tuner", tuner, ORACLES)
    if max_trials is None and tuner == "hyperband":
        return None
    return errors.whole_number("max_trials", max_trials)


class Tuner(keras_tuner.Tuner):
    """keras-tuner's search loop; a trial is one run for each seed, and leaves its record beside its numbers.

    Args:
        oracle: from `oracle`.
        hypermodel: a `ZooHyperModel`.
        directory: of the search.
        seeds: runs of a trial, each with a seed of its own, the same for all trials.
        view: what a person sees, with `begin(trial, values)`, `look(trial, epoch, score)` and `end(record)`.
    """

    def __init__(self, oracle, hypermodel, directory, seeds, view):
        self.seeds, self.view = seeds, view
        with contextlib.redirect_stdout(io.StringIO()):  # it prints which file it reloads
            super().__init__(oracle, hypermodel, directory=str(directory), project_name=PROJECT)

    def run_trial(self, trial):
        """Train and score, unless the record of an earlier process is there; returns the objective's value."""
        path = self._record(trial.trial_id)
        if path.exists():
            return {self.hypermodel.objective.name: files.read_json(path)["score"]}
        hp = trial.hyperparameters
        values = self.hypermodel.values(hp)
        self.view.begin(trial.trial_id, values)
        runs = [self._run(trial, number) for number in range(self.seeds)]
        scores = [run["score"] for run in runs]
        record = {
            "trial": trial.trial_id,
            "values": {name: spaces.label(value) for name, value in values.items()},
            "score": float(np.mean(scores)),
            "spread": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
            "ended": "; ".join(dict.fromkeys(run["ended"] for run in runs)),
            "hopeless": all(run["hopeless"] for run in runs),
            "failed": all(run.get("failed", False) for run in runs),
            "epochs": max(run["epochs"] for run in runs),
            "goes_on_from": hp.values.get("tuner/trial_id"),
            "tuner": self.tuner_id,
            "created": records.now(),
            **{name: round(sum(run[name] for run in runs), 3) for name in ("wall_s", "cpu_s", "fit_s", "score_s")},
            "runs": runs,
        }
        files.write_json(path, record)
        self.view.end(record)
        return {self.hypermodel.objective.name: record["score"]}

    def _run(self, trial, number):
        numbers = trial.hyperparameters.values
        before, past = None, numbers.get("tuner/trial_id")
        if past is not None:  # hyperband lets this one go on
            run = files.read_json(self._record(past))["runs"][number]
            if run["ended"] != IN_FULL:
                return run | dict.fromkeys(("wall_s", "cpu_s", "fit_s", "score_s"), 0.0)
            before = run, self._weights(past, number)
        return self.hypermodel.run(
            trial.hyperparameters,
            self.hypermodel.seed + number,
            epochs=numbers.get("tuner/epochs"),
            before=before,
            kept=self._weights(trial.trial_id, number) if "tuner/epochs" in numbers else None,
            on_look=lambda epoch, score: self.view.look(trial.trial_id, epoch, score),
        )

    def _try_run_and_update_trial(self, trial, *arguments, **keywords):
        # A run records what it raises; what comes here, such as a full disk, is no property of the trial's numbers.
        self._run_and_update_trial(trial)
        trial.status = TrialStatus.COMPLETED

    def save(self):
        if not self._is_worker():
            self.oracle.save()
        files.write_json(self._get_tuner_fname(), {})

    def _get_tuner_fname(self):  # one name, so that a search goes on with other workers, or with none
        return str(pathlib.Path(self.directory) / PROJECT / "tuner.json")

    def _record(self, trial):
        return pathlib.Path(self.get_trial_dir(trial)) / "record.json"

    def _weights(self, trial, number):
        return pathlib.Path(self.get_trial_dir(trial)) / f"run_{number}.keras"


def finished(directory):
    """The records of all trials that have ended, in the order in which they were begun."""
    return [files.read_json(path) for path in sorted(directory.glob(f"{PROJECT}/trial_*/record.json"), key=_number)]


def sweep(directory):
    """Drop what only the search itself needed: the weights that hyperband went on from."""
    for path in directory.glob(f"{PROJECT}/trial_*/run_*.keras"):
        path.unlink()
    for path in directory.glob(f"{PROJECT}/trial_*/.run_*.keras.*"):
        shutil.rmtree(path)


def is_worker():
    """Whether this process only runs trials, for a chief elsewhere."""
    return "KERASTUNER_ORACLE_IP" in os.environ and "chief" not in os.environ.get("KERASTUNER_TUNER_ID", "")


def _number(path):
    return int(path.parent.name.removeprefix("trial_"))
