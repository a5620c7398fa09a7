"""Rounding, and the maps between ticks, quarters and seconds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.units import MetreMap, TempoMap, divide_rounded, round_half_up


@st.composite
def tempo_maps(draw: st.DrawFn) -> TempoMap:
    gaps = draw(st.lists(st.integers(1, 50_000), max_size=6))
    ticks = tuple(int(t) for t in np.cumsum([0, *gaps]))
    tempi = tuple(draw(st.integers(1, 0xFFFFFF)) for _ in ticks)
    rate = draw(st.sampled_from([None, Fraction(1000), Fraction(30_000, 1001) * 80]))
    return TempoMap(draw(st.sampled_from([24, 96, 480, 960, 30_720])), ticks, tempi, rate)


@pytest.mark.parametrize(("value", "expected"), [(0.5, 1), (1.5, 2), (2.5, 3), (-0.5, 0), (-1.5, -1), (2.4, 2), (-2.6, -3)])
def test_halves_are_rounded_up_unlike_pythons_round(value: float, expected: int) -> None:
    assert round_half_up(value) == expected
    assert round_half_up(Fraction(value)) == expected


def test_rounding_a_fraction_is_exact_where_floats_end() -> None:
    assert round_half_up(Fraction(2**60 + 1, 2)) == 2**59 + 1


@given(st.integers(-(2**40), 2**40), st.integers(1, 2**20))
def test_dividing_integers_rounds_as_fractions_do(numerator: int, denominator: int) -> None:
    got = divide_rounded(np.array([numerator]), np.array([denominator]))
    assert got.dtype == np.int64
    assert got[0] == round_half_up(Fraction(numerator, denominator))


def test_seconds_are_integrated_over_the_tempi() -> None:
    tempo = TempoMap(480, (0, 960, 1440), (500_000, 1_000_000, 250_000))
    assert [tempo.seconds(t) for t in (0, 240, 960, 1440, 1920)] == [0, 0.25, 1.0, 2.0, 2.25]
    assert [tempo.qpm(t) for t in (0, 959, 960, 5000)] == [120, 120, 60, 240]


def test_quarters_of_a_metrical_file_do_not_depend_on_tempo() -> None:
    tempo = TempoMap(96, (0, 7), (500_000, 123_457))
    assert tempo.quarters(97) == Fraction(97, 96)
    assert tempo.tick(Fraction(97, 96)) == 97


def test_ticks_of_an_smpte_file_are_time() -> None:
    tempo = TempoMap(500, (0, 1000), (500_000, 250_000), Fraction(1000))
    assert tempo.seconds(1500) == 1.5
    assert tempo.quarters(1000) == 2
    assert tempo.quarters(1500) == 4
    assert tempo.tick(Fraction(4)) == 1500


def test_drop_frame_rates_are_exact() -> None:
    rate = Fraction(30_000, 1001) * 80
    tempo = TempoMap(1199, (0,), (500_000,), rate)
    assert tempo.quarters(2_400_000) == Fraction(2_400_000) / rate * 2
    assert tempo.seconds(2_400_000) == 1001.0


@given(tempo_maps(), st.integers(0, 10**7))
def test_quarters_lead_back_to_their_tick(tempo: TempoMap, tick: int) -> None:
    assert tempo.tick(tempo.quarters(tick)) == tick


@given(tempo_maps(), st.integers(0, 10**6), st.integers(1, 1000))
def test_time_only_runs_forwards(tempo: TempoMap, tick: int, more: int) -> None:
    assert tempo.seconds(tick + more) > tempo.seconds(tick) >= 0
    assert tempo.quarters(tick + more) > tempo.quarters(tick)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "positive resolution"),
        ((480, (1,), (500_000,)), "first at tick 0"),
        ((480, (), ()), "first at tick 0"),
        ((480, (0, 5), (500_000,)), "one tempo per tick"),
        ((480, (0,), (0,)), "tempi must be positive"),
        ((480, (0, 5, 5), (1, 1, 1)), "ascending"),
    ],
)
def test_a_wrong_tempo_map_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TempoMap(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1,), (4,), (4,)), "ascend from 0"),
        (((0, 0), (4, 4), (4, 4)), "ascend from 0"),
        (((0,), (4, 3), (4,)), "one numerator"),
        (((0,), (0,), (4,)), "positive"),
        (((0,), (4,), (6,)), "powers of two"),
    ],
)
def test_a_wrong_metre_map_is_refused(arguments: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MetreMap(*arguments)
