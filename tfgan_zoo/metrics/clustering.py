"""How well clusters that nobody named agree with classes."""

import numpy as np


def clustering_accuracy(labels, clusters):
    """The share of images whose cluster stands for their class, under the best naming of clusters.

    Each cluster is named after one class and each class names one cluster, so that the accuracy is as high as it can be
    (the assignment problem, Kuhn 1955). Xie et al. 2016, Eq. 10. Clusters beyond the number of classes count as wrong.
    Assigning at random gives a little more than the share of the largest class, not 0.

    Args:
        labels: (N,) integers >= 0, the classes.
        clusters: (N,) integers >= 0, in any numbering.

    Returns:
        A float in (0, 1].

    Raises:
        ValueError: if the two are not N >= 1 integers >= 0 each.

    Example:

    >>> from tfgan_zoo.metrics import clustering_accuracy
    >>> clustering_accuracy([0, 0, 1, 1], [7, 7, 3, 7])
    0.75
    """
    from scipy.optimize import linear_sum_assignment

    labels, clusters = np.asarray(labels), np.asarray(clusters)
    for name, values in (("labels", labels), ("clusters", clusters)):
        if values.ndim != 1 or not len(values) or values.dtype.kind not in "iu" or values.min() < 0:
            raise ValueError(f"{name} are {values.dtype} {values.shape}: give one integer >= 0 for each image.")
    if len(labels) != len(clusters):
        raise ValueError(f"labels has {len(labels)} entries and clusters {len(clusters)}: give one of each an image.")
    together = np.zeros((clusters.max() + 1, labels.max() + 1), int)
    np.add.at(together, (clusters, labels), 1)
    return float(together[linear_sum_assignment(together, maximize=True)].sum() / len(labels))
