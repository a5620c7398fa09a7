"""A song's parts, end and grid."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.errors import SongError
from backbeat.midi import parse_song
from backbeat.song import NOTE_DTYPE, Part, Song
from backbeat.units import MetreMap, TempoMap
from tests.midi.builders import Track, band_song, midi


def make_part(*notes: tuple[int, int], drums: str = "") -> Part:
    return Part(0, 0, 0, "", np.array([(on, end, 60, 100) for on, end in notes], dtype=NOTE_DTYPE), drums)


def make_song(*parts: Part, end_tick: int = 0) -> Song:
    return Song(b"", 1, parts, TempoMap(480), MetreMap(), end_tick)


def test_the_band_is_all_that_is_not_drums() -> None:
    bass, kit = make_part((0, 10)), make_part((0, 20), drums="channel 10")
    song = make_song(bass, kit, bass)
    assert song.band == (bass, bass)
    assert song.drum_parts == (kit,)
    assert kit.is_drums and not bass.is_drums


def test_a_file_is_divided_into_band_and_drums() -> None:
    song = parse_song(band_song(2))
    assert [p.name for p in song.band] == ["Bass", "Piano"]
    assert [(p.name, p.drums, p.channel) for p in song.drum_parts] == [("Drums", "channel 10", 9)]


def test_the_last_note_tick_is_where_the_longest_note_ends() -> None:
    song = make_song(make_part((0, 5000), (100, 200)), make_part((400, 4000), drums="name"), make_part())
    assert song.last_note_tick == 5000
    assert make_song().last_note_tick == 0
    assert make_song(make_part()).last_note_tick == 0


def test_the_grid_ends_with_the_notes_not_with_the_file() -> None:
    assert make_song(make_part((0, 1921)), end_tick=100_000).grid().bars == 2
    assert make_song(end_tick=100_000).grid().bars == 1


def test_the_grid_takes_a_density() -> None:
    assert make_song(make_part((0, 1920))).grid(6).bar_steps.tolist() == [24]


def test_a_note_far_behind_the_end_is_refused() -> None:
    with pytest.raises(SongError, match="look for an event far behind its end"):
        make_song(make_part((0, 10), (10**9, 10**9 + 1))).grid()


def test_a_file_keeps_its_bytes() -> None:
    data = midi(Track().note(0, 100, 60).chunk())
    assert parse_song(data).data == data
