from fractions import Fraction

import numpy as np
import pytest

from backbeat.midi import parse_song
from backbeat.render.timeline import TICKS_PER_SECOND, seconds_of, write_timeline
from backbeat.units import TempoMap
from tests.midi.builders import Track, midi


def read_notes(data):
    """Channel, pitch, onset and end in seconds of every note of a timeline."""
    song = parse_song(data)
    return [
        (part.channel, int(n["pitch"]), float(n["onset"]) / TICKS_PER_SECOND, float(n["end"]) / TICKS_PER_SECOND) for part in song.parts for n in part.notes
    ]


@pytest.mark.parametrize("tempo", [TempoMap(480, (0, 100, 5_000), (500_000, 123_457, 1_000_000)), TempoMap(60, ticks_per_second=Fraction(30_000, 1001) * 4)])
def test_seconds_agree_with_the_tempo_map(tempo):
    ticks = np.array([0, 1, 99, 100, 101, 4_999, 5_000, 123_456])
    assert seconds_of(tempo, ticks) == pytest.approx([tempo.seconds(int(t)) for t in ticks], abs=1e-9)


def test_notes_stand_where_the_tempo_map_puts_them():
    track = Track().tempo(0, 1_000_000).tempo(480, 250_000).note(0, 480, 60).note(480, 480, 62)
    notes = read_notes(write_timeline(parse_song(midi(track.chunk())), 2.0))
    assert [n[1:] for n in notes] == [(60, 0.0, 1.0), (62, 1.0, 1.25)]


@pytest.mark.parametrize(("format_", "division"), [(2, 480), (0, 480), (1, 0xE728)])  # 0xE728: 25 frames of 40 ticks
def test_any_format_and_division_becomes_plain(format_, division):
    data = write_timeline(parse_song(midi(Track().note(0, 1_000, 60).chunk(end_of_track=False), format_=format_, division=division)), 2.0)
    assert data[8:14] == bytes((0, 0, 0, 1)) + TICKS_PER_SECOND.to_bytes(2, "big")
    assert parse_song(data).warnings == ("the file names no metre: 4/4 is taken",)
    ((_, _, _, end),) = read_notes(data)
    assert end == pytest.approx(1.0 if division != 480 else 1_000 / 960, abs=1e-4)


def test_it_ends_a_tail_after_the_last_note_whatever_follows():
    track = Track().note(0, 960, 60).control(500_000, 7, 0)
    assert parse_song(write_timeline(parse_song(midi(track.chunk(1_000_000))), 2.0)).end_tick == pytest.approx(3.0 * TICKS_PER_SECOND, abs=20)


def test_drums_that_the_file_declares_move_to_the_drum_channel():
    track = Track().sysex(0, "41 10 42 12 40 1A 15 02 00").program(0, 5, 10).note(0, 100, 38, channel=10).note(0, 100, 60, channel=3)
    assert sorted(n[:2] for n in read_notes(write_timeline(parse_song(midi(track.chunk())), 1.0))) == [(3, 60), (9, 38)]


def test_the_bank_of_the_drum_channel_is_left_out_and_the_others_kept():
    track = Track().control(0, 0, 127, 9).control(0, 0, 8, 2).program(0, 16, 9).note(0, 100, 36, channel=9).note(0, 100, 60, channel=2)
    data = write_timeline(parse_song(midi(track.chunk())), 1.0)
    assert bytes((0xB9, 0, 127)) not in data
    assert bytes((0xB2, 0, 8)) in data and bytes((0xC9, 16)) in data


def test_volume_scales_every_channel():
    data = write_timeline(parse_song(midi(Track().control(0, 7, 127, 3).note(0, 100, 60, channel=3).chunk())), 1.0, 0.25)
    assert bytes((0xB0, 7, 50)) in data and bytes((0xB3, 7, 64)) in data
