"""Wishes: what is asked for where, and where fills belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.asking import Wishes, plan_fills, suggest_fills
from backbeat.cues import hear
from backbeat.errors import InputError
from backbeat.midi import parse_song
from tests.midi.builders import band_song

STARTS = st.integers(1, 80).flatmap(lambda n: st.lists(st.booleans(), min_size=n, max_size=n)).map(np.array)


def test_what_is_not_asked_stays_undecided() -> None:
    wishes = Wishes.nothing(4).ask([1, 2], density=0.8, style="jazz").ask([2], density=0.1, fill=True)
    assert np.isnan(wishes.density).tolist() == [True, False, False, True]
    assert wishes.density[1:3].tolist() == pytest.approx([0.8, 0.1])
    assert wishes.styles == ("any", "jazz", "jazz", "any")
    assert np.isnan(wishes.intensity).all() and np.isnan(wishes.fills).tolist() == [True, True, False, True] and wishes.fills[2] == 1
    assert wishes.ask(fill=False).fills.tolist() == [0] * 4


def test_a_style_of_the_whole_goes_where_no_other_is_said() -> None:
    wishes = Wishes.nothing(3).ask([1], style="jazz").with_style("rock")
    assert wishes.styles == ("rock", "jazz", "rock")
    wishes.check(3, ("any", "rock", "jazz"))
    with pytest.raises(InputError, match="no style 'jazz'"):
        wishes.check(3, ("any", "rock"))
    with pytest.raises(InputError, match="for 3 bars, but there are 4"):
        wishes.check(4, ("any", "rock", "jazz"))


@pytest.mark.parametrize("options", [{"density": 1.1}, {"intensity": -0.1}, {"density": float("nan")}])
def test_wishes_outside_0_to_1_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(options))} must lie in 0-1"):
        Wishes.nothing(2).ask(**options)  # type: ignore[arg-type]
    if not np.isnan(next(iter(options.values()))):
        level = np.full(2, next(iter(options.values())), np.float32)
        nothing = np.full(2, np.nan, np.float32)
        arrays = {"density": nothing, "intensity": nothing} | dict.fromkeys(options, level)
        with pytest.raises(InputError, match="must lie in 0-1"):
            Wishes(arrays["density"], arrays["intensity"], nothing, ("any", "any"))


def test_bars_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"no bar 5: there are bars 1-4"):
        Wishes.nothing(4).ask([4], density=0.5)
    with pytest.raises(InputError, match=r"no bar 0: there are bars 1-4"):
        Wishes.nothing(4).ask([-1], density=0.5)
    nothing = np.full(3, np.nan, np.float32)
    with pytest.raises(InputError, match="density must be said for each of 2 bars"):
        Wishes(nothing, nothing[:2], nothing[:2], ("any",) * 2)


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_an_amount_outside_0_to_1_is_refused(amount: float) -> None:
    with pytest.raises(InputError, match="amount of fills must lie in 0-1"):
        plan_fills(amount, np.zeros(8, np.bool_))


def test_fills_go_to_ends_of_sections_then_of_phrases() -> None:
    starts = np.zeros(32, np.bool_)
    starts[[0, 12, 20]] = True
    assert np.flatnonzero(plan_fills(2 / 16, starts)).tolist() == [11, 19]
    assert np.flatnonzero(plan_fills(4 / 16, starts)).tolist() == [7, 11, 19, 27]
    assert not plan_fills(0, starts).any() and plan_fills(1, starts).sum() == 16


@given(STARTS, st.floats(0, 1), st.floats(0, 1))
def test_more_fills_are_the_same_and_others(starts: np.ndarray, one: float, other: float) -> None:
    few, many = (plan_fills(a, starts) for a in sorted((one, other)))
    assert not (few & ~many).any()
    assert abs(int(many.sum()) - max(one, other) * len(starts) / 2) <= 0.5 + 1e-6


@given(STARTS, st.floats(0, 1), st.data())
def test_fills_are_asked_for_only_among_some_bars(starts: np.ndarray, amount: float, data: st.DataObject) -> None:
    bars = data.draw(st.sets(st.integers(0, len(starts) - 1)))
    before = Wishes.nothing(len(starts)).ask([0], fill=True)
    fills = before.ask_fills(amount, starts, bars).fills
    inside = np.isin(np.arange(len(starts)), list(bars))
    assert np.isin(fills[inside], [0, 1]).all()
    assert np.array_equal(fills[~inside], before.fills[~inside], equal_nan=True)


def test_fills_are_suggested_only_where_nothing_is_said() -> None:
    song = parse_song(band_song(32))
    cues = hear(song, song.grid())
    suggested = suggest_fills(Wishes.nothing(32), cues).fills
    assert np.isin(np.flatnonzero(suggested == 1) % 4, [3]).all() or cues.section_starts.sum() > 1
    assert 0 < np.count_nonzero(suggested == 1) < 8 and np.isnan(suggested[suggested != 1]).all()
    for said in (Wishes.nothing(32).ask([3], fill=True), Wishes.nothing(32).ask(fill=False)):
        assert suggest_fills(said, cues) is said
