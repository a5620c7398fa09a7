"""Bars and steps to ticks and back, in every metre and resolution, without drift."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.errors import SongError
from backbeat.grid import MAX_BARS, Grid
from backbeat.units import MetreMap, TempoMap, round_half_up
from tests.midi.builders import METRES

RESOLUTIONS = (24, 48, 96, 120, 192, 220, 384, 480, 960, 1024, 30_720)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Grids with up to four metres, changing at any tick."""
    tempo = TempoMap(draw(st.sampled_from(RESOLUTIONS)))
    quarter = tempo.ticks_per_quarter
    changes = sorted({0, *draw(st.lists(st.integers(1, 40 * quarter), max_size=3))})
    metres = [draw(st.sampled_from(METRES)) for _ in changes]
    metre = MetreMap(tuple(changes), tuple(n for n, _ in metres), tuple(d for _, d in metres))
    return Grid.lay(tempo, metre, draw(st.integers(1, 60 * quarter)), draw(st.sampled_from([1, 2, 3, 4, 6])))


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
@pytest.mark.parametrize("ticks_per_quarter", RESOLUTIONS)
def test_bars_and_steps_of_every_metre(numerator: int, denominator: int, ticks_per_quarter: int) -> None:
    grid = Grid.regular(5, numerator, denominator, ticks_per_quarter=ticks_per_quarter)
    quarters = Fraction(4 * numerator, denominator)
    assert grid.bars == 5
    assert grid.bar_quarters == (quarters,) * 5
    assert grid.bar_ticks.tolist() == [round_half_up(k * quarters * ticks_per_quarter) for k in range(6)]
    assert grid.bar_steps.tolist() == [16 * numerator // denominator] * 5
    assert (grid.numerators, grid.denominators) == ((numerator,) * 5, (denominator,) * 5)
    assert grid.step_in_bar.tolist() == list(range(16 * numerator // denominator)) * 5
    assert grid.first_steps[grid.bar_of_step[-1]] == 4 * 16 * numerator // denominator


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
@pytest.mark.parametrize("ticks_per_quarter", [24, 25, 96, 220, 480, 30_720])
def test_nothing_drifts_in_3000_bars(numerator: int, denominator: int, ticks_per_quarter: int) -> None:
    grid = Grid.regular(3000, numerator, denominator, ticks_per_quarter=ticks_per_quarter)
    quarters = Fraction(4 * numerator, denominator)
    assert grid.bar_ticks[2999] == round_half_up(2999 * quarters * ticks_per_quarter)
    last = grid.step_ticks[grid.first_steps[2999] : -1]
    exact = [(2999 * quarters + Fraction(k, 4)) * ticks_per_quarter for k in range(len(last))]
    assert max(abs(int(t) - e) for t, e in zip(last, exact, strict=True)) <= 1  # a half for the bar and a half for the step
    if ticks_per_quarter % 4 == 0:
        assert last.tolist() == exact


def test_a_tempo_map_does_not_move_the_bars() -> None:
    plain = Grid.lay(TempoMap(480), MetreMap(), 480 * 4000)
    moved = Grid.lay(TempoMap(480, (0, 313, 99_999), (500_000, 333_333, 900_001)), MetreMap(), 480 * 4000)
    assert np.array_equal(plain.step_ticks, moved.step_ticks)


def test_a_metre_change_cuts_the_bar_it_falls_in() -> None:
    metre = MetreMap((0, 1920 + 600), (4, 3), (4, 4))
    grid = Grid.lay(TempoMap(480), metre, 1920 + 600 + 2 * 1440)
    assert grid.bar_ticks.tolist() == [0, 1920, 2520, 3960, 5400]
    assert grid.numerators == (4, 4, 3, 3)
    assert grid.bar_quarters[1] == Fraction(5, 4)
    assert grid.bar_steps.tolist() == [16, 5, 12, 12]


def test_a_cut_bar_ends_with_a_shorter_step() -> None:
    grid = Grid.lay(TempoMap(480), MetreMap((0, 500), (4, 4), (4, 4)), 2420)
    assert grid.step_ticks[:6].tolist() == [0, 120, 240, 360, 480, 500]
    assert grid.bar_steps.tolist() == [5, 16]
    assert grid.locate(np.array([491]))[0][0] == 5, "a hit just before the new bar belongs to it"


def test_a_metre_change_behind_the_end_is_not_reached() -> None:
    grid = Grid.lay(TempoMap(480), MetreMap((0, 50_000), (4, 3), (4, 4)), 2000)
    assert grid.bar_ticks.tolist() == [0, 1920, 3840]


def test_the_last_bar_is_whole_and_holds_the_end() -> None:
    assert Grid.lay(TempoMap(480), MetreMap(), 1920).bars == 1
    assert Grid.lay(TempoMap(480), MetreMap(), 1921).bars == 2
    assert Grid.lay(TempoMap(480), MetreMap(), 0).bars == 1


def test_bars_of_an_smpte_file_follow_its_tempi() -> None:
    tempo = TempoMap(500, (0, 4000), (500_000, 250_000), Fraction(1000))
    grid = Grid.lay(tempo, MetreMap(), 6000)
    assert grid.bar_ticks.tolist() == [0, 2000, 4000, 5000, 6000]


@given(grids())
@settings(deadline=None)
def test_every_grid_ascends_and_its_steps_lie_in_their_bars(grid: Grid) -> None:
    assert np.all(np.diff(grid.bar_ticks) > 0)
    assert np.all(np.diff(grid.step_ticks) >= 0)
    bar = grid.bar_of_step
    assert np.all((grid.step_ticks[:-1] >= grid.bar_ticks[bar]) & (grid.step_ticks[:-1] < grid.bar_ticks[bar + 1]))
    assert np.array_equal(grid.step_ticks[grid.first_steps], grid.bar_ticks)


@given(st.data(), st.sampled_from(METRES), st.sampled_from(RESOLUTIONS))
@settings(deadline=None)
def test_ticks_of_a_located_tick_lead_back(data: st.DataObject, metre: tuple[int, int], ticks_per_quarter: int) -> None:
    grid = Grid.regular(6, *metre, ticks_per_quarter=ticks_per_quarter)
    ticks = np.array(data.draw(st.lists(st.integers(0, int(grid.step_ticks[-2])), min_size=1, max_size=20)))
    steps, offsets = grid.locate(ticks)
    assert np.all((offsets >= -0.5) & (offsets < 0.5))
    back = grid.ticks(steps, offsets)
    tolerance = 0 if ticks_per_quarter % 4 == 0 else 1  # steps that are not whole ticks: a step is a tick longer than nominal
    assert np.abs(back - ticks).max() <= tolerance


@given(grids(), st.data())
@settings(deadline=None)
def test_the_tick_of_a_step_is_located_at_it(grid: Grid, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, grid.steps - 1))
    steps, offsets = grid.locate(grid.step_ticks[[step]])
    assert grid.step_ticks[steps[0]] == grid.step_ticks[step]
    assert offsets[0] == 0


def test_halves_belong_to_the_later_step() -> None:
    steps, offsets = Grid.regular(1).locate(np.array([59, 60, 61, 180]))
    assert steps.tolist() == [0, 1, 1, 2]
    assert offsets.tolist() == [59 / 120, -0.5, -59 / 120, -0.5]


def test_positive_offsets_are_late() -> None:
    grid = Grid.regular(1)
    assert grid.ticks(np.array([4, 4]), np.array([0.25, -0.25])).tolist() == [510, 450]
    steps, offsets = grid.locate(np.array([510, 450]))
    assert (steps.tolist(), offsets.tolist()) == ([4, 4], [0.25, -0.25])


def test_ticks_outside_the_piece_belong_to_its_ends() -> None:
    steps, offsets = Grid.regular(1).locate(np.array([-30, -900, 1919, 5000]))
    assert steps.tolist() == [0, 0, 15, 15]
    assert offsets[0] == -0.25
    assert np.all((offsets >= -0.5) & (offsets < 0.5))


def test_a_hit_before_bar_1_has_a_negative_tick() -> None:
    assert Grid.regular(1).ticks(np.array([0]), np.array([-0.25])).tolist() == [-30]


def test_a_grid_is_frozen() -> None:
    grid = Grid.regular(2)
    with pytest.raises(ValueError, match="read-only"):
        grid.step_ticks[0] = 1


@pytest.mark.parametrize(
    ("ticks", "density", "message"),
    [([0, 1920], 0, "at least 1"), ([0], 4, "one longer"), ([0, 0], 4, "ascend")],
)
def test_a_wrong_grid_is_refused(ticks: list[int], density: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grid(np.array(ticks), (Fraction(4),), (4,), (4,), density)


def test_a_song_of_too_many_bars_is_refused() -> None:
    with pytest.raises(SongError, match=r"40,000 bars, more than can be played \(20,000 bars"):
        Grid.lay(TempoMap(480), MetreMap(), 1920 * 2 * MAX_BARS)
    assert Grid.lay(TempoMap(24), MetreMap((0,), (1,), (4,)), 24 * MAX_BARS).bars == MAX_BARS


def test_a_song_of_too_many_steps_is_refused() -> None:
    with pytest.raises(SongError, match="200,000 steps"):
        Grid.lay(TempoMap(480), MetreMap((0,), (255,), (1,)), 480 * 60_000)


def lay_by_hand(tempo: TempoMap, metre: MetreMap, end_tick: int) -> tuple[list[int], list[Fraction]]:
    """Bar lines and lengths one bar at a time, in exact fractions of a quarter."""
    starts, quarters = [0], list[Fraction]()
    for i, tick in enumerate(metre.ticks):
        if tick >= end_tick:
            break
        last = i + 1 == len(metre.ticks) or metre.ticks[i + 1] >= end_tick
        now, stop = tempo.quarters(tick), tempo.quarters(end_tick if last else metre.ticks[i + 1])
        while now < stop:
            length = Fraction(4 * metre.numerators[i], metre.denominators[i])
            end = now + length if last else min(now + length, stop)
            if tempo.tick(end) > starts[-1]:
                starts.append(tempo.tick(end))
                quarters.append(end - now)
            now = now + length
    return starts, quarters


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([1, 2, 24, 120, 480, 32767]),
    st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 9), st.sampled_from([1, 4, 8, 64])), max_size=5),
    st.integers(1, 9000),
    st.booleans(),
)
def test_bars_lie_where_exact_fractions_put_them(division: int, changes: list[tuple[int, int, int]], end: int, smpte: bool) -> None:
    ticks = np.cumsum([0, *(c[0] for c in changes)]).tolist()
    metre = MetreMap(tuple(ticks), (4, *(c[1] for c in changes)), (4, *(c[2] for c in changes)))
    tempo = TempoMap(500, (0, 777), (400_000, 700_001), Fraction(1000)) if smpte else TempoMap(division)
    grid = Grid.lay(tempo, metre, end)
    starts, quarters = lay_by_hand(tempo, metre, end)
    assert grid.bar_ticks.tolist() == starts
    assert list(grid.bar_quarters) == [q.limit_denominator(1 << 20) for q in quarters]
    assert grid.bar_of_step.tolist() == np.repeat(np.arange(grid.bars), grid.bar_steps).tolist()
    assert grid.step_in_bar.tolist() == [k for n in grid.bar_steps.tolist() for k in range(n)]
    exact = [float(Fraction(b - a) / (q * 4)) for (a, b), q in zip(pairwise(starts), quarters, strict=True)]
    assert grid.step_lengths.tolist() == pytest.approx(np.repeat(exact, grid.bar_steps), rel=1e-5 if smpte else 0)


def test_equal_bars_are_one_kind() -> None:
    grid = Grid.lay(TempoMap(480), MetreMap((0, 5 * 1920, 5 * 1920 + 3 * 1440), (4, 3, 4), (4, 4, 4)), 20_000)
    kinds, kind = grid.quarter_kinds
    assert [kinds[k] for k in kind] == list(grid.bar_quarters)
    assert len(kinds) == 3


def test_too_many_metres_are_refused_before_they_are_laid() -> None:
    count = MAX_BARS + 1
    with pytest.raises(SongError, match="more than can be played"):
        Grid.lay(TempoMap(480), MetreMap(tuple(range(count)), (4,) * count, (4,) * count), count)
