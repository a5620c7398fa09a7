"""Some bars of a piece on their own, so that what concerns a few bars takes no longer in a long song."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.song import Song
from backbeat.units import MetreMap, TempoMap

AROUND = 8
"""Bars on either side that are looked at, too."""
FINEST = 1920
"""Ticks to the quarter, at the least, of what is cut out: finer than most files."""


@dataclass(frozen=True, eq=False)
class Window:
    """Bars cut out of a piece, from tick 0 of their own.

    Args:
        first: the first bar in the piece.
        grid, tempo, metre: of the bars.
        start: their first step in the piece.
    """

    first: int
    grid: Grid
    tempo: TempoMap
    metre: MetreMap
    start: int

    @property
    def steps(self) -> slice:
        """Its steps in the piece."""
        return slice(self.start, self.start + self.grid.steps)

    @property
    def bars(self) -> slice:
        """Its bars in the piece."""
        return slice(self.first, self.first + self.grid.bars)

    def cut(self, groove: Groove) -> Groove:
        """The bars of a groove of the piece."""
        return Groove(self.grid, groove.kit, groove.hits[self.steps], groove.velocities[self.steps], groove.offsets[self.steps])

    def paste(self, groove: Groove, bars: Groove) -> Groove:
        """A groove of the piece with these bars exchanged."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name in ("hits", "velocities", "offsets"):
            arrays[name] = getattr(groove, name).copy()
            arrays[name][self.steps] = getattr(bars, name)
        return Groove(groove.grid, groove.kit, arrays["hits"], arrays["velocities"], arrays["offsets"])


def open_window(song: Song, grid: Grid, cells: npt.NDArray[np.bool_]) -> Window:
    """The bars around some cells.

    Args:
        song: the piece.
        grid: its bars and steps.
        cells: bool [steps, classes], at least one of them true.
    """
    bars = grid.bar_of_step[cells.any(axis=1)]
    first, end = max(0, int(bars.min()) - AROUND), min(grid.bars, int(bars.max()) + 1 + AROUND)
    finer = 1 if song.tempo.ticks_per_second is not None else max(1, -(-FINEST // song.tempo.ticks_per_quarter))
    start = int(grid.bar_ticks[first])
    cut = Grid(
        (grid.bar_ticks[first : end + 1] - start) * finer,
        grid.bar_quarters[first:end],
        grid.numerators[first:end],
        grid.denominators[first:end],
        grid.steps_per_quarter,
    )
    return Window(first, cut, _cut_tempo(song.tempo, start, finer), _cut_metre(song.metre, start, finer), int(grid.first_steps[first]))


def _cut_tempo(tempo: TempoMap, start: int, finer: int) -> TempoMap:
    there = [
        (max(0, tick - start) * finer, us) for k, (tick, us) in enumerate(zip(tempo.ticks, tempo.microseconds, strict=True)) if _counts(tempo.ticks, k, start)
    ]
    return TempoMap(tempo.ticks_per_quarter * finer, tuple(t for t, _ in there), tuple(us for _, us in there), tempo.ticks_per_second)


def _cut_metre(metre: MetreMap, start: int, finer: int) -> MetreMap:
    there = [k for k in range(len(metre.ticks)) if _counts(metre.ticks, k, start)]
    ticks = tuple(max(0, metre.ticks[k] - start) * finer for k in there)
    return MetreMap(ticks, tuple(metre.numerators[k] for k in there), tuple(metre.denominators[k] for k in there))


def _counts(ticks: tuple[int, ...], k: int, start: int) -> bool:
    """Whether what begins at the k-th tick holds at or behind the start."""
    return k + 1 == len(ticks) or ticks[k + 1] > start
