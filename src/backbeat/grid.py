"""Bars and steps of a piece, in any metre, to ticks and back, exactly.

Conventions:
    step: one cell of the grid, counted from 0 over the whole piece; bar: counted from 0.
    offset (microtiming): steps in [-0.5, 0.5), positive = late.
    A bar that a metre change or a density cuts short ends with a shorter step; the next bar starts where the song says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from backbeat.errors import SongError
from backbeat.units import Floats, Ints, MetreMap, TempoMap, divide_rounded

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

    def __post_init__(self) -> None:
        if self.steps_per_quarter < 1:
            raise ValueError("steps_per_quarter must be at least 1")
        if len(self.bar_ticks) != len(self.bar_quarters) + 1 or np.any(np.diff(self.bar_ticks) <= 0):
            raise ValueError("bar_ticks must ascend and be one longer than bar_quarters")
        per_bar = [q * self.steps_per_quarter for q in self.bar_quarters]
        steps = np.array([-(-p.numerator // p.denominator) for p in per_bar], dtype=np.int64)
        first = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
        object.__setattr__(self, "bar_steps", steps)
        object.__setattr__(self, "first_steps", first)
        bar = np.repeat(np.arange(len(steps)), steps)
        within = np.arange(first[-1]) - first[bar]
        ratio = np.array([[p.numerator, p.denominator] for p in per_bar], dtype=np.int64).reshape(-1, 2)
        lengths = np.diff(self.bar_ticks)
        ticks = self.bar_ticks[bar] + divide_rounded(within * lengths[bar] * ratio[bar, 1], ratio[bar, 0])
        object.__setattr__(self, "step_ticks", np.concatenate([ticks, self.bar_ticks[-1:]]).astype(np.int64))
        per_step = [float(length / p) for length, p in zip(lengths.tolist(), per_bar, strict=True)]
        object.__setattr__(self, "step_lengths", np.asarray(per_step, dtype=np.float64)[bar])
        for name in ("bar_ticks", "bar_steps", "first_steps", "step_ticks", "step_lengths"):
            getattr(self, name).setflags(write=False)

    @classmethod
    def lay(cls, tempo: TempoMap, metre: MetreMap, end_tick: int, steps_per_quarter: int = 4) -> Grid:
        """Lay bars over a piece from tick 0 until ``end_tick`` is covered.

        Raises:
            SongError: more than MAX_BARS bars or MAX_STEPS steps, the sign of a damaged file.
        """
        starts, numerators, denominators = [0], list[int](), list[int]()
        quarters: list[Fraction] = []
        end_tick = max(1, end_tick)
        for i, segment_tick in enumerate(metre.ticks):
            if segment_tick >= end_tick:
                break
            last = i + 1 == len(metre.ticks) or metre.ticks[i + 1] >= end_tick
            stop_tick = end_tick if last else metre.ticks[i + 1]
            anchor, stop = tempo.quarters(segment_tick), tempo.quarters(stop_tick)
            length = Fraction(4 * metre.numerators[i], metre.denominators[i])
            bars = -((anchor - stop) // length)
            _check_size(len(quarters) + bars, (stop - anchor) * steps_per_quarter)
            for k in range(1, bars + 1):
                whole = last or k < bars
                end = anchor + k * length if whole else stop
                tick = tempo.tick(end) if whole else stop_tick
                if tick <= starts[-1]:
                    continue
                starts.append(tick)
                quarter_length = end - (anchor + (k - 1) * length)
                quarters.append(quarter_length.limit_denominator(MAX_DENOMINATOR))
                numerators.append(metre.numerators[i])
                denominators.append(metre.denominators[i])
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

    @property
    def bar_of_step(self) -> Ints:
        """int64 [steps]: the bar that each step is in."""
        return np.repeat(np.arange(self.bars), self.bar_steps)

    @property
    def step_in_bar(self) -> Ints:
        """int64 [steps]: the place of each step in its bar, from 0."""
        return np.arange(self.steps) - self.first_steps[self.bar_of_step]

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
        left = np.clip(np.searchsorted(self.step_ticks, ticks, side="right") - 1, 0, self.steps - 1)
        lengths = self.step_lengths
        late = (ticks - self.step_ticks[left]) / lengths[left]
        gap = (self.step_ticks[left + 1] - self.step_ticks[left]) / lengths[left]
        step = np.where((late >= gap / 2) & (left + 1 < self.steps), left + 1, left)
        offset = (ticks - self.step_ticks[step]) / lengths[step]
        return step.astype(np.int64), np.clip(offset, -0.5, np.nextafter(0.5, 0))


def _check_size(bars: int, steps: Fraction) -> None:
    if bars > MAX_BARS or steps > MAX_STEPS:
        raise SongError(
            f"the song would have {max(bars, 0):,} bars, more than can be played ({MAX_BARS:,} bars, {MAX_STEPS:,} steps): look for an event far behind its end"
        )
