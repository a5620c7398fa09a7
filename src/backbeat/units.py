"""Musical time: ticks, quarters and seconds, and the maps between them.

Conventions:
    tick: integer MIDI time, counted from the start of the file.
    quarter: a quarter note as an exact ``Fraction``, counted from tick 0.
    seconds: float, counted from tick 0.

Everything is computed from an anchor (the start of a tempo or metre segment); nothing is accumulated, so nothing drifts.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DEFAULT_MICROSECONDS = 500_000
"""Microseconds per quarter where a file names no tempo (the MIDI standard: 120 qpm)."""


def round_half_up(value: float | Fraction) -> int:
    """Round to the nearest integer, halves upwards: ``floor(value + 1/2)``; the one rounding rule of Backbeat."""
    return int((value + Fraction(1, 2)) // 1) if isinstance(value, Fraction) else int((value + 0.5) // 1)


def divide_rounded(numerator: Ints, denominator: Ints | int) -> Ints:
    """Divide integers, rounding halves upwards, without floats.

    Args:
        numerator: int64, any shape.
        denominator: positive int64, broadcast against ``numerator``.
    """
    return np.asarray((2 * numerator + denominator) // (2 * np.asarray(denominator)), dtype=np.int64)


@dataclass(frozen=True)
class TempoMap:
    """Where the tempo changes, and what a tick is worth.

    Args:
        ticks_per_quarter: the file's resolution; for an SMPTE file a nominal one (ticks in a quarter at 120 qpm).
        ticks: ascending ticks at which a tempo starts; the first is 0.
        microseconds: microseconds per quarter from each of those ticks.
        ticks_per_second: for files with SMPTE division, else None. There ticks are time, and tempi only place the quarters.
    """

    ticks_per_quarter: int
    ticks: tuple[int, ...] = (0,)
    microseconds: tuple[int, ...] = (DEFAULT_MICROSECONDS,)
    ticks_per_second: Fraction | None = None

    def __post_init__(self) -> None:
        if self.ticks_per_quarter < 1 or len(self.ticks) != len(self.microseconds) or self.ticks[:1] != (0,):
            raise ValueError("a tempo map needs a positive resolution and one tempo per tick, the first at tick 0")
        if min(self.microseconds) < 1 or any(b <= a for a, b in zip(self.ticks, self.ticks[1:], strict=False)):
            raise ValueError("tempi must be positive and their ticks ascending")

    @cached_property
    def _anchors(self) -> tuple[Fraction, ...]:
        """Seconds (metrical division) or quarters (SMPTE) at which each segment starts."""
        anchors = [Fraction(0)]
        for i in range(1, len(self.ticks)):
            anchors.append(anchors[-1] + (self.ticks[i] - self.ticks[i - 1]) * self._per_tick(i - 1))
        return tuple(anchors)

    def _per_tick(self, segment: int) -> Fraction:
        """Seconds (metrical division) or quarters (SMPTE) that one tick of a segment is worth."""
        if self.ticks_per_second is None:
            return Fraction(self.microseconds[segment], 1_000_000 * self.ticks_per_quarter)
        return Fraction(1_000_000, self.microseconds[segment]) / self.ticks_per_second

    def _segment(self, tick: int) -> int:
        return max(0, bisect_right(self.ticks, tick) - 1)

    def _integrate(self, tick: int) -> Fraction:
        i = self._segment(tick)
        return self._anchors[i] + (tick - self.ticks[i]) * self._per_tick(i)

    def seconds(self, tick: int) -> float:
        """Seconds from tick 0 to ``tick``."""
        if self.ticks_per_second is not None:
            return float(tick / self.ticks_per_second)
        return float(self._integrate(tick))

    def quarters(self, tick: int) -> Fraction:
        """Quarters from tick 0 to ``tick``, exact."""
        if self.ticks_per_second is None:
            return Fraction(tick, self.ticks_per_quarter)
        return self._integrate(tick)

    def tick(self, quarters: Fraction) -> int:
        """The tick nearest to a position in quarters: the inverse of ``quarters``."""
        if self.ticks_per_second is None:
            return round_half_up(quarters * self.ticks_per_quarter)
        i = max(0, bisect_right(self._anchors, quarters) - 1)
        return self.ticks[i] + round_half_up((quarters - self._anchors[i]) / self._per_tick(i))

    def qpm(self, tick: int = 0) -> float:
        """Quarters per minute at ``tick``."""
        return 60_000_000 / self.microseconds[self._segment(tick)]


@dataclass(frozen=True)
class MetreMap:
    """Where the metre changes.

    Args:
        ticks: ascending ticks at which a metre starts; the first is 0.
        numerators: beats per bar from each of those ticks, >= 1.
        denominators: the note value of a beat, a power of two.
    """

    ticks: tuple[int, ...] = (0,)
    numerators: tuple[int, ...] = (4,)
    denominators: tuple[int, ...] = (4,)

    def __post_init__(self) -> None:
        if self.ticks[:1] != (0,) or any(b <= a for a, b in zip(self.ticks, self.ticks[1:], strict=False)):
            raise ValueError("the ticks of a metre map ascend from 0")
        if not len(self.ticks) == len(self.numerators) == len(self.denominators):
            raise ValueError("a metre map needs one numerator and one denominator per tick")
        if min(self.numerators) < 1 or any(d < 1 or d & (d - 1) for d in self.denominators):
            raise ValueError("numerators are positive, denominators powers of two")
