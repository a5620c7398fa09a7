"""All tracks at once against event by event: the same events where nothing is odd, and silence where something is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.errors import MidiError
from backbeat.midi.chunks import scan_chunks, unwrap_riff
from backbeat.midi.events import TrackEvents, walk_track
from backbeat.midi.strides import MAX_BYTES, read_varlens, walk_tracks
from tests.midi.builders import Track, band_song, chunk, midi, varlen
from tests.midi.test_splice import files

DATA = os.environ.get("BACKBEAT_DATA", "")
END = b"\x00\xff\x2f\x00"


def walk_both(data: bytes) -> list[tuple[TrackEvents | None, TrackEvents | None]]:
    """What the two walkers find in each track, None where they find nothing; nothing behind a track that cannot be read."""
    chunks, status, out = scan_chunks(data).tracks, 0, list[tuple[TrackEvents | None, TrackEvents | None]]()
    for part, quick in zip(chunks, walk_tracks(data, chunks), strict=True):
        try:
            slow = walk_track(data, part, status)
        except MidiError:
            return [*out, (quick, None)]
        status = slow.last_status
        out.append((quick, slow))
    return out


def check(data: bytes) -> int:
    """Compare the walkers; the number of tracks that both read."""
    both = 0
    for quick, slow in walk_both(data):
        if quick is None:
            continue
        assert slow is not None, "a fault was overlooked"
        both += 1
        for name in ("ticks", "ends", "statuses"):
            mine, theirs = getattr(quick, name), getattr(slow, name)
            assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs), name
        assert (quick.metas, quick.borrowed, quick.warnings) == (slow.metas, slow.borrowed, slow.warnings)
        assert quick.last_status in (slow.last_status, 0)
        assert quick.last_status or not slow.is_voice.any()
    return both


@settings(max_examples=40, deadline=None)
@given(files())
def test_the_same_events_are_found(data: bytes) -> None:
    assert check(data), "a track without a fault must be read here"


@settings(max_examples=50, deadline=None)
@given(files(), st.data())
def test_no_fault_is_overlooked(data: bytes, draw: st.DataObject) -> None:
    body = scan_chunks(data).tracks[0].body
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(body, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        scan_chunks(bytes(damaged))
    except MidiError:
        return
    check(bytes(damaged))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_may_stand_in_a_track(body: bytes, ended: bool) -> None:
    check(midi(chunk(b"MTrk", body + END * ended), Track().note(0, 10, 60).chunk()))


@pytest.mark.parametrize(
    "body",
    [
        b"",  # nothing at all
        b"\x00\x90\x3c\x40",  # no end of track
        b"\x00\x3c\x40" + END,  # no status byte
        b"\x00\x90\x3c\x80\x00" + END,  # a data byte above 127
        b"\x00\xc0\x05\x00\x06" + END,  # running status with one data byte: rare, so it is walked event by event
        b"\x00\xf4" + END,  # no event of a file
        b"\x80\x80\x80\x80\x00\x90\x3c\x40" + END,  # a delta time of five bytes
        b"\x00\xff\x01\x7f" + END,  # a text that reaches beyond the track
        b"\x00\x90\x3c",
        b"\xff",
    ],
)
def test_odd_tracks_are_left_to_the_other_walker(body: bytes) -> None:
    data = midi(chunk(b"MTrk", body))
    assert walk_tracks(data, scan_chunks(data).tracks) == [None]


def test_running_status_is_not_taken_from_another_track() -> None:
    data = midi(Track().note(0, 10, 60).chunk(), chunk(b"MTrk", b"\x00\x3c\x00" + END))
    first, second = walk_tracks(data, scan_chunks(data).tracks)
    assert first is not None and second is None
    assert check(data) == 1


def test_long_deltas_long_texts_and_bytes_behind_the_end_are_read() -> None:
    deltas = b"".join(varlen(d) + b"\x90\x3c\x40" for d in (0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000, 0x0FFFFFFF))
    text = b"\x00\xff\x05" + varlen(300) + b"\xff\x2f\x00" * 100
    assert check(midi(chunk(b"MTrk", deltas + text + END + b"junk"))) == 1


def test_running_status_goes_on_behind_a_text() -> None:
    data = midi(chunk(b"MTrk", b"\x00\x90\x3c\x40\x00\xff\x01\x00\x05\x3c\x00" + END))
    assert check(data) == 1
    (track,) = walk_tracks(data, scan_chunks(data).tracks)
    assert track is not None and "goes on with running status" in track.warnings[0]


def test_a_track_that_lasts_for_years_is_left_to_the_other_walker() -> None:
    data = midi(chunk(b"MTrk", b"\xff\xff\xff\x7f\xff\x01\x00" * 4100 + END))
    assert walk_tracks(data, scan_chunks(data).tracks) == [None]


def test_huge_files_are_left_to_the_other_walker() -> None:
    data = midi(Track().note(0, 10, 60).chunk(), chunk(b"MTrk", b"\0" * MAX_BYTES))
    assert walk_tracks(data, scan_chunks(data).tracks) == [None, None]


def test_variable_lengths() -> None:
    values = [0, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000, 0x0FFFFFFF]
    coded = [varlen(v) for v in values] + [b"\x80\x80\x80\x80"]
    at = np.cumsum([0, *map(len, coded)])[:-1]
    found, sizes = read_varlens(np.frombuffer(b"".join(coded) + b"\0" * 4, np.uint8), at)
    assert found[:-1].tolist() == values
    assert sizes.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_a_whole_song_is_read_at_once() -> None:
    assert check(band_song(8)) == 4


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="needs songs: set BACKBEAT_DATA")
def test_real_songs_are_read_alike() -> None:
    paths = sorted(Path(DATA, "songs").rglob("*.mid"))[::40]
    assert paths, f"no songs in {DATA}/songs"
    read = tracks = 0
    for path in paths:
        data, _ = unwrap_riff(path.read_bytes())
        try:
            tracks += len(scan_chunks(data).tracks)
        except MidiError:
            continue
        read += check(data)
    assert read > 0.9 * tracks, "nearly all tracks of real songs must be read at once"
