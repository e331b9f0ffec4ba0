"""The score that a search is about: which way is better, and what stands for a model without hope."""

import keras_tuner

from tfgan_zoo.metrics import best, measures, records


class Objective(keras_tuner.Objective):
    """A score of `tz.evaluate` by its name without counts of images, and which way is better.

    Args:
        name: of a score, such as "fd_classifier", "kid_custom" or a whole key; None for the Fréchet distance,
            or without one for the first score that has a better side.
        untrained: the record of a model before training; what a diverged or collapsed one counts as.

    Raises:
        ValueError: if the record has no such score, it is no single number, or no side of it is better.
    """

    def __init__(self, name, untrained):
        scores = without_counts(untrained["scores"])
        usual = next((one for one in scores if _metric(one) == "fd"), next(filter(_directed, scores), None))
        name = usual if name is None else name
        short = _without_counts(name)
        if short not in scores:
            records.score(untrained, name)  # raises, and names the nearest, unless the name is a beginning
            short = next(one for one in scores if one.startswith(f"{short}_"))
        if not isinstance(scores[short], int | float):
            raise ValueError(f"objective={name!r} is no single number: take one such as {usual!r}.")
        if not _directed(short):
            raise ValueError(f"objective={name!r} has no better side: take one such as {usual!r}.")
        super().__init__(short, best(short).__name__)
        self.untrained = scores[short]

    def of(self, record):
        """The score in a record."""
        return without_counts(record["scores"])[self.name]


def metrics_for(name, record):
    """The metrics that give an objective beside the usual scores, as in `tz.evaluate`; None where the usual ones do.

    Args:
        name: of the objective, or None.
        record: of the usual scores, which says which of them apply.
    """
    metric = _metric(name or "fd")
    if metric is None or measures.MEASURES[metric].usual:
        return None
    return (*dict.fromkeys(filter(None, map(_metric, record["scores"]))), metric)


def without_counts(scores):
    """Scores by their names without counts of images: "fd_classifier" for "fd_classifier_10000"."""
    return {_without_counts(name): value for name, value in scores.items()}


def _without_counts(name):
    return "_".join(part for part in name.split("_") if not part.isdecimal())


def _metric(name):
    """The metric that gives a score; None where the table knows none."""
    stems = {stem: metric for metric, one in measures.MEASURES.items() for stem in one.best}
    return stems.get(max((stem for stem in stems if f"{name}_".startswith(f"{stem}_")), key=len, default=None))


def _directed(name):
    return _metric(name) is not None and best(name) is not None
