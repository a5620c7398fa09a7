"""What the corrected NeuralDrummer hears and remembers at every step: intensities of the band, the place in the bar, its own past.

The original knew one number a step: how many notes of all instruments, drums included, start there. Here it is how many notes
of the band start there, at most four a lane, in all and lane by lane, now and in the steps to come, and how busy beats and
bars are; a band that never changes gives zeros, not a division by nothing. Places come from the grid, so any metre will do.
Its past is the word before and what it remembers of the take (``codecs.recall``): the words at the same place one, two, four and eight
bars back and in the two bars in which the band played most alike, the word behind the latest occurrence of the last words, how
well each has been agreeing, and the habit of the place.

Conventions: words are the 9-bit sets of ``drums_rnn_9``, ``NO_WORD`` where there is none; lanes as in ``cues.LANES``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backbeat.codecs.recall import NO_WORD, REFERENCES, Recalled, recall
from backbeat.codecs.words import CLASSES, VOCABULARY, words_to_hits
from backbeat.cues import encode, hear_nothing
from backbeat.features import find_matches, normalise_rows
from backbeat.grid import Grid
from backbeat.units import Floats, Ints

LANES = 6
LOUDEST = 4
"""Notes of one lane and step that count, at most."""
AHEAD, LANES_AHEAD = 9, 6
"""Steps, from this one on, of which the intensity, and the lanes struck, are heard."""
PAST = (len(REFERENCES) + 1) * CLASSES + 2 * len(REFERENCES) + CLASSES
"""Columns of ``describe_past``."""
RHYTHM_BINS = 16
_PLACE = slice(25, 46)
_STEEPEST = 3.0
_BITS = np.concatenate([words_to_hits(np.arange(VOCABULARY, dtype=np.uint16)), np.zeros((1, CLASSES), np.bool_)]).astype(np.float32)

Array = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint16]


def normalise_intensity(counts: Floats) -> Array:
    """Counts as deviations from their mean in units of their standard deviation, within -3 and 3; zeros where they never change.

    Args:
        counts: [n] notes starting.
    """
    spread = float(np.std(counts)) if len(counts) else 0.0
    if spread < 1e-6:
        return np.zeros(len(counts), np.float32)
    return np.asarray(np.clip((counts - np.mean(counts)) / spread, -_STEEPEST, _STEEPEST), dtype=np.float32)


def describe_band(onsets: Array, active_bars: npt.NDArray[np.bool_], grid: Grid) -> Array:
    """Everything heard of the band, and the place in the bar: float32 [steps, ``BAND``].

    Args:
        onsets: [steps, lanes] notes starting.
        active_bars: bool [bars], whether the band sounds.
        grid: any metre.
    """
    counts = np.minimum(np.asarray(onsets, np.float32), LOUDEST)
    intensity = normalise_intensity(counts.sum(axis=1, dtype=np.float64))
    struck = (counts > 0).astype(np.float32)
    columns = [_look_ahead(intensity[:, None], AHEAD), _look_ahead(struck, LANES_AHEAD), counts / LOUDEST, _describe_beats(intensity, grid)]
    bars = _describe_bars(intensity, struck, active_bars, grid)
    place = encode(hear_nothing(grid))[0][:, _PLACE] / np.float32(255)
    return np.concatenate([*columns, bars[grid.bar_of_step], place], axis=1).astype(np.float32)


def _look_ahead(values: Array, steps: int) -> Array:
    """[n, columns] -> [n, columns x steps]: this step and those to come, zeros beyond the end."""
    padded = np.concatenate([values, np.zeros((steps, values.shape[1]), np.float32)])
    return np.concatenate([padded[k : k + len(values)] for k in range(steps)], axis=1)


def _describe_beats(intensity: Array, grid: Grid) -> Array:
    """float32 [steps, 2]: mean intensity of the quarter that the step is in, and of the one behind it."""
    beat = np.cumsum(grid.step_in_bar % grid.steps_per_quarter == 0) - 1
    mean = np.bincount(beat, weights=intensity) / np.maximum(np.bincount(beat), 1)
    return np.stack([mean[beat], np.append(mean, 0)[beat + 1]], axis=1).astype(np.float32)


def _describe_bars(intensity: Array, struck: Array, active_bars: npt.NDArray[np.bool_], grid: Grid) -> Array:
    """Per bar: of the bar before, this and the next the intensity, share of struck steps a lane and whether anything sounds; phase in 8 bars."""
    first, lengths = grid.first_steps[:-1], grid.bar_steps[:, None]
    both = np.concatenate([intensity[:, None], struck], axis=1)
    bars = np.concatenate([np.add.reduceat(both, first, axis=0) / lengths, active_bars[:, None]], axis=1).astype(np.float32)
    nothing = np.zeros((1, bars.shape[1]), np.float32)
    before, behind = np.concatenate([nothing, bars[:-1]]), np.concatenate([bars[1:], nothing])
    since = np.arange(grid.bars) - (int(np.argmax(active_bars)) if len(active_bars) else 0)
    phase = np.concatenate([np.eye(4, dtype=np.float32)[since % 4], (since % 8 >= 4)[:, None]], axis=1)
    return np.concatenate([before, bars, behind, phase], axis=1).astype(np.float32)


BAND = AHEAD + LANES * LANES_AHEAD + LANES + 2 + 3 * (LANES + 2) + 5 + (_PLACE.stop - _PLACE.start)
"""Columns of ``describe_band``."""


def find_similar_bars(onsets: Array, grid: Grid) -> Ints:
    """int64 [bars, 2]: the earlier bars in which the same lanes are struck at the same places, -1 where there is none."""
    bins = grid.step_in_bar * RHYTHM_BINS // grid.bar_steps[grid.bar_of_step]
    rhythm = np.zeros((grid.bars * RHYTHM_BINS, onsets.shape[1]), np.float32)
    np.add.at(rhythm, grid.bar_of_step * RHYTHM_BINS + bins, (np.asarray(onsets) > 0).astype(np.float32))
    return find_matches(normalise_rows(rhythm.reshape(grid.bars, -1)), grid.bar_steps)[0]


def remember(words: Words, onsets: Array, grid: Grid) -> Recalled:
    """What is remembered at every step of a whole take.

    Args:
        words: uint16 [steps].
        onsets: float32 [steps, lanes] of the band, zeros without one.
        grid: bars and steps.
    """
    return recall(words, grid, find_similar_bars(onsets, grid))


def describe_past(before: Ints, remembered: Ints, agreement: npt.NDArray[np.uint8], habit: npt.NDArray[np.uint8]) -> Array:
    """float32 [n, ``PAST``]: bits of the word before and of those remembered, which there are, how well they agree, and the habit.

    Args:
        before: integers [n], the word before each step, ``NO_WORD`` at the start.
        remembered: integers [n, 7].
        agreement: [n, 7], and habit: [n, 9], 255 = always.
    """
    bits = _BITS[np.concatenate([before[:, None], remembered], axis=1)].reshape(len(before), -1)
    return np.concatenate([bits, remembered != NO_WORD, agreement / np.float32(255), habit / np.float32(255)], axis=1).astype(np.float32)


def describe_take(words: Words, recalled: Recalled) -> tuple[Array, Ints]:
    """``describe_past`` of a whole take, and int64 [steps, 7] the words that may be pointed at."""
    remembered = recalled.words.astype(np.int64)
    return describe_past(shift_words(words), remembered, recalled.agreement, recalled.habit), remembered


def forget(steps: int) -> tuple[Array, Ints]:
    """The same of a take of which nothing is known."""
    return np.zeros((steps, PAST), np.float32), np.full((steps, len(REFERENCES)), NO_WORD, np.int64)


def shift_words(words: Words) -> Ints:
    """int64 [steps]: the word before each step."""
    return np.concatenate([[NO_WORD], words[:-1].astype(np.int64)]) if len(words) else np.zeros(0, np.int64)
