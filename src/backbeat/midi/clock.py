"""Ticks, quarters and seconds of many notes at once: the tempo map as arrays.

``TempoMap`` answers exactly, one tick at a time; for moving thousands of notes by milliseconds, floats are exact enough (an error of
a nanosecond against ticks of 10 microseconds and more).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.units import Floats, TempoMap

Numbers = npt.NDArray[Any]


class Clock:
    """A tempo map for arrays; before tick 0 the first tempo goes on.

    Args:
        tempo: the map.
    """

    def __init__(self, tempo: TempoMap) -> None:
        self.tempo = tempo
        ticks, per_quarter = np.array(tempo.ticks, dtype=np.float64), np.array(tempo.microseconds, dtype=np.float64) / 1e6
        rate = float(tempo.ticks_per_second) if tempo.ticks_per_second is not None else 0.0
        self._ticks, self._per_quarter = ticks, per_quarter
        self._per_tick = np.full(len(ticks), 1 / rate) if rate else per_quarter / tempo.ticks_per_quarter
        self._seconds = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * self._per_tick[:-1])])
        self._quarters = np.concatenate([[0.0], np.cumsum(np.diff(self._seconds) / per_quarter[:-1])]) if rate else ticks / tempo.ticks_per_quarter

    def _line(self, where: Floats, anchors: Floats, values: Floats, slopes: Floats) -> Floats:
        segment = np.maximum(np.searchsorted(anchors, where, side="right") - 1, 0)
        return np.asarray(values[segment] + (where - anchors[segment]) * slopes[segment], dtype=np.float64)

    def seconds(self, ticks: Numbers) -> Floats:
        """float64 [n]: seconds from tick 0 to each tick [n]; ticks may be fractions."""
        return self._line(np.asarray(ticks, np.float64), self._ticks, self._seconds, self._per_tick)

    def ticks(self, seconds: Floats) -> Floats:
        """float64 [n]: ticks, with fractions, at seconds [n]; the inverse of ``seconds``."""
        return self._line(np.asarray(seconds, np.float64), self._seconds, self._ticks, 1 / self._per_tick)

    def quarters(self, ticks: Numbers) -> Floats:
        """float64 [n]: quarters from tick 0 to each tick [n]."""
        seconds = self.seconds(ticks)
        return self._line(seconds, self._seconds, self._quarters, 1 / self._per_quarter)

    def seconds_at(self, quarters: Floats) -> Floats:
        """float64 [n]: seconds at positions [n] in quarters."""
        return self._line(np.asarray(quarters, np.float64), self._quarters, self._seconds, self._per_quarter)

    def qpm(self, ticks: Numbers) -> Floats:
        """float64 [n]: quarters per minute at each tick [n]."""
        segment = np.maximum(np.searchsorted(self._ticks, np.asarray(ticks, np.float64), side="right") - 1, 0)
        return np.asarray(60 / self._per_quarter[segment], dtype=np.float64)

    def tick_ms(self, ticks: Numbers) -> Floats:
        """float64 [n]: milliseconds that a tick is worth at each tick [n]."""
        segment = np.maximum(np.searchsorted(self._ticks, np.asarray(ticks, np.float64), side="right") - 1, 0)
        return np.asarray(self._per_tick[segment] * 1000, dtype=np.float64)
