"""Calibration: an honest oracle is calibrated, boasting is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.metrics import calibration
from tests.metrics.strategies import samples


@given(samples(0, 1), st.integers(1, 20))
def test_errors_are_bounded_and_certainty_that_is_right_is_perfect(probabilities, bins):
    hits = probabilities > 0.5
    assert 0 <= calibration.calibration_error(probabilities, hits, bins) <= 1
    assert calibration.reliability(probabilities, hits, bins).counts.sum() == len(hits)
    assert calibration.evaluate(hits.astype(float), hits, bins)["calibration_error"] == 0
    assert calibration.brier_score(hits.astype(float), hits) == 0
    assert calibration.brier_score(1.0 - hits, hits) == 1


@given(samples(0, 1), st.integers(0, 99))
def test_the_order_of_cells_does_not_matter(probabilities, seed):
    hits = probabilities > 0.4
    order = np.random.default_rng(seed).permutation(len(hits))
    first, second = calibration.evaluate(probabilities, hits), calibration.evaluate(probabilities[order], hits[order])
    assert first == pytest.approx(second)


def test_a_probability_that_happens_as_often_as_it_says():
    probabilities = np.repeat([0.25, 0.75], 8).reshape(4, 4)
    hits = np.array([i % 4 == 0 for i in range(8)] + [i % 4 != 0 for i in range(8)]).reshape(4, 4)
    assert calibration.calibration_error(probabilities, hits) == 0
    assert calibration.calibration_error(probabilities * 0 + 0.9, hits) == pytest.approx(0.4)


def test_empty_bins_are_nan_and_silence_does_not_win_the_brier_score():
    hits = np.array([True, True, False, False])
    curve = calibration.reliability(np.array([0.9, 0.9, 0.1, 0.1]), hits)
    assert curve.counts[[0, 8]].tolist() == [2, 2] and np.isnan(curve.predicted[4]) and np.isnan(curve.happened[4])
    assert calibration.brier_score(np.zeros(4), hits) > calibration.brier_score(np.full(4, 0.5), hits)


@pytest.mark.parametrize(
    ("probabilities", "hits", "message"),
    [
        (np.zeros(3), np.zeros(2, bool), "one shape"),
        (np.zeros(0), np.zeros(0, bool), "an entry"),
        (np.full(2, 1.1), np.zeros(2, bool), "lie in 0-1"),
        (np.full(2, np.nan), np.zeros(2, bool), "lie in 0-1"),
        (np.zeros(2), np.zeros(2), "must be bool"),
    ],
)
def test_what_does_not_fit_is_refused(probabilities, hits, message):
    with pytest.raises(ValueError, match=message):
        calibration.calibration_error(probabilities, hits)
