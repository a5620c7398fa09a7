"""A band and drums on one grid: what every part of the judgement looks at.

Conventions: hits and offsets are [steps, 9], the classes of ``drums_rnn_9``; a step is a 16th; offsets in steps, positive = late.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backbeat.codecs.words import CLASSES, Hits
from backbeat.cues import Cues
from backbeat.datasets.preparation import pack
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.models.drummer import DrummerModel
from backbeat.units import Floats


@dataclass(frozen=True, eq=False)
class Band:
    """A band as a drummer hears it.

    Args:
        cues: what sounds where.
        expected: float64 [steps, 9] logits of a hit, from the band alone.
        unheard: the same from metre, tempo and place only.
    """

    cues: Cues
    expected: Floats
    unheard: Floats

    @property
    def grid(self) -> Grid:
        """Bars and steps."""
        return self.cues.grid

    @cached_property
    def strength(self) -> Floats:
        """float64 [steps]: how strongly the band comes in, the sum over lanes of the velocities of what starts."""
        return np.asarray(self.cues.velocities.sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Pairing:
    """A band and the drums to judge.

    Args:
        band: what was heard.
        hits: bool [steps, 9].
        offsets: float64 [steps, 9], 0 without a hit.
        gain: float64 [steps] bits that the band takes off the surprise of each step, given all drums before it.

    Raises:
        ValueError: a shape is not that of the band's grid.
    """

    band: Band
    hits: Hits
    offsets: Floats
    gain: Floats

    def __post_init__(self) -> None:
        shape = (self.band.grid.steps, CLASSES)
        if self.hits.shape != shape or self.offsets.shape != shape or self.gain.shape != shape[:1]:
            raise ValueError(f"hits {self.hits.shape} and offsets {self.offsets.shape} must be {shape}, and gain {self.gain.shape} one value a step")


def hear_band(cues: Cues, model: DrummerModel) -> Band:
    """Let the drummer network listen, once to the band and once to nothing."""
    expected, unheard = (model.guess(cues, band=band).astype(np.float64) for band in (True, False))
    return Band(cues, expected, unheard)


def pair(band: Band, groove: Groove, model: DrummerModel) -> Pairing:
    """Lay a groove (kit "backbeat", on the band's grid) under a band."""
    example = pack(band.grid, groove, band.cues, band=True)
    folded = groove.to_kit(load_kit("drums_rnn_9"))
    gain = model.score(example) - model.score(example, band=False)
    return Pairing(band, folded.hits, folded.offsets.astype(np.float64), gain)
