"""Triads of bars."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.tonality.chords import NO_CHORD, find_chord, find_chords, list_triad, name_chord, parse_chord, turn_chords


@pytest.mark.parametrize("chord", range(24))
def test_a_plain_triad_is_found_and_its_name_is_read_back(chord):
    shares = np.zeros(12)
    shares[list(list_triad(chord))] = 1
    assert find_chord(shares) == chord
    for key in (0, 7, 21):
        assert parse_chord(name_chord(chord, key), key) == chord


def test_names_are_degrees():
    assert [name_chord(c, 9 + 12) for c in (21, 5, 0, 7)] == ["i", "bVI", "bIII", "bVII"]
    assert parse_chord("-", 3) == NO_CHORD and name_chord(NO_CHORD, 3) == "-"


@pytest.mark.parametrize("text", ["", "VIII", "Am", "i7", "x"])
def test_other_names_are_refused(text):
    with pytest.raises(InputError, match="is no chord"):
        parse_chord(text, 0)


def test_the_bass_decides_between_two_triads():
    shares = np.zeros(12)
    shares[[0, 4, 9]] = 1, 1, 1  # c e a: a minor, or c without its fifth
    shares[7] = 0.9
    assert find_chord(shares, bass=9) == 21 and find_chord(shares, bass=0) == 0


def test_silence_and_noise_are_no_chord():
    assert find_chord(np.zeros(12)) == NO_CHORD and find_chord(np.ones(12)) == NO_CHORD


def test_notes_count_in_every_bar_in_which_they_sound():
    onsets, ends, pitches = np.array([0, 0, 0, 16, 16]), np.array([32, 32, 8, 32, 32]), np.array([60, 64, 67, 69, 57])
    assert find_chords(onsets, ends, pitches, np.array([0, 16, 32, 48])).tolist() == [0, 21, NO_CHORD]


def test_turning_keeps_quality_and_none():
    assert turn_chords(np.array([0, 21, NO_CHORD]), 5).tolist() == [5, 14, NO_CHORD]
