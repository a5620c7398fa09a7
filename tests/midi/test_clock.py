"""The tempo map as arrays agrees with the exact one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backbeat.midi.clock import Clock
from backbeat.units import TempoMap

tempi = st.lists(st.tuples(st.integers(1, 2000), st.integers(200_000, 1_500_000)), max_size=6)
divisions = st.sampled_from([None, Fraction(1000), Fraction(30_000, 1001) * 80])


def make_map(changes: list[tuple[int, int]], rate: Fraction | None) -> TempoMap:
    ticks = np.cumsum([0, *(gap for gap, _ in changes)]).tolist()
    return TempoMap(480 if rate is None else round(rate / 2), tuple(ticks), (500_000, *(us for _, us in changes)), rate)


@given(tempi, divisions, st.lists(st.integers(0, 20_000), min_size=1, max_size=20))
def test_seconds_and_quarters_are_those_of_the_map(changes, rate, ticks):
    tempo = make_map(changes, rate)
    clock, at = Clock(tempo), np.array(ticks)
    assert np.allclose(clock.seconds(at), [tempo.seconds(t) for t in ticks], atol=1e-9)
    assert np.allclose(clock.quarters(at), [float(tempo.quarters(t)) for t in ticks], atol=1e-9)
    assert np.allclose(clock.qpm(at), [tempo.qpm(t) for t in ticks])


@given(tempi, divisions, st.lists(st.floats(-2, 60), min_size=1, max_size=20))
def test_ticks_invert_seconds(changes, rate, seconds):
    clock, at = Clock(make_map(changes, rate)), np.array(seconds)
    assert np.allclose(clock.seconds(clock.ticks(at)), at, atol=1e-9)
    assert np.allclose(clock.quarters(clock.ticks(clock.seconds_at(at))), at, atol=1e-7)


def test_the_length_of_a_tick():
    clock = Clock(TempoMap(480, (0, 960), (500_000, 1_000_000)))
    assert np.allclose(clock.tick_ms(np.array([0, 959, 960])), [500 / 480, 500 / 480, 1000 / 480])
