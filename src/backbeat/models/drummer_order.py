"""The order in which a take is gone through: what is known of the bars behind a gap is remembered before the gap is played.

The player goes from left to right and remembers only what it has passed. Bars that are known throughout and lie behind the first gap
are therefore read first, then the piece from its beginning: what follows a gap is then as well remembered as what comes before
it, and the bars just before the gap still come just before it. No training is needed: to the network those bars are earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.cues import Cues
from backbeat.features import find_matches
from backbeat.grid import Grid
from backbeat.units import Ints


@dataclass(frozen=True, eq=False)
class Order:
    """Bars of a piece in the order in which they are gone through; a bar may come twice.

    Args:
        bars: int64 [n], the bar at each place.
        steps: int64 [m], the step at each place.
        places: int64 [steps], where each step of the piece stands last; -1 for those that are left out.
        grid: the bars in that order.
        matches: int64 [n, 2], see ``find_matches``, in that order.
    """

    bars: Ints
    steps: Ints
    places: Ints
    grid: Grid
    matches: Ints


def order_bars(cues: Cues, settled: npt.NDArray[np.bool_], *, band: bool = True) -> Order:
    """The order in which a piece is played: bars behind the first gap that are known throughout, then all up to the end of the last gap.

    Args:
        cues: the band on the piece's grid.
        settled: bool [steps], where all drums are known.
        band: whether there is one, whose likeness says which bars match.
    """
    grid = cues.grid
    open_bars = np.flatnonzero(np.add.reduceat(~settled, grid.first_steps[:-1]) > 0) if grid.bars else np.zeros(0, np.int64)
    if not len(open_bars) or not settled.any():
        return _lay_order(cues, np.arange(grid.bars), cues.matches)
    behind = np.setdiff1d(np.arange(open_bars[0], grid.bars), open_bars)
    bars = np.concatenate([behind, np.arange(open_bars[-1] + 1)])
    if not len(behind) or not band:
        return _lay_order(cues, bars, cues.matches[bars] if not len(behind) else np.full((len(bars), 2), -1, np.int64))
    return _lay_order(cues, bars, find_matches(cues.descriptors[bars], grid.bar_steps[bars])[0])


def _lay_order(cues: Cues, bars: Ints, matches: Ints) -> Order:
    grid = cues.grid
    chosen = bars.tolist()
    steps = np.concatenate([np.zeros(0, np.int64), *(np.arange(grid.first_steps[b], grid.first_steps[b + 1]) for b in chosen)]).astype(np.int64)
    places = np.full(grid.steps, -1, np.int64)
    places[steps] = np.arange(len(steps))  # of a bar that comes twice the last place stays
    ticks = np.concatenate([[0], np.cumsum(np.diff(grid.bar_ticks)[bars])]).astype(np.int64)
    metres = ([values[b] for b in chosen] for values in (grid.bar_quarters, grid.numerators, grid.denominators))
    quarters, numerators, denominators = (tuple(m) for m in metres)
    return Order(bars, steps, places, Grid(ticks, quarters, numerators, denominators, grid.steps_per_quarter), matches)
