"""Feel, measured: swing, push, spread of timing and of velocities, and how like another take's a feel is.

Conventions: ``late`` float64 [m] in ms behind nominal places, positive = late; velocities in MIDI units. A swing is the mean place of the
second notes of pairs, in percent of the pair, against the mean place of the first ones: a player who is late everywhere does not swing more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.places import Swing
from backbeat.codecs.strokes import Strokes
from backbeat.transforms.feel import find_pairs
from backbeat.transforms.feel_template import Template, number_places
from backbeat.units import Floats

Flags = npt.NDArray[np.bool_]


class Likeness(NamedTuple):
    """How like a template a take is, over the strokes whose class and place it has.

    Args:
        covered: share of the strokes.
        late_ms, velocity: mean absolute difference of the means by class and place, weighted by strokes, in ms and MIDI units.
        late_r, velocity_r: correlation of those means; nan where there is nothing to correlate.
    """

    covered: float
    late_ms: float
    velocity: float
    late_r: float
    velocity_r: float


def measure_swing(strokes: Strokes, straight: Floats, binary: Flags, late: Floats, swing: Swing, of: int) -> float:
    """Where the second notes of pairs fall, in percent of the pair; nan where there is none.

    Args:
        strokes: what is played; ``places`` are where they nominally sound, the swing included.
        straight: float64 [m], places without swing.
        binary: bool [m], strokes that swing applies to.
        late: float64 [m], ms behind ``places``.
        swing: that of ``places``.
        of: 8 or 16, which notes are paired.
    """
    first, second = find_pairs(straight, binary, strokes.bar_quarters, of)
    if not second.any():
        return float("nan")
    in_pairs = (strokes.places - straight) * of / 8 + late / (60_000 / strokes.qpm * 8 / of)
    return float(100 * (0.5 + in_pairs[second].mean() - (in_pairs[first].mean() if first.any() else 0.0))) if swing.of in (0, of) else float("nan")


def measure_push(strokes: Strokes, late: Floats, weights: Floats | None = None) -> dict[str, float]:
    """Mean lateness in ms, of all strokes ("all") and of each kit class that is struck.

    Args:
        strokes: what is played.
        late: float64 [m], ms.
        weights: float64 [m], notes that each stroke stands for; none = 1.
    """
    weights = np.ones(len(late)) if weights is None else weights
    out = {"all": float(np.average(late, weights=weights))} if len(late) else {}
    for column in np.unique(strokes.columns).tolist():
        these = strokes.columns == column
        out[strokes.kit.names[column]] = float(np.average(late[these], weights=weights[these]))
    return out


def measure_spread(values: Floats) -> float:
    """Standard deviation of latenesses (ms) or velocities [m]; 0 of none."""
    return float(values.std()) if len(values) else 0.0


def compare_feel(strokes: Strokes, straight: Floats, late: Floats, template: Template) -> Likeness:
    """How near a take comes to a template.

    Args:
        strokes: the take.
        straight: float64 [m], places without swing.
        late: float64 [m], ms behind the nominal places.
        template: the feel it should have.
    """
    names = strokes.kit.names
    keys = list(zip((names[c] for c in strokes.columns.tolist()), number_places(straight).tolist(), strict=True))
    rows: dict[tuple[str, int], list[int]] = {}
    for i, key in enumerate(keys):
        if key in template.cells:
            rows.setdefault(key, []).append(i)
    if not rows:
        return Likeness(0.0, *[float("nan")] * 4)
    velocities = strokes.velocities.astype(np.float64) * 127
    ours = np.array([(late[i].mean(), velocities[i].mean()) for i in map(np.array, rows.values())])
    theirs = np.array([template.cells[key] for key in rows])
    counts = np.array([len(i) for i in rows.values()])
    away = np.average(np.abs(ours - theirs), axis=0, weights=counts)
    alike = [_correlate(ours[:, k], theirs[:, k]) for k in (0, 1)]
    return Likeness(float(counts.sum() / len(keys)), float(away[0]), float(away[1]), *alike)


def _correlate(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 1 and a.std() > 1e-9 and b.std() > 1e-9 else float("nan")
