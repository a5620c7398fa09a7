"""Melodies on drums: the paper's vectors, and tokens of ours.

A melody is an array ``MELODY_DTYPE``: notes by step (16ths), with pitch, length in steps and velocity. A *loop* is two bars of drums,
played twice, with a melody of 64 ticks; a tick is a step of the drums, a 16th, so the melody has four bars. (The paper pairs 32 steps
of drums with 64 ticks and does not say what a tick is. A 32nd would put the melody into the same two bars; but its filters allow pauses
of 16 ticks and call half a loop too long, and a melody of four bars over a pattern that is repeated is what there is in songs.)

The paper's input, float32 [496]: 32 steps x 14 classes; 16 General MIDI families; tonality, 16 (12 tonics, major, minor, two that are
never used); 16 octaves (C4 = 60 is octave 4, octave -1 is column 0). Its target, bool [64, 128]: which pitches begin at each tick.

Ours counts pitches from the *base*, the tonic in the asked octave: tokens 0 = rest, 1 = hold, 2 .. = a note ``LOWEST`` semitones above the base
and so on; one melody note at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backbeat.codecs.patterns import CLASSES, patterns_to_hits
from backbeat.units import Ints

MELODY_DTYPE = np.dtype([("step", "<i4"), ("length", "<i4"), ("pitch", "u1"), ("velocity", "u1")])
"""A note of a melody: step from 0, length in steps >= 1, MIDI pitch, velocity 1-127."""
Melody = npt.NDArray[np.void]
Array = npt.NDArray[np.float32]

TICKS, PITCHES, DRUM_STEPS = 64, 128, 32
FAMILIES, WIDTH = 16, 16
INPUTS = DRUM_STEPS * CLASSES + 3 * WIDTH
REST, HOLD, FIRST_NOTE = 0, 1, 2
LOWEST, HIGHEST = -24, 24
TOKENS = FIRST_NOTE + HIGHEST - LOWEST + 1
NONE = TOKENS
"""Stands for a token before the beginning."""


def encode_conditions(family: int, key: int, octave: int) -> Array:
    """float32 [48]: the paper's instrument, tonality and octave.

    Args:
        family: 0-15, General MIDI program // 8.
        key: 0-23.
        octave: -1 to 14, C4 = 60.

    Raises:
        ValueError: one of them is out of range.
    """
    if not (0 <= family < FAMILIES and 0 <= key < 24 and -1 <= octave < WIDTH - 1):
        raise ValueError(f"no such family, key or octave: {family}, {key}, {octave}")
    out = np.zeros(3 * WIDTH, np.float32)
    out[[family, WIDTH + key % 12, WIDTH + 12 + key // 12, 2 * WIDTH + octave + 1]] = 1
    return out


def encode_loop(drums: npt.NDArray[np.uint16], family: int, key: int, octave: int) -> Array:
    """float32 [496]: the paper's input.

    Args:
        drums: uint16 [32], a pattern (see ``codecs.patterns``).
        family, key, octave: see ``encode_conditions``.

    Raises:
        ValueError: the pattern has another length, or a condition is out of range.
    """
    if drums.shape != (DRUM_STEPS,):
        raise ValueError(f"a loop has {DRUM_STEPS} steps of drums, not {drums.shape}")
    hits = patterns_to_hits(drums[None].astype(np.uint16))[0].reshape(-1).astype(np.float32)
    return np.concatenate([hits, encode_conditions(family, key, octave)])


def melody_to_matrix(melody: Melody) -> npt.NDArray[np.bool_]:
    """Bool [64, 128]: which pitches begin at each tick; notes behind tick 63 are left out.

    Args:
        melody: MELODY_DTYPE [n].
    """
    out = np.zeros((TICKS, PITCHES), np.bool_)
    inside = melody[(melody["step"] >= 0) & (melody["step"] < TICKS)]
    out[inside["step"], inside["pitch"]] = True
    return out


def matrix_to_melody(matrix: npt.NDArray[np.bool_], longest: int = 4, velocity: int = 90) -> Melody:
    """The notes of a matrix. It tells no lengths: a note lasts until the next tick with a note, at most ``longest`` ticks.

    Args:
        matrix: bool [ticks, 128].
        longest: ticks.
        velocity: 1-127, of every note.
    """
    steps, pitches = np.nonzero(matrix)
    moments = np.unique(steps)
    following = np.append(moments[1:], len(matrix))[np.searchsorted(moments, steps)] if len(moments) else steps
    out = np.zeros(len(steps), MELODY_DTYPE)
    out["step"], out["pitch"], out["velocity"], out["length"] = steps, pitches, velocity, np.minimum(following - steps, longest)
    return out


def find_octave(pitches: Ints) -> int:
    """The octave in which the middle one of some pitches lies; C4 = 60 is octave 4.

    Args:
        pitches: int64 [n], n >= 1.
    """
    return int(np.sort(pitches)[len(pitches) // 2]) // 12 - 1


def find_base(key: int, octave: int) -> int:
    """The MIDI pitch of a key's tonic in an octave: 57 for A minor in octave 3."""
    return 12 * (octave + 1) + key % 12


def melody_to_tokens(melody: Melody, steps: int, base: int) -> Ints:
    """int64 [steps]: a melody as tokens; of notes that begin together the highest is taken, pitches out of range an octave nearer.

    Args:
        melody: MELODY_DTYPE [n]; a note ends where the next one begins.
        steps: how many; notes behind are left out.
        base: MIDI pitch from which pitches are counted.
    """
    out = np.full(steps, REST, np.int64)
    for step, length, pitch, _ in melody[np.lexsort((melody["pitch"], melody["step"]))].tolist():
        if 0 <= step < steps:
            # A note that begins together with this one, and is lower, is written over; a longer earlier one ends here.
            out[step] = FIRST_NOTE + fold_pitch(pitch - base) - LOWEST
            behind = out[step + 1 :]
            behind[behind == HOLD] = REST
            behind[: max(0, length - 1)] = HOLD
    return out


def fold_pitch(above: int) -> int:
    """Semitones above the base, moved by octaves into the range of tokens."""
    while above > HIGHEST:
        above -= 12
    while above < LOWEST:
        above += 12
    return above


def tokens_to_melody(tokens: Ints, base: int, velocity: int = 90) -> Melody:
    """The notes of tokens; a hold behind a rest is a rest, and pitches outside 0-127 are moved by octaves.

    Args:
        tokens: int64 [steps].
        base: MIDI pitch from which pitches are counted.
        velocity: 1-127, of every note.
    """
    rows: list[list[int]] = []
    sounding = False
    for step, token in enumerate(tokens.tolist()):
        if token >= FIRST_NOTE:
            pitch = base + token - FIRST_NOTE + LOWEST
            rows.append([step, 1, pitch if 0 <= pitch < PITCHES else pitch % 12 + (0 if pitch < 0 else 108), velocity])
            sounding = True
        elif token == HOLD and sounding:
            rows[-1][1] += 1
        else:
            sounding = False
    return np.array([tuple(row) for row in rows], MELODY_DTYPE)
