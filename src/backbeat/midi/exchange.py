"""Exchange some notes of a file for others, and leave every other event as it was: tick, order and bytes.

Only tracks in which a note leaves or comes are written anew, and in these only what lies beside an exchanged note: the delta time of
the event behind it, and a status byte where running status would have been lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from backbeat.midi.drumtrack import RELEASE_VELOCITY, encode_chunk, encode_delta
from backbeat.midi.events import END_OF_TRACK, META, TrackEvents, read_varlen
from backbeat.midi.reader import dissect
from backbeat.midi.restrike import NewNote
from backbeat.song import Song


class _Edited(NamedTuple):
    """The body of a track chunk, and the running status that it leaves to the track behind it."""

    body: bytes
    status: int


class _Coming(NamedTuple):
    """An event to be added; of one tick note-offs come first."""

    tick: int
    is_on: bool
    event: bytes


def exchange_notes(song: Song, leaving: Mapping[int, set[int]], coming: Sequence[NewNote]) -> bytes:
    """The song's file without some of its events and with some new notes.

    A new event stands behind the old ones of its tick. A track ends later where a new note ends behind its end.

    Args:
        song: the song, with its bytes.
        leaving: by index of a track, the numbers of the channel-voice events that leave it.
        coming: the notes to be put in.
    """
    file = dissect(song.data)
    new = _sort_coming(coming)
    out, index = [file.data[: file.layout.chunks[0].end]], 0
    status = status_before = 0  # running status across tracks, in the output and in the input
    for chunk in file.layout.chunks[1:]:
        if chunk.kind != b"MTrk":
            out.append(file.data[chunk.start : chunk.end])
            continue
        track = file.tracks[index]
        if leaving.get(index) or new[index] or (track.borrowed and status != status_before):
            edited = _edit(file.data, track, leaving.get(index, set()), new[index], status)
            out.append(encode_chunk(b"MTrk", edited.body))
            status = edited.status
        else:
            out.append(file.data[chunk.start : chunk.end])
            status = track.last_status if track.is_voice.any() else status
        status_before = track.last_status
        index += 1
    return b"".join(out)


def _sort_coming(notes: Sequence[NewNote]) -> dict[int, list[_Coming]]:
    """The events of new notes by track, in order."""
    new: dict[int, list[_Coming]] = defaultdict(list)
    for note in notes:
        new[note.track].append(_Coming(note.tick, True, bytes([0x90 | note.channel, note.pitch, note.velocity])))
        new[note.track].append(_Coming(note.end, False, bytes([0x80 | note.channel, note.pitch, RELEASE_VELOCITY])))
    for events in new.values():
        events.sort(key=lambda e: e[:2])
    return new


def _edit(data: bytes, track: TrackEvents, leaving: set[int], coming: Sequence[_Coming], status: int) -> _Edited:
    """A track with events exchanged.

    Args:
        data: the file.  track: its events.
        leaving: numbers of events.  coming: new events, in order.
        status: running status before the track, as it is written.
    """
    out: list[bytes] = []
    now, copied, waiting = 0, True, list(reversed(coming))
    for number, (start, tick, end, kind, is_last) in enumerate(_iterate(data, track)):
        while waiting and (waiting[-1].tick < tick or is_last):
            new = waiting.pop()
            out += [encode_delta(new.tick - now), new.event]
            now, copied, status = new.tick, False, new.event[0]
        if number in leaving:
            copied = False
            continue
        body = read_varlen(data, start)[1]
        out.append(data[start:body] if copied else encode_delta(max(0, tick - now)))
        if data[body] < 0x80 and status != kind:
            out.append(bytes([kind]))
        out.append(data[body:end])
        now, copied, status = max(now, tick), True, kind if kind < 0xF0 else status
    for new in reversed(waiting):  # a track without an end
        out += [encode_delta(new.tick - now), new.event]
        now, status = new.tick, new.event[0]
    out.append(data[int(track.ends[-1]) if len(track.ends) else track.chunk.body : track.chunk.end])
    return _Edited(b"".join(out), status)


def _iterate(data: bytes, track: TrackEvents) -> Iterator[tuple[int, int, int, int, bool]]:
    """Start, tick, end and status of each event, and whether it is the end of the track."""
    columns = (track.starts.tolist(), track.ticks.tolist(), track.ends.tolist(), track.statuses.tolist())
    for start, tick, end, status in zip(*columns, strict=True):
        yield start, tick, end, status, status == META and data[read_varlen(data, start)[1] + 1] == END_OF_TRACK
