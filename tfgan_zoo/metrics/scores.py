"""Numbers that need only the class probabilities a classifier gives to generated images."""

import numpy as np


def classifier_score(probabilities, splits=1):
    """How sure the classifier is of each image, and how many classes it sees among all: exp E KL(p(y|x) ‖ p(y)).

    Source: Salimans et al. 2016, Sec. 4. With Inception's 1,000 classes this is the Inception Score; with another
    classifier it is not, runs from 1 to that classifier's number of classes, and has a name of its own.

    Args:
        probabilities: (N, C) rows that sum to 1.
        splits: the rows are cut, in their order, into this many parts that are scored apart; 1 ≤ splits ≤ N.

    Returns:
        (mean, std) over the parts; std is 0.0 for one part.

    Raises:
        ValueError: rows that are no probabilities, or a number of splits that does not fit.
    """
    probabilities = _rows(probabilities)
    if not 1 <= splits <= len(probabilities):
        raise ValueError(f"splits must lie between 1 and the {len(probabilities)} images; it is {splits}.")
    parts = [_score(part) for part in np.array_split(probabilities, splits)]
    return float(np.mean(parts)), float(np.std(parts))


def class_histogram(probabilities):
    """How the images spread over the classes: the fraction whose likeliest class each one is.

    Source: used to see dropped modes, as in Srivastava et al. 2017 (VEEGAN), Sec. 4.1.

    Args:
        probabilities: (N, C) rows that sum to 1.

    Returns:
        (C,) float64 fractions that sum to 1.

    Raises:
        ValueError: rows that are no probabilities.
    """
    probabilities = _rows(probabilities)
    return np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) / len(probabilities)


def _score(rows):
    marginal = rows.mean(0)
    ratio = np.divide(rows, marginal, out=np.ones_like(rows), where=rows > 0)  # 0 log 0 = 0
    return np.exp(np.mean(np.sum(rows * np.log(ratio), 1)))


def _rows(probabilities):
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(f"probabilities must be a matrix (N, C); the shape is {probabilities.shape}.")
    if not (np.all(probabilities >= 0) and np.allclose(probabilities.sum(1), 1, atol=1e-3)):
        raise ValueError("Each row of probabilities must be ≥ 0 and sum to 1: pass logits through a softmax first.")
    return probabilities
