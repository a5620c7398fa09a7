"""The events of a track: one tolerant walker over its bytes, which reader, splicer and tests share.

The walker decides only where events begin and end; all else is arithmetic on the arrays it returns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.errors import MidiError
from backbeat.midi.chunks import Chunk
from backbeat.units import Ints

META, SYSEX, ESCAPE = 0xFF, 0xF0, 0xF7
TEXT, TRACK_NAME, INSTRUMENT_NAME, MARKER, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0x01, 0x03, 0x04, 0x06, 0x2F, 0x51, 0x58
MAX_TICK = 1 << 40
"""Ticks beyond this are a fault: at 30,720 ticks a quarter it is a year of music."""

DATA_SIZES = tuple(0 if s < 0x80 or s >= 0xF0 else 1 if 0xC0 <= s < 0xE0 else 2 for s in range(256))
"""Data bytes of a channel-voice event by its status byte."""


class Meta(NamedTuple):
    """A meta event: its tick, type, and the offsets of its payload in the file."""

    tick: int
    type: int
    start: int
    end: int


class TrackEvents(NamedTuple):
    """The events of one track chunk, in file order.

    Args:
        chunk: the chunk.
        ticks: int64 [n], from the start of the file.
        ends: int64 [n]: the file offset behind each event; it begins (with its delta time) where the one before ends.
        statuses: int64 [n]: status byte, also where it was left out.
        metas: the meta events.
        borrowed: the first channel-voice event has no status byte and takes that of the track before.
        last_status: the running status at the end, 0 where there is none.
        warnings: what was odd, without naming the track.
    """

    chunk: Chunk
    ticks: Ints
    ends: Ints
    statuses: Ints
    metas: tuple[Meta, ...]
    borrowed: bool
    last_status: int
    warnings: tuple[str, ...]

    @property
    def starts(self) -> Ints:
        """int64 [n]: the file offset of each event's delta time."""
        return np.concatenate([[self.chunk.body], self.ends[:-1]]).astype(np.int64)[: len(self.ends)]

    @property
    def is_voice(self) -> npt.NDArray[np.bool_]:
        """Bool [n]: the channel-voice events."""
        return self.statuses < 0xF0

    @property
    def end_tick(self) -> int:
        """The tick of the last event: the end of track, where there is one."""
        return int(self.ticks[-1]) if len(self.ticks) else 0


