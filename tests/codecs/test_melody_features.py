"""What our melody network knows at every step."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.melodies import FIRST_NOTE, HOLD, NONE, REST, TOKENS
from backbeat.codecs.melody_features import AHEAD, BEFORE, FEATURES, NO_CHORD, Places, encode_features, find_density, recall, recall_all
from backbeat.codecs.patterns import CLASSES
from backbeat.grid import Grid

PLAIN = {"family": 4, "minor": True, "octave": 3, "tonic": 9}


def test_features_see_drums_before_and_ahead():
    words = np.zeros(64, np.uint16)
    words[20] = 0b101
    out = encode_features(words, Places.common(64), chords=np.full(4, NO_CHORD), **PLAIN)
    assert out.shape == (64, FEATURES) and out.dtype == np.float32
    drums = out[:, : CLASSES * (BEFORE + 1 + AHEAD)].reshape(64, CLASSES, -1)
    seen = np.argwhere(drums)
    assert set(seen[:, 1]) == {0, 2} and set(seen[:, 0]) == set(range(20 - AHEAD, 20 + BEFORE + 1))
    assert drums[20, 0, BEFORE] == 1


def test_a_transposed_song_looks_the_same():
    words = np.arange(64).astype(np.uint16)
    chords = np.array([21, 5, 0, 7])
    one = encode_features(words, Places.common(64), chords=chords, **PLAIN)
    other = encode_features(words, Places.common(64), chords=np.array([23, 7, 2, 9]), **{**PLAIN, "tonic": 11})
    assert (one == other).all()


def test_every_condition_shows():
    words, chords = np.zeros(64, np.uint16), np.array([0, 5, 7, 0])
    base = encode_features(words, Places.common(64), chords=chords, **PLAIN)
    for change in ({"family": 5}, {"minor": False}, {"octave": 4}, {"tonic": 0}, {"density": 2}):
        assert (encode_features(words, Places.common(64), chords=chords, **{**PLAIN, **change}) != base).any(), change


def test_places_of_any_metre():
    grid = Grid.regular(3, 7, 8)
    out = encode_features(np.zeros(grid.steps, np.uint16), Places.of(grid), chords=np.full(3, NO_CHORD), **PLAIN)
    assert out.shape == (42, FEATURES) and np.isfinite(out).all()


def test_density_bins():
    tokens = np.zeros(64, np.int64)
    assert find_density(tokens) == 0
    tokens[::4] = FIRST_NOTE
    assert find_density(tokens) == 1
    tokens[::2] = FIRST_NOTE
    assert find_density(tokens) == 3


@given(st.lists(st.integers(0, TOKENS - 1), min_size=64, max_size=64))
def test_recalling_one_by_one_and_all_at_once_is_the_same(tokens):
    line = np.array(tokens)
    assert recall_all(line).tolist() == [recall(line, Places.common(64), step) for step in range(64)]


def test_recall_names_the_step_before_the_last_note_and_the_bars_before():
    tokens = np.full(48, REST)
    tokens[0], tokens[1], tokens[16] = 30, HOLD, 35
    places = Places.common(48)
    assert recall(tokens, places, 0) == [NONE, NONE, NONE, NONE]
    assert recall(tokens, places, 16) == [REST, 30, 30, NONE]
    assert recall(tokens, places, 32) == [REST, 35, 35, 30]
