"""How much a hit matters, to choose which of too many is left out."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from backbeat.transforms.playability.surfaces import SURFACES
from backbeat.units import Floats, Ints

_MATTERS = {
    "kick": 10.0,
    "snare": 10.0,
    "crash": 8.0,
    "second crash": 8.0,
    "china": 7.0,
    "side stick": 7.0,
    "splash": 5.0,
    "high tom": 6.0,
    "high mid tom": 6.0,
    "mid tom": 6.0,
    "low tom": 6.0,
    "floor tom": 6.0,
    "low floor tom": 6.0,
    "open hat": 5.0,
    "ride": 4.5,
    "second ride": 4.5,
    "ride bell": 4.5,
    "closed hat": 4.0,
    "hat pedal": 2.0,
    "cowbell": 3.0,
    "clap": 3.0,
}
_PERCUSSION = 1.5
_ON_BEAT, _OPENING = 1.25, 1.5
_SOFTEST = 0.35


@cache
def _list_weights() -> Floats:
    return np.array([_MATTERS.get(s.name, _PERCUSSION) for s in SURFACES])


@cache
def _list_openers() -> npt.NDArray[np.bool_]:
    return np.array([s.name in ("crash", "second crash", "kick", "china", "splash") for s in SURFACES])


def weigh(surfaces: Ints, velocities: Floats, places: Floats) -> Floats:
    """How much strokes matter.

    Args:
        surfaces: int64 [n], -1 = none.
        velocities: float64 [n] in 0-1; a soft stroke matters down to a third of a loud one.
        places: float64 [n], quarters from the start of the bar: on a quarter a stroke matters more, and a crash or kick on the first most.

    Returns:
        float64 [n], > 0.
    """
    weights = _list_weights()[surfaces] * (_SOFTEST + (1 - _SOFTEST) * np.clip(velocities, 0, 1))
    weights *= np.where(np.abs(places - np.round(places)) < 0.01, _ON_BEAT, 1.0)
    return np.asarray(weights * np.where((places < 0.01) & _list_openers()[surfaces], _OPENING, 1.0), dtype=np.float64)
