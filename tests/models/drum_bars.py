"""A plain rock groove of any length and metre."""

from __future__ import annotations

import numpy as np

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit


def make_groove(bars: int, numerator: int = 4, denominator: int = 4, steps_per_quarter: int = 4, changed: tuple[int, ...] = ()) -> Groove:
    """Kick and snare on beats in turn, hats on 8ths; in the bars of ``changed`` the ride instead, and more kicks."""
    grid, kit = Grid.regular(bars, numerator, denominator, steps_per_quarter=steps_per_quarter), load_kit("general_midi")
    hits = np.zeros((grid.steps, len(kit)), np.bool_)
    for step in range(grid.steps):
        place, beat = grid.step_in_bar[step], steps_per_quarter * 4 // denominator or 1
        other = int(grid.bar_of_step[step]) in changed
        if place % beat == 0:
            hits[step, kit.lookup[36 if place // beat % 2 == 0 else 38]] = True
        if place % max(1, steps_per_quarter // 2) == 0:
            hits[step, kit.lookup[51 if other else 42]] = True
            hits[step, kit.lookup[36]] |= other
    return Groove(grid, kit, hits, hits.astype(np.float32) * 0.8, np.zeros(hits.shape, np.float32))
