"""MIG and DCI on codes that are the factors, noise, or mixtures of them."""

import numpy as np
import pytest

from tfgan_zoo.metrics import dci, mutual_information_gap

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, 5, (3000, 3))
PURE = FACTORS[:, [2, 0, 1]] + 0.1 * RNG.uniform(size=FACTORS.shape)  # in another order
NOISE = RNG.normal(size=FACTORS.shape)
SPUN = (PURE - PURE.mean(0)) @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]


def test_mig_is_1_for_permuted_factors_and_0_for_noise():
    assert mutual_information_gap(PURE, FACTORS) == pytest.approx(1.0, abs=0.03)
    assert mutual_information_gap(NOISE, FACTORS) < 0.02
    assert mutual_information_gap(SPUN, FACTORS) < 0.4
    twice = np.concatenate([PURE, PURE], axis=1)
    assert mutual_information_gap(twice, FACTORS) == pytest.approx(0.0, abs=1e-9)  # no coordinate knows it alone


def test_dci_of_permuted_factors_of_a_rotation_and_of_noise():
    pure, spun, noise = (dci(codes, FACTORS, trees=10) for codes in (PURE, SPUN, NOISE))
    assert min(pure.values()) > 0.95
    assert spun["disentanglement"] < 0.7 * pure["disentanglement"]
    assert spun["completeness"] < 0.7 * pure["completeness"]
    assert noise["disentanglement"] < 0.05
    assert noise["informativeness"] == pytest.approx(0.2, abs=0.06)  # of five values


@pytest.mark.parametrize(
    ("codes", "factors", "sentence"),
    [
        (PURE[:5], FACTORS, "give .N, d. numbers"),
        (PURE, FACTORS.astype(float), "float64"),
        (PURE, np.zeros_like(FACTORS), "two values or more"),
        (PURE[:, :1], FACTORS, "one coordinate|at least 2 columns"),
    ],
)
def test_refuses_in_a_sentence(codes, factors, sentence):
    for metric in (mutual_information_gap, dci):
        with pytest.raises(ValueError, match=sentence):
            metric(codes, factors)
