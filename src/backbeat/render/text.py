"""Bars of a groove as text, one line a class: for the eye, a terminal, a bug report.

``X`` loud, ``x`` plain, ``o`` soft, ``.`` ghost, ``-`` nothing; a space between beats.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.groove import Groove

LEVELS = ((0.85, "X"), (0.55, "x"), (0.30, "o"), (0.0, "."))
"""From which velocity (0-1) a hit is drawn how."""

NOTHING = "-"


def draw_bars(groove: Groove, bars: Iterable[int]) -> str:
    """Draw bars, each with its number (1-based), metre and the classes that are hit in it.

    Args:
        groove: what the drummer plays.
        bars: 0-based bars.

    Raises:
        IndexError: the groove has no such bar.
    """
    return "\n\n".join(_draw_bar(groove, bar) for bar in bars)


def _draw_bar(groove: Groove, bar: int) -> str:
    grid = groove.grid
    if not 0 <= bar < grid.bars:
        raise IndexError(f"bar {bar + 1} of {grid.bars}")
    lines = [f"bar {bar + 1}  {grid.numerators[bar]}/{grid.denominators[bar]}"]
    velocities = groove.velocities[grid.first_steps[bar] : grid.first_steps[bar + 1]]
    struck = np.flatnonzero(velocities.any(axis=0))
    width = max((len(name) for name in groove.kit.names), default=0)
    marks = _mark_beats(grid, bar)
    lines += [f"  {groove.kit.names[column]:<{width}}  {_draw_line(velocities[:, column], marks)}" for column in reversed(struck)]
    return "\n".join(lines if len(struck) else [*lines, "  (no drums)"])


def _mark_beats(grid: Grid, bar: int) -> list[bool]:
    """Whether each step of a bar begins a beat (in 6/8, 9/8 and 12/8 a beat is three eighths)."""
    numerator, denominator = grid.numerators[bar], grid.denominators[bar]
    beat = Fraction(4, denominator)
    if denominator >= 8 and numerator > 3 and numerator % 3 == 0:
        beat *= 3
    steps = int(grid.bar_steps[bar])
    places = [Fraction(step, grid.steps_per_quarter) for step in range(steps)]
    return [place // beat != (place - Fraction(1, grid.steps_per_quarter)) // beat for place in places]


def _draw_line(velocities: npt.NDArray[np.float32], marks: list[bool]) -> str:
    cells = [next(mark for least, mark in LEVELS if v >= least) if v > 0 else NOTHING for v in velocities.tolist()]
    return "".join((" " if marks[i] and i else "") + cell for i, cell in enumerate(cells))
