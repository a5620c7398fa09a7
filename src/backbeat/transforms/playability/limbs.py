"""Which limb plays which stroke: a search over two limbs in time (Viterbi), exact for the limits.

The state behind a stroke is the last stroke of either limb, and whether it was the second of a fast pair. Strokes that no limb can play are left
out, the least important first: where a plain search finds no way, it is repeated from a little earlier with leaving out allowed, at a price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.units import Floats, Ints

RIGHT, LEFT, NOBODY = 0, 1, -1
_FREE = -1
_BEAM = 16
_BOUNCE_COST = 1.5
_NEVER = float("inf")
_SLACK = 1e-6

State = tuple[int, bool, int, bool]
"""Last stroke of the right limb (-1 = long ago), whether it came fast; the same of the left."""

Front = dict[State, tuple[float, State | None, int]]
"""The states behind a stroke: cost, state before it, and the limb that played it."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two limbs and what they can do.

    Args:
        times: float64 [surfaces, surfaces], seconds from surface to surface at least.
        steady: below so many seconds a repetition is fast; a fast one follows no fast one.
        rest: seconds behind a fast repetition.
        bounce: seconds between soft repetitions at least, any number of them.
        zones: int64 [surfaces], the drum of each surface that a soft repetition stays on.
        right, left: float64 [surfaces], the cost of the limb on the surface; infinite where it cannot play there.
        places: float64 [surfaces], centimetres from left to right, against crossing.
    """

    times: Floats
    steady: float
    rest: float
    bounce: float
    zones: Ints
    right: Floats
    left: Floats
    places: Floats


class Search:
    """The cheapest way to play strokes with a pair of limbs.

    Args:
        pair: the limbs.
        seconds: float64 [n], ascending.
        surfaces: int64 [n].
        weights: float64 [n], how much each stroke matters; > 0.
        soft: bool [n], which can be bounces.
    """

    def __init__(self, pair: Pair, seconds: Floats, surfaces: Ints, weights: Floats, soft: npt.NDArray[np.bool_]) -> None:
        self._times: list[float] = seconds.tolist()
        self._surfaces: list[int] = surfaces.tolist()
        self._prices: list[float] = (1000 * weights).tolist()
        self._needs: list[list[float]] = (pair.times - _SLACK).tolist()
        self._right, self._left, self._places = (list[float](a.tolist()) for a in (pair.right, pair.left, pair.places))
        self._soft: list[bool] = soft.tolist()
        self._zones: list[int] = pair.zones.tolist()
        self._steady, self._rest, self._bounce = pair.steady - _SLACK, pair.rest - _SLACK, pair.bounce - _SLACK
        here = np.unique(surfaces)
        self._reach = float(max(pair.times[np.ix_(here, here)].max(initial=0), pair.rest, pair.steady))
        self._seconds = seconds

    def assign(self) -> Ints:
        """int64 [n]: the limb of each stroke, -1 = nobody can play it beside the others."""
        start: Front = {(_FREE, False, _FREE, False): (0.0, None, NOBODY)}
        fronts = [start]
        leave_until = -1
        while len(fronts) <= len(self._times):
            stroke = len(fronts) - 1
            front = self._play(fronts[-1], stroke, stroke <= leave_until)
            if front:
                fronts.append(front)
                continue
            now = self._times[stroke]
            del fronts[int(np.searchsorted(self._seconds, now - 1.5 * self._reach)) + 1 :]
            leave_until = int(np.searchsorted(self._seconds, now + 1.5 * self._reach, side="right")) - 1
        return self._trace(fronts)

    def _trace(self, fronts: Sequence[Front]) -> Ints:
        limbs = np.full(len(self._times), NOBODY)
        state: State | None = min(fronts[-1], key=lambda s: fronts[-1][s][0])
        for stroke in range(len(self._times) - 1, -1, -1):
            if state is not None:
                _, state, limbs[stroke] = fronts[stroke + 1][state]
        return limbs

    def _play(self, front: Front, stroke: int, may_leave: bool) -> Front:
        """The states behind a stroke, from those before it."""
        times, surface = self._times, self._surfaces[stroke]
        forgotten, new = times[stroke] - self._reach, Front()
        right_cost, left_cost = self._right[surface], self._left[surface]
        if stroke and times[stroke - 1] <= forgotten:  # both limbs are free again, whatever they did
            state = min(front, key=lambda s: front[s][0])
            front = {state: front[state]}
        moves: dict[tuple[int, bool], tuple[float, bool] | None] = {}
        for state, (cost, _, _) in front.items():
            right, right_fast, left, left_fast = state
            if right >= 0 and times[right] <= forgotten:
                right, right_fast = _FREE, False
            if left >= 0 and times[left] <= forgotten:
                left, left_fast = _FREE, False
            for last, fast, own, other, limb in ((right, right_fast, right_cost, left, RIGHT), (left, left_fast, left_cost, right, LEFT)):
                if own == _NEVER:
                    continue
                key = (last, fast)
                if key not in moves:
                    moves[key] = self._move(last, fast, stroke)
                move = moves[key]
                if move is not None:
                    after = (stroke, move[1], left, left_fast) if limb == RIGHT else (right, right_fast, stroke, move[1])
                    _keep(new, after, cost + own + move[0] + (self._cross(other, stroke, limb) if other >= 0 else 0.0), state, limb)
            if may_leave:
                _keep(new, (right, right_fast, left, left_fast), cost + self._prices[stroke], state, NOBODY)
        if len(new) > _BEAM and may_leave:
            return {s: new[s] for s in sorted(new, key=lambda s: new[s][0])[:_BEAM]}
        return new

    def _move(self, last: int, fast: bool, stroke: int) -> tuple[float, bool] | None:
        """Cost of a limb's next stroke, and whether it is a fast repetition; none where it cannot come so soon."""
        if last < 0:
            return 0.0, False
        surface, before, gap = self._surfaces[stroke], self._surfaces[last], self._times[stroke] - self._times[last]
        if gap < self._needs[before][surface] or (fast and gap < self._rest):
            bounces = self._soft[stroke] and self._zones[before] == self._zones[surface] and gap >= self._bounce
            return (_BOUNCE_COST, True) if bounces else None
        return max(0.0, 0.2 - gap) * 5, before == surface and gap < self._steady

    def _cross(self, other: int, stroke: int, limb: int) -> float:
        """Cost of crossed arms: the right hand far to the left of where the left hand just was, or the reverse."""
        if self._times[stroke] - self._times[other] > 0.15:
            return 0.0
        way = self._places[self._surfaces[other]] - self._places[self._surfaces[stroke]]
        return 0.4 if (way if limb == RIGHT else -way) > 10 else 0.0


def _keep(front: Front, state: State, cost: float, before: State, limb: int) -> None:
    known = front.get(state)
    if known is None or cost < known[0]:
        front[state] = (cost, before, limb)
