"""Strike the drum notes of a file anew: other ticks and velocities, and every other event as it was.

A file is more than its notes: what is not a note of a drum part keeps its tick, its order and its bytes, also within the tracks
that are written anew. Notes keep their pitch, channel, track and length; of one pitch they keep their order, so that a note-off ends the
note that it ended before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from backbeat.midi.drumtrack import encode_chunk, encode_delta
from backbeat.midi.events import TrackEvents, read_varlen
from backbeat.midi.reader import Bytes, dissect
from backbeat.song import Song
from backbeat.units import Ints

_NONE = -1
_BANK_SELECT = (0, 32)


@dataclass(frozen=True, eq=False)
class StruckNotes:
    """The drum notes of a file by tick, then track, then place in the track; int64 arrays [n].

    Args:
        track, channel, pitch, velocity: as in the file.
        tick: of the note-on.
        end: tick of its note-off; where none ends it, that of its track's end.
        on, off: number of the events in their track; off is -1 where none ends the note.
        low, high: ticks between which a note-on may be moved: never past a program or bank change of its channel, nor past the track's end.
        last: tick of the track's end.
    """

    track: Ints
    channel: Ints
    pitch: Ints
    velocity: Ints
    tick: Ints
    end: Ints
    on: Ints
    off: Ints
    low: Ints
    high: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.tick)


class NewNote(NamedTuple):
    """A note to be added: track and channel of a drum part, MIDI pitch, velocity 1-127, ticks of its start and end."""

    track: int
    channel: int
    pitch: int
    velocity: int
    tick: int
    end: int


class _Event(NamedTuple):
    """An event of a track to be written: sorted by tick, then by rank (place in the old track, part 0 for old events)."""

    tick: int
    rank: tuple[int, int]
    status: int
    body: bytes
    spoken: bool


def find_struck(song: Song) -> StruckNotes:
    """The notes of a song's drum parts, with the events that make them."""
    file = dissect(song.data)
    pairs = {(p.track, p.channel) for p in song.drum_parts}
    rows: list[tuple[int, ...]] = []
    for index, track in enumerate(file.tracks):
        channels = {c for t, c in pairs if t == index}
        if channels:
            rows += _find_in_track(file.data, track, index, channels)
    table = np.array(sorted(rows, key=lambda r: (r[4], r[0], r[6])), dtype=np.int64).reshape(-1, 11)
    return StruckNotes(*(np.ascontiguousarray(column) for column in table.T))


def _find_in_track(data: bytes, track: TrackEvents, index: int, channels: set[int]) -> list[tuple[int, ...]]:
    """Rows of ``StruckNotes``; of notes of one pitch that sound together the first struck is the first ended, as everywhere."""
    rows: list[list[int]] = []
    sounding: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    changes: dict[int, list[int]] = {c: [] for c in channels}
    ticks, ends, statuses = track.ticks.tolist(), track.ends.tolist(), track.statuses.tolist()
    for number, (tick, end, status) in enumerate(zip(ticks, ends, statuses, strict=True)):
        channel, kind = status & 15, status >> 4
        if status >= 0xF0 or channel not in channels:
            continue
        if kind == 0xC or (kind == 0xB and data[end - 2] in _BANK_SELECT):
            changes[channel].append(tick)
        elif kind == 9 and data[end - 1]:
            sounding[channel, data[end - 2]].append(len(rows))
            rows.append([index, channel, data[end - 2], data[end - 1], tick, track.end_tick, number, _NONE])
        elif kind in (8, 9) and sounding[channel, data[end - 2]]:
            row = rows[sounding[channel, data[end - 2]].popleft()]
            row[5], row[7] = tick, number
    return [(*row, *_bound(row[4], changes[row[1]], track.end_tick), track.end_tick) for row in rows]


def _bound(tick: int, changes: list[int], end_tick: int) -> tuple[int, int]:
    """Where a note-on may go: not past the changes (ascending ticks) around it, nor to the end of its track."""
    behind = bisect_right(changes, tick)
    low = changes[behind - 1] if behind else 0
    return low, max(tick, changes[behind] - 1 if behind < len(changes) else end_tick - 1)


