"""The events of all tracks at once: the same answer as ``events.walk_track``, ten times as fast, for tracks without a fault.

Where an event ends depends only on where it begins, except that an event without status byte takes that of the event before.
Nearly always that one has two data bytes. So for every byte of a file, as if an event began there, the byte at which the next
one would begin is found (all at once); these strides are joined to strides of 2, 4 and 8 events (pointer jumping); and the
tracks are walked in steps of 8. What was found is checked afterwards. A track in which anything is odd is left to the
walker of ``events``, which knows every fault by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backbeat.midi.chunks import Chunk
from backbeat.midi.events import DATA_SIZES, END_OF_TRACK, ESCAPE, MAX_TICK, META, SYSEX, Meta, TrackEvents, find_oddities
from backbeat.units import Ints

MAX_BYTES = 4 << 20
"""Larger files are walked event by event: 60 bytes are needed for each of theirs here."""
_PADDING = b"\xf1" * 16
_DOUBLINGS = 3
_COUNTED = np.arange(1, 1 + (1 << 17))
_DATA_SIZES = np.array(DATA_SIZES, dtype=np.uint8)
_SPEAKS = (np.arange(256) >= 0x80) & (np.arange(256) < 0xF0)
_SIZES = bytes(2 if s < 0x80 else DATA_SIZES[s] + 1 if s < 0xF0 else 0 for s in range(256))
"""Bytes of an event behind its delta time by the first of them; 2 where the status is left out, 0 where they say it themselves."""

Buffer = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Found:
    """Events of all tracks, in file order; int64 [n].

    Args:
        starts, ends: file offsets of the delta time, and behind the event.  body: offset behind the delta time.
        track: index of the track.  delta: delta time.  status: with running status filled in.
        voice: the event that last gave a channel-voice status byte, an event of an earlier track or -1 where there is none.
        spoken: bool [n], whether the status byte is there.
        first: int64 [tracks + 1], the first event of each track.
    """

    starts: Ints
    ends: Ints
    body: Ints
    track: Ints
    delta: Ints
    status: Ints
    voice: Ints
    spoken: Flags
    first: Ints


def walk_tracks(data: bytes, chunks: Sequence[Chunk]) -> list[TrackEvents | None]:
    """Find the events of all tracks.

    Args:
        data: the whole file.
        chunks: its track chunks.

    Returns:
        the events of each track, None where something is odd; ``last_status`` is 0 in tracks without channel-voice events.
    """
    if len(data) > MAX_BYTES:
        return [None] * len(chunks)
    padded = data + _PADDING
    buffer = np.frombuffer(padded, dtype=np.uint8)
    starts, first = _collect_starts(_find_nexts(padded, buffer, len(data)), chunks, len(data))
    if not len(starts):
        return [None] * len(chunks)
    found = _read_events(buffer, starts, first)
    return _build_tracks(buffer, chunks, found, _find_bad(buffer, chunks, found))


def read_varlens(buffer: Buffer, at: Ints) -> tuple[Ints, Ints]:
    """Variable-length quantities at some offsets: int64 [n], their values and sizes in bytes (5 where longer than 4).

    Args:
        buffer: uint8, the file with at least 3 bytes behind the offsets.
        at: int64 [n].
    """
    byte = buffer.take(at)
    value, size = byte.astype(np.int64), np.ones(len(at), np.int64)
    going = (byte >= 0x80).nonzero()[0]
    so_far = value.take(going) & 0x7F
    for place in range(1, 4):
        if not len(going):
            break
        byte = buffer.take(at.take(going) + place)
        so_far = so_far << 7 | byte & 0x7F
        value[going], size[going] = so_far, place + 1
        more = (byte >= 0x80).nonzero()[0]
        going, so_far = going.take(more), so_far.take(more)
    size[going] = 5
    return value, size


def _find_nexts(padded: bytes, buffer: Buffer, length: int) -> Ints:
    """Where the next event would begin if one began here: int64 [length + 2].

    Behind the end of a track the walk comes to rest at ``length``; where no event can begin it goes there by way of ``length + 1``.
    """
    size = np.frombuffer(padded.translate(_SIZES), dtype=np.uint8)
    nexts = size[1 : length + 3].astype(np.int64)
    nexts += _COUNTED[: len(nexts)] if len(nexts) <= len(_COUNTED) else np.arange(1, length + 3)
    high = buffer >= 0x80
    long = high[:length].nonzero()[0]
    body = long + 2
    longer = high.take(long + 1).nonzero()[0]
    for _ in range(2):  # delta times of 3 bytes, then of 4
        body[longer] += 1
        longer = longer[high[body[longer] - 1]]
    sizes = size.take(body)
    nexts[long] = body + sizes
    nexts[long[longer]] = length + 1
    sizes[longer] = 1
    short, far = (size[1 : length + 1] == 0).nonzero()[0], (sizes == 0).nonzero()[0]
    short = short[~high[short]]
    begin, body = np.concatenate([short, long[far]]), np.concatenate([short + 1, body[far]])
    nexts[begin] = _find_system_ends(buffer, body, length)
    np.minimum(nexts[-8:], length + 1, out=nexts[-8:])
    nexts[begin[(buffer[body] == META) & (buffer[body + 1] == END_OF_TRACK)]] = length
    nexts[length:] = length
    return nexts


def _find_system_ends(buffer: Buffer, at: Ints, length: int) -> Ints:
    """int64 [n]: the ends of meta, SysEx and escape events whose status bytes are at some offsets; length + 1 where there is none."""
    status = buffer[at]
    known = (status == META) | (status == SYSEX) | (status == ESCAPE)
    start = np.minimum(at + 1 + (status == META), length)
    payload, size = read_varlens(buffer, start)
    return np.minimum(np.where(known & (size <= 4), start + size + payload, length + 1), length + 1)


def _collect_starts(nexts: Ints, chunks: Sequence[Chunk], rest: int) -> tuple[Ints, Ints]:
    """Where the events of all tracks begin: int64 [n], and the first one of each track, int64 [tracks + 1]."""
    strides = [nexts]
    for _ in range(_DOUBLINGS):
        strides.append(strides[-1].take(strides[-1]))
    leap = memoryview(strides.pop())  # type: ignore[arg-type]  # numpy < 2.3 does not say that arrays are buffers
    anchors: list[int] = []
    counts = [0]
    for chunk in chunks:
        place, stop = chunk.body, chunk.end
        while place < stop:
            anchors.append(place)
            place = leap[place]
        counts.append(len(anchors))
    places = np.empty((1 << _DOUBLINGS, len(anchors)), dtype=np.int64)
    places[0] = anchors
    for doubling, stride in enumerate(strides):
        known = 1 << doubling
        stride.take(places[:known], out=places[known : 2 * known], mode="clip")
    first = np.array(counts) << _DOUBLINGS
    last = np.array(counts[1:])[np.diff(first) > 0] - 1  # only behind the last anchor of a track the walk can have come to rest
    resting = np.zeros(len(anchors) + 1, np.int64)
    resting[last + 1] = (places.take(last, axis=1) >= rest).sum(axis=0)
    starts = places.T.ravel()
    return starts[starts < rest], first - resting.cumsum().take(counts)


def _read_events(buffer: Buffer, starts: Ints, first: Ints) -> _Found:
    delta, size = read_varlens(buffer, starts)
    body = starts + size
    byte = buffer.take(body)
    spoken = byte >= 0x80
    voice = np.maximum.accumulate(np.where(_SPEAKS.take(byte), np.arange(len(starts)), -1))
    status = byte.astype(np.int64)
    silent = (~spoken).nonzero()[0]
    status[silent] = byte.take(voice.take(silent), mode="wrap")
    ends = np.empty_like(starts)
    ends[:-1] = starts[1:]
    last = first[1:][np.diff(first) > 0] - 1
    payload, length = read_varlens(buffer, body[last] + 2)
    ends[last] = np.where((size[last] <= 4) & (length <= 4), body[last] + 2 + length + payload, len(buffer))
    track = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return _Found(starts, ends, body, track, delta, status, voice, spoken, first)


def _find_bad(buffer: Buffer, chunks: Sequence[Chunk], found: _Found) -> Flags:
    """Bool [tracks]: in which something is odd."""
    first, last = found.first[:-1], np.maximum(found.first[1:] - 1, 0)
    body = found.body[last]
    bad = (first > last) | (found.ends[last] > np.array([c.end for c in chunks]))
    bad |= (buffer[body] != META) | (buffer[body + 1] != END_OF_TRACK)
    size = _DATA_SIZES.take(found.status)
    ends = found.ends - 1
    high = buffer >= 0x80
    wrong = (size > 0) & high.take(ends, mode="clip")
    ends -= 1
    wrong |= (size == 2) & high.take(ends, mode="clip")
    silent = (~found.spoken).nonzero()[0]
    if len(silent):
        wrong[silent] |= size.take(silent) != 2
        wrong[silent] |= found.voice.take(silent) < found.first.take(found.track.take(silent))
    if wrong.any():
        bad[found.track[wrong]] = True
    return np.asarray(bad)


def _build_tracks(buffer: Buffer, chunks: Sequence[Chunk], found: _Found, bad: Flags) -> list[TrackEvents | None]:
    total = np.cumsum(found.delta)
    first, last = np.minimum(found.first[:-1], len(total) - 1), np.maximum(found.first[1:] - 1, 0)
    ticks = total - (total[first] - found.delta[first]).take(found.track)
    bad = bad | (ticks[last] > MAX_TICK)
    metas = _read_metas(buffer, found, ticks)
    resumed = np.zeros(len(chunks), np.bool_)
    resumed[found.track[1:][(found.status[:-1] >= 0xF0) > found.spoken[1:]]] = True
    last_status = np.where(found.voice[last] >= first, found.status[found.voice[last]], 0)
    columns = (c.tolist() for c in (found.first[:-1], found.first[1:], bad, resumed, last_status))
    tracks: list[TrackEvents | None] = []
    for chunk, own, a, b, odd, again, status in zip(chunks, metas, *columns, strict=True):
        if odd:
            tracks.append(None)
            continue
        ends = found.ends[a:b]
        warnings = tuple(find_oddities(True, int(ends[-1]), chunk, False, again))
        tracks.append(TrackEvents(chunk, ticks[a:b], ends, found.status[a:b], tuple(own), False, status, warnings))
    return tracks


def _read_metas(buffer: Buffer, found: _Found, ticks: Ints) -> list[list[Meta]]:
    """The meta events of each track."""
    which = (found.status == META).nonzero()[0]
    body = found.body[which]
    _, size = read_varlens(buffer, body + 2)
    columns = (ticks[which], buffer[body + 1], body + 2 + size, found.ends[which])
    metas = list(map(Meta._make, zip(*(c.tolist() for c in columns), strict=True)))
    return [metas[a:b] for a, b in pairwise(which.searchsorted(found.first).tolist())]
