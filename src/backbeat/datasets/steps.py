"""Step patterns as MIDI files, for data sets that are tables of patterns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backbeat.midi.drumtrack import DRUM_CHANNEL, encode_chunk, encode_meta
from backbeat.midi.events import END_OF_TRACK, SET_TEMPO, write_varlen


def encode_steps(velocities: npt.NDArray[np.uint8], notes: Sequence[int], *, ticks_per_quarter: int = 480, ticks_per_step: int = 120, qpm: float = 0) -> bytes:
    """A MIDI file of format 0 with one drum track.

    Args:
        velocities: uint8 [steps, classes], 1-127 where a class is struck, else 0.
        notes: the MIDI note of each class.
        ticks_per_quarter, ticks_per_step: the file's resolution, and how long a step is; a note is half a step long.
        qpm: quarters a minute; 0 writes no tempo, which is read as 120.
    """
    events: list[tuple[int, int, bytes]] = []
    for step, column in zip(*(a.tolist() for a in np.nonzero(velocities)), strict=True):
        tick = step * ticks_per_step
        events.append((tick, 1, bytes([0x90 | DRUM_CHANNEL, notes[column], int(velocities[step, column])])))
        events.append((tick + max(1, ticks_per_step // 2), 0, bytes([0x80 | DRUM_CHANNEL, notes[column], 64])))
    body = [b"\x00" + encode_meta(SET_TEMPO, round(60_000_000 / qpm).to_bytes(3, "big"))] if qpm else []
    now = 0
    for tick, _, event in sorted(events):
        body.append(write_varlen(tick - now) + event)
        now = tick
    body.append(write_varlen(len(velocities) * ticks_per_step - now) + encode_meta(END_OF_TRACK, b""))
    header = (0).to_bytes(2, "big") + (1).to_bytes(2, "big") + ticks_per_quarter.to_bytes(2, "big")
    return encode_chunk(b"MThd", header) + encode_chunk(b"MTrk", b"".join(body))
