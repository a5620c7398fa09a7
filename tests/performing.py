"""Strokes made up for the tests of the performer."""

from __future__ import annotations

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.kits import Kit, load_kit


def make_strokes(
    quarters: list[float],
    columns: list[str],
    *,
    bar: float = 4.0,
    beat: float = 1.0,
    qpm: float = 120.0,
    velocity: float | list[float] = 0.6,
    late: float | list[float] = 0.0,
    kit: Kit | None = None,
) -> Strokes:
    """Strokes of named classes at places in quarters from the start, in bars of one length."""
    kit = kit or load_kit("backbeat")
    places, count = np.array(quarters, np.float64), len(quarters)
    bars = np.floor(places / bar + 1e-9).astype(np.int64)
    number = np.array([kit.index(c) for c in columns], np.int64)
    order = np.lexsort((number, places))
    full = [np.full(count, x, np.float64) for x in (bar, beat)]
    played = [np.broadcast_to(np.array(x, np.float32), (count,))[order] for x in (velocity, late)]
    return Strokes(kit, number[order], bars[order], (places - bars * bar)[order], *full, (bars * bar)[order], np.full(count, float(qpm)), *played)


def make_rock(bars: int = 8, qpm: float = 120.0, step: float = 0.5) -> Strokes:
    """Kick on 1 and 3, snare on 2 and 4, ghosts before them, hats on every step."""
    quarters, columns = [], []
    for bar in range(bars):
        for place in np.arange(0, 4, step):
            quarters.append(4 * bar + float(place))
            columns.append("closed_hat")
        for place, name in ((0, "kick"), (1, "snare"), (2, "kick"), (2.5, "kick"), (3, "snare"), (1.75, "snare"), (2.25, "snare")):
            quarters.append(4 * bar + place)
            columns.append(name)
    return make_strokes(quarters, columns, qpm=qpm)
