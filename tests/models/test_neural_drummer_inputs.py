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
    find_pointers,
    normalise_intensity,
    remember,
    shift_words,
)
from backbeat.units import MetreMap, TempoMap

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


def test_pointers_go_back_by_bars_of_the_same_length():
    grid = Grid.lay(TempoMap(480), MetreMap((0, 2 * 1920, 2 * 1920 + 1440), (4, 3, 4), (4, 4, 4)), 4 * 1920 + 1440)
    assert grid.bar_steps.tolist() == [16, 16, 12, 16, 16]
    pointers = find_pointers(grid.bar_steps)
    first = grid.first_steps
    assert pointers[first[1] + 5].tolist() == [5, -1, -1, -1]
    assert pointers[first[2]].tolist() == [-1] * 4
    assert pointers[first[3] + 3].tolist() == [-1, first[1] + 3, -1, -1]
    assert pointers[first[4] + 15].tolist() == [first[3] + 15, -1, 15, -1]


@settings(max_examples=40)
@given(st.integers(0, 999), st.sampled_from([(4, 4), (3, 8)]), st.integers(1, 12))
def test_pointers_never_look_ahead(seed, metre, bars):
    grid = Grid.regular(bars, *metre)
    pointers = find_pointers(grid.bar_steps)
    assert (pointers < np.arange(grid.steps)[:, None]).all()
    words = np.random.default_rng(seed).integers(0, 512, grid.steps).astype(np.uint16)
    remembered = remember(words, pointers)
    assert ((remembered == NO_WORD) == (pointers < 0)).all()


def test_the_past_is_bits_of_the_word_before_and_of_those_remembered():
    words = np.array([5, 511], np.uint16)
    rows = describe_past(shift_words(words), np.array([[NO_WORD, 3, NO_WORD, NO_WORD]] * 2))
    assert rows.shape == (2, PAST) and not rows[0, :9].any()
    assert rows[1, :9].tolist() == words_to_hits(np.array([5]))[0].tolist()
    assert rows[:, 18:27].tolist() == [words_to_hits(np.array([3]))[0].tolist()] * 2
    assert rows[:, -4:].tolist() == [[0, 1, 0, 0]] * 2