def limit_ticks(notes: StruckNotes, ticks: Ints) -> Ints:
    """Ticks at which notes can start: within their bounds, and of one pitch in the order in which they were.

    Args:
        notes: n notes.
        ticks: int64 [n], wanted.

    Returns:
        int64 [n]; two notes of a pitch that stood on one tick may do so again, others are a tick apart at least where there is room.
    """
    out = np.clip(ticks, notes.low, notes.high)
    key = (notes.track * 16 + notes.channel) * 128 + notes.pitch
    order = np.lexsort((notes.on, key))
    before = _NONE
    for i in order.tolist():
        if before >= 0 and key[before] == key[i]:
            least = out[before] + int(notes.tick[i] > notes.tick[before])
            out[i] = max(out[i], min(least, notes.high[i]), out[before])
        before = i
    return np.asarray(out, dtype=np.int64)


def open_ends(notes: StruckNotes, ticks: Ints) -> StruckNotes:
    """Let notes that are wanted behind the end of their track go there; the end is moved then.

    Args:
        notes: n notes.
        ticks: int64 [n], wanted.
    """
    behind = (notes.high >= notes.last - 1) & (ticks > notes.high)
    return replace(notes, high=np.where(behind, ticks, notes.high))


def restrike(song: Song, notes: StruckNotes, ticks: Ints, velocities: Ints, added: tuple[NewNote, ...] = ()) -> bytes:
    """The song's file with its drum notes at other ticks and velocities.

    Args:
        song: the song.
        notes: its drum notes, as ``find_struck`` finds them.
        ticks: int64 [n], where they start; see ``limit_ticks``.
        velocities: int64 [n], 1-127.
        added: notes to put in besides.

    Returns:
        the file. A note is as long as it was; where the next of its pitch, or the end of its track, comes before its end, it ends there.
        The end of a track moves only where a note starts behind it.

    Raises:
        ValueError: an array has another length, a tick or velocity is out of range, or two notes of a pitch change places.
    """
    if ticks.shape != notes.tick.shape or velocities.shape != notes.tick.shape:
        raise ValueError(f"{len(notes)} notes need as many ticks and velocities, not {ticks.shape} and {velocities.shape}")
    if len(ticks) and (ticks.min() < 0 or velocities.min() < 1 or velocities.max() > 127):
        raise ValueError("ticks start at 0, velocities lie in 1-127")
    file = dissect(song.data)
    moved: dict[int, dict[int, int]] = defaultdict(dict)
    louder: dict[int, dict[int, int]] = defaultdict(dict)
    ends = _end_before(notes, ticks, added)
    for track, on, off, tick, velocity, end in zip(*(a.tolist() for a in (notes.track, notes.on, notes.off, ticks, velocities, ends)), strict=True):
        moved[track][on], louder[track][on] = tick, velocity
        if off >= 0:
            moved[track][off] = end
    plus: dict[int, list[NewNote]] = defaultdict(list)
    for note in _cut_short(notes, ticks, added, file):
        plus[note.track].append(note)
    chunks = []
    unsure = False  # whether the running status that a track leaves behind may have changed
    for index, track in enumerate(file.tracks):
        chunk = song.data[track.chunk.start : track.chunk.end]
        if moved[index] or plus[index] or (track.borrowed and unsure):
            events = _list_events(file, track, moved[index], louder[index], plus[index])
            chunk = encode_chunk(b"MTrk", _encode(file.data, track, events))
            unsure = True
        elif track.is_voice.any():
            unsure = False
        chunks.append(chunk)
    return _join(file, chunks)


def _end_before(notes: StruckNotes, ticks: Ints, added: tuple[NewNote, ...]) -> Ints:
    """int64 [n]: where notes end: as long as they were, or where a note of theirs is added."""
    ends = ticks + notes.end - notes.tick
    for note in added:
        own = (notes.track == note.track) & (notes.channel == note.channel) & (notes.pitch == note.pitch) & (ticks < note.tick)
        ends[own] = np.minimum(ends[own], note.tick)
    return ends


def _cut_short(notes: StruckNotes, ticks: Ints, added: tuple[NewNote, ...], file: Bytes) -> list[NewNote]:
    """The added notes, each ending before the next of its pitch and within its track."""
    out = []
    for note in added:
        own = (notes.track == note.track) & (notes.channel == note.channel) & (notes.pitch == note.pitch)
        behind = [*ticks[own & (ticks > note.tick)].tolist(), *(o.tick for o in added if o[:3] == note[:3] and o.tick > note.tick)]
        end = min([note.end, *behind, max(note.tick, file.tracks[note.track].end_tick)])
        out.append(note._replace(end=end))
    return out


