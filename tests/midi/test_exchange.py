"""Exchanging notes: what leaves, what comes, and that every other byte that can stay does."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.midi import parse_song
from backbeat.midi.chunks import scan_chunks
from backbeat.midi.exchange import exchange_notes
from backbeat.midi.restrike import NewNote
from backbeat.midi.splice import list_events
from tests.midi.builders import Track, midi
from tests.midi.test_splice import chunks_of, files


def voices(data: bytes, track: int) -> list[int]:
    """Numbers of the channel-voice events of a track."""
    return [k for k, (_, status, _) in enumerate(list_events(data)[track]) if status < 0xF0]


@settings(max_examples=60, deadline=None)
@given(files(), st.data())
def test_events_leave_and_come_and_all_others_stay(data: bytes, draw: st.DataObject) -> None:
    song, events = parse_song(data), list_events(data)
    track = draw.draw(st.integers(0, len(events) - 1))
    leaving = set(draw.draw(st.lists(st.sampled_from(voices(data, track)), max_size=6))) if voices(data, track) else set[int]()
    ticks = draw.draw(st.lists(st.integers(0, 7000), max_size=4, unique=True))
    notes = [NewNote(track, 9, 36, 77, t, t + 30) for t in ticks]
    after = list_events(exchange_notes(song, {track: leaving}, notes))
    new = [(t, 0x99, b"\x24\x4d") for t in ticks] + [(t + 30, 0x89, b"\x24\x40") for t in ticks]
    for index, (one, other) in enumerate(zip(events, after, strict=True)):
        if index != track:
            assert one == other
            continue
        left = list(other)
        for event in new:
            left.remove(event)
        stays = [e for k, e in enumerate(one) if k not in leaving]
        if stays and stays[-1][1] == 0xFF:  # the end of the track moves behind new notes
            last = max([stays[-1][0], *(t + 30 for t in ticks)])
            stays[-1] = (last, *stays[-1][1:])
        assert left == stays
        assert [e[0] for e in other] == sorted(e[0] for e in other)


@settings(max_examples=40, deadline=None)
@given(files())
def test_nothing_exchanged_is_a_copy(data: bytes) -> None:
    assert exchange_notes(parse_song(data), {}, []) == data


@settings(max_examples=40, deadline=None)
@given(files(), st.integers(0, 4000))
def test_other_tracks_keep_their_bytes(data: bytes, tick: int) -> None:
    song = parse_song(data)
    track = len(list_events(data)) - 1
    before, after = chunks_of(data), chunks_of(exchange_notes(song, {}, [NewNote(track, 9, 40, 1, tick, tick + 1)]))
    which = [i for i, c in enumerate(scan_chunks(data).chunks) if c.kind == b"MTrk"][track]
    assert before[:which] + before[which + 1 :] == after[:which] + after[which + 1 :]


def test_bytes_change_only_beside_the_new_note() -> None:
    track = Track()
    for beat in range(8):
        track.note(beat * 480, 240, 36, 100, 9)
    data = midi(track.chunk(running=True))
    after = exchange_notes(parse_song(data), {}, [NewNote(0, 9, 38, 90, 1000, 1100)])
    start = next(i for i, (a, b) in enumerate(zip(data[22:], after[22:], strict=False)) if a != b) + 22
    tail = np.frombuffer(data[-30:], np.uint8).tobytes()
    assert after.endswith(tail) and start > 30
    assert len(after) - len(data) <= 8 + 2, "two events of four bytes, and two status bytes"


def test_running_status_across_tracks_is_not_lost() -> None:
    first = Track().note(0, 100, 60).chunk(end_of_track=False)
    body = bytes([0, 61, 90, 96, 61, 0])  # two events that take the status of the track before, a note-off of channel 0
    data = midi(first, b"MTrk" + len(body).to_bytes(4, "big") + body)
    after = exchange_notes(parse_song(data), {}, [NewNote(0, 9, 36, 100, 50, 300)])
    assert list_events(after)[1] == list_events(data)[1]
