"""Bars and steps of a piece, in any metre, to ticks and back, exactly.

Conventions:
    step: one cell of the grid, counted from 0 over the whole piece; bar: counted from 0.
    offset (microtiming): steps in [-0.5, 0.5), positive = late.
    A bar that a metre change or a density cuts short ends with a shorter step; the next bar starts where the song says.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import SongError
from backbeat.units import Floats, Ints, MetreMap, TempoMap, divide_rounded

_LATEST = np.nextafter(0.5, 0)
MAX_BARS = 20_000
MAX_STEPS = 200_000
MAX_DENOMINATOR = 1 << 20


@dataclass(frozen=True, eq=False)
class Grid:
    """The bars of a piece and the steps within them.

    Args:
        bar_ticks: int64 [bars + 1], ascending: where each bar starts, and where the last one ends.
        bar_quarters: exact length of each bar in quarters.
        numerators, denominators: the metre of each bar as written in the file (a cut bar keeps its metre).
        steps_per_quarter: density, 4 = 16ths.

    Attributes:
        bar_steps: int64 [bars].  first_steps: int64 [bars + 1].  step_ticks: int64 [steps + 1], the last the end.
        step_lengths: float64 [steps], nominal ticks of a step in its bar, the unit of offsets.
        bar_of_step, step_in_bar: int64 [steps], the bar that each step is in, and its place there, from 0.
    """

    bar_ticks: Ints
    bar_quarters: tuple[Fraction, ...]
    numerators: tuple[int, ...]
    denominators: tuple[int, ...]
    steps_per_quarter: int = 4
    bar_steps: Ints = field(init=False, repr=False)
    first_steps: Ints = field(init=False, repr=False)
    step_ticks: Ints = field(init=False, repr=False)
    step_lengths: Floats = field(init=False, repr=False)
    bar_of_step: Ints = field(init=False, repr=False)
    step_in_bar: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.steps_per_quarter < 1:
            raise ValueError("steps_per_quarter must be at least 1")
        if len(self.bar_ticks) != len(self.bar_quarters) + 1 or np.any(np.diff(self.bar_ticks) <= 0):
            raise ValueError("bar_ticks must ascend and be one longer than bar_quarters")
        kinds, kind = self.quarter_kinds
        per_bar = [q * self.steps_per_quarter for q in kinds]
        ratio = np.array([[p.numerator, p.denominator] for p in per_bar], dtype=np.int64).reshape(-1, 2)[kind]
        steps = -(-ratio[:, 0] // ratio[:, 1])
        first = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
        bar = np.repeat(np.arange(len(steps)), steps)
        within = np.arange(first[-1]) - first[bar]
        lengths = np.diff(self.bar_ticks)
        ticks = self.bar_ticks[bar] + divide_rounded(within * (lengths * ratio[:, 1])[bar], ratio[bar, 0])
        arrays: dict[str, npt.NDArray[Any]] = {"bar_ticks": self.bar_ticks, "bar_steps": steps, "first_steps": first, "bar_of_step": bar, "step_in_bar": within}
        arrays["step_ticks"] = np.concatenate([ticks, self.bar_ticks[-1:]]).astype(np.int64)
        # The quotient of two integers below 2 ** 53 is rounded once, as that of fractions is.
        arrays["step_lengths"] = (lengths * ratio[:, 1] / ratio[:, 0])[bar]
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @cached_property
    def quarter_kinds(self) -> tuple[list[Fraction], Ints]:
        """The lengths that bars have, in quarters, and int64 [bars]: which of them each has; for doing once what many bars need."""
        first, kind = _number(list(map(id, self.bar_quarters)))
        return [self.bar_quarters[i] for i in first], kind

    @cached_property
    def metre_kinds(self) -> tuple[list[tuple[int, int, int]], Ints]:
        """The kinds of bars that there are (steps, numerator, denominator), and int64 [bars]: of which each is."""
        bars = list(zip(self.bar_steps.tolist(), self.numerators, self.denominators, strict=True))
        first, kind = _number(bars)
        return [bars[i] for i in first], kind

    @classmethod
    def lay(cls, tempo: TempoMap, metre: MetreMap, end_tick: int, steps_per_quarter: int = 4) -> Grid:
        """Lay bars over a piece from tick 0 until ``end_tick`` is covered.

        Raises:
            SongError: more than MAX_BARS bars or MAX_STEPS steps, the sign of a damaged file.
        """
        starts, numerators, denominators = [0], list[int](), list[int]()
        quarters: list[Fraction] = []
        end_tick = max(1, end_tick)
        _check_size(bisect_left(metre.ticks, end_tick), Fraction(0))
        for i, segment_tick in enumerate(metre.ticks):
            if segment_tick >= end_tick:
                break
            last = i + 1 == len(metre.ticks) or metre.ticks[i + 1] >= end_tick
            stop_tick = end_tick if last else metre.ticks[i + 1]
            length = Fraction(4 * metre.numerators[i], metre.denominators[i])
            anchor, stop = tempo.quarters(segment_tick), tempo.quarters(stop_tick)
            bars = -((anchor - stop) // length)
            _check_size(len(quarters) + bars, (stop - anchor) * steps_per_quarter)
            ends, lengths = _lay_bars(tempo, segment_tick, anchor, length, bars), [length] * bars
            if not last and (cut := stop - (anchor + (bars - 1) * length)) != length:
                ends[-1], lengths[-1] = stop_tick, cut.limit_denominator(MAX_DENOMINATOR)
            if ends[0] <= starts[-1] or any(b <= a for a, b in pairwise(ends)):  # bars shorter than a tick are no bars
                kept = [k for k, (before, end) in enumerate(pairwise(accumulate([starts[-1], *ends], max))) if end > before]
                ends, lengths = [ends[k] for k in kept], [lengths[k] for k in kept]
            starts += ends
            quarters += lengths
            numerators += [metre.numerators[i]] * len(lengths)
            denominators += [metre.denominators[i]] * len(lengths)
        return cls(np.array(starts, dtype=np.int64), tuple(quarters), tuple(numerators), tuple(denominators), steps_per_quarter)

    @classmethod
    def regular(cls, bars: int, numerator: int = 4, denominator: int = 4, *, ticks_per_quarter: int = 480, steps_per_quarter: int = 4) -> Grid:
        """A grid of ``bars`` equal bars."""
        tempo = TempoMap(ticks_per_quarter)
        end = tempo.tick(Fraction(4 * numerator * bars, denominator))
        return cls.lay(tempo, MetreMap((0,), (numerator,), (denominator,)), end, steps_per_quarter)

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.bar_quarters)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.first_steps[-1])

    def ticks(self, steps: Ints, offsets: Floats | None = None) -> Ints:
        """Ticks of steps with their offsets; may be negative before bar 1, so clamp when writing.

        Args:
            steps: int64 [n].
            offsets: [n] in steps, positive = late; none = on the grid.
        """
        base = self.step_ticks[steps]
        if offsets is None:
            return base
        bar_ticks = self.bar_ticks[:-1][self.bar_of_step[steps]]
        # One rounding for step and offset together: what rounding the step to its tick took away counts again.
        lost = self.step_in_bar[steps] * self.step_lengths[steps] - (base - bar_ticks)
        late = lost + np.asarray(offsets, dtype=np.float64) * self.step_lengths[steps]
        return np.asarray(base + np.floor(late + 0.5 + 1e-9), dtype=np.int64)

    def locate(self, ticks: Ints) -> tuple[Ints, Floats]:
        """The nearest step of each tick, and how late it is against it.

        Args:
            ticks: int64 [n]; ticks outside the piece belong to its first or last step.

        Returns:
            steps int64 [n] and offsets float64 [n] in [-0.5, 0.5); halves go to the later step.
        """
        ticks = np.asarray(ticks, dtype=np.int64)
        step = self.locate_steps(ticks)
        offset = (ticks - self.step_ticks.take(step)) / (self._even or self.step_lengths.take(step))
        return step, np.minimum(np.maximum(offset, -0.5, out=offset), _LATEST, out=offset)

    def locate_steps(self, ticks: Ints) -> Ints:
        """int64 [n]: the nearest step of each tick; see ``locate``."""
        if not self._even:
            return self._middles.searchsorted(ticks, side="right")
        step = (ticks + self._even // 2) // self._even
        return np.minimum(np.maximum(step, 0, out=step), self.steps - 1, out=step)

    @cached_property
    def _even(self) -> int:
        """Ticks of a step where all are equally long and whole; else 0."""
        length = int(self.step_ticks[1]) if self.steps else 0
        even = length > 0 and len(self.quarter_kinds[0]) == 1 and bool((self.step_lengths == length).all() and (np.diff(self.step_ticks) == length).all())
        return length * even

    @cached_property
    def _middles(self) -> Ints:
        """int64 [steps - 1]: the first tick that is nearer to the step behind than to the one before, or as near."""
        return (self.step_ticks[:-2] + self.step_ticks[1:-1] + 1) // 2


def _number(values: Sequence[Hashable]) -> tuple[list[int], Ints]:
    """Where each different value stands first, and int64 [n]: the number of each one's value, counted in that order."""
    different = dict.fromkeys(values)
    if len(different) == 1:
        return [0], np.zeros(len(values), np.int64)
    numbers = {value: number for number, value in enumerate(different)}
    return [values.index(value) for value in different], np.array(list(map(numbers.__getitem__, values)), dtype=np.int64)


def _lay_bars(tempo: TempoMap, start: int, anchor: Fraction, length: Fraction, bars: int) -> list[int]:
    """The ticks at which bars of one length end, the first of which starts at a tick (``anchor`` in quarters)."""
    if tempo.ticks_per_second is not None:
        return [tempo.tick(anchor + k * length) for k in range(1, bars + 1)]
    ticks = length * tempo.ticks_per_quarter
    double, whole = 2 * ticks.numerator, 2 * ticks.denominator
    return [start + (k * double + ticks.denominator) // whole for k in range(1, bars + 1)]


def _check_size(bars: int, steps: Fraction) -> None:
    if bars > MAX_BARS or steps > MAX_STEPS:
        raise SongError(
            f"the song would have {max(bars, 0):,} bars, more than can be played ({MAX_BARS:,} bars, {MAX_STEPS:,} steps): look for an event far behind its end"
        )
