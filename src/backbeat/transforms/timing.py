"""Other grids, and the timing of the band."""

from __future__ import annotations

import numpy as np

from backbeat.cues import Cues
from backbeat.grid import Grid
from backbeat.groove import Groove

_CLEARLY_OFF, _SLIGHTLY_OFF = 0.2, 0.06


def quantise(groove: Groove, grid: Grid) -> Groove:
    """Move every hit to the nearest step of another grid over the same bars; of two that meet the louder stays.

    Raises:
        ValueError: the grids do not have the same bars.
    """
    if not np.array_equal(groove.grid.bar_ticks, grid.bar_ticks):
        raise ValueError("both grids must lie over the same bars")
    steps, classes = np.nonzero(groove.hits)
    velocities = groove.velocities[steps, classes]
    target, _ = grid.locate(groove.grid.ticks(steps, groove.offsets[steps, classes].astype(np.float64)))
    shape = (grid.steps, len(groove.kit))
    loud = np.zeros(shape, np.float32)
    np.maximum.at(loud, (target, classes), velocities)
    return Groove(grid, groove.kit, loud > 0, loud, np.zeros(shape, np.float32))


def follow_timing(groove: Groove, cues: Cues) -> Groove:
    """Let the hits fall where the band's notes fall: swing and triplets stay together with it.

    A step on which the band is clearly off the grid takes the band's offset; the others take the band's habit at their place
    in the quarter, if it has one.

    Args:
        groove, cues: on the same grid.
    """
    grid = groove.grid
    struck = cues.onsets.sum(axis=1)
    phase = grid.step_in_bar % grid.steps_per_quarter
    habit = np.zeros(grid.steps_per_quarter, np.float32)
    for k in range(grid.steps_per_quarter):
        here = (phase == k) & (struck > 0)
        if here.sum() >= 8:
            middle = float(np.median(cues.offsets[here]))
            steady = float(np.mean(np.abs(cues.offsets[here] - middle) < 0.12)) > 0.6
            habit[k] = middle if steady and abs(middle) > _SLIGHTLY_OFF else 0
    clearly = (struck > 0) & (np.abs(cues.offsets) > _CLEARLY_OFF)
    late = np.where(clearly, cues.offsets, habit[phase]).astype(np.float32)
    late = np.clip(late, -0.5, np.nextafter(np.float32(0.5), np.float32(0)))
    return groove.replace(offsets=np.where(groove.hits, late[:, None], 0).astype(np.float32))
