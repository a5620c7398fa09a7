"""Why nobody can play a stroke, in words."""

from __future__ import annotations

import numpy as np

from backbeat.transforms.playability.limits import Limits
from backbeat.transforms.playability.strokes import CLOSED, OPEN, Fault, Timed, Verdict
from backbeat.transforms.playability.surfaces import KICK, PEDAL, name_surface
from backbeat.units import Ints

_AT_ONCE, _AROUND = 0.035, 0.15
_MOST, _MOST_NAMES = 60, 8
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def explain(strokes: Timed, verdict: Verdict, group: Ints, limits: Limits) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """What is too much in one moment, among what, and why.

    Args:
        strokes, verdict: of the whole piece.
        group: int64 [m], strokes of one moment and one fault that nobody can play.
        limits: by which they were judged.
    """
    fault, start, end = int(verdict.faults[group[0]]), strokes.seconds[group[0]], strokes.seconds[group[-1]]
    what = _name(strokes.surfaces[group])
    if fault == Fault.HAT:
        return _explain_hat(strokes, group, what, limits)
    near = _find_rivals(strokes, fault, start - _AROUND, end + _AROUND, int(group[0]))
    moment = near[(strokes.seconds[near] >= start - _AT_ONCE) & (strokes.seconds[near] <= end + _AT_ONCE)]
    together = _count_most(strokes, moment, group, verdict)
    if fault == Fault.HANDS and len(together) > 2:
        among = _name(strokes.surfaces[together])
        return what, among, f"{_spell(len(together))} hands at once: {' + '.join(among)}"
    among = _name(strokes.surfaces[near])
    gap = _measure_gap(strokes, near, group)
    if fault == Fault.HANDS:
        return what, among, f"too fast for two hands: {len(near)} strokes in {_span(strokes, near):.2f} s ({', '.join(among)})"
    if PEDAL in strokes.surfaces[near]:
        return what, among, f"the left foot cannot be on both pedals: kick and hat pedal {gap} ms apart"
    feet = "two feet" if limits.double_kick else "one foot"
    return what, among, f"too fast for {feet}: kicks {gap} ms apart"


def _explain_hat(strokes: Timed, group: Ints, what: tuple[str, ...], limits: Limits) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    window = max(limits.open_closed, limits.open_pedal) / 1000 + 1e-9
    now, first = strokes.seconds[group[0]], int(group[0])
    near = np.arange(max(0, first - _MOST), min(len(strokes), first + _MOST))
    near = near[np.isin(strokes.surfaces[near], (CLOSED, OPEN, PEDAL)) & (np.abs(strokes.seconds[near] - now) <= window)]
    among = _name(strokes.surfaces[near])
    by_pedal = PEDAL in strokes.surfaces[near] and (PEDAL in strokes.surfaces[group] or CLOSED not in strokes.surfaces[near])
    return what, among, "the hat is struck open while its pedal closes it" if by_pedal else "the hat is struck open and closed at once"


def _find_rivals(strokes: Timed, fault: int, start: float, end: float, stroke: int) -> Ints:
    """int64: what the same limbs play between two times (seconds), at most some hundred strokes around one."""
    first, last = np.searchsorted(strokes.seconds, [start, end]).tolist()
    near = np.arange(max(first, stroke - _MOST), min(last + 1, stroke + _MOST, len(strokes)))
    surfaces = strokes.surfaces[near]
    feet = (surfaces == KICK) | (surfaces == PEDAL)
    return near[(feet if fault == Fault.FEET else surfaces > PEDAL) & (strokes.seconds[near] <= end)]


def _count_most(strokes: Timed, moment: Ints, group: Ints, verdict: Verdict) -> Ints:
    """The strokes that fall together with the first of a group: within the time of one moment, as many as can be found."""
    best = group[:1]
    for first in moment.tolist():
        inside = moment[(strokes.seconds[moment] >= strokes.seconds[first]) & (strokes.seconds[moment] <= strokes.seconds[first] + _AT_ONCE)]
        inside = inside[verdict.faults[inside] != Fault.HAT]
        if group[0] in inside and len(inside) > len(best):
            best = inside
    return best


def _measure_gap(strokes: Timed, near: Ints, group: Ints) -> int:
    """Milliseconds from a stroke to its nearest rival."""
    others = near[near != group[0]]
    gaps = np.abs(strokes.seconds[others] - strokes.seconds[group[0]])
    return round(1000 * float(gaps.min())) if len(gaps) else 0


def _span(strokes: Timed, near: Ints) -> float:
    return float(strokes.seconds[near[-1]] - strokes.seconds[near[0]])


def _name(surfaces: Ints) -> tuple[str, ...]:
    names = [name_surface(s) for s in surfaces.tolist()]
    return tuple(names if len(names) <= _MOST_NAMES else dict.fromkeys(names))


def _spell(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
