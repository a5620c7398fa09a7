"""What a melody network of ours knows at every step: drums around it, place, instrument, mode, octave, chords, density.

Columns of float32 [steps, FEATURES]: hits of 14 classes from ``BEFORE`` steps before to ``AHEAD`` steps ahead; place in quarter (4), quarter
of the bar (6), the bar's phase (4), bar of four (4); mode (2); family (16); octave (12); chord of this bar and the next, seen from the
tonic (12 roots, major, minor, none: 15 each); density of onsets (4 bins; all zero = not told). Everything is relative to the tonic, so a
melody and its transposition look alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.melodies import FAMILIES, FIRST_NOTE, NONE
from backbeat.codecs.patterns import CLASSES, patterns_to_hits
from backbeat.grid import Grid
from backbeat.units import Ints

BEFORE, AHEAD = 2, 8
OCTAVES, BINS = 12, 4
DENSITIES = (0.14, 0.25, 0.42)
"""Onsets a step that part the four bins: calm, walking, busy, dense."""
NO_CHORD = 24
_CHORD = 15
_PLACES = 4 + 6 + 4 + 4
FEATURES = CLASSES * (BEFORE + 1 + AHEAD) + _PLACES + 2 + FAMILIES + OCTAVES + 2 * _CHORD + BINS
RECALLED = 4
"""Tokens that are seen at a step: the one before, the note that was struck last, what stood a bar ago, and two bars ago."""
Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Places:
    """Where steps lie.

    Args:
        bar: int64 [steps], bar of each step.  step: int64 [steps], its place there, from 0.
        lengths: int64 [bars], steps of each bar.
        steps_per_quarter: density.
    """

    bar: Ints
    step: Ints
    lengths: Ints
    steps_per_quarter: int = 4

    @classmethod
    def of(cls, grid: Grid) -> Places:
        """The places of a grid's steps."""
        return cls(grid.bar_of_step, grid.step_in_bar, grid.bar_steps, grid.steps_per_quarter)

    @classmethod
    def common(cls, steps: int = 64) -> Places:
        """Bars of 16 steps."""
        index = np.arange(steps)
        return cls(index // 16, index % 16, np.full(-(-steps // 16), 16), 4)


def encode_features(
    words: npt.NDArray[np.uint16], places: Places, *, family: int, minor: bool, octave: int, chords: Ints, tonic: int, density: int = -1
) -> Array:
    """float32 [steps, FEATURES].

    Args:
        words: uint16 [steps], drums as words of kit ``drum_space_14``.
        places: of the steps.
        family: 0-15.  minor: mode.  octave: C4 = 60 is 4; those out of range count as the nearest.
        chords: int64 [bars], see ``tonality.chords``.
        tonic: pitch class.
        density: bin 0-3, -1 = not told.
    """
    steps = len(words)
    out = np.zeros((steps, FEATURES), np.float32)
    hits = np.zeros((BEFORE + steps + AHEAD, CLASSES), np.float32)
    hits[BEFORE : BEFORE + steps] = patterns_to_hits(words[None])[0]
    drums = np.lib.stride_tricks.sliding_window_view(hits, BEFORE + 1 + AHEAD, axis=0)[:steps]
    column = CLASSES * (BEFORE + 1 + AHEAD)
    out[:, :column] = drums.reshape(steps, -1)
    out[:, column : column + _PLACES] = _encode_places(places)
    column += _PLACES
    for size, value in ((2, int(minor)), (FAMILIES, family), (OCTAVES, min(max(octave + 1, 0), OCTAVES - 1))):
        out[:, column + value] = 1
        column += size
    codes = _encode_chords(chords, tonic)
    out[:, column : column + _CHORD] = codes[places.bar]
    out[:, column + _CHORD : column + 2 * _CHORD] = codes[np.minimum(places.bar + 1, len(chords) - 1)]
    if density >= 0:
        out[:, column + 2 * _CHORD + density] = 1
    return out


def _encode_places(places: Places) -> Array:
    out = np.zeros((len(places.bar), _PLACES), np.float32)
    row, per_quarter = np.arange(len(places.bar)), places.steps_per_quarter
    out[row, places.step % per_quarter * 4 // per_quarter] = 1
    out[row, 4 + places.step // per_quarter % 6] = 1
    phase = 2 * np.pi * places.step / places.lengths[places.bar]
    out[:, 10:14] = np.stack([np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase)], axis=1)
    out[row, 14 + places.bar % 4] = 1
    return out


def _encode_chords(chords: Ints, tonic: int) -> Array:
    out = np.zeros((len(chords), _CHORD), np.float32)
    for row, chord in zip(out, chords.tolist(), strict=True):
        if chord == NO_CHORD:
            row[14] = 1
        else:
            row[[(chord - tonic) % 12, 12 + chord // 12]] = 1
    return out


def find_density(tokens: Ints) -> int:
    """The bin 0-3 of a melody: calm, walking, busy or dense.

    Args:
        tokens: int64 [steps], see ``codecs.melodies``.
    """
    return int(np.searchsorted(DENSITIES, float((tokens >= FIRST_NOTE).mean())))


def recall(tokens: Ints, places: Places, step: int) -> list[int]:
    """The four tokens that are seen at a step.

    Args:
        tokens: int64 [steps], known before ``step``.
        places: of the steps.
        step: that is to be told.
    """
    bar = int(places.bar[step])
    struck = next((int(t) for t in tokens[:step][::-1] if t >= FIRST_NOTE), NONE)
    once, twice = (int(places.lengths[max(0, bar - k) : bar].sum()) if bar >= k else 0 for k in (1, 2))
    return [int(tokens[step - 1]) if step else NONE, struck, int(tokens[step - once]) if once else NONE, int(tokens[step - twice]) if twice else NONE]


def recall_all(tokens: Ints) -> Ints:
    """int64 [..., steps, 4]: what ``recall`` gives at every step, in bars of 16.

    Args:
        tokens: int64 [..., steps].
    """
    out = np.full((*tokens.shape, RECALLED), NONE, np.int64)
    out[..., 1:, 0] = tokens[..., :-1]
    struck = np.full(tokens.shape[:-1], NONE)
    for step in range(1, tokens.shape[-1]):
        struck = np.where(tokens[..., step - 1] >= FIRST_NOTE, tokens[..., step - 1], struck)
        out[..., step, 1] = struck
    out[..., 16:, 2] = tokens[..., :-16]
    out[..., 32:, 3] = tokens[..., :-32]
    return out
