"""What is asked of a take besides the song: controls as something to add to the words' log-probabilities, and who watches it being played.

A network that has learned controls hears them. That alone moves it little of the way, for its own past speaks against a change, so words are
favoured besides. For density a controller counts what is played, and favours words with more or fewer hits until it is what is
asked for. Where a fill is asked for, snares and toms are favoured in the second half of the bar, one at a time, and a crash behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.controls import Controls, hits_of
from backbeat.codecs.words import VOCABULARY, WORD_BITS
from backbeat.grid import Grid
from backbeat.units import Floats, Ints

_LEADING, _TOMS, _CRASH, _METAL = [1, 6, 5, 4], [4, 5, 6], 7, [2, 3, 8]
"""Classes of ``drums_rnn_9``: snare and toms from high to low, toms, crash, and what rings on."""
_YIELDING = np.array([0.7, 0.7, 1, 1, 0.5, 0.5, 0.5, 0.3, 1], np.float32)
"""How readily each class of ``drums_rnn_9`` gives way to density: hats and ride more than kick and snare, crashes hardly."""
INTERVAL = 0.05
"""Seconds between two calls of who watches."""

Array = npt.NDArray[np.float32]
Watch = Callable[[float], None]


@dataclass(frozen=True)
class Guidance:
    """How far what is asked for moves the words, beside what the network hears of it.

    Args:
        density: added for each hit of a word at density 1, and taken at density 0, before anything is counted.
        learn: by how much this changes for every hit that was too many or too few.  most: how far it may go.
        twofold: taken for hat and ride at once where density is asked for.
        fill: added to words with a snare or a tom in the second half of a bar that is to be filled.
        shape: added once more to the drum whose turn it is there, from the snare down to the low tom.  snare: taken for the snare there, so
            that a fill is not a roll.
        together: taken for each snare or tom beside the first.  metal: taken for hats and ride there.
        no_fill: taken for toms in a bar that is to have no fill.
        crash: added for a crash on the first step behind a fill.
    """

    density: float = 1.5
    learn: float = 0.12
    most: float = 6.0
    twofold: float = 3.0
    fill: float = 2.0
    shape: float = 5.0
    snare: float = 2.0
    together: float = 1.5
    metal: float = 1.0
    no_fill: float = 1.5
    crash: float = 2.0


def guide_fills(controls: Controls, grid: Grid, how: Guidance) -> Array:
    """float32 [steps, 512]: what wishes for fills add to the words' log-probabilities.

    Args:
        controls: of each bar.
        grid: bars and steps.
        how: weights.
    """
    bar = grid.bar_of_step
    urge, place = find_late(controls, grid)
    late = urge > 0
    leading = WORD_BITS[:, _LEADING].sum(axis=1)
    favoured = how.fill * (leading > 0) - how.together * np.maximum(leading - 1, 0) - how.metal * WORD_BITS[:, _METAL].sum(axis=1) - how.snare * WORD_BITS[:, 1]
    turns = np.maximum(1 - np.abs(place[late, None] * len(_LEADING) - 0.5 - np.arange(len(_LEADING))), 0)
    out = np.zeros((grid.steps, VOCABULARY), np.float32)
    out[late] = urge[late, None] * (favoured + how.shape * turns @ WORD_BITS[:, _LEADING].T)
    out[(controls.fills == 0)[bar]] = -how.no_fill * WORD_BITS[:, _TOMS].sum(axis=1)
    after = np.flatnonzero((controls.fills[bar][:-1] == 1) & (bar[1:] != bar[:-1])) + 1
    out[after] += how.crash * WORD_BITS[:, _CRASH]
    return out


def find_late(controls: Controls, grid: Grid) -> tuple[Array, Floats]:
    """Where fills that are asked for have their place: the second halves of bars.

    Args:
        controls: of each bar.
        grid: bars and steps.

    Returns:
        float32 [steps] how much of a fill is asked for there, 0 elsewhere; float64 [steps] from 0 to 1 the place in the second half, less than 0 in the first.
    """
    bar = grid.bar_of_step
    place = 2 * grid.step_in_bar / grid.bar_steps[bar] - 1
    return np.where(place >= 0, np.nan_to_num(controls.fills)[bar], np.float32(0)), np.asarray(place, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Pace:
    """How dense a take is to be.

    Args:
        wanted: float64 [steps], hits a step; nan where it is not said, and where the band rests, so that nothing is learned there.
        first: float64 [steps], what is added for each hit of a word before anything is counted.
        how: weights.
    """

    wanted: Floats
    first: Floats
    how: Guidance

    @classmethod
    def of(cls, controls: Controls, grid: Grid, resting: npt.NDArray[np.bool_], how: Guidance) -> Pace | None:
        """That of controls; None where nothing is said of it.

        Args:
            controls: of each bar.
            grid: bars and steps.
            resting: bool [bars], where the band rests and so should the drummer.
            how: weights.
        """
        if np.isnan(controls.density).all():
            return None
        density = controls.density[grid.bar_of_step].astype(np.float64)
        wanted = np.where(resting[grid.bar_of_step], np.nan, hits_of(density) / grid.steps_per_quarter)
        return cls(wanted.astype(np.float64), how.density * (2 * density - 1), how)

    def reorder(self, steps: Ints) -> Pace:
        """The same for steps in another order."""
        return Pace(self.wanted[steps], self.first[steps], self.how)

    def favour(self, step: int, learned: float) -> Array | None:
        """float32 [512]: what is added to the words of a step; None = nothing.

        Args:
            step: where.
            learned: what was found out so far, see ``learn``.
        """
        return None if np.isnan(self.first[step]) else np.asarray((self.first[step] + learned) * _HITS - self.how.twofold * _TWOFOLD, dtype=np.float32)

    def learn(self, step: int, learned: float, hits: int) -> float:
        """What is found out once a step has so many hits."""
        wanted = self.wanted[step]
        return learned if np.isnan(wanted) else float(np.clip(learned + self.how.learn * (wanted - hits), -self.how.most, self.how.most))


_HITS = WORD_BITS @ _YIELDING
_TWOFOLD = WORD_BITS[:, 8] * WORD_BITS[:, [2, 3]].max(axis=1)


class Progress:
    """Tells somebody how far the work is, every ``INTERVAL`` seconds; who is told may raise to stop it.

    Args:
        watch: is called with the share that is done, 0-1; None = nobody watches.
        total: units of work.
    """

    def __init__(self, watch: Watch | None, total: int) -> None:
        self.watch, self.total, self.done, self.last = watch, max(total, 1), 0, 0.0
        self.advance(0)

    def advance(self, units: int = 1) -> None:
        """So much more is done."""
        self.done += units
        if self.watch is not None and (now := time.monotonic()) - self.last >= INTERVAL:
            self.last = now
            self.watch(min(1.0, self.done / self.total))


def share_watch(watch: Watch | None, first: float, last: float) -> Watch | None:
    """Who watches a part of some work, from one share of the whole to another."""
    return None if watch is None else lambda share: watch(first + (last - first) * share)
