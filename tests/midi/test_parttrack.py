"""A part added to a file: every byte of the other tracks stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.errors import InputError
from backbeat.midi import parse_song
from backbeat.midi.parttrack import add_part, build_part_chunk, find_free_channel
from backbeat.midi.splice import list_events
from backbeat.song import NOTE_DTYPE
from tests.midi.builders import Track, band_song, midi

NOTES = np.array([(0, 100, 60, 90), (100, 300, 60, 80), (300, 301, 64, 127)], NOTE_DTYPE)


def test_the_part_comes_back_and_the_rest_is_untouched():
    data = band_song()
    out = add_part(parse_song(data), NOTES, program=33, name="Bäss")
    song = parse_song(out)
    part = song.parts[-1]
    assert part.notes.tolist() == NOTES.tolist() and (part.program, part.name, part.channel) == (33, "Bäss", 2)
    assert out[14 : len(data)] == data[14:] and list_events(out)[:-1] == list_events(data)
    assert song.end_tick == parse_song(data).end_tick


def test_a_file_of_format_0_becomes_format_1():
    track = Track().note(0, 10, 36, 90, 9)
    song = parse_song(add_part(parse_song(midi(track.chunk(), format_=0)), NOTES, program=0, name="x"))
    assert song.format == 1 and len(song.parts) == 2


def test_a_second_part_gets_another_channel():
    once = parse_song(add_part(parse_song(band_song()), NOTES, program=33, name="a"))
    twice = parse_song(add_part(once, NOTES, program=33, name="b"))
    assert [p.channel for p in twice.parts if p.name in "ab"] == [2, 3]


def test_the_drum_channel_is_never_taken_and_a_full_file_is_refused():
    tracks = [Track().note(0, 10, 60, 90, channel).chunk() for channel in range(16)]
    assert find_free_channel(parse_song(midi(*tracks[:9]))) == 10
    with pytest.raises(InputError, match="all 16 channels"):
        add_part(parse_song(midi(*tracks)), NOTES, program=0, name="x")


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 200), st.integers(58, 62), st.integers(1, 127)), max_size=30))
def test_notes_never_overlap_on_one_pitch(rows):
    notes = np.array([(a, a + n, p, v) for a, n, p, v in rows], NOTE_DTYPE)
    data = midi(build_part_chunk(notes, channel=0, program=5, name="x", end_tick=100))
    parts = parse_song(data).parts
    written = parts[0].notes if parts else notes[:0]
    assert {(int(n["onset"]), int(n["pitch"])) for n in written} == {(int(n["onset"]), int(n["pitch"])) for n in notes}
    for pitch in set(written["pitch"].tolist()):
        line = written[written["pitch"] == pitch]
        assert (line["end"][:-1] <= line["onset"][1:]).all() and (line["end"] > line["onset"]).all()
