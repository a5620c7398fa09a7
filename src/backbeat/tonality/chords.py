"""Triads: which one the notes of a bar make, seen from a key.

A chord is an int: 0-11 the major triads from C upwards, 12-23 the minor ones, ``NO_CHORD`` (24) where the notes make none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.units import Floats, Ints

NO_CHORD = 24
CHORDS = 25
_BASS, _OUTSIDE, _LEAST = 0.15, 0.7, 0.15
_ROMAN = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")


def list_triad(chord: int) -> tuple[int, int, int]:
    """The pitch classes of a triad: root, third, fifth.

    Args:
        chord: 0-23.
    """
    return chord % 12, (chord + (3 if chord >= 12 else 4)) % 12, (chord + 7) % 12


def _make_templates() -> Floats:
    out = np.full((24, 12), -_OUTSIDE)
    for chord in range(24):
        out[chord, list_triad(chord)] = 1.1, 0.9, 1.0
    return out


_TEMPLATES = _make_templates()


def find_chord(shares: Floats, bass: int = -1) -> int:
    """The triad whose notes sound most, and others least.

    Args:
        shares: float64 [12], how much each pitch class sounds; any scale.
        bass: pitch class of the lowest note, which speaks for its triad; -1 = not known.
    """
    total = shares.sum()
    if total <= 0:
        return NO_CHORD
    scores = _TEMPLATES @ (shares / total)
    if bass >= 0:
        scores[[bass, bass + 12]] += _BASS
    best = int(np.argmax(scores))
    return best if scores[best] > _LEAST else NO_CHORD


def find_chords(onsets: Ints, ends: Ints, pitches: Ints, edges: Ints) -> Ints:
    """int64 [bars]: the triad of every bar.

    Args:
        onsets, ends: int64 [n], when notes begin and end, in steps or ticks.
        pitches: int64 [n] MIDI pitches.
        edges: int64 [bars + 1], where bars begin, and the last one ends, in the same unit.
    """
    out = np.full(len(edges) - 1, NO_CHORD, np.int64)
    for bar, (first, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        sounding = np.minimum(ends, end) - np.maximum(onsets, first)
        here = sounding > 0
        if here.any():
            shares = np.bincount(pitches[here] % 12, weights=sounding[here].astype(np.float64), minlength=12).astype(np.float64)
            out[bar] = find_chord(shares, int(pitches[here].min()) % 12)
    return out


def turn_chords(chords: npt.NDArray[np.int64], semitones: int) -> Ints:
    """Chords transposed upwards; ``NO_CHORD`` stays.

    Args:
        chords: int64, any shape.
        semitones: any whole number.
    """
    return np.where(chords == NO_CHORD, NO_CHORD, (chords % 12 + semitones) % 12 + 12 * (chords >= 12))


def name_chord(chord: int, key: int) -> str:
    """A chord seen from a key: "I", "vi", "bVII"; "-" for none."""
    if chord == NO_CHORD:
        return "-"
    roman = _ROMAN[(chord - key) % 12]
    return roman.replace("V", "v").replace("I", "i") if chord >= 12 else roman


def parse_chord(text: str, key: int) -> int:
    """The chord of a roman numeral in a key.

    Args:
        text: "I", "vi", "bVII", "-" ...; small letters are minor triads. Degrees are counted in the major scale of the tonic.
        key: 0-23.

    Raises:
        InputError: it is none.
    """
    name = text.strip()
    if name == "-":
        return NO_CHORD
    minor = name.lstrip("#b").islower()
    upper = name[: len(name) - len(name.lstrip("#b"))] + name.lstrip("#b").upper()
    known = dict(zip(_ROMAN, range(12), strict=True)) | {"bV": 6, "#I": 1, "#II": 3, "#V": 8, "#VI": 10}
    if upper not in known:
        raise InputError(f"{text!r} is no chord: write degrees as I, ii, IV, V, vi, bVII; small letters are minor")
    return (known[upper] + key) % 12 + 12 * minor