def read_varlen(data: bytes, position: int) -> tuple[int, int]:
    """A variable-length quantity at ``position`` and the offset behind it.

    Raises:
        MidiError: it is longer than 4 bytes.
        IndexError: the data end within it.
    """
    value = 0
    for i in range(position, position + 4):
        byte = data[i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, i + 1
    raise MidiError(f"a delta time or length at byte {position} is longer than 4 bytes")


def write_varlen(value: int) -> bytes:
    """The shortest variable-length quantity of ``value``, which must lie in 0 .. 0x0FFFFFFF."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def walk_track(data: bytes, chunk: Chunk, status: int = 0) -> TrackEvents:
    """Find the events of one track.

    Args:
        data: the whole file.
        chunk: the track's chunk.
        status: running status left by the track before, 0 for none.

    Raises:
        MidiError: the bytes cannot be divided into events.
    """
    try:
        walk = _walk(data, chunk.body, chunk.end, status)
    except IndexError:
        raise MidiError(f"its data end in the middle of an event, at byte {chunk.end}") from None
    ticks, ends, statuses = (np.array(column, dtype=np.int64) for column in (walk.ticks, walk.ends, walk.statuses))
    _check_events(data, chunk, ticks, ends, statuses)
    borrowed = bool(status) and _borrows_status(data, chunk.body, ends, statuses)
    oddities = find_oddities(walk.ended, walk.ends[-1] if walk.ends else chunk.body, chunk, borrowed, walk.resumed > 0)
    return TrackEvents(chunk, ticks, ends, statuses, tuple(walk.metas), borrowed, walk.status, tuple(oddities))


class _Walk(NamedTuple):
    ticks: list[int]
    ends: list[int]
    statuses: list[int]
    metas: list[Meta]
    status: int
    resumed: int
    ended: bool


def _walk(data: bytes, position: int, stop: int, status: int) -> _Walk:
    """The hot loop: about 12,000 turns a song, so it does no more than find where events end."""
    ticks: list[int] = []
    ends: list[int] = []
    statuses: list[int] = []
    metas: list[Meta] = []
    add_tick, add_end, add_status = ticks.append, ends.append, statuses.append
    sizes, tick, size, resumed = DATA_SIZES, 0, DATA_SIZES[status], 0
    while position < stop:
        byte = data[position]
        if byte < 0x80:
            tick += byte
            position += 1
        else:
            delta, position = read_varlen(data, position)
            tick += delta
        byte = data[position]
        add_tick(tick)
        if byte < 0x80:
            if not size:
                raise MidiError(f"byte {position} should begin an event, but is 0x{byte:02X} and no event came before")
            position += size
            add_status(status)
            add_end(position)
            continue
        if byte < 0xF0:
            status, size = byte, sizes[byte]
            position += size + 1
            add_status(byte)
            add_end(position)
            continue
        meta, position = _read_system(data, position, tick)
        add_status(byte)
        add_end(position)
        if meta is not None:
            metas.append(meta)
            if meta.type == END_OF_TRACK:
                return _Walk(ticks, ends, statuses, metas, status, resumed, True)
        resumed += size > 0 and _starts_without_status(data, position, stop)
    return _Walk(ticks, ends, statuses, metas, status, resumed, False)


def _read_system(data: bytes, position: int, tick: int) -> tuple[Meta | None, int]:
    """A meta, SysEx or escape event whose status byte is at ``position``, and the offset behind it."""
    status = data[position]
    if status == META:
        length, start = read_varlen(data, position + 2)
        return Meta(tick, data[position + 1], start, start + length), start + length
    if status in (SYSEX, ESCAPE):
        length, start = read_varlen(data, position + 1)
        return None, start + length
    raise MidiError(f"byte {position} is 0x{status:02X}, which begins no event in a file")


def _starts_without_status(data: bytes, position: int, stop: int) -> bool:
    """Whether the event at ``position`` leaves out its status byte."""
    while position < stop and data[position] >= 0x80:
        position += 1
    return position + 1 < stop and data[position + 1] < 0x80


def _borrows_status(data: bytes, body: int, ends: Ints, statuses: Ints) -> bool:
    voices = np.flatnonzero(statuses < 0xF0)
    if not len(voices):
        return False
    first = int(voices[0])
    return _starts_without_status(data, int(ends[first - 1]) if first else body, int(ends[first]))


def _check_events(data: bytes, chunk: Chunk, ticks: Ints, ends: Ints, statuses: Ints) -> None:
    if not len(ends):
        return
    if ends[-1] > chunk.end:
        raise MidiError(f"its data end in the middle of an event, at byte {chunk.end}")
    if ticks[-1] > MAX_TICK:
        raise MidiError(f"it lasts {int(ticks[-1]):,} ticks, which no song does: its delta times are damaged")
    buffer = np.frombuffer(data, dtype=np.uint8)
    voice = statuses < 0xF0
    last = ends[voice] - 1
    two = (statuses[voice] < 0xC0) | (statuses[voice] >= 0xE0)
    wrong = (buffer[last] >= 0x80) | (two & (buffer[last - 1] >= 0x80))
    if wrong.any():
        raise MidiError(f"the event that ends at byte {int(last[wrong][0]) + 1} has a data byte above 127")


def find_oddities(ended: bool, end: int, chunk: Chunk, borrowed: bool, resumed: bool) -> list[str]:
    """What to warn of in a track.

    Args:
        ended: whether it has an end-of-track event.  end: offset behind its last event.
        chunk: the track's chunk.
        borrowed, resumed: whether it begins, and whether it goes on behind a meta or SysEx event, with running status.
    """
    warnings = []
    if not ended:
        warnings.append("has no end-of-track event: it ends with its last event")
    elif end != chunk.end:
        warnings.append(f"has {chunk.end - end} bytes after its end of track: kept, not understood")
    if borrowed:
        warnings.append("begins with the running status of the track before")
    if resumed:
        warnings.append("goes on with running status after a meta or SysEx event")
    return warnings
