"""A groove as the bytes of a track chunk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backbeat.groove import Groove
from backbeat.midi.events import END_OF_TRACK, META, TEXT, TRACK_NAME, write_varlen
from backbeat.units import Ints

DRUM_CHANNEL = 9
NOTE_OFF, NOTE_ON = 0x80 | DRUM_CHANNEL, 0x90 | DRUM_CHANNEL
RELEASE_VELOCITY = 64
MAX_DELTA = 0x0FFFFFFF


class DrumNotes(NamedTuple):
    """Notes to be written, by tick, then MIDI note; int64 arrays [n].

    ``merged`` counts hits that left because another class writes the same MIDI note at the same tick.
    """

    tick: Ints
    end: Ints
    note: Ints
    velocity: Ints
    merged: int


def plan_notes(groove: Groove, end_tick: int) -> DrumNotes:
    """The notes that write a groove: half a step long, never into the next note of the same pitch nor past ``end_tick``.

    A note is at least one tick long, also one that begins at ``end_tick``. Hits before tick 0 are moved there.
    """
    steps, columns = np.nonzero(groove.hits)
    tick = np.maximum(0, groove.grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64)))
    velocity = np.clip(np.floor(groove.velocities[steps, columns].astype(np.float64) * 127 + 0.5), 1, 127).astype(np.int64)
    note = groove.kit.written[columns]
    length = np.maximum(1, np.floor(groove.grid.step_lengths[steps] / 2 + 0.5)).astype(np.int64)
    order = np.lexsort((velocity, tick, note))
    tick, velocity, note, length = tick[order], velocity[order], note[order], length[order]
    same_note = note[1:] == note[:-1]
    loudest = np.ones(len(tick), dtype=np.bool_)
    loudest[:-1] = ~(same_note & (tick[1:] == tick[:-1]))
    tick, velocity, note, length = tick[loudest], velocity[loudest], note[loudest], length[loudest]
    end = np.maximum(tick + 1, np.minimum(tick + length, end_tick))
    followed = note[1:] == note[:-1]
    end[:-1] = np.where(followed, np.minimum(end[:-1], tick[1:]), end[:-1])
    by_time = np.lexsort((note, tick))
    return DrumNotes(tick[by_time], end[by_time], note[by_time], velocity[by_time], int((~loudest).sum()))


def build_drum_chunk(notes: DrumNotes, name: str, end_tick: int) -> bytes:
    """The track chunk of drum notes: name, notes, and an end of track at ``end_tick`` or the last note-off."""
    count = len(notes.tick)
    tick = np.concatenate([notes.end, notes.tick])
    is_on = np.repeat([0, 1], count)
    order = np.lexsort((np.tile(notes.note, 2), is_on, tick))  # of one tick the note-offs come first
    body = [b"\x00", encode_meta(TRACK_NAME, name.encode("utf-8"))]
    now = 0
    for index in order.tolist():
        at, i = int(tick[index]), index % count
        event = (NOTE_ON, notes.note[i], notes.velocity[i]) if index >= count else (NOTE_OFF, notes.note[i], RELEASE_VELOCITY)
        body += (encode_delta(at - now), bytes(map(int, event)))
        now = at
    body += (encode_delta(max(0, end_tick - now)), encode_meta(END_OF_TRACK, b""))
    return encode_chunk(b"MTrk", b"".join(body))


def encode_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length."""
    return kind + len(body).to_bytes(4, "big") + body


def encode_meta(kind: int, payload: bytes) -> bytes:
    """A meta event without its delta time."""
    return bytes([META, kind]) + write_varlen(len(payload)) + payload


def encode_delta(ticks: int) -> bytes:
    """A delta time; one that is too long for a MIDI file is divided by empty text events."""
    filler = (write_varlen(MAX_DELTA) + encode_meta(TEXT, b"")) * (ticks // (MAX_DELTA + 1))
    return filler + write_varlen(ticks - MAX_DELTA * (ticks // (MAX_DELTA + 1)))