def _join(file: Bytes, tracks: list[bytes]) -> bytes:
    out, track = [file.data[: file.layout.chunks[0].end]], iter(tracks)
    for chunk in file.layout.chunks[1:]:
        out.append(next(track) if chunk.kind == b"MTrk" else file.data[chunk.start : chunk.end])
    return b"".join(out)


def _list_events(file: Bytes, track: TrackEvents, moved: dict[int, int], louder: dict[int, int], added: list[NewNote]) -> list[_Event]:
    """The events of a track in their new order."""
    data, events = file.data, []
    ticks, ends, statuses = track.ticks.tolist(), track.ends.tolist(), track.statuses.tolist()
    start = track.chunk.body
    for number, (tick, end, status) in enumerate(zip(ticks, ends, statuses, strict=True)):
        body = data[read_varlen(data, start)[1] : end]
        spoken = body[0] >= 0x80
        if number in louder:
            body = body[:-1] + bytes([louder[number]])
        events.append(_Event(tick, (number, 0), status, body[1:] if spoken else body, spoken))
        start = end
    end = _find_end(track, events, moved)
    _settle(data, track, events, moved, end)
    if end > track.end_tick:
        events[-1] = events[-1]._replace(tick=end)
    for k, note in enumerate(added):
        at = int(np.searchsorted(track.ticks, note.tick, side="left"))
        events.append(_Event(note.tick, (at - 1, 2 * k + 1), 0x90 | note.channel, bytes([note.pitch, note.velocity]), True))
        events.append(_Event(note.end, (at - 1, 2 * k + 2), 0x80 | note.channel, bytes([note.pitch, 64]), True))
    return sorted(events, key=lambda e: (e.tick, e.rank))


def _find_end(track: TrackEvents, events: list[_Event], moved: dict[int, int]) -> int:
    """Where the track ends: where it did, or where the notes that start behind that end."""
    last = max((tick for number, tick in moved.items() if _is_on(events[number])), default=0)
    return track.end_tick if last <= track.end_tick else max(moved.values())


def _settle(data: bytes, track: TrackEvents, events: list[_Event], moved: dict[int, int], end: int) -> None:
    """Move events, those of each pitch in the order in which they were: ends give way to the starts around them."""
    by_key = _sort_by_key(data, track, moved)
    for numbers in by_key.values():
        _move_idle(events, numbers, moved)
        onset = end
        for number in reversed(numbers):
            if _is_on(events[number]):
                if moved[number] > onset:
                    raise ValueError("two notes of a pitch change places")
                onset = moved[number]
            else:
                moved[number] = min(moved[number], onset)
        earliest = 0
        for number in numbers:
            earliest = max(earliest, moved[number])
            events[number] = events[number]._replace(tick=earliest)


def _sort_by_key(data: bytes, track: TrackEvents, moved: dict[int, int]) -> dict[tuple[int, int], list[int]]:
    """The note events of each channel and pitch of which a note is moved, in the order in which they were."""
    ends = track.ends.tolist()
    noted = np.flatnonzero((track.statuses >= 0x80) & (track.statuses < 0xA0)).tolist()
    keys = {number: (int(track.statuses[number]) & 15, data[ends[number] - 2]) for number in noted}
    out: dict[tuple[int, int], list[int]] = {keys[number]: [] for number in moved}
    for number, key in keys.items():
        if key in out:
            out[key].append(number)
    return out


def _move_idle(events: list[_Event], numbers: list[int], moved: dict[int, int]) -> None:
    """Note-offs that end nothing go with the event before them, else they would come to end a note that was moved past them."""
    shift = 0
    for number in numbers:
        if number not in moved:
            moved[number] = max(0, events[number].tick + shift)
        shift = moved[number] - events[number].tick


def _is_on(event: _Event) -> bool:
    return event.status >> 4 == 9 and event.body[1] > 0


def _encode(data: bytes, track: TrackEvents, events: list[_Event]) -> bytes:
    """The body of a track chunk; an event that left out its status byte does so again where that is right."""
    out: list[bytes] = []
    now = running = 0
    for event in events:
        out.append(encode_delta(event.tick - now))
        if event.spoken or event.status != running:
            out.append(bytes([event.status]))
        out.append(event.body)
        now = event.tick
        running = event.status if event.status < 0xF0 else 0
    rest = int(track.ends[-1]) if len(track.ends) else track.chunk.body
    out.append(data[rest : track.chunk.end])
    return b"".join(out)
