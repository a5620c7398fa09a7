"""From strokes in seconds to limbs: the hat first, then the hands, then the feet.

Each step only takes strokes away, and what two hands or feet can play, they can also play with a stroke less (ways between surfaces keep the
triangle inequality): so a step never spoils what the step before it found playable.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backbeat.transforms.playability.limbs import NOBODY, Pair, Search
from backbeat.transforms.playability.limits import Limits
from backbeat.transforms.playability.surfaces import KICK, PEDAL, SURFACES, find_percussion, list_places
from backbeat.units import Floats, Ints

Flags = npt.NDArray[np.bool_]
CLOSED, OPEN, SNARE = ([s.name for s in SURFACES].index(name) for name in ("closed hat", "open hat", "snare"))


class Limb(IntEnum):
    """What plays a stroke."""

    NOBODY = -1
    RIGHT_HAND = 0
    LEFT_HAND = 1
    RIGHT_FOOT = 2
    LEFT_FOOT = 3


class Fault(IntEnum):
    """Why nobody can play a stroke."""

    NONE = 0
    HAT = 1
    HANDS = 2
    FEET = 3


@dataclass(frozen=True, eq=False)
class Timed:
    """Strokes of one drummer in time.

    Args:
        seconds: float64 [n], ascending.
        surfaces: int64 [n], numbers of ``SURFACES``; -1 is nobody's.
        velocities: float64 [n], 0-1.
        weights: float64 [n], how much each matters, > 0; of strokes that cannot go together the lightest is the one left out.

    Raises:
        ValueError: lengths differ, times do not ascend, or a value is out of range.
    """

    seconds: Floats
    surfaces: Ints
    velocities: Floats
    weights: Floats

    def __post_init__(self) -> None:
        shapes = [a.shape for a in (self.seconds, self.surfaces, self.velocities, self.weights)]
        if len(set(shapes)) > 1 or self.seconds.ndim != 1:
            raise ValueError(f"strokes are arrays [n] of one length, not {shapes}")
        if not np.isfinite(self.seconds).all() or np.any(np.diff(self.seconds) < 0):
            raise ValueError("the seconds of strokes are finite and ascend")
        if np.any(self.weights <= 0) or np.any((self.surfaces < -1) | (self.surfaces >= len(SURFACES))):
            raise ValueError(f"weights are positive and surfaces lie in -1 .. {len(SURFACES) - 1}")

    def __len__(self) -> int:
        return len(self.seconds)


@dataclass(frozen=True, eq=False)
class Verdict:
    """Who plays what.

    Args:
        limbs: int64 [n], a ``Limb`` for each stroke; -1 also for what lies on no surface.
        faults: int64 [n], a ``Fault`` where nobody can play a stroke that lies on a surface, else 0.
    """

    limbs: Ints
    faults: Ints

    @property
    def impossible(self) -> Flags:
        """Bool [n]: the strokes that nobody can play."""
        return np.asarray(self.faults > 0)


def judge(strokes: Timed, limits: Limits) -> Verdict:
    """Who plays each stroke, and which strokes nobody can play.

    Args:
        strokes: as they come in time.
        limits: of hands and feet.
    """
    limbs, faults = np.full(len(strokes), int(Limb.NOBODY)), np.zeros(len(strokes), np.int64)
    faults[_find_hat_faults(strokes, limits)] = Fault.HAT
    mine = (faults == 0) & ~_find_triggered(strokes, limits)
    if limits.percussionist:
        mine &= ~find_percussion()[strokes.surfaces]
    feet, hands = mine & ((strokes.surfaces == KICK) | (strokes.surfaces == PEDAL)), mine & (strokes.surfaces > PEDAL)
    for mask, pair, fault, first, softest, one in (
        (hands, make_hands(limits), Fault.HANDS, Limb.RIGHT_HAND, limits.soft, limits.one_stroke),
        (feet, make_feet(limits), Fault.FEET, Limb.RIGHT_FOOT, limits.foot_soft, limits.one_kick),
    ):
        here = np.flatnonzero(mask)
        leader = _merge_pairs(strokes.seconds[here], limits.zones[strokes.surfaces[here]], one / 1000)
        heads = here[leader == np.arange(len(here))]
        played = Search(pair, strokes.seconds[heads], strokes.surfaces[heads], strokes.weights[heads], strokes.velocities[heads] <= softest).assign()
        limbs[heads] = np.where(played == NOBODY, int(Limb.NOBODY), played + int(first))
        limbs[here] = limbs[here[leader]]
        faults[here[limbs[here] == Limb.NOBODY]] = fault
    return Verdict(limbs, faults)


@lru_cache(8)
def make_hands(limits: Limits) -> Pair:
    """The two hands: the right leads on hat, ride and what stands to the right, the left on the snare."""
    x = list_places()[:, 0]
    right, left = np.where(x < -45, 0.1, 0.0), np.where(x >= 20, 0.35, 0.05)
    right[SNARE], left[SNARE], left[[CLOSED, OPEN]] = 0.15, 0.0, 0.35
    places = x.copy()
    places[[CLOSED, OPEN]] = 0  # arms cross there by custom
    return Pair(limits.tabulate_hands(), limits.hand_steady / 1000, limits.hand_rest / 1000, limits.hand_press / 1000, limits.zones, right, left, places)


@lru_cache(8)
def make_feet(limits: Limits) -> Pair:
    """The two feet: the left one rests on the hat's pedal, and may go to a second kick pedal."""
    right, left = np.full(len(SURFACES), np.inf), np.full(len(SURFACES), np.inf)
    right[KICK], left[PEDAL] = 0.0, 0.0
    left[KICK] = 0.5 if limits.double_kick else np.inf
    nowhere = np.zeros(len(SURFACES))
    return Pair(limits.tabulate_feet(), limits.foot_steady / 1000, limits.foot_rest / 1000, limits.foot_press / 1000, limits.zones, right, left, nowhere)


