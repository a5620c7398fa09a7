"""Novelty, sections and matches of bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.features import LOOK_BACK, compute_novelty, compute_similarity_back, find_matches, find_section_starts, normalise_rows


def make_bars(*kinds: int, dimensions: int = 5) -> np.ndarray:
    """One descriptor a bar: the unit vector of its kind."""
    return np.eye(dimensions, dtype=np.float32)[list(kinds)]


def test_rows_have_length_one_or_stay_zero() -> None:
    rows = normalise_rows(np.array([[3, 4], [0, 0]], np.float32))
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))
    assert rows.dtype == np.float32


@pytest.mark.parametrize("window", [1, 2, 4, 8])
def test_a_constant_song_has_no_novelty(window: int) -> None:
    assert compute_novelty(make_bars(*[1] * 20), window) == pytest.approx(np.zeros(20), abs=1e-12)


@pytest.mark.parametrize("window", [1, 4, 8])
def test_novelty_peaks_at_a_change(window: int) -> None:
    novelty = compute_novelty(make_bars(*[0] * 12, *[1] * 12), window)
    assert novelty.argmax() == 12
    assert novelty[12] == pytest.approx(2)
    assert novelty[0] == 0


def test_novelty_is_computed_by_hand() -> None:
    bars = np.array([[0], [0], [1], [0]], np.float32)
    assert compute_novelty(bars, 2).tolist() == [0, 0.25, 0.25, 0.25]


def test_a_section_starts_at_a_planted_change() -> None:
    bars = make_bars(*[0] * 16, *[1] * 16, *[0] * 16)
    novelty = compute_novelty(bars, 4) + compute_novelty(bars, 8)
    assert np.flatnonzero(find_section_starts(novelty)).tolist() == [0, 16, 32]


def test_a_constant_song_is_one_section() -> None:
    assert np.flatnonzero(find_section_starts(np.zeros(30, np.float32))).tolist() == [0]


def test_sections_keep_their_distance() -> None:
    novelty = np.zeros(20, np.float32)
    novelty[[8, 10, 14]] = 1
    assert np.flatnonzero(find_section_starts(novelty)).tolist() == [0, 8, 14]
    assert np.flatnonzero(find_section_starts(novelty, reach=1)).tolist() == [0, 8, 10, 14]


def test_no_bars_have_no_sections() -> None:
    assert find_section_starts(np.zeros(0, np.float32)).shape == (0,)
    assert compute_novelty(np.zeros((0, 3), np.float32), 4).shape == (0,)


def test_a_repeated_verse_matches_its_first_time() -> None:
    bars = make_bars(0, 1, 2, 3, 0, 1, 2, 3)
    matches, similarity = find_matches(bars, np.full(8, 16))
    assert matches[5:7, 0].tolist() == [1, 2]
    assert similarity[5, 0] > 0.99
    assert matches[0].tolist() == [-1, -1] and similarity[0].tolist() == [0, 0]
    assert matches[1].tolist() == [0, -1], "the second bar has one bar before it"


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_matches_point_back_to_bars_of_the_same_length(seed: int, count: int, kinds: int) -> None:
    rng = np.random.default_rng(seed)
    bars = normalise_rows(rng.random((count, 4), dtype=np.float32))
    lengths = rng.integers(12, 12 + kinds, count)
    matches, similarity = find_matches(bars, lengths)
    for bar in range(count):
        found = matches[bar][matches[bar] >= 0]
        candidates = np.flatnonzero(lengths[:bar] == lengths[bar])
        assert set(found) <= set(candidates)
        assert len(found) == len(set(found)) == min(2, len(candidates))
    assert similarity.min() >= 0 and similarity.max() <= 1
    assert np.all(np.diff(similarity, axis=1) <= 1e-4), "best first"


def test_matches_reach_across_blocks_but_not_for_ever() -> None:
    bars = np.zeros((LOOK_BACK + 600, 3), np.float32)
    bars[:, 0] = 0.1
    bars[0] = bars[300] = [0, 1, 0]
    bars[-1] = [0, 1, 0]
    matches, _ = find_matches(bars, np.full(len(bars), 16), count=1)
    assert matches[300, 0] == 0
    last_block = (len(bars) - 1) // 256 * 256
    assert matches[-1, 0] >= last_block - LOOK_BACK > 300


def test_a_later_change_does_not_move_earlier_matches_far_before_it() -> None:
    rng = np.random.default_rng(0)
    bars = normalise_rows(rng.random((30, 6), dtype=np.float32))
    changed = bars.copy()
    changed[20:] = changed[20:][::-1]
    lengths = np.full(30, 16)
    assert np.array_equal(find_matches(bars, lengths)[0][:18], find_matches(changed, lengths)[0][:18])  # a bar sees two bars of the band ahead


@pytest.mark.parametrize("back", [1, 2, 4, 8])
def test_similarity_back_compares_with_the_bar_before(back: int) -> None:
    bars = make_bars(0, 1, 0, 1, 0, 0)
    expected = [float(b >= back and np.array_equal(bars[b], bars[b - back])) for b in range(6)]
    assert compute_similarity_back(bars, back).tolist() == expected
