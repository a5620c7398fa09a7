"""The song is sacred: what a splice may change in a file, and what it may not."""

from __future__ import annotations

import io
from dataclasses import replace

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song, splice_drums
from backbeat.midi.chunks import scan_chunks
from backbeat.midi.splice import list_events, splice
from backbeat.song import Song
from tests.midi.builders import Track, band_song, chunk, header, midi, undump

KIT = load_kit("lstmetallica_9")


def play(song: Song, every: int = 2) -> Groove:
    """A groove for a song: every class in turn, on every second step."""
    grid = song.grid()
    hits = np.zeros((grid.steps, len(KIT)), np.bool_)
    steps = np.arange(0, grid.steps, every)
    hits[steps, steps % len(KIT)] = True
    return Groove(grid, KIT, hits, np.where(hits, 0.7, 0).astype(np.float32), np.zeros(hits.shape, np.float32))


def chunks_of(data: bytes) -> list[bytes]:
    return [data[c.start : c.end] for c in scan_chunks(data).chunks]


@st.composite
def tracks(draw: st.DrawFn, plain: bool) -> bytes:
    """A track of random events; a plain one has none that mido refuses to read."""
    track = Track()
    tick = st.integers(0, 5000)
    for _ in range(draw(st.integers(0, 12))):
        channel, value = draw(st.sampled_from([0, 1, 9, 9, 10])), draw(st.integers(0, 127))
        kind = draw(st.sampled_from(["note", "note", "note", "control", "program", "bend", "meta", "sysex", "escape", "tempo"]))
        at = draw(tick)
        if kind == "note":
            track.note(at, draw(st.integers(0, 300)), value, draw(st.integers(1, 127)), channel)
        elif kind == "control":
            track.control(at, 7, value, channel)
        elif kind == "program":
            track.program(at, value, channel)
        elif kind == "bend":
            track.add(at, bytes([0xE0 | channel, value, 64]))
        elif kind == "meta":
            track.meta(at, draw(st.sampled_from([1, 5, 6, 0x7F])), draw(st.binary(max_size=200)))
        elif kind == "sysex":
            track.sysex(at, "7E 7F 09 01")
        elif kind == "escape" and not plain:
            track.add(at, b"\xf7\x02\xf3\x01")
        else:
            track.tempo(at, 400_000 + value)
    return track.chunk(draw(st.integers(0, 6000)), running=draw(st.booleans()))


@st.composite
def files(draw: st.DrawFn, plain: bool = False) -> bytes:
    """A file of random tracks; a plain one has nothing but tracks."""
    body = draw(st.lists(tracks(plain), min_size=1, max_size=4))
    out = header(0 if len(body) == 1 else draw(st.sampled_from([1, 2])), len(body), draw(st.sampled_from([24, 96, 480, 0xE728])))
    for track in body:
        out += (b"" if plain else draw(st.sampled_from([b"", b"", chunk(b"XFIH", b"odd")]))) + track
    return out if plain else out + draw(st.sampled_from([b"", b"", b"\0\0junk"]))


@settings(max_examples=40, deadline=None)
@given(files())
def test_keep_leaves_every_chunk_byte_for_byte(data: bytes) -> None:
    song = parse_song(data)
    before, after = chunks_of(data), chunks_of(splice_drums(song, play(song), drums="keep"))
    added = max(i for i, part in enumerate(before) if part[:4] == b"MTrk") + 1
    assert [*before[1:added], *before[added:]] == [*after[1:added], *after[added + 1 :]]
    assert after[added].startswith(b"MTrk")
    assert after[0] == before[0][:8] + b"\0\1" + (scan_chunks(data).declared_tracks + 1).to_bytes(2, "big") + before[0][12:]


@settings(max_examples=40, deadline=None)
@given(files())
def test_replace_takes_out_events_of_drums_and_no_others(data: bytes) -> None:
    song = parse_song(data)
    out = splice_drums(song, play(song))
    drums = {(p.track, p.channel) for p in song.drum_parts}
    for index, (before, after) in enumerate(zip(list_events(data), list_events(out), strict=False)):
        gone = {channel for channel in range(16) if (index, channel) in drums or (drums and channel == 9)}
        assert after == [e for e in before if not (e[1] < 0xF0 and e[1] & 15 in gone)]
    assert len(list_events(out)) == len(list_events(data)) + 1


@settings(max_examples=40, deadline=None)
@given(files(plain=True))
def test_another_reader_finds_the_same_events_after_replace(data: bytes) -> None:
    song = parse_song(data)
    drums = {(p.track, p.channel) for p in song.drum_parts}
    before, after = (mido.MidiFile(file=io.BytesIO(d), clip=False) for d in (data, splice_drums(song, None)))
    for index, (one, other) in enumerate(zip(before.tracks, after.tracks, strict=True)):
        gone = {channel for channel in range(16) if (index, channel) in drums or (drums and channel == 9)}
        assert _place(other) == [e for e in _place(one) if not (hasattr(e[1], "channel") and e[1].channel in gone)]


def _place(track: mido.MidiTrack) -> list[tuple[int, mido.Message]]:
    """Messages with their tick, their delta time set to 0."""
    out, now = [], 0
    for message in track:
        now += message.time
        out.append((now, message.copy(time=0)))
    return out


@settings(max_examples=40, deadline=None)
@given(files())
def test_where_there_are_no_drums_replace_is_keep(data: bytes) -> None:
    song = parse_song(data)
    if not song.drum_parts:
        assert splice_drums(song, play(song)) == splice_drums(song, play(song), drums="keep")


