"""How near velocity and microtiming come to a drummer's: hit by hit, and as distributions.

Conventions: one row a hit. ``offsets`` float [n] in steps, positive = late; ``velocities`` float [n] in 0-1 (figures in
MIDI units, x 127); ``qpm`` float [n], the tempo at each hit, turns steps into ms; ``cells`` int [n], kit class x step of the
bar. Two families that want opposite things, so read both: *errors* against the drummer (MAE in ms, MSE in steps^2, R2) are
won by whoever plays the mean, *distances* (Wasserstein-1) by whoever samples. Errors need the same hits on both sides,
distances do not. Distances come per cell (the mean over cells, each with ``MINIMUM`` hits on both sides, weighted by real hits)
and pooled over all hits; pooled ones are smaller, because what is late here and early there cancels. On 16ths the MSE is in
16ths^2.

Sources: MAE and MSE of Gillick et al. 2019 (Learning to Groove with Inverse Sequence Transformations); the Wasserstein
distance of samples of the line is the area between their distribution functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.groove import Groove
from backbeat.metrics.checks import check_numbers
from backbeat.units import Floats, Ints, TempoMap

MINIMUM = 20
"""Hits that a cell needs on both sides before its distributions are compared."""
VELOCITY_UNITS = 127
_WIDEST_BAR = 1 << 20


@dataclass(frozen=True, eq=False)
class Feel:
    """How hits were struck.

    Args:
        cells: int64 [n], class x step of the bar, as ``number_cells`` makes them.
        offsets: float64 [n], steps in [-0.5, 0.5), positive = late.
        velocities: float64 [n] in 0-1.
        qpm: float64 [n], quarters per minute at each hit.
        steps_per_quarter: density of the grid.

    Raises:
        ValueError: lengths differ, a value is not finite, or a tempo is not positive.
    """

    cells: Ints
    offsets: Floats
    velocities: Floats
    qpm: Floats
    steps_per_quarter: int = 4

    def __post_init__(self) -> None:
        arrays = (self.cells, self.offsets, self.velocities, self.qpm)
        if any(a.ndim != 1 or len(a) != len(self.cells) for a in arrays):
            raise ValueError(f"cells, offsets, velocities and qpm must be [n] of one length, not {', '.join(str(a.shape) for a in arrays)}")
        for name in ("offsets", "velocities", "qpm"):
            check_numbers(getattr(self, name), name)
        if self.cells.dtype.kind not in "iu" or np.any(self.qpm <= 0):
            raise ValueError("cells must be integers, tempi positive")

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def milliseconds(self) -> Floats:
        """float64 [n]: the offsets in ms, positive = late."""
        return steps_to_ms(self.offsets, self.qpm, self.steps_per_quarter)


def steps_to_ms(offsets: Floats, qpm: Floats, steps_per_quarter: int = 4) -> Floats:
    """Offsets in ms.

    Args:
        offsets: float [n], steps.
        qpm: float [n] or one number, quarters per minute.
        steps_per_quarter: density of the grid.
    """
    return np.asarray(offsets * (60_000 / (steps_per_quarter * np.asarray(qpm))), dtype=np.float64)


def number_cells(classes: Ints, places: Ints) -> Ints:
    """int64 [n]: one number for each pair of kit class and step of the bar (0 = the bar's first).

    Raises:
        ValueError: they are not integers [n] of one length, or one is negative.
    """
    if classes.ndim != 1 or classes.shape != places.shape or classes.dtype.kind not in "iu" or places.dtype.kind not in "iu":
        raise ValueError(f"classes and places must be integers [n] of one length, not {classes.dtype} {classes.shape} and {places.dtype} {places.shape}")
    if len(classes) and (classes.min() < 0 or places.min() < 0 or places.max() >= _WIDEST_BAR):
        raise ValueError("classes and places count from 0")
    return np.asarray(classes * _WIDEST_BAR + places, dtype=np.int64)


def collect_feel(groove: Groove, tempo: TempoMap) -> Feel:
    """The hits of a groove, in order of step and class, with the tempo at each."""
    steps, classes = np.nonzero(groove.hits)
    per_step = np.array([tempo.qpm(t) for t in groove.grid.step_ticks[:-1].tolist()])
    cells = number_cells(classes, groove.grid.step_in_bar[steps])
    offsets, velocities = (a[steps, classes].astype(np.float64) for a in (groove.offsets, groove.velocities))
    return Feel(cells, offsets, velocities, per_step[steps], groove.grid.steps_per_quarter)


def join_feels(feels: list[Feel]) -> Feel:
    """Hits of several takes as one.

    Raises:
        ValueError: there is none, or their grids differ in density.
    """
    if len({f.steps_per_quarter for f in feels}) != 1:
        raise ValueError("feels to join need one density of the grid")
    cells = np.concatenate([f.cells for f in feels])
    offsets, velocities, qpm = (np.concatenate([getattr(f, name) for f in feels]) for name in ("offsets", "velocities", "qpm"))
    return Feel(cells, offsets, velocities, qpm, feels[0].steps_per_quarter)


def validate(real: Feel, played: Feel) -> None:
    """Check that feels can be compared.

    Raises:
        ValueError: one is empty, or the densities of their grids differ.
    """
    if not len(real) or not len(played):
        raise ValueError("there is no hit to compare")
    if real.steps_per_quarter != played.steps_per_quarter:
        raise ValueError(f"grids of {real.steps_per_quarter} and {played.steps_per_quarter} steps per quarter cannot be compared")


def validate_paired(real: Feel, played: Feel) -> None:
    """Check that feels are of the same hits.

    Raises:
        ValueError: they are not, see ``validate``.
    """
    validate(real, played)
    if not np.array_equal(real.cells, played.cells):
        raise ValueError("errors need the same hits on both sides, in the same order")


def timing_mae(real: Feel, played: Feel) -> float:
    """Mean of |played - real| in ms, at the tempo of the real hit."""
    validate_paired(real, played)
    return float(np.abs(steps_to_ms(played.offsets - real.offsets, real.qpm, real.steps_per_quarter)).mean())


def timing_mse(real: Feel, played: Feel) -> float:
    """Mean of (played - real)^2 in steps^2."""
    validate_paired(real, played)
    return float(((played.offsets - real.offsets) ** 2).mean())


def velocity_mae(real: Feel, played: Feel) -> float:
    """Mean of |played - real| in MIDI velocity units."""
    validate_paired(real, played)
    return float(np.abs(played.velocities - real.velocities).mean() * VELOCITY_UNITS)


def velocity_r2(real: Feel, played: Feel) -> float:
    """1 - sum of squared errors over that of the real mean; 0 for the mean, nan where all real velocities are equal."""
    validate_paired(real, played)
    spread = ((real.velocities - real.velocities.mean()) ** 2).sum()
    return float(1 - ((played.velocities - real.velocities) ** 2).sum() / spread) if spread else float("nan")


def wasserstein(real: Floats, played: Floats) -> float:
    """Wasserstein-1 distance between two samples of the line, in their unit.

    Args:
        real: float [n].
        played: float [m].

    Raises:
        ValueError: one is empty, or no array of finite numbers.
    """
    check_numbers(real, "real")
    check_numbers(played, "played")
    if not len(real) or not len(played):
        raise ValueError("the distance of an empty sample")
    values = np.sort(np.concatenate([real, played]))
    below = [np.searchsorted(np.sort(a), values[:-1], side="right") / len(a) for a in (real, played)]
    return float((np.abs(below[0] - below[1]) * np.diff(values)).sum())


def wasserstein_by_cell(real: Floats, real_cells: Ints, played: Floats, played_cells: Ints, minimum: int = MINIMUM) -> float:
    """Mean over cells of the Wasserstein-1 distance in each, weighted by the real hits; nan where no cell has enough.

    Args:
        real: float [n].  real_cells: int64 [n].
        played: float [m].  played_cells: int64 [m].
        minimum: a cell with fewer hits on either side is left out.

    Raises:
        ValueError: values and cells have not one length.
    """
    if real_cells.dtype.kind not in "iu" or played_cells.dtype.kind not in "iu":
        raise ValueError(f"cells must be integers, not {real_cells.dtype} and {played_cells.dtype}")
    if real.shape != real_cells.shape or played.shape != played_cells.shape or real.ndim != 1 or played.ndim != 1:
        raise ValueError("values and cells must be [n] of one length")
    distances, weights = [], []
    for cell in np.intersect1d(real_cells, played_cells):
        ours, theirs = real[real_cells == cell], played[played_cells == cell]
        if min(len(ours), len(theirs)) >= minimum:
            distances.append(wasserstein(ours, theirs))
            weights.append(len(ours))
    return float(np.average(distances, weights=weights)) if weights else float("nan")


def covered(real: Feel, played: Feel, minimum: int = MINIMUM) -> float:
    """Share of the real hits whose cell has enough hits on both sides; what the distances per cell speak of."""
    validate(real, played)
    counted = [dict(zip(*np.unique(f.cells, return_counts=True), strict=True)) for f in (real, played)]
    kept = sum(n for cell, n in counted[0].items() if min(n, counted[1].get(cell, 0)) >= minimum)
    return float(kept / len(real))


def timing_wasserstein(real: Feel, played: Feel, minimum: int = MINIMUM) -> float:
    """Wasserstein-1 distance of the offsets in ms, see ``wasserstein_by_cell``."""
    validate(real, played)
    return wasserstein_by_cell(real.milliseconds, real.cells, played.milliseconds, played.cells, minimum)


def velocity_wasserstein(real: Feel, played: Feel, minimum: int = MINIMUM) -> float:
    """Wasserstein-1 distance of the velocities in MIDI units, see ``wasserstein_by_cell``."""
    validate(real, played)
    ours, theirs = real.velocities * VELOCITY_UNITS, played.velocities * VELOCITY_UNITS
    return wasserstein_by_cell(ours, real.cells, theirs, played.cells, minimum)


def quantise(feel: Feel) -> Feel:
    """The same hits on the grid: the floor of timing."""
    return replace_feel(feel, offsets=np.zeros(len(feel)))


def replace_feel(feel: Feel, *, offsets: Floats | None = None, velocities: Floats | None = None) -> Feel:
    """The same hits struck otherwise.

    Args:
        feel: the hits.
        offsets: float [n] in steps; none = as they were.
        velocities: float [n] in 0-1; none = as they were.
    """
    late: npt.NDArray[np.float64] = feel.offsets if offsets is None else np.asarray(offsets, np.float64)
    loud: npt.NDArray[np.float64] = feel.velocities if velocities is None else np.asarray(velocities, np.float64)
    return Feel(feel.cells, late, loud, feel.qpm, feel.steps_per_quarter)


def evaluate(real: Feel, played: Feel, minimum: int = MINIMUM) -> dict[str, float]:
    """All figures; errors only where both sides have the same hits."""
    validate(real, played)
    figures = {
        "timing_w1_ms": timing_wasserstein(real, played, minimum),
        "velocity_w1": velocity_wasserstein(real, played, minimum),
        "timing_w1_pooled_ms": wasserstein(real.milliseconds, played.milliseconds),
        "velocity_w1_pooled": wasserstein(real.velocities, played.velocities) * VELOCITY_UNITS,
        "covered": covered(real, played, minimum),
        "hits": float(len(real)),
    }
    if not np.array_equal(real.cells, played.cells):
        return figures
    return {
        "timing_mae_ms": timing_mae(real, played),
        "timing_mse": timing_mse(real, played),
        "velocity_mae": velocity_mae(real, played),
        "velocity_r2": velocity_r2(real, played),
    } | figures
