"""Classifier score and class histogram: closed forms, and TF-GAN. Modes of toy mixtures."""

import numpy as np
import pytest

from tfgan_zoo import data
from tfgan_zoo.data.bundled import MIXTURES
from tfgan_zoo.metrics import (
    class_histogram,
    classifier_score,
    high_quality,
    inception_score,
    modes_covered,
    modes_present,
)


def test_all_classes_surely_and_evenly_score_their_number():
    assert classifier_score(np.eye(7)[np.arange(70) % 7]) == pytest.approx((7.0, 0.0))


def test_one_answer_to_everything_scores_one():
    assert classifier_score(np.tile([0.2, 0.5, 0.3], (50, 1))) == pytest.approx((1.0, 0.0))
    assert classifier_score(np.tile([0.0, 1.0, 0.0], (50, 1))) == pytest.approx((1.0, 0.0))


def test_equals_tfgan(tfgan):
    logits = 3 * np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = float(tfgan.eval.classifier_score_from_logits(logits))
    assert classifier_score(probabilities)[0] == pytest.approx(expected, rel=1e-5)


def test_splits_are_scored_apart():
    rows = np.concatenate([np.eye(4)[np.arange(40) % 4], np.tile([1.0, 0, 0, 0], (40, 1))])
    assert classifier_score(rows, splits=2) == pytest.approx((2.5, 1.5))  # 4 and 1


def test_parts_begin_where_the_authors_code_cuts():
    """improved-gan/inception_score/model.py: preds[i * N // splits : (i + 1) * N // splits]."""
    rows = np.random.default_rng(2).dirichlet(np.full(5, 0.3), size=23)
    parts = [classifier_score(rows[i * 23 // 10 : (i + 1) * 23 // 10])[0] for i in range(10)]
    assert inception_score(rows) == pytest.approx((np.mean(parts), np.std(parts)), rel=1e-12)
    others = [classifier_score(part)[0] for part in np.array_split(rows, 10)]  # cuts of its own
    assert np.mean(others) != pytest.approx(np.mean(parts), rel=1e-3)


def test_inception_score_has_ten_parts():
    rows = np.random.default_rng(1).dirichlet(np.full(20, 0.3), size=500)
    parts = [classifier_score(part)[0] for part in np.split(rows, 10)]
    assert inception_score(rows) == pytest.approx((np.mean(parts), np.std(parts)))
    assert inception_score(rows, splits=1) == classifier_score(rows)


def test_modes_are_counted_from_their_share_on():
    histogram = np.array([980, 11, 9, 0]) / 1000
    assert modes_present(histogram) == 3
    assert modes_present(histogram, share=0.04) == 2
    assert modes_present(np.full(7, 1 / 7)) == 7
    with pytest.raises(ValueError, match="divide the counts by their sum"):
        modes_present([980, 11, 9, 0])
    with pytest.raises(ValueError, match="share is a part"):
        modes_present(histogram, share=1)


def test_histogram_counts_the_likeliest_class():
    rows = np.array([[0.9, 0.1, 0], [0.2, 0.5, 0.3], [0, 0.6, 0.4], [0, 1, 0]])
    np.testing.assert_allclose(class_histogram(rows), [0.25, 0.75, 0])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="pass logits through a softmax"):
        classifier_score(np.array([[2.0, -1.0]]))
    with pytest.raises(ValueError, match="pass logits through a softmax"):
        class_histogram(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match=r"matrix \(N, C\)"):
        class_histogram(np.zeros(3))
    with pytest.raises(ValueError, match="between 1 and the 2 images"):
        classifier_score(np.eye(2), splits=3)


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_a_mixture_covers_its_own_modes(name):
    points, labels = data.arrays(name, "test")
    modes = len(MIXTURES[name][0])
    assert modes_covered(points, *MIXTURES[name]) == modes
    assert high_quality(points, *MIXTURES[name]) == pytest.approx(1 - np.exp(-4.5), abs=0.005)
    assert modes_covered(points[labels < 3], *MIXTURES[name]) == 3
    assert modes_covered(points + 10, *MIXTURES[name]) == 0
    assert high_quality(points + 10, *MIXTURES[name]) == 0


def test_a_mode_counts_from_its_share_on():
    centres, deviation = MIXTURES["ring8"]
    points = np.tile(centres[0], (1000, 1))
    points[:9] = centres[1]
    assert modes_covered(points, centres, deviation) == 1
    points[:10] = centres[1]
    assert modes_covered(points, centres, deviation) == 2
