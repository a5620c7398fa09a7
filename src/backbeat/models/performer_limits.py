"""What keeps a performance playable: how far a stroke may leave its place, and flams that stay flams."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.units import Floats, Ints

LATEST_MS = 60.0
"""A stroke is at most so far from its place."""
FLAM_MS = 35.0
"""Strokes of one class nearer than this are one stroke with its grace notes, not two places."""
MOST_GRACES = 2
_SAME = 1e-6


class Graces(NamedTuple):
    """Grace notes: which strokes they are, and the main stroke of each, int64 [m] each."""

    strokes: Ints
    mains: Ints


def find_graces(strokes: Strokes) -> Graces:
    """Flams and drags: up to three strokes of a class within ``FLAM_MS`` of one another, apart from others; the loudest is the main one.

    Args:
        strokes: in order of their places.
    """
    seconds_ms = measure_times(strokes)
    struck = seconds_ms + strokes.late
    order = np.lexsort((struck, strokes.columns))
    apart = (np.diff(strokes.columns[order]) != 0) | (np.diff(struck[order]) >= FLAM_MS)
    bunch = np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)[: len(order)]
    sizes = np.bincount(bunch) if len(order) else np.zeros(0, np.int64)
    graces, mains = [], []
    for number in np.flatnonzero((sizes > 1) & (sizes <= 1 + MOST_GRACES)).tolist():
        members = order[bunch == number]
        main = members[int(strokes.velocities[members].argmax())]
        graces += [m for m in members.tolist() if m != main]
        mains += [int(main)] * (len(members) - 1)
    return Graces(np.array(graces, np.int64), np.array(mains, np.int64))


def bound_lateness(strokes: Strokes, graces: Graces) -> Floats:
    """float64 [n]: how many ms each stroke may be from its place: ``LATEST_MS``, and half of the way to the nearest other place.

    Two strokes that keep to this never pass each other. Places of grace notes do not count.

    Args:
        strokes: in order of their places.
        graces: of these strokes.
    """
    times = measure_times(strokes)
    plain = np.setdiff1d(np.arange(len(strokes)), graces.strokes)
    places = np.unique(times[plain])
    if len(places) < 2:
        return np.full(len(strokes), LATEST_MS)
    places = places[np.concatenate([[True], np.diff(places) > _SAME])]
    gaps = np.concatenate([[np.inf], np.diff(places), [np.inf]])
    at = np.clip(np.searchsorted(places, times + _SAME, side="right") - 1, 0, len(places) - 1)
    return np.asarray(np.minimum(LATEST_MS, np.minimum(gaps[at], gaps[at + 1]) / 2), dtype=np.float64)


def follow_mains(strokes: Strokes, late: Floats, velocities: Floats, graces: Graces) -> tuple[Floats, Floats]:
    """Lateness in ms and velocities [n] with grace notes as far from their main strokes, and as much softer, as they were."""
    late, velocities = late.copy(), velocities.copy()
    own, main = graces.strokes, graces.mains
    late[own] = late[main] + strokes.late[own] - strokes.late[main]
    velocities[own] = velocities[main] * strokes.velocities[own] / strokes.velocities[main]
    return late, velocities


def measure_times(strokes: Strokes) -> Floats:
    """float64 [n]: the nominal time of each stroke in ms, at the tempi of the strokes before it."""
    if not len(strokes):
        return np.zeros(0)
    quarters = strokes.quarters
    ways = np.diff(quarters) * 60_000 / strokes.qpm[:-1]
    return np.asarray(np.concatenate([[0.0], np.cumsum(ways)]), dtype=np.float64)