def _merge_pairs(seconds: Floats, zones: Ints, window: float) -> Ints:
    """int64 [n]: for each stroke the one that it is a part of, mostly itself: of two hits of a drum, alone within a window, the first."""
    leader = np.arange(len(seconds))
    if not window or not len(seconds):
        return leader
    order = np.lexsort((seconds, zones))
    close = (np.diff(zones[order]) == 0) & (np.diff(seconds[order]) <= window)
    close = np.concatenate([[False], close, [False]])
    alone = close[1:-1] & ~close[:-2] & ~close[2:]
    leader[order[1:][alone]] = order[:-1][alone]
    return leader


def _find_triggered(strokes: Timed, limits: Limits) -> Flags:
    """Bool [n]: hits that the triggers of an electronic kit added: crosstalk beside a louder hit or a kick, and the open hat of a splash with the foot."""
    loud, window = strokes.velocities, limits.together / 1000
    triggered = _find_splashes(strokes, limits)
    hands, kicks = strokes.surfaces > PEDAL, strokes.surfaces == KICK
    for soft, louder in (
        (hands & (loud <= limits.crosstalk), hands & (loud > limits.crosstalk)),
        (kicks & (loud <= limits.crosstalk), kicks & (loud > limits.crosstalk)),
        (hands & (loud <= limits.crosstalk / 2), kicks & (loud > limits.crosstalk)),  # a kick shakes the pads
    ):
        triggered |= soft & _find_near(strokes.seconds, soft, louder, window)
    return triggered


def _find_splashes(strokes: Timed, limits: Limits) -> Flags:
    """Bool [n]: soft open hats beside the pedal, which a foot alone can splash."""
    splash = (strokes.surfaces == OPEN) & (strokes.velocities <= limits.splash)
    return np.asarray(splash & _find_near(strokes.seconds, splash, strokes.surfaces == PEDAL, limits.together / 1000))


def _find_hat_faults(strokes: Timed, limits: Limits) -> Ints:
    """int64: strokes of the hat and its pedal that contradict weightier ones."""
    is_open, is_closed, is_pedal = (strokes.surfaces == s for s in (OPEN, CLOSED, PEDAL))
    is_open &= ~_find_splashes(strokes, limits)
    times = strokes.seconds
    suspects = _find_near(times, is_open, is_closed, limits.open_closed / 1000) | _find_near(times, is_open, is_pedal, limits.open_pedal / 1000)
    if not suspects.any():
        return np.zeros(0, np.int64)
    windows = {CLOSED: limits.open_closed / 1000, PEDAL: limits.open_pedal / 1000}
    kept: dict[int, list[float]] = {OPEN: [], CLOSED: [], PEDAL: []}
    faults = []
    where = np.flatnonzero(suspects)
    for stroke in where[np.argsort(-strokes.weights[where], kind="stable")].tolist():
        surface, now = int(strokes.surfaces[stroke]), float(times[stroke])
        against = [(s, windows[s]) for s in (CLOSED, PEDAL)] if surface == OPEN else [(OPEN, windows[surface])]
        if any(_is_near(kept[s], now, window) for s, window in against):
            faults.append(stroke)
        else:
            insort(kept[surface], now)
    return np.array(faults, dtype=np.int64)


def _find_near(times: Floats, ones: Flags, others: Flags, window: float) -> Flags:
    """Bool [n]: those of two kinds of strokes that one of the other kind lies within so many seconds of."""
    near = np.zeros(len(times), np.bool_)
    for a, b in ((ones, others), (others, ones)):
        mine, theirs = np.flatnonzero(a), times[b]
        if len(theirs):
            near[mine] |= np.searchsorted(theirs, times[mine] - window) < np.searchsorted(theirs, times[mine] + window, side="right")
    return near


def _is_near(times: list[float], now: float, window: float) -> bool:
    at = bisect_left(times, now - window)
    return at < len(times) and times[at] <= now + window
