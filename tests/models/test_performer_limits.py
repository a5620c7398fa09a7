"""What keeps a performance playable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.models.performer_limits import LATEST_MS, bound_lateness, find_graces, follow_mains, measure_times
from tests.performing import make_rock, make_strokes


def test_bounds_are_half_of_the_way_to_the_next_place() -> None:
    strokes = make_strokes([0, 1, 1.125, 3], ["kick"] * 4, qpm=120)
    bounds = bound_lateness(strokes, find_graces(strokes))
    np.testing.assert_allclose(bounds, [LATEST_MS, 31.25, 31.25, LATEST_MS])


@given(st.lists(st.floats(0, 16, allow_subnormal=False), min_size=1, max_size=30), st.sampled_from([20.0, 120.0, 999.0]), st.integers(0, 9))
def test_within_bounds_places_keep_their_order(places: list[float], qpm: float, seed: int) -> None:
    strokes = make_strokes(places, ["snare"] * len(places), qpm=qpm)
    graces = find_graces(strokes)
    bounds = bound_lateness(strokes, graces)
    late = bounds * np.random.default_rng(seed).uniform(-1, 1, len(bounds))
    plain = np.setdiff1d(np.arange(len(strokes)), graces.strokes)
    nominal, struck = measure_times(strokes)[plain], (measure_times(strokes) + late)[plain]
    apart = np.diff(nominal) > 1e-3
    assert np.all(np.diff(struck)[apart] >= -1e-6)


def test_flams_are_found_and_rolls_are_not() -> None:
    strokes = make_strokes([0, 1, 1, 2, 2], ["snare"] * 3 + ["kick", "snare"], late=[0, -20, 0, 0, 0], velocity=[0.5, 0.3, 0.9, 0.5, 0.5])
    graces = find_graces(strokes)
    assert (graces.strokes.tolist(), graces.mains.tolist()) == ([1], [2])
    roll = make_strokes([i / 16 for i in range(16)], ["snare"] * 16, qpm=120)
    assert not len(find_graces(roll).strokes), "31 ms apart, but no end of them"
    assert not len(find_graces(make_rock()).strokes)


def test_grace_notes_follow_their_main_stroke() -> None:
    strokes = make_strokes([1, 1], ["snare"] * 2, late=[-20, 0], velocity=[0.3, 0.9])
    late, velocities = follow_mains(strokes, np.array([50.0, 10.0]), np.array([0.9, 0.6]), find_graces(strokes))
    assert late.tolist() == [-10, 10] and velocities.tolist() == pytest.approx([0.2, 0.6])


def test_nothing_has_no_bounds() -> None:
    nothing = make_strokes([], [])
    assert bound_lateness(nothing, find_graces(nothing)).shape == (0,)
