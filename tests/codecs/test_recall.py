"""What is remembered of a take: only what was played, and the same whether asked step by step or at once."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.recall import CLASSES, NO_WORD, REFERENCES, Memory, find_reference_bars, recall, recall_bars
from backbeat.features import find_matches
from backbeat.grid import Grid
from backbeat.units import MetreMap, TempoMap

MIXED = Grid.lay(TempoMap(480), MetreMap((0, 4 * 1920, 4 * 1920 + 4 * 1440), (4, 3, 4), (4, 4, 4)), 8 * 1920 + 4 * 1440)
"""Four bars of 4/4, four of 3/4, four of 4/4."""


def no_matches(grid: Grid) -> np.ndarray:
    return np.full((grid.bars, 2), -1, np.int64)


def make_words(seed: int, steps: int, kinds: int = 512) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, kinds, steps).astype(np.uint16)


def test_references_point_one_two_four_and_eight_bars_back() -> None:
    grid = Grid.regular(10)
    words = np.arange(grid.steps).astype(np.uint16)
    known = recall(words, grid, no_matches(grid)).words.astype(np.int64)
    assert known[9 * 16 + 3].tolist() == [8 * 16 + 3, 7 * 16 + 3, 5 * 16 + 3, 16 + 3, NO_WORD, NO_WORD, NO_WORD]
    assert np.all(known[:16] == NO_WORD)


def test_bars_of_another_length_are_no_reference() -> None:
    bars = find_reference_bars(MIXED, no_matches(MIXED))
    assert bars[:, 0].tolist() == [-1, 0, 1, 2, -1, 4, 5, 6, -1, 8, 9, 10]
    assert bars[:, 2].tolist() == [-1] * 12
    assert bars[:, 3].tolist() == [-1] * 8 + [0, 1, 2, 3]


def test_matches_are_references_too() -> None:
    grid = Grid.regular(4)
    matches = no_matches(grid)
    matches[3] = 0, 1
    words = np.arange(grid.steps).astype(np.uint16)
    assert recall(words, grid, matches).words[3 * 16 + 5, 4:6].tolist() == [5, 21]


def test_the_word_behind_the_same_words_is_remembered() -> None:
    grid = Grid.regular(4)
    phrase = [1, 2, 3, 4, 5, 6, 77]
    words = np.zeros(grid.steps, np.uint16)
    words[3:10], words[40:46] = phrase, phrase[:6]
    assert recall(words, grid, no_matches(grid)).words[46, 6] == 77


def test_a_longer_repetition_goes_before_a_shorter() -> None:
    grid = Grid.regular(8)
    long = list(range(100, 116))
    words = make_words(0, grid.steps, 90)
    words[:17] = [*long, 7]
    words[30:37] = [*long[-6:], 8]
    words[60:76] = long
    assert recall(words, grid, no_matches(grid)).words[76, 6] == 7
    words[60] = 3
    assert recall(words, grid, no_matches(grid)).words[76, 6] == 8, "six words agree: the latest place counts"


def test_agreement_grows_where_a_reference_is_right() -> None:
    grid = Grid.regular(6)
    words = np.tile(make_words(1, 16), 6)
    agreement = recall(words, grid, no_matches(grid)).agreement.astype(int)
    assert agreement[0].tolist() == [128] * len(REFERENCES)
    assert agreement[17, 0] > 128 and agreement[-1, 0] > 250
    assert agreement[-1, 4] == 128, "a reference that never pointed anywhere keeps its doubt"


def test_agreement_shrinks_where_a_reference_is_wrong() -> None:
    grid = Grid.regular(3)
    words = np.repeat(np.array([1, 2, 3], np.uint16), 16)
    assert recall(words, grid, no_matches(grid)).agreement[-1, 0] < 30


def test_habit_is_a_running_mean_per_place() -> None:
    grid = Grid.regular(5)
    words = np.zeros(grid.steps, np.uint16)
    words[[0, 16, 48]] = 0b11, 0b01, 0b01
    habit = recall(words, grid, no_matches(grid)).habit[::16].astype(int)
    assert habit[:, 0].tolist() == [0, 255, 255, 170, 191]  # 0, 1, 2/2, 2/3, 3/4
    assert habit[:, 1].tolist() == [0, 255, 128, 85, 64]
    assert not habit[:, 2:].any()


def test_habit_forgets_slowly_after_many_bars() -> None:
    grid = Grid.regular(40)
    words = np.zeros(grid.steps, np.uint16)
    words[: 20 * 16 : 16] = 1
    habit = recall(words, grid, no_matches(grid)).habit[::16, 0] / 255
    assert habit[20] == 1
    assert habit[21] == pytest.approx(0.85, abs=0.003)
    assert habit[39] == pytest.approx(0.85**19, abs=0.004)


def test_each_bar_length_has_its_own_habit() -> None:
    words = np.zeros(MIXED.steps, np.uint16)
    words[MIXED.first_steps[:4]] = 1
    habit = recall(words, MIXED, no_matches(MIXED)).habit
    assert habit[MIXED.first_steps[4], 0] == 0
    assert habit[MIXED.first_steps[8], 0] == 255


@given(st.integers(0, 2**32), st.sampled_from([2, 9, 512]))
@settings(deadline=None, max_examples=8)
def test_playing_step_by_step_remembers_the_same(seed: int, kinds: int) -> None:
    grid = MIXED
    rng = np.random.default_rng(seed)
    matches, _ = find_matches(rng.random((grid.bars, 4), dtype=np.float32), grid.bar_steps)
    words = make_words(seed, grid.steps, kinds)
    whole, memory = recall(words, grid, matches), Memory(grid, matches)
    for step, word in enumerate(words.tolist()):
        known, agreement, habit = memory.look()
        assert known == whole.words[step].tolist()
        assert agreement == whole.agreement[step].tolist()
        assert np.array_equal(habit, whole.habit[step])
        memory.push(word)


@st.composite
def takes(draw: st.DrawFn) -> tuple[Grid, np.ndarray, np.ndarray]:
    """A grid of bars of several lengths, words that repeat at some distance, and earlier bars (some of the wrong length) as matches."""
    lengths = draw(st.lists(st.sampled_from([1, 3, 8, 16]), min_size=1, max_size=24))
    grid = Grid(np.cumsum([0, *(120 * n for n in lengths)]), tuple(Fraction(n, 4) for n in lengths), (4,) * len(lengths), (4,) * len(lengths))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    words = np.resize(rng.integers(0, draw(st.sampled_from([1, 2, 512])), draw(st.integers(1, 40))), grid.steps).astype(np.uint16)
    words[rng.random(grid.steps) < draw(st.sampled_from([0, 0.05]))] = 511
    matches = np.array([[rng.integers(-1, bar), rng.integers(-1, bar)] if bar else [-1, -1] for bar in range(grid.bars)], np.int64)
    return grid, words, matches


@given(takes())
@settings(deadline=None, max_examples=40)
def test_any_bars_are_remembered_as_step_by_step(take: tuple[Grid, np.ndarray, np.ndarray]) -> None:
    grid, words, matches = take
    whole, memory = recall(words, grid, matches), Memory(grid, matches)
    for step, word in enumerate(words.tolist()):
        known, agreement, habit = memory.look()
        assert (known, agreement) == (whole.words[step].tolist(), whole.agreement[step].tolist())
        assert np.array_equal(habit, whole.habit[step])
        memory.push(word)
    bars = recall_bars(words, grid.bar_steps.astype(np.int32), matches.astype(np.int32))
    assert np.array_equal(bars.words, whole.words) and np.array_equal(bars.habit, whole.habit)


def test_a_match_of_another_length_or_not_yet_played_is_no_reference() -> None:
    matches = no_matches(MIXED)
    matches[4], matches[5] = (0, 6), (4, 5)
    assert find_reference_bars(MIXED, matches)[4:6, 4:].tolist() == [[-1, -1], [4, -1]]


def test_remembering_a_song_takes_milliseconds() -> None:
    grid = Grid.regular(100)
    words, matches = np.resize(make_words(0, 64), grid.steps), np.where(np.arange(100)[:, None] > 1, [[0, 1]], -1)
    spent = []
    for _ in range(5):
        before = time.thread_time()
        recall(words, grid, matches)
        spent.append(time.thread_time() - before)
    assert min(spent) < 0.012, "three milliseconds on a quiet machine, thirty step by step"


@given(st.integers(0, 2**32), st.integers(1, MIXED.steps - 1))
@settings(deadline=None, max_examples=8)
def test_nothing_is_remembered_of_what_comes(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    matches, _ = find_matches(rng.random((MIXED.bars, 4), dtype=np.float32), MIXED.bar_steps)
    words = make_words(seed, MIXED.steps, 3)
    other = words.copy()
    other[cut:] = make_words(seed + 1, MIXED.steps - cut)
    one, two = recall(words, MIXED, matches), recall(other, MIXED, matches)
    for name in ("words", "agreement", "habit"):
        assert np.array_equal(getattr(one, name)[: cut + 1], getattr(two, name)[: cut + 1])


def test_the_arrays_have_their_types() -> None:
    grid = Grid.regular(1)
    r = recall(make_words(0, 16), grid, no_matches(grid))
    assert (r.words.dtype, r.agreement.dtype, r.habit.dtype) == (np.uint16, np.uint8, np.uint8)
    assert (r.words.shape, r.agreement.shape, r.habit.shape) == ((16, 7), (16, 7), (16, CLASSES))


def test_a_fork_goes_its_own_way() -> None:
    grid = Grid.regular(4)
    matches, words = no_matches(grid), make_words(0, grid.steps, 4).tolist()
    memory = Memory(grid, matches)
    for word in words[:30]:
        memory.look()
        memory.push(word)
    twin = memory.fork()
    for word in words[::-1][:30]:
        twin.look()
        twin.push(word)
    expected = recall(np.array(words, np.uint16), grid, matches)
    for step in range(30, grid.steps):
        known, agreement, habit = memory.look()
        assert known == expected.words[step].tolist() and agreement == expected.agreement[step].tolist()
        assert np.array_equal(habit, expected.habit[step])
        memory.push(words[step])
