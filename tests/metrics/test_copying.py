"""Copy predictors: a loop is copied perfectly, the first bars are not asked."""

import numpy as np
import pytest
from hypothesis import given

from backbeat.metrics import copying
from tests.metrics.strategies import first_steps, hits


@given(hits(1))
def test_a_loop_is_copied_perfectly(bar):
    figures = copying.evaluate([np.tile(bar, (6, 1))], [first_steps(6)])
    assert figures["step_accuracy_1"] == figures["step_accuracy_4"] == 1
    assert figures["onset_f1_1"] == figures["onset_f1_4"] == (1 if bar.any() else 0)


@given(hits(6))
def test_figures_are_shares(drums):
    assert all(0 <= v <= 1 for v in copying.evaluate([drums], [first_steps(6)]).values())


def test_bars_that_change_every_time_are_found_two_back():
    drums = np.zeros((32, 9), bool)
    drums[[0, 16], 0] = drums[[9, 25], 1] = True
    figures = copying.evaluate([drums], [first_steps(4)], backs=(1, 2))
    assert figures["onset_f1_1"] == 0 and figures["onset_f1_2"] == 1
    assert figures["step_accuracy_1"] == pytest.approx(18 / 24)


def test_steps_the_earlier_bar_lacks_are_left_out():
    steps, sources = copying.find_sources(np.array([0, 6, 14]), 1)
    assert steps.tolist() == [6, 7, 8, 9, 10, 11] and sources.tolist() == [0, 1, 2, 3, 4, 5]


def test_too_short_a_piece_is_nan():
    assert np.isnan(copying.evaluate([np.ones((16, 9), bool)], [first_steps(2)])["step_accuracy_4"])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="ascend from 0"):
        copying.evaluate([np.zeros((8, 9), bool)], [np.array([0, 4])])
    with pytest.raises(ValueError, match="cannot copy itself"):
        copying.find_sources(np.array([0, 4]), 0)
    with pytest.raises(ValueError, match="no piece"):
        copying.evaluate([], [])
