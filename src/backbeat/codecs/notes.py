"""Notes of one player as pitch, step and duration, after the piano LSTM of the TensorFlow tutorial; and as tokens.

A *step* is the time since the start of the note before, a *duration* the time from start to end, both in seconds. The first
note's step is 0. Notes stand by start, those that start together by pitch. As tokens a note is three numbers, one behind the
other: step, pitch, duration. Times become bins, evenly spaced in the logarithm: bin 0 is together (less than 10 ms), the others
go from 10 ms to 8 s with 11 % between neighbours, which is finer than a swing and coarser than a finger.

Conventions: notes float64 [n, 3] in the order pitch, step, duration; tokens int64 [3 n], 0-63 steps, 64-191 pitches, 192-255 durations.
"""

from __future__ import annotations

import numpy as np

from backbeat.midi.drumtrack import encode_chunk, encode_delta, encode_meta
from backbeat.midi.events import END_OF_TRACK, SET_TEMPO
from backbeat.song import Song
from backbeat.units import Floats, Ints, TempoMap

PITCHES, BINS = 128, 64
FIRST_PITCH, FIRST_DURATION, VOCABULARY = BINS, BINS + PITCHES, 2 * BINS + PITCHES
KINDS = ((0, BINS), (BINS, BINS + PITCHES), (BINS + PITCHES, VOCABULARY))
"""Range of tokens of steps, pitches and durations, in the order in which they come."""
SHORTEST, LONGEST = 0.01, 8.0
VELOCITY = 100
_EDGES = np.geomspace(SHORTEST, LONGEST, BINS)
_CENTRES = np.concatenate([[0.0], np.sqrt(_EDGES[:-1] * _EDGES[1:])])
TICKS_PER_QUARTER, TICKS_PER_SECOND = 480, 960

Notes = Floats


def read_notes(song: Song, parts: str = "first") -> Notes:
    """The notes of a song that are not drums.

    Args:
        song: any.
        parts: "first", the part whose first note ends first, which the original calls instrument 0; or "all", as one player.

    Returns:
        float64 [n, 3] pitch, step, duration.
    """
    chosen = [p.notes for p in song.band if len(p.notes)]
    if parts == "first" and chosen:
        chosen = [min(chosen, key=lambda notes: int(notes["end"].min()))]
    if not chosen:
        return np.zeros((0, 3))
    notes = chosen[0] if len(chosen) == 1 else np.unique(np.concatenate(chosen))  # what two parts play as one counts once
    notes = notes[np.lexsort((notes["pitch"], notes["onset"]))]
    starts, ends = (_seconds(song.tempo, notes[name].astype(np.int64)) for name in ("onset", "end"))
    steps = np.diff(starts, prepend=starts[:1])
    return np.stack([notes["pitch"].astype(np.float64), steps, np.maximum(ends - starts, 0)], axis=1)


def _seconds(tempo: TempoMap, ticks: Ints) -> Floats:
    kinds, index = np.unique(ticks, return_inverse=True)
    return np.array([tempo.seconds(int(t)) for t in kinds])[index]


def notes_to_tokens(notes: Notes) -> Ints:
    """int64 [3 n]: step, pitch and duration of every note.

    Args:
        notes: float64 [n, 3]; pitches in 0-127, times not negative.

    Raises:
        ValueError: a pitch or a time is out of range.
    """
    if len(notes) and (notes.min() < 0 or notes[:, 0].max() >= PITCHES):
        raise ValueError("pitches lie in 0-127, and times are not negative")
    columns = [time_to_bin(notes[:, 1]), FIRST_PITCH + notes[:, 0].astype(np.int64), FIRST_DURATION + time_to_bin(notes[:, 2])]
    return np.stack(columns, axis=1).reshape(-1)


def tokens_to_notes(tokens: Ints) -> Notes:
    """The notes of tokens, each time at the middle of its bin.

    Raises:
        ValueError: the tokens are not steps, pitches and durations in turn.
    """
    rows = np.asarray(tokens, np.int64).reshape(-1, 3)
    for column, (first, stop) in zip(rows.T, KINDS, strict=True):
        if len(column) and not (column.min() >= first and column.max() < stop):
            raise ValueError("tokens are step, pitch and duration in turn")
    return np.stack([rows[:, 1] - FIRST_PITCH, bin_to_time(rows[:, 0]), bin_to_time(rows[:, 2] - FIRST_DURATION)], axis=1).astype(np.float64)


def time_to_bin(seconds: Floats) -> Ints:
    """int64 [n] in 0-63: the bins of times."""
    return np.searchsorted(_EDGES, np.minimum(seconds, LONGEST * (1 - 1e-9)), side="right").astype(np.int64)


def bin_to_time(bins: Ints) -> Floats:
    """float64 [n]: the middle of each bin, in seconds."""
    return np.asarray(_CENTRES[bins])


def notes_to_midi(notes: Notes, *, program: int = 0, name: str = "Notes (Backbeat)") -> bytes:
    """A MIDI file of one track at 120 BPM, every note with velocity 100.

    Args:
        notes: float64 [n, 3].
        program: General MIDI instrument 0-127.
        name: of the track.
    """
    starts = np.cumsum(notes[:, 1]) if len(notes) else np.zeros(0)
    on = np.floor(starts * TICKS_PER_SECOND + 0.5).astype(np.int64)
    off = np.maximum(np.floor((starts + (notes[:, 2] if len(notes) else 0)) * TICKS_PER_SECOND + 0.5).astype(np.int64), on + 1)
    pitches = notes[:, 0].astype(np.int64).tolist() if len(notes) else []
    # A pitch that is struck again while it sounds ends there, so that every note-off ends the note it belongs to.
    following: dict[int, int] = {}
    for index in range(len(pitches) - 1, -1, -1):
        off[index] = min(int(off[index]), max(following.get(pitches[index], int(off[index])), int(on[index]) + 1))
        following[pitches[index]] = int(on[index])
    events = [(int(t), 1, p) for t, p in zip(on, pitches, strict=True)] + [(int(t), 0, p) for t, p in zip(off, pitches, strict=True)]
    body = encode_delta(0) + encode_meta(SET_TEMPO, (500_000).to_bytes(3, "big")) + encode_delta(0) + encode_meta(0x03, name.encode())
    body += encode_delta(0) + bytes([0xC0, program])
    now = 0
    for tick, is_on, pitch in sorted(events):
        body += encode_delta(tick - now) + bytes([0x90 if is_on else 0x80, pitch, VELOCITY if is_on else 0])
        now = tick
    body += encode_delta(0) + encode_meta(END_OF_TRACK, b"")
    header = (0).to_bytes(2, "big") + (1).to_bytes(2, "big") + TICKS_PER_QUARTER.to_bytes(2, "big")
    return encode_chunk(b"MThd", header) + encode_chunk(b"MTrk", body)
