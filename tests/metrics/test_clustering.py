"""Clustering accuracy: closed forms, every naming tried by hand, and input that is none."""

import itertools

import numpy as np
import pytest

from tfgan_zoo.metrics import clustering_accuracy


def test_names_of_clusters_do_not_matter():
    labels = np.arange(60) % 6
    assert clustering_accuracy(labels, labels) == 1.0
    assert clustering_accuracy(labels, 5 - labels) == 1.0
    assert clustering_accuracy(labels, 10 * labels) == 1.0  # nor does their numbering


def test_one_cluster_for_all_gets_the_largest_class():
    assert clustering_accuracy([0, 0, 0, 1, 2], [4] * 5) == 3 / 5


def test_a_class_in_two_clusters_counts_once():
    assert clustering_accuracy([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 2, 2]) == 5 / 6


def test_is_the_best_of_all_namings():
    random = np.random.default_rng(0)
    for _ in range(20):
        labels, clusters = random.integers(4, size=(2, 50))
        namings = itertools.permutations(range(4))
        best = max(np.mean(np.array(naming)[clusters] == labels) for naming in namings)
        assert clustering_accuracy(labels, clusters) == pytest.approx(best)


def test_is_the_same_either_way_round():
    random = np.random.default_rng(1)
    labels, clusters = random.integers(5, size=80), random.integers(9, size=80)
    assert clustering_accuracy(labels, clusters) == clustering_accuracy(clusters, labels)


@pytest.mark.parametrize(
    ("labels", "clusters", "sentence"),
    [
        ([0, 1], [0, 1, 1], "2 entries and clusters 3"),
        ([], [], "labels are float64"),
        ([0, 1], [0.5, 1.0], "clusters are float64"),
        ([0, -1], [0, 1], "labels are int64"),
        ([0, 1], [[0.1, 0.9], [0.8, 0.2]], "clusters are float64"),
    ],
)
def test_bad_input_is_named(labels, clusters, sentence):
    with pytest.raises(ValueError, match=sentence):
        clustering_accuracy(labels, clusters)
