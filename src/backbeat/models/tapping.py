"""A tapped line as what favours words: which of them suit a tap, an accent, a light tap, and the time between taps.

The network was trained with whole classes known, not with lines of which nobody says what they stand for. So a line is evidence: to the log-probability
of each word is added how well it explains what was tapped there. A tap cannot be answered by nothing (that word is
forbidden); accents speak for kick, snare and crash, light taps for hats and toms, and where nothing is tapped, the loud voices are
unlikely, so that the line stays to be heard. Hats and ride between the taps are left to the drummer where the line is sparse; a line
as dense as a whole kit was tapped from one, so there the rests are rests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.codecs.taps import Line
from backbeat.codecs.words import WORD_BITS
from backbeat.models.drummer_take import Array

# kick, snare, closed hat, open hat, low tom, mid tom, high tom, crash, ride
_TAP = (1.0, 1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.0, 0.0)
_ACCENT = (0.75, 1.0, 0.0, 0.2, 0.4, 0.4, 0.4, 1.0, 0.0)
_LIGHT = (-1.0, -1.0, 0.5, 0.0, 0.5, 0.5, 0.5, -2.0, 0.5)
_REST = (-2.0, -2.0, 1.0, -0.3, -2.5, -2.5, -2.5, -3.0, 0.5)
_LOUD = [0, 1, 4, 5, 6, 7]


@dataclass(frozen=True)
class Tapping:
    """How a line is answered.

    Args:
        weight: of the table of classes.
        between: how much is played between the taps, 0 nothing, 1 as the drummer likes; None = as the line's density suggests.
        sparse, dense: taps in a quarter, at and below which the drummer plays on between them, and at and above which nobody does.
        quiet: taken from the log-probability of words with a hit between the taps where ``between`` is 0.
        plain: what stays of the table at a plain tap where the line is dense: most taps of a whole kit are its hats.
        lonely: taken from words of hats or ride alone where a plain or accented tap is.
    """

    weight: float = 1.0
    between: float | None = None
    sparse: float = 1.5
    dense: float = 2.5
    quiet: float = 12.0
    lonely: float = 1.0
    plain: float = 0.0


def favour_line(line: Line, how: Tapping | None = None) -> Array:
    """float32 [steps, 512]: what a line adds to the words' log-probabilities.

    Args:
        line: the taps.
        how: weights.
    """
    how = how or Tapping()
    rank, taps, between = line.rank_accents(), line.taps, choose_between(line, how)
    plain = how.plain + (1 - how.plain) * between
    tables = [np.array(t, np.float32) * how.weight @ WORD_BITS.T for t in (_REST, _LIGHT, _TAP, _ACCENT)]
    metal_only = (WORD_BITS[:, _LOUD].sum(axis=1) == 0).astype(np.float32)
    tables[0] -= np.float32(how.quiet * (1 - between)) * (WORD_BITS.sum(axis=1) > 0)
    tables[2] = plain * (tables[2] - how.lonely * metal_only)
    tables[3] -= how.lonely * metal_only
    bias = np.stack(tables)[np.where(taps, 2 + rank, 0)]
    bias[taps, 0] = -np.inf
    return np.asarray(bias, dtype=np.float32)


def choose_between(line: Line, how: Tapping) -> float:
    """How much is played between the taps, 0-1."""
    if how.between is not None:
        return how.between
    return float(np.clip((how.dense - line.taps_per_quarter) / (how.dense - how.sparse), 0, 1))
