"""Notes as pitch, step and duration; as tokens; and as a file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.notes import (
    BINS,
    KINDS,
    LONGEST,
    VOCABULARY,
    bin_to_time,
    notes_to_midi,
    notes_to_tokens,
    read_notes,
    time_to_bin,
    tokens_to_notes,
)
from backbeat.midi import parse_song
from tests.midi.builders import Track, band_song, midi

NOTES = st.lists(st.tuples(st.integers(0, 127), st.floats(0, 12), st.floats(0, 12)), max_size=20)


def test_steps_are_seconds_since_the_note_before():
    track = Track().tempo(0, 500_000).tempo(960, 250_000)
    for tick, length, pitch in ((480, 240, 60), (480, 960, 64), (960, 480, 67), (1920, 480, 72)):
        track.note(tick, length, pitch)
    notes = read_notes(parse_song(midi(track.chunk(2400))))
    assert notes.tolist() == [[60, 0, 0.25], [64, 0, pytest.approx(0.75)], [67, 0.5, 0.25], [72, 0.5, 0.25]]


def test_instrument_0_is_the_one_whose_first_note_ends_first():
    song = parse_song(band_song(4))
    bass, everything = read_notes(song), read_notes(song, "all")
    assert set(bass[:, 0]) <= set(range(30, 50)) and len(everything) == len(bass) + 4 * 3
    assert len(read_notes(parse_song(band_song(4, drums=True)), "all")) == len(everything), "drums are no notes"


def test_a_song_without_notes_has_none():
    assert read_notes(parse_song(midi(Track().chunk(10)))).shape == (0, 3)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_a_bin_is_never_far_from_its_time(times):
    bins = time_to_bin(np.array(times))
    assert bins.min() >= 0 and bins.max() < BINS
    back = bin_to_time(bins)
    held = np.minimum(times, LONGEST)
    assert (np.abs(back - held) <= np.maximum(0.01, 0.06 * held)).all()
    assert np.array_equal(time_to_bin(back), bins)


@given(NOTES)
def test_tokens_go_there_and_back(notes):
    rows = np.array(notes, float).reshape(-1, 3)
    tokens = notes_to_tokens(rows)
    assert len(tokens) == 3 * len(rows) and all((KINDS[k][0] <= t < KINDS[k][1]) for k in range(3) for t in tokens[k::3])
    back = tokens_to_notes(tokens)
    assert np.array_equal(back[:, 0], rows[:, 0]) and np.array_equal(notes_to_tokens(back), tokens)


def test_what_is_out_of_range_is_refused():
    assert KINDS[-1][1] == VOCABULARY == 256
    with pytest.raises(ValueError, match="pitches lie"):
        notes_to_tokens(np.array([[128, 0, 0.0]]))
    with pytest.raises(ValueError, match="times are not negative"):
        notes_to_tokens(np.array([[60, -1, 0.0]]))
    with pytest.raises(ValueError, match="in turn"):
        tokens_to_notes(np.array([64, 0, 200]))


@settings(max_examples=40)
@given(NOTES)
def test_a_file_holds_the_notes(notes):
    rows = np.array(notes, float).reshape(-1, 3)
    song = parse_song(notes_to_midi(rows, program=4))
    if not len(rows):
        assert not song.parts
        return
    (part,) = song.parts
    assert part.program == 4 and set(part.notes["velocity"].tolist()) == {100} and not [w for w in song.warnings if "note" in w]
    assert sorted(part.notes["pitch"].tolist()) == sorted(rows[:, 0].astype(int).tolist())
    starts = np.sort(np.floor(np.cumsum(rows[:, 1]) * 960 + 0.5))
    assert np.array_equal(np.sort(part.notes["onset"]), starts)


def test_reading_what_was_written_gives_the_notes():
    rows = np.array([[60, 0, 0.5], [64, 0.25, 0.25], [67, 0.5, 1.0]])
    assert read_notes(parse_song(notes_to_midi(rows))).tolist() == rows.tolist()
