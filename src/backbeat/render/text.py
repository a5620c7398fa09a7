"""Bars of a groove as text, one line a class: for the eye, a terminal, a bug report.

``X`` loud, ``x`` plain, ``o`` soft, ``.`` nothing; ``|`` where a beat begins.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.groove import Groove

LEVELS = ((0.8, "X"), (0.45, "x"), (0.0, "o"))
"""From which velocity (0-1) a hit is drawn how."""

NOTHING = "."


def draw_bars(groove: Groove, first: int, last: int) -> str:
    """Draw bars, each with its number (1-based), metre and the classes that are hit in it.

    Args:
        groove: what the drummer plays.
        first, last: the first bar to draw and the one behind the last, 0-based.

    Raises:
        IndexError: the groove has no such bars.
    """
    if not 0 <= first < last <= groove.grid.bars:
        raise IndexError(f"bars {first + 1} to {last} of {groove.grid.bars}")
    return "\n\n".join(_draw_bar(groove, bar) for bar in range(first, last))


def _draw_bar(groove: Groove, bar: int) -> str:
    grid = groove.grid
    title = f"bar {bar + 1}, {grid.numerators[bar]}/{grid.denominators[bar]}"
    velocities = groove.velocities[grid.first_steps[bar] : grid.first_steps[bar + 1]]
    struck = np.flatnonzero(velocities.any(axis=0))
    if not len(struck):
        return f"{title}\n  no drums"
    width = max(len(groove.kit.classes[column].label) for column in struck)
    beats = find_beats(grid, bar)
    return "\n".join([title, *(f"  {groove.kit.classes[column].label:<{width}} {_draw_line(velocities[:, column], beats)}" for column in struck)])


def find_beats(grid: Grid, bar: int) -> npt.NDArray[np.bool_]:
    """Bool [steps of the bar]: the steps in which a beat begins; in 6/8, 9/8 and 12/8 a beat is three eighths."""
    numerator, denominator = grid.numerators[bar], grid.denominators[bar]
    beat = Fraction(4, denominator) * (3 if denominator >= 8 and numerator > 3 and numerator % 3 == 0 else 1)
    step = Fraction(1, grid.steps_per_quarter)
    # A beat that falls between two steps is marked before the later one.
    return np.array([k * step // beat != (k - 1) * step // beat for k in range(int(grid.bar_steps[bar]))], dtype=np.bool_)


def _draw_line(velocities: npt.NDArray[np.float32], beats: npt.NDArray[np.bool_]) -> str:
    marks = [next(mark for least, mark in LEVELS if velocity >= least) if velocity > 0 else NOTHING for velocity in velocities.tolist()]
    return "".join(("|" if beat else "") + mark for mark, beat in zip(marks, beats.tolist(), strict=True)) + "|"
