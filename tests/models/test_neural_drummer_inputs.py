"""What the corrected NeuralDrummer hears and remembers: any metre, no drums, nothing divided by nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.recall import NO_WORD
from backbeat.codecs.words import words_to_hits
from backbeat.grid import Grid
from backbeat.models.neural_drummer_inputs import (
    BAND,
    PAST,
    describe_band,
    describe_past,
    find_similar_bars,
    forget,
    normalise_intensity,
    remember,
    shift_words,
)

METRES = [(4, 4), (3, 4), (6, 8), (7, 8), (5, 16), (12, 8), (1, 4)]


@pytest.mark.parametrize("metre", METRES)
def test_any_metre_has_the_same_columns(metre):
    grid = Grid.regular(3, *metre)
    onsets = np.random.default_rng(0).integers(0, 6, (grid.steps, 6)).astype(np.float32)
    described = describe_band(onsets, np.ones(3, bool), grid)
    assert described.shape == (grid.steps, BAND) and described.dtype == np.float32 and np.isfinite(described).all() and np.abs(described).max() <= 3


def test_a_constant_intensity_is_zero():
    assert not normalise_intensity(np.full(20, 3.0)).any() and normalise_intensity(np.zeros(0)).shape == (0,)
    grid = Grid.regular(2)
    for level in (0, 2):
        assert np.isfinite(describe_band(np.full((32, 6), level, np.float32), np.full(2, level > 0), grid)).all()


@given(st.lists(st.integers(0, 20), min_size=1, max_size=80))
def test_intensities_stay_within_three_deviations(counts):
    values = normalise_intensity(np.array(counts, float))
    assert np.abs(values).max() <= 3 and np.isfinite(values).all()


def test_it_hears_the_steps_to_come_but_not_far():
    grid, quiet = Grid.regular(4), np.zeros((64, 6), np.float32)
    loud = quiet.copy()
    loud[40, 2] = 1
    one, two = (describe_band(onsets, np.ones(4, bool), grid)[:, 9:45] for onsets in (quiet, loud))
    assert np.flatnonzero((one != two).any(axis=1)).tolist() == list(range(35, 41))


def test_similar_bars_are_earlier_and_alike():
    rng = np.random.default_rng(0)
    verse, chorus = ((rng.random((16, 6)) < 0.3).astype(np.float32) for _ in range(2))
    bars = [verse] * 4 + [chorus] * 4 + [verse] * 4 + [chorus] * 4
    matches = find_similar_bars(np.concatenate(bars), Grid.regular(16))
    assert matches.shape == (16, 2) and (matches < np.arange(16)[:, None]).all()
    assert set(matches[9].tolist()) <= {1, 2, 8} and set(matches[13].tolist()) <= {4, 5, 6, 12}


@settings(max_examples=40)
@given(st.integers(0, 999), st.sampled_from([(4, 4), (3, 8)]), st.integers(1, 12))
def test_what_is_remembered_was_played_before(seed, metre, bars):
    grid, rng = Grid.regular(bars, *metre), np.random.default_rng(seed)
    words, onsets = rng.integers(0, 6, grid.steps).astype(np.uint16), (rng.random((grid.steps, 6)) < 0.3).astype(np.float32)
    recalled = remember(words, onsets, grid)
    place = int(rng.integers(0, grid.steps))
    later = words.copy()
    later[place:] = 7
    again = remember(later, onsets, grid)
    assert np.array_equal(recalled.words[: place + 1], again.words[: place + 1]) and np.array_equal(recalled.habit[: place + 1], again.habit[: place + 1])


def test_the_past_is_bits_of_the_word_before_and_of_those_remembered():
    words = np.array([5, 511], np.uint16)
    remembered = np.full((2, 7), NO_WORD)
    remembered[:, 1] = 3
    rows = describe_past(shift_words(words), remembered, np.full((2, 7), 51, np.uint8), np.full((2, 9), 255, np.uint8))
    assert rows.shape == (2, PAST) and not rows[0, :9].any()
    assert rows[1, :9].tolist() == words_to_hits(np.array([5]))[0].tolist()
    assert rows[:, 18:27].tolist() == [words_to_hits(np.array([3]))[0].tolist()] * 2
    assert rows[:, 72:79].tolist() == [[0, 1, 0, 0, 0, 0, 0]] * 2
    assert np.allclose(rows[:, 79:86], 0.2) and rows[:, 86:].all()


def test_nothing_is_known_of_a_forgotten_take():
    past, remembered = forget(3)
    assert past.shape == (3, PAST) and not past.any() and remembered.shape == (3, 7) and (remembered == NO_WORD).all()
