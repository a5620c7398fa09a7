"""Fills: what is one, what is none, and where they stand."""

import numpy as np
import pytest
from hypothesis import given, settings

from backbeat.metrics import fills
from tests.metrics.strategies import first_steps, hits

BARS = np.arange(13) * 16
KICK, SNARE, HAT, LOW_TOM, CRASH = 0, 1, 2, 4, 7


def make_rock(bars=12):
    drums = np.zeros((bars, 16, 9), bool)
    drums[:, ::2, HAT] = drums[:, [0, 8], KICK] = drums[:, [4, 12], SNARE] = True
    return drums


def find(drums):
    return np.flatnonzero(fills.find_fills(drums.reshape(-1, 9), BARS)).tolist()


def test_a_roll_over_the_toms_is_a_fill():
    drums = make_rock()
    drums[7, 8:, HAT] = False
    drums[7, 10:14, LOW_TOM] = True
    assert find(drums) == [7]


def test_snares_alone_need_one_more_or_a_crash_after():
    drums = make_rock()
    drums[7, [9, 10, 11, 13], SNARE] = True
    assert find(drums) == []
    drums[8, 0, CRASH] = True
    assert find(drums) == [7]
    drums[8, 0, CRASH] = False
    drums[7, 14, SNARE] = True
    assert find(drums) == [7]


def test_a_break_before_a_crash_is_a_fill():
    drums = make_rock()
    drums[7, 9:] = False
    assert find(drums) == []
    drums[8, 0, CRASH] = True
    assert find(drums) == [7]


def test_what_is_always_played_is_no_fill():
    drums = make_rock()
    drums[:, 8:14, LOW_TOM] = True
    assert find(drums) == []
    drums[:, 0, CRASH] = True
    drums[7, [9, 10], SNARE] = True  # two extra snares lead to a crash that comes every bar
    assert find(drums) == []


def test_the_first_half_of_a_bar_leads_nowhere():
    drums = make_rock()
    drums[7, 1:8, LOW_TOM] = True
    assert find(drums) == []


def test_too_few_neighbours_make_no_pattern():
    drums = make_rock(4)
    drums[2, 8:14, LOW_TOM] = True
    assert fills.find_fills(drums.reshape(-1, 9), BARS[:5]).tolist() == [False, False, True, False]
    assert not fills.find_fills(drums[1:].reshape(-1, 9), BARS[:4]).any()


@settings(max_examples=40)
@given(hits(1))
def test_a_loop_and_silence_have_no_fills(bar):
    assert not fills.find_fills(np.tile(bar, (10, 1)), first_steps(10)).any()


@given(hits(6))
def test_silent_bars_are_never_fills(drums):
    drums[8:16] = False
    assert not fills.find_fills(drums, first_steps(6))[1]


def test_placement():
    drums = make_rock()
    for bar in (3, 7, 9):
        drums[bar, 8:14, LOW_TOM] = True
    starts = np.isin(np.arange(12), [0, 4, 8])
    figures = fills.evaluate(drums.reshape(-1, 9), BARS, starts)
    assert figures == pytest.approx({"fills": 3 / 11, "fills_before_sections": 1, "fills_elsewhere": 1 / 9, "fill_lift": 9})
    plain = fills.evaluate(make_rock().reshape(-1, 9), BARS, starts)
    assert plain["fills"] == 0 and np.isnan(plain["fill_lift"])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="must be"):
        fills.find_fills(np.zeros((16, 8), bool), np.array([0, 16]))
    with pytest.raises(ValueError, match="ascend from 0"):
        fills.find_fills(np.zeros((16, 9), bool), np.array([0, 8]))
    with pytest.raises(ValueError, match=r"\[bars\] = 12"):
        fills.evaluate(make_rock().reshape(-1, 9), BARS, np.zeros(3, bool))
