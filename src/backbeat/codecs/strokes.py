"""Drum strokes one by one: what the performer reads and writes, on any grid and in any metre.

A groove holds at most one hit in a cell of a grid; strokes are a list, so that triplets beside 16ths, and files whose notes
lie on no grid of ours, can be performed as they are. The place of a stroke is nominal (where the notation would put it); how
late it is against that place is in milliseconds, so that a stroke means the same at every tempo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit
from backbeat.units import Floats, Ints, TempoMap

_LATEST = np.nextafter(np.float32(0.5), np.float32(0))


@dataclass(frozen=True, eq=False)
class Strokes:
    """Strokes in order of their places, then of their columns.

    Args:
        kit: names the columns.
        columns: int64 [n], class of the kit.
        bars: int64 [n], bar from 0.
        places: float64 [n], quarters from the start of the bar, nominal.
        bar_quarters: float64 [n], length of the bar in quarters.
        beat_quarters: float64 [n], length of a beat in quarters (1 in x/4, 1.5 in 6/8, 9/8 and 12/8, else 4 / denominator).
        starts: float64 [n], quarters from the start of the piece to the start of the bar.
        qpm: float64 [n], quarters per minute.
        velocities: float32 [n] in (0, 1].
        late: float32 [n], milliseconds behind the nominal place, negative = ahead of it.

    Raises:
        ValueError: lengths differ, a value is not finite, or a velocity or tempo is out of range.
    """

    kit: Kit
    columns: Ints
    bars: Ints
    places: Floats
    bar_quarters: Floats
    beat_quarters: Floats
    starts: Floats
    qpm: Floats
    velocities: npt.NDArray[np.float32]
    late: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        arrays = [getattr(self, n) for n in _ARRAYS]
        if any(a.shape != self.columns.shape or a.ndim != 1 for a in arrays):
            raise ValueError(f"strokes are arrays [n] of one length, not {[a.shape for a in arrays]}")
        if not all(np.isfinite(a).all() for a in arrays) or np.any(self.qpm <= 0) or np.any((self.velocities <= 0) | (self.velocities > 1)):
            raise ValueError("strokes need finite values, positive tempi and velocities in (0, 1]")

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def quarters(self) -> Floats:
        """float64 [n]: nominal place of each in quarters from the start of the piece."""
        return self.starts + self.places

    def play(self, *, velocities: npt.NDArray[np.float32] | None = None, late: npt.NDArray[np.float32] | None = None) -> Strokes:
        """The same strokes, played otherwise.

        Args:
            velocities, late: float32 [n]; none = as they are.
        """
        return replace(self, velocities=self.velocities if velocities is None else velocities, late=self.late if late is None else late)


_ARRAYS = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")


def groove_to_strokes(groove: Groove, tempo: TempoMap) -> Strokes:
    """The hits of a groove as strokes; the steps of its grid are the nominal places, its offsets become milliseconds."""
    grid = groove.grid
    steps, columns = np.nonzero(groove.hits)
    bars, tempi = grid.bar_of_step[steps], np.array([tempo.qpm(t) for t in grid.step_ticks[:-1].tolist()])
    lengths = np.array([float(q) for q in grid.bar_quarters])
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    late = groove.offsets[steps, columns] * _step_ms(grid, tempi)[steps]
    return Strokes(
        groove.kit,
        columns,
        bars,
        grid.step_in_bar[steps] / grid.steps_per_quarter,
        lengths[bars],
        measure_beats(grid)[bars],
        ends[bars],
        tempi[steps],
        groove.velocities[steps, columns],
        late.astype(np.float32),
    )


def strokes_to_groove(strokes: Strokes, groove: Groove, tempo: TempoMap) -> Groove:
    """A groove played as its strokes say.

    Args:
        strokes: what ``groove_to_strokes`` made of the groove, played anew.
        groove: gives grid, kit and hits.
        tempo: as above.

    Returns:
        the same hits; a stroke later than half a step is cut to that.
    """
    grid = groove.grid
    steps, columns = np.nonzero(groove.hits)
    tempi = np.array([tempo.qpm(t) for t in grid.step_ticks[:-1].tolist()])
    velocities, offsets = np.zeros(groove.hits.shape, np.float32), np.zeros(groove.hits.shape, np.float32)
    velocities[steps, columns] = strokes.velocities
    offsets[steps, columns] = np.clip(strokes.late / _step_ms(grid, tempi)[steps], -0.5, _LATEST)
    return groove.replace(velocities=velocities, offsets=offsets)


def measure_beats(grid: Grid) -> Floats:
    """float64 [bars]: quarters of a beat in each bar; compound metres (6/8, 9/8, 12/8, ...) have dotted beats."""
    kinds = [4 / d * (3 if d >= 8 and n % 3 == 0 and n > 3 else 1) for n, d in zip(grid.numerators, grid.denominators, strict=True)]
    return np.array(kinds, dtype=np.float64)


def _step_ms(grid: Grid, qpm: Floats) -> Floats:
    """float64 [steps]: milliseconds of a step."""
    return np.asarray(60_000 / (grid.steps_per_quarter * qpm), dtype=np.float64)