def test_a_song_without_drum_notes_keeps_its_drum_channel_settings() -> None:
    data = midi(Track().control(0, 7, 90, 9).program(0, 8, 9).note(0, 480, 60).chunk(960))
    song = parse_song(data)
    assert chunks_of(splice_drums(song, play(song)))[1] == chunks_of(data)[1]


def test_replace_then_read_gives_the_new_drums_and_the_old_band() -> None:
    song = parse_song(band_song(4))
    groove = play(song)
    again = parse_song(splice_drums(song, groove, name="New kit"))
    assert [(p.name, p.drums) for p in again.drum_parts] == [("New kit", "channel 10")]
    assert [p.notes.tolist() for p in again.band] == [p.notes.tolist() for p in song.band]
    read, report = extract_groove(again, again.grid(), KIT)
    assert np.array_equal(read.hits, groove.hits)
    assert np.allclose(read.velocities, groove.velocities, atol=0.005)
    assert (report.merged, report.unknown) == (0, {})


def test_only_drum_events_of_a_drum_part_off_channel_10_leave() -> None:
    percussion = Track().name("Both").program(0, 118, 4).note(0, 60, 36, 90, 4).note(240, 60, 38, 90, 4).note(10, 100, 72, 80, 2)
    song = parse_song(midi(Track().program(0, 0, 4).note(0, 480, 60, 80, 4).chunk(), percussion.chunk(960)))
    assert [(p.track, p.channel, p.drums) for p in song.drum_parts] == [(1, 4, "program")]
    out = list_events(splice_drums(song, None))
    assert out[0] == list_events(song.data)[0]  # the same channel in another track stays
    assert [(e[0], e[1]) for e in out[1]] == [(0, 0xFF), (10, 0x92), (110, 0x82), (960, 0xFF)]


def test_deltas_behind_removed_events_are_joined_and_others_keep_their_bytes() -> None:
    data = undump("""
        "MThd" 00000006 0000 0001 0060
        "MTrk" 00000020
            80 00 90 3C 64      # a delta of 0 in two bytes: stays as it is
            60    99 24 64      # drums
            60       24 00      # drums, running status
            00    90 3C 00
            10       3E 64      # running status of an event that stays
            10       3E 00
            00 FF 2F 00
            00 00 00 00 00 00
    """)
    out = chunks_of(splice_drums(parse_song(data), None))[1]
    assert out == undump("""
        "MTrk" 0000001A
            80 00 90 3C 64
            81 40 90 3C 00
            10       3E 64
            10       3E 00
            00 FF 2F 00
            00 00 00 00 00 00
    """)


def test_borrowed_status_survives_the_removal_of_its_lender() -> None:
    lender = undump("00 93 24 64  10 24 00  00 FF 2F 00")
    borrower = undump("00 3C 64  10 3C 00  00 FF 2F 00")
    song = parse_song(midi(chunk(b"MTrk", lender), chunk(b"MTrk", borrower), division=96))
    drums = tuple(replace(part, drums="name" if part.track == 0 else "") for part in song.parts)
    out = chunks_of(splice_drums(replace(song, parts=drums), None))
    assert out[1] == chunk(b"MTrk", undump("10 FF 2F 00"))
    assert out[2] == chunk(b"MTrk", undump("00 93 3C 64  10 3C 00  00 FF 2F 00"))


def test_a_gap_too_long_for_one_delta_is_bridged() -> None:
    long = 0x0FFFFFFF
    body = undump("FF FF FF 7F 99 24 64  FF FF FF 7F 89 24 00  FF FF FF 7F FF 2F 00")
    song = parse_song(midi(chunk(b"MTrk", body), Track().note(0, 10, 60).chunk()))
    events = list_events(splice_drums(song, None))[0]
    assert events[-1] == (3 * long, 0xFF, b"\x2f\x00")
    assert all(body == b"\x01\x00" for _, _, body in events[:-1])


def test_the_new_track_stands_behind_the_last_track_and_before_junk() -> None:
    track = Track().note(0, 960, 60).chunk()
    data = header(1, 2) + track + chunk(b"ABCD", b"x") + track + chunk(b"XFKM", b"lyrics") + b"\0\0\0"
    song = parse_song(data)
    assert [c[:4] for c in chunks_of(splice_drums(song, play(song)))] == [b"MThd", b"MTrk", b"ABCD", b"MTrk", b"MTrk", b"XFKM", b"\0\0\0"]


@pytest.mark.parametrize("format_", [0, 1, 2])
def test_the_header_keeps_its_division_and_becomes_format_1(format_: int) -> None:
    song = parse_song(midi(Track().note(0, 960, 60).chunk(), format_=format_, division=0xE728))
    out = splice_drums(song, play(song), drums="keep")
    assert out[:14] == undump('"MThd" 00000006 0001 0002 E728')
    assert splice_drums(song, None, drums="keep") == song.data


def test_a_wrong_track_count_in_the_header_becomes_right() -> None:
    track = Track().note(0, 960, 60).chunk()
    song = parse_song(header(1, 7) + track + track)
    assert scan_chunks(splice_drums(song, play(song))).declared_tracks == 3


def test_the_same_song_and_groove_give_the_same_bytes() -> None:
    song = parse_song(band_song())
    assert splice_drums(song, play(song)) == splice_drums(song, play(song))


def test_a_splice_tells_what_it_did() -> None:
    song = parse_song(band_song(2))
    done = splice(song, play(song))
    assert done.removed == 4 * len(song.drum_parts[0].notes) // 2
    assert done.notes is not None
    assert len(done.notes.tick) == 16


def test_an_unknown_way_with_drums_is_refused() -> None:
    song = parse_song(band_song(1))
    with pytest.raises(ValueError, match="drums is 'replace' or 'keep', not 'mute'"):
        splice_drums(song, None, drums="mute")  # type: ignore[arg-type]
