"""What a take is played from: what is heard and favoured at each step, which passages are tried several times, and where nobody plays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backbeat.cues import Cues
from backbeat.models.drummer_order import Order
from backbeat.models.drummer_take import Array, Known, Sampling

MAX_REHEARSED = 3000
"""Steps of a song that are tried more than once; bounds the time that a very long song takes."""


@dataclass(frozen=True, eq=False)
class Score:
    """What a take is played from.

    Args:
        listened: float32 [steps, hidden].  bias: float32 [steps, 512], added to the words' log-probabilities.
        expected: float32 [steps, 9], chance of a hit from the band alone.
        plan: passages (first step, last step, tries; 0 = known).
        sounding: bool [steps], see ``find_sounding``.
    """

    listened: Array
    bias: Array
    expected: Array
    plan: list[tuple[int, int, int]]
    sounding: npt.NDArray[np.bool_]

    def reorder(self, order: Order) -> Score:
        """The same for bars in another order: what is read first, and behind it the piece from its beginning."""
        if len(order.steps) == len(self.listened) and (order.steps == np.arange(len(order.steps))).all():
            return self
        first = int(order.places[0])
        plan = [(0, first, 0)] * (first > 0) + [(a + first, b + first, tries) for a, b, tries in self.plan]
        arrays = (self.listened[order.steps], self.bias[order.steps], self.expected[order.steps])
        return Score(*arrays, plan, self.sounding[order.steps])


def plan_rehearsals(cues: Cues, how: Sampling, settled: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Passages (first step, last step, tries) that cover the song: the first bars of every section and gap are tried several times."""
    first_steps = cues.grid.first_steps
    starts = set(np.flatnonzero(cues.section_starts).tolist())
    if cues.active_bars.any():
        starts.add(int(np.argmax(cues.active_bars)))
    starts |= set(cues.grid.bar_of_step[1:][settled[:-1] & ~settled[1:]].tolist())
    edges = sorted({b for start in starts for b in (start, min(start + how.rehearsed_bars, cues.grid.bars))} | {0, cues.grid.bars})
    plan, last_start, budget = [], -how.rehearsed_bars, MAX_REHEARSED
    for a, b in pairwise(edges):
        last_start = a if a in starts else last_start
        first, last = int(first_steps[a]), int(first_steps[b])
        open_steps = int(np.count_nonzero(~settled[first:last]))
        tries = how.rehearsals if a - last_start < how.rehearsed_bars and open_steps <= budget else 1
        budget -= open_steps if tries > 1 else 0
        plan.append((first, last, max(1, tries)))
    return plan


def skip_settled(plan: list[tuple[int, int, int]], settled: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """The plan cut where steps begin or cease to be known throughout; those are tried 0 times, and left out at the end."""
    if not settled.any():
        return plan
    turns = (np.flatnonzero(settled[1:] != settled[:-1]) + 1).tolist()
    cut = []
    for first, last, tries in plan:
        edges = [first, *(t for t in turns if first < t < last), last]
        cut += [(a, b, 0 if settled[a] else tries) for a, b in pairwise(edges) if b > a]
    while cut and not cut[-1][2]:
        cut.pop()
    return cut


def find_sounding(cues: Cues, known: Known | None, band: bool) -> npt.NDArray[np.bool_]:
    """Whether a step is near enough to any sound (two bars) for somebody to play."""
    if not band or known is not None:
        return np.ones(cues.grid.steps, np.bool_)
    active = cues.active_bars
    near = active.copy()
    for by in (1, 2):
        near[by:] |= active[:-by]
        near[:-by] |= active[by:]
    return np.asarray(near[cues.grid.bar_of_step], dtype=np.bool_)
