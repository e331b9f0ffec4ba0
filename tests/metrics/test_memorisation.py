"""A copied training set fails the tests of memorisation, a held-out set passes, a poor model passes from above."""

import numpy as np
import pytest

from tfgan_zoo import data
from tfgan_zoo.metrics import authenticity, data_copying


@pytest.fixture(scope="module")
def sets():
    images = np.concatenate([data.arrays("digits", split)[0] for split in ("train", "validation", "test")])
    rows = np.random.default_rng(0).permutation(images.reshape(len(images), -1) / 127.5 - 1)
    return rows[:900], rows[900:1300], rows[1300:1700]  # train, held out, and a perfect model


def test_a_copied_training_set_fails_and_a_held_out_set_passes(sets):
    train, held_out, fresh = sets
    share, p_value = data_copying(train, held_out, fresh)
    assert 0.45 < share < 0.55
    assert p_value > 0.05
    assert data_copying(train, held_out, train) == pytest.approx((1, 0), abs=1e-9)
    noise = 0.02 * np.random.default_rng(1).normal(size=(400, 64))
    assert data_copying(train, held_out, train[:400] + noise)[1] < 1e-9
    mixed = np.concatenate([train[:100], fresh[100:]])  # one copy in four
    assert data_copying(train, held_out, mixed)[1] < 1e-3


def test_a_model_that_underfits_does_not_copy(sets):
    train, held_out, fresh = sets
    share, p_value = data_copying(train, held_out, fresh + 0.5)
    assert share < 0.1
    assert p_value > 0.99


def test_the_share_counts_pairs():
    train = np.zeros((3, 1))
    share, _ = data_copying(train, [[1.0], [3.0]], [[2.0], [2.0], [4.0], [3.0]])
    assert share == pytest.approx((0 + 1 + 0 + 1 + 0 + 0 + 0 + 0.5) / 8)  # a tie is half a win


def test_authenticity(sets):
    train, _, fresh = sets
    assert authenticity(train, train[:300]) == 0
    assert authenticity(train, fresh) > 0.3
    assert authenticity(train, fresh + 2) == 1
    half = np.concatenate([fresh[:200] + 2, train[:200]])
    assert authenticity(train, half) == 0.5


def test_authenticity_by_hand():
    train = np.array([[0.0], [1.0], [5.0]])  # nearest others at 1, 1 and 4
    assert authenticity(train, [[0.5], [2.1], [8.0], [10.0]]) == pytest.approx(0.5)


def test_bad_input_is_named(sets):
    train, held_out, fresh = sets
    with pytest.raises(ValueError, match="64 features per image and fake 63"):
        data_copying(train, held_out, fresh[:, 1:])
    with pytest.raises(ValueError, match="held_out contains NaN"):
        data_copying(train, held_out * np.nan, fresh)
    with pytest.raises(ValueError, match="fake must be a matrix"):
        authenticity(train, fresh[0])
