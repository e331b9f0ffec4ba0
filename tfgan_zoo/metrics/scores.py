"""Numbers that need only the class probabilities a classifier gives to generated images."""

import numpy as np


def inception_score(probabilities, splits=10):
    """How sure a classifier is of each image, and how many classes it sees among all: exp E KL(p(y|x) ‖ p(y)).

    Source: Salimans et al. 2016, Sec. 4. It is the Inception Score if the classifier is Inception of 2015 with its
    1,000 classes and the images are 50,000; the mean falls when the parts are small.

    Args:
        probabilities: (N, C) rows that sum to 1.
        splits: the rows are cut, in their order, into this many parts that are scored apart; 1 ≤ splits ≤ N. Part i
            begins at row i N // splits, as in the authors' code.

    Returns:
        (mean, std) over the parts; std is 0.0 for one part.

    Raises:
        ValueError: rows that are no probabilities, or a number of splits that does not fit.
    """
    probabilities = _rows(probabilities)
    if not 1 <= splits <= len(probabilities):
        raise ValueError(f"splits must lie between 1 and the {len(probabilities)} images; it is {splits}.")
    cuts = np.arange(1, splits) * len(probabilities) // splits
    parts = [_score(part) for part in np.split(probabilities, cuts)]
    return float(np.mean(parts)), float(np.std(parts))


def classifier_score(probabilities, splits=1):
    """The formula of `inception_score` with another classifier: from 1 to its number of classes, in one part.

    Source: Salimans et al. 2016, Sec. 4. Its values do not compare with Inception's, so its name is another.

    Args:
        probabilities: (N, C) rows that sum to 1.
        splits: parts that are scored apart.

    Returns:
        (mean, std) over the parts.

    Raises:
        ValueError: as in `inception_score`.
    """
    return inception_score(probabilities, splits)


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


def modes_present(histogram, share=0.0):
    """How many classes are among the images: the count of modes on Stacked MNIST and its like.

    Source: Metz et al. 2017, Sec. 3.3.1, where one image is enough (share 0).

    Args:
        histogram: (C,) fractions that sum to 1, as `class_histogram` gives them.
        share: a class counts if its fraction is above this part of an even 1 / C.

    Returns:
        An int from 0 to C.

    Raises:
        ValueError: no fractions that sum to 1, or a share outside [0, 1).

    Example:

    >>> from tfgan_zoo.metrics import modes_present
    >>> modes_present([0.5, 0.49, 0.01, 0.0]), modes_present([0.5, 0.49, 0.01, 0.0], share=0.1)
    (3, 2)
    """
    histogram = np.asarray(histogram, np.float64)
    if histogram.ndim != 1 or not (np.all(histogram >= 0) and np.isclose(histogram.sum(), 1, atol=1e-6)):
        raise ValueError("histogram must be fractions (C,) that sum to 1: divide the counts by their sum.")
    if not 0 <= share < 1:
        raise ValueError(f"share is a part of 1 / C and lies in [0, 1); it is {share}.")
    return int(np.sum(histogram > share / len(histogram)))


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
