"""Nominal places are found on any subdivision, typed in or played, at any tempo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.places import STRAIGHT, Places, Swing, find_places, lay_metre, warp

BARS = 8
PATTERNS = {
    "8ths": (np.arange(8) / 2, 4, 4),
    "16ths": (np.arange(16) / 4, 4, 4),
    "triplets": (np.arange(12) / 3, 4, 4),
    "a fill of 32nds": (np.array([*np.arange(6) / 2, *(3 + np.arange(8) / 8)]), 4, 4),
    "16ths, then triplets": (np.array([0, 0.25, 0.5, 0.75, 1, 4 / 3, 5 / 3, 2, 2.5, 3, 3.25, 3.5, 3.75]), 4, 4),
    "3/4": (np.arange(6) / 2, 3, 4),
    "5/4": (np.arange(20) / 4, 5, 4),
    "6/8": (np.arange(6) / 2, 6, 8),
    "12/8 in 16ths": (np.arange(24) / 4, 12, 8),
    "7/8 in 16ths": (np.arange(14) / 4, 7, 8),
    "2/2": (np.arange(8) / 2, 2, 2),
}


def hear(pattern: np.ndarray, numerator: int, denominator: int, qpm: float, spread: float, late: float = 0.0) -> tuple[Places, np.ndarray]:
    """Places found of a pattern that repeats, played with a spread; and where its strokes were meant, by time of playing."""
    length = 4 * numerator / denominator
    meant = np.concatenate([b * length + pattern for b in range(BARS)])
    played = meant + (np.random.default_rng(5).normal(0, spread, len(meant)) + late) * qpm / 60_000
    order = np.argsort(played, kind="stable")
    metre = lay_metre(np.arange(BARS + 2) * length, (numerator,) * (BARS + 1), (denominator,) * (BARS + 1))
    return find_places(metre, played[order], np.full(len(meant), float(qpm))), meant[order]


def is_right(found: Places, meant: np.ndarray, bar: float) -> float:
    return float(np.mean(np.abs(found.bars * bar + found.places - meant) < 0.01))


@pytest.mark.parametrize("qpm", [40, 120, 280])
@pytest.mark.parametrize("name", PATTERNS)
def test_typed_in_drums_lie_where_they_were_typed(name, qpm):
    pattern, numerator, denominator = PATTERNS[name]
    found, meant = hear(pattern, numerator, denominator, qpm, 0)
    assert is_right(found, meant, 4 * numerator / denominator) == 1
    assert found.swing == STRAIGHT and found.aligned


@pytest.mark.parametrize("qpm", [40, 90, 120])
@pytest.mark.parametrize("name", PATTERNS)
def test_played_drums_lie_where_they_were_meant(name, qpm):
    pattern, numerator, denominator = PATTERNS[name]
    found, meant = hear(pattern, numerator, denominator, qpm, 9, late=-12)
    assert is_right(found, meant, 4 * numerator / denominator) > 0.985
    assert found.spread_ms == pytest.approx(9, rel=0.35)


@pytest.mark.parametrize(("of", "percent"), [(8, 58), (8, 62), (8, 200 / 3), (8, 72), (16, 56), (16, 60), (16, 66)])
@pytest.mark.parametrize("spread", [0, 7])
def test_swing_is_found_and_taken_out(of, percent, spread):
    swing = Swing(of, percent)
    notated = np.arange(8) / 2 if of == 8 else np.arange(16) / 4
    found, _ = hear(warp(notated, swing), 4, 4, 100, spread)
    assert found.swing.of == of
    assert found.swing.percent == pytest.approx(percent, abs=0.001 if not spread else 1)
    assert np.allclose(np.sort(found.bars * 4 + found.straight), np.concatenate([b * 4 + notated for b in range(BARS)]))


def test_a_shuffle_with_a_triplet_now_and_then_keeps_its_triplets():
    pattern = np.array([0, 2 / 3, 1, 5 / 3, 2, 8 / 3, 3, 10 / 3, 11 / 3])
    found, meant = hear(pattern, 4, 4, 120, 5)
    assert found.swing.of == 8 and is_right(found, meant, 4) > 0.98
    assert np.isclose(found.straight, 10 / 3).sum() == BARS and np.isclose(found.straight, 2.5).sum() == BARS


def test_a_stroke_just_before_the_bar_belongs_to_the_bar():
    metre = lay_metre(np.array([0.0, 4, 8]), (4, 4), (4, 4))
    found = find_places(metre, np.array([0.0, 1, 2, 3, 3.98]), np.full(5, 120.0))
    assert found.bars.tolist() == [0, 0, 0, 0, 1] and found.places[-1] == 0


def test_cut_bars_and_changing_metres():
    metre = lay_metre(np.array([0.0, 4, 5.5, 8.5]), (4, 4, 6), (4, 4, 8))
    quarters = np.array([0, 1, 2, 3, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8.0])
    found = find_places(metre, quarters, np.full(13, 120.0))
    assert np.allclose(metre.bar_starts[found.bars] + found.places, quarters)
    assert found.bars.tolist() == [0] * 4 + [1] * 3 + [2] * 6


def test_drums_that_know_no_bars_stay_where_they_are():
    quarters = np.sort(np.random.default_rng(1).uniform(0, 200, 400))
    metre = lay_metre(np.arange(52) * 4.0, (4,) * 51, (4,) * 51)
    found = find_places(metre, quarters, np.full(400, 120.0))
    assert not found.aligned and np.allclose(found.bars * 4 + found.places, quarters)


def test_nothing_is_found_of_nothing():
    metre = lay_metre(np.array([0.0, 4]), (4,), (4,))
    found = find_places(metre, np.zeros(0), np.zeros(0))
    assert len(found.bars) == 0 and found.swing == STRAIGHT


@given(st.sampled_from([8, 16]), st.floats(50, 75), st.lists(st.floats(0, 12), min_size=2, max_size=20))
def test_swing_keeps_order_and_pairs(of, percent, quarters):
    straight = np.sort(np.array(quarters))
    swung = warp(straight, Swing(of, percent))
    assert (np.diff(swung) >= -1e-9).all()
    assert np.allclose(warp(np.arange(12) * 8 / of, Swing(of, percent)), np.arange(12) * 8 / of)
    assert np.allclose(warp((np.arange(12) + 0.5) * 8 / of, Swing(of, percent)), (np.arange(12) + percent / 100) * 8 / of)
    assert np.array_equal(warp(straight, STRAIGHT), straight)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 40), max_size=60), st.sampled_from([40.0, 120.0, 280.0]), st.sampled_from([(4, 4), (7, 8), (6, 8), (3, 2), (5, 16)]))
def test_any_strokes_get_a_place_in_order_of_bars(quarters, qpm, metre):
    played = np.sort(np.array(quarters))
    length = 4 * metre[0] / metre[1]
    bars = int(40 // length) + 2
    found = find_places(lay_metre(np.arange(bars + 1) * length, (metre[0],) * bars, (metre[1],) * bars), played, np.full(len(played), qpm))
    assert (np.diff(found.bars) >= 0).all() and (found.places >= 0).all() and (found.straight <= length + 1e-6).all()
    assert np.abs(found.bars * length + found.places - played).max(initial=0) <= 0.6
