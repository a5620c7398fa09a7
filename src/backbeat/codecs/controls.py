"""What a drummer is asked for: how much, how loud, and where to fill, bar by bar.

Conventions: a control is a number from 0 to 1 for every bar, or not said (nan), which leaves it to the drummer. For density
and intensity 0.5 is what half of all bars of the songs stay below, so that equal distances are equally many bars; a fill is
wanted (1) or not wanted (0).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

HITS_PER_QUARTER = (0.0, 1.5, 2.25, 3.0, 3.25, 3.5, 4.0, 4.5, 5.25, 6.25, 10.0)
"""Deciles over bars of the training songs that have a hit: hits of the nine classes in a quarter."""
MEAN_VELOCITY = (30.0, 61.0, 70.0, 76.0, 81.0, 87.0, 93.0, 98.0, 103.0, 111.0, 127.0)
"""The same of the mean MIDI velocity of a bar, songs with one velocity throughout left out."""
COLUMNS = 6
_DECILES = np.linspace(0, 1, 11)

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Controls:
    """What is asked for in each bar; nan where it is not said.

    Args:
        density: float32 [bars] in 0-1, how many hits.
        intensity: float32 [bars] in 0-1, how loud.
        fills: float32 [bars], 1 a fill, 0 none.

    Raises:
        ValueError: lengths differ, or a value is outside 0-1.
    """

    density: Levels = field(default_factory=lambda: np.empty(0, np.float32))
    intensity: Levels = field(default_factory=lambda: np.empty(0, np.float32))
    fills: Levels = field(default_factory=lambda: np.empty(0, np.float32))

    def __post_init__(self) -> None:
        arrays = (self.density, self.intensity, self.fills)
        if any(a.ndim != 1 or len(a) != len(self.density) for a in arrays):
            raise ValueError(f"controls are three arrays [bars], not {', '.join(str(a.shape) for a in arrays)}")
        if any(np.any((a < 0) | (a > 1)) for a in arrays):
            raise ValueError("controls lie in 0-1, or are nan")

    @classmethod
    def nothing(cls, bars: int) -> Controls:
        """Nothing is asked for."""
        return cls(*(np.full(bars, np.nan, np.float32) for _ in range(3)))

    def encode(self) -> npt.NDArray[np.uint8]:
        """uint8 [bars, 6]: for each control its value (255 = 1) and whether it is said."""
        columns: list[npt.NDArray[Any]] = []
        for values in (self.density, self.intensity, self.fills):
            said = ~np.isnan(values)
            columns += [np.floor(np.where(said, values, 0) * 255 + 0.5), said * 255]
        return np.stack(columns, axis=1).astype(np.uint8)


def density_of(hits_per_quarter: npt.NDArray[Any]) -> Levels:
    """float32, any shape, 0-1: the density control that stands for so many hits a quarter."""
    return np.asarray(np.interp(hits_per_quarter, HITS_PER_QUARTER, _DECILES), dtype=np.float32)


def hits_of(density: npt.NDArray[Any]) -> Levels:
    """float32, any shape: the hits a quarter that a density stands for."""
    return np.asarray(np.interp(density, _DECILES, HITS_PER_QUARTER), dtype=np.float32)


def intensity_of(velocity: npt.NDArray[Any]) -> Levels:
    """float32, any shape, 0-1: the intensity control that stands for a mean MIDI velocity."""
    return np.asarray(np.interp(velocity, MEAN_VELOCITY, _DECILES), dtype=np.float32)


def velocity_of(intensity: npt.NDArray[Any]) -> Levels:
    """float32, any shape, 0-127: the mean MIDI velocity that an intensity stands for."""
    return np.asarray(np.interp(intensity, _DECILES, MEAN_VELOCITY), dtype=np.float32)
