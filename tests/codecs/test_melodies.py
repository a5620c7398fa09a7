"""Melodies as the paper's vectors and as tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.melodies import (
    FIRST_NOTE,
    HIGHEST,
    HOLD,
    INPUTS,
    LOWEST,
    MELODY_DTYPE,
    REST,
    TOKENS,
    encode_conditions,
    encode_loop,
    find_base,
    find_octave,
    fold_pitch,
    matrix_to_melody,
    melody_to_matrix,
    melody_to_tokens,
    tokens_to_melody,
)
from backbeat.tonality.scales import parse_key


def melody(*rows):
    return np.array([(*row, 90) for row in rows], MELODY_DTYPE)


def test_the_input_has_448_bits_of_drums_and_three_times_16():
    drums = np.zeros(32, np.uint16)
    drums[0], drums[31] = 0b1, 0b10_0000_0000_0010
    out = encode_loop(drums, family=4, key=parse_key("Am"), octave=3)
    assert out.shape == (INPUTS,) == (496,) and out.dtype == np.float32
    assert np.flatnonzero(out).tolist() == [0, 31 * 14 + 1, 31 * 14 + 13, 448 + 4, 464 + 9, 464 + 13, 480 + 4]


@pytest.mark.parametrize("condition", [(16, 0, 3), (0, 24, 3), (0, 0, -2), (0, 0, 15), (-1, 0, 0)])
def test_conditions_out_of_range_are_refused(condition):
    with pytest.raises(ValueError, match="no such family"):
        encode_conditions(*condition)


def test_loops_of_another_length_are_refused():
    with pytest.raises(ValueError, match="32 steps"):
        encode_loop(np.zeros(16, np.uint16), 0, 0, 3)


def test_a_matrix_says_where_pitches_begin_and_comes_back():
    notes = melody((0, 4, 60), (0, 4, 64), (63, 1, 70), (64, 1, 70))
    matrix = melody_to_matrix(notes)
    assert matrix.shape == (64, 128) and np.argwhere(matrix).tolist() == [[0, 60], [0, 64], [63, 70]]
    back = matrix_to_melody(matrix)
    assert back["step"].tolist() == [0, 0, 63] and back["length"].tolist() == [4, 4, 1]
    assert (melody_to_matrix(back) == matrix).all() and len(matrix_to_melody(np.zeros((64, 128), bool))) == 0


def test_bases_and_octaves_count_c4_as_60():
    assert find_base(parse_key("C"), 4) == 60 and find_base(parse_key("Am"), 3) == 57
    assert find_octave(np.array([59, 60, 71])) == 4 and find_octave(np.array([11])) == -1


def test_tokens_of_notes_holds_and_rests():
    tokens = melody_to_tokens(melody((1, 3, 60), (4, 1, 48), (6, 9, 67)), 8, base=60)
    zero = FIRST_NOTE - LOWEST
    assert tokens.tolist() == [REST, zero, HOLD, HOLD, zero - 12, REST, zero + 7, HOLD]


def test_a_note_ends_where_the_next_begins_and_of_a_chord_the_top_is_taken():
    tokens = melody_to_tokens(melody((0, 8, 60), (2, 1, 62), (2, 4, 55)), 6, base=60)
    zero = FIRST_NOTE - LOWEST
    assert tokens.tolist() == [zero, HOLD, zero + 2, REST, REST, REST]


@given(st.lists(st.integers(0, TOKENS - 1), min_size=1, max_size=40), st.integers(24, 100))
def test_tokens_come_back_from_their_melody(tokens, base):
    notes = tokens_to_melody(np.array(tokens), base)
    assert notes["length"].min(initial=1) >= 1 and notes["pitch"].max(initial=0) < 128
    again = melody_to_tokens(notes, len(tokens), base)
    assert (melody_to_tokens(tokens_to_melody(again, base), len(tokens), base) == again).all()
    told = np.array(tokens)
    assert ((again >= FIRST_NOTE) == (told >= FIRST_NOTE)).all()


@pytest.mark.parametrize("above", range(-60, 61))
def test_pitches_out_of_range_move_by_octaves(above):
    assert LOWEST <= fold_pitch(above) <= HIGHEST and (fold_pitch(above) - above) % 12 == 0


def test_pitches_outside_midi_stay_inside():
    low, high = tokens_to_melody(np.array([FIRST_NOTE, TOKENS - 1]), 5), tokens_to_melody(np.array([TOKENS - 1]), 120)
    assert low["pitch"].min() >= 0 and high["pitch"].max() < 128 and high["pitch"][0] % 12 == (120 + HIGHEST) % 12
