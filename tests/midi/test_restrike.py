"""Drum notes at other ticks and velocities; everything else as it was, to the byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.midi import parse_song
from backbeat.midi.restrike import NewNote, StruckNotes, find_struck, limit_ticks, open_ends, restrike
from backbeat.midi.splice import list_events
from backbeat.song import Song
from tests.humanising.made import band_and, list_drums, list_others, rock, song_of
from tests.midi.builders import Track, midi, varlen

notes = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 300), st.sampled_from([36, 38, 42]), st.integers(1, 127)), min_size=1, max_size=30)
others = st.lists(st.tuples(st.integers(0, 2400), st.sampled_from(["note", "control", "text", "sysex", "aftertouch"])), max_size=12)


def make_song(drums: list[tuple[int, int, int, int]], rest: list[tuple[int, str]], *, one_track: bool, running: bool) -> Song:
    """Drums and other events on one track or two."""
    kit = Track().name("A song")
    for tick, length, pitch, velocity in drums:
        kit.note(tick, length, pitch, velocity, 9)
    other = kit if one_track else Track()
    for tick, kind in rest:
        if kind == "note":
            other.note(tick, 50, 60)
        elif kind == "control":
            other.control(tick, 4, tick % 128, 9)
        elif kind == "aftertouch":
            other.add(tick, bytes([0xA9, 42, tick % 128]))
        elif kind == "text":
            other.meta(tick, 1, b"x")
        else:
            other.sysex(tick, "41 10 42")
    tracks = [kit] if one_track else [kit, other]
    return parse_song(midi(*(t.chunk(3000, running=running) for t in tracks), format_=0 if one_track else 1))


def move(song: Song, rng: np.random.Generator) -> tuple[StruckNotes, np.ndarray, np.ndarray, bytes]:
    struck = find_struck(song)
    ticks = limit_ticks(struck, np.maximum(0, struck.tick + rng.integers(-40, 41, len(struck))))
    velocities = rng.integers(1, 128, len(struck))
    return struck, ticks, velocities, restrike(song, struck, ticks, velocities)


@given(notes, others, st.booleans(), st.booleans(), st.integers(0, 99))
def test_only_the_drum_notes_change(drums, rest, one_track, running, seed):
    song = make_song(drums, rest, one_track=one_track, running=running)
    struck, ticks, velocities, data = move(song, np.random.default_rng(seed))
    assert list_others(data) == list_others(song.data)
    after = find_struck(parse_song(data))
    assert sorted(zip(after.track, after.channel, after.pitch, after.tick, after.velocity, strict=True)) == sorted(
        zip(struck.track, struck.channel, struck.pitch, ticks, velocities, strict=True)
    )


@given(notes, others, st.booleans(), st.booleans())
def test_nothing_moved_is_the_same_file(drums, rest, one_track, running):
    song = make_song(drums, rest, one_track=one_track, running=running)
    struck = find_struck(song)
    assert list_events(restrike(song, struck, struck.tick, struck.velocity)) == list_events(song.data)


@given(notes, st.integers(0, 99))
def test_notes_of_a_pitch_keep_their_order_and_end(drums, seed):
    song = make_song(drums, [], one_track=True, running=False)
    _, _, _, data = move(song, np.random.default_rng(seed))
    for pitch in (36, 38, 42):
        kinds = [[status for _, status, body in list_events(d)[0] if status < 0xA0 and body[0] == pitch] for d in (song.data, data)]
        assert kinds[0] == kinds[1]


def test_notes_keep_their_length_unless_the_next_comes_first():
    song = song_of(Track().note(0, 100, 38, channel=9).note(100, 100, 38, channel=9).note(500, 100, 38, channel=9))
    struck = find_struck(song)
    after = find_struck(parse_song(restrike(song, struck, np.array([10, 90, 520]), struck.velocity)))
    assert (after.end - after.tick).tolist() == [80, 100, 80]  # the second is struck early, and the track ends with the last


def test_notes_do_not_pass_a_program_change():
    track = Track().program(480, 16, 9)
    for tick in (0, 470, 480, 960):
        track.note(tick, 10, 38, channel=9)
    struck = find_struck(song_of(track))
    assert limit_ticks(struck, struck.tick + np.array([0, 30, -30, -600])).tolist() == [0, 479, 480, 481]


def test_a_note_held_back_leaves_the_end_and_one_that_is_not_moves_it():
    song = song_of(Track().note(0, 10, 38, channel=9).note(480, 20, 38, channel=9))
    struck = find_struck(song)
    wanted = np.array([0, 530])
    assert limit_ticks(struck, wanted).tolist() == [0, 499]
    ticks = limit_ticks(open_ends(struck, wanted), wanted)
    assert [e[:2] for e in list_events(restrike(song, struck, ticks, struck.velocity))[0]] == [(0, 0x99), (10, 0x89), (530, 0x99), (550, 0x89), (550, 0xFF)]


def test_a_velocity_0_note_off_and_a_second_note_off_stay_behind_their_note():
    track = Track().add(0, b"\x99\x26\x64").add(60, b"\x99\x26\x00").add(60, b"\x89\x26\x40").note(480, 60, 38, channel=9)
    song = song_of(track)
    struck = find_struck(song)
    data = restrike(song, struck, np.array([20, 470]), struck.velocity)
    assert [(tick, status, body[1]) for tick, status, body in list_events(data)[0][:-1]] == [
        (20, 0x99, 100), (80, 0x99, 0), (80, 0x89, 0x40), (470, 0x99, 100), (530, 0x89, 64),
    ]  # fmt: skip


def test_a_note_without_end_is_moved_alone():
    song = song_of(Track().add(100, b"\x99\x26\x64").meta(960, 1, b"end"))
    struck = find_struck(song)
    assert struck.off.tolist() == [-1]
    assert [e[0] for e in list_events(restrike(song, struck, np.array([90]), np.array([1])))[0]] == [90, 960, 960]


def test_added_notes_cut_what_sounds_and_are_cut():
    song = song_of(Track().note(0, 480, 38, channel=9).note(480, 100, 38, channel=9).meta(960, 1, b""))
    struck = find_struck(song)
    data = restrike(song, struck, struck.tick, struck.velocity, (NewNote(0, 9, 38, 30, 450, 900), NewNote(0, 9, 38, 20, 900, 2000)))
    after = find_struck(parse_song(data))
    assert list(zip(after.tick.tolist(), after.end.tolist(), after.velocity.tolist(), strict=True)) == [
        (0, 450, 100), (450, 480, 30), (480, 580, 100), (900, 960, 20),
    ]  # fmt: skip


def test_running_status_across_tracks_survives():
    first = Track().note(0, 50, 38, channel=9).chunk(end_of_track=True)
    second = b"MTrk" + (12).to_bytes(4, "big") + varlen(0) + b"\x24\x64" + varlen(10) + b"\x24\x00" + varlen(0) + b"\xff\x2f\x00" + b""
    body = varlen(0) + b"\x24\x64" + varlen(10) + b"\x24\x00" + varlen(0) + b"\xff\x2f\x00"
    second = b"MTrk" + len(body).to_bytes(4, "big") + body
    song = parse_song(midi(first, second))
    struck = find_struck(song)
    assert list_events(restrike(song, struck, struck.tick, struck.velocity)) == list_events(song.data)


def test_a_band_is_copied_byte_for_byte():
    song = band_and(rock())
    struck = find_struck(song)
    data = restrike(song, struck, np.maximum(0, struck.tick - 5), struck.velocity)
    assert song.data[: song.data.index(b"Drums")][:-12] == data[: data.index(b"Drums")][:-12]
    assert len(list_drums(data)) == len(struck)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, v: (t[1:], v), "as many"),
        (lambda t, v: (t - 99999, v), "start at 0"),
        (lambda t, v: (t, v * 0), "1-127"),
        (lambda t, v: (t[::-1], v), "change places"),
    ],
)
def test_wrong_arrays_are_refused(change, message):
    song = song_of(rock(1))
    struck = find_struck(song)
    with pytest.raises(ValueError, match=message):
        restrike(song, struck, *change(struck.tick, struck.velocity))
