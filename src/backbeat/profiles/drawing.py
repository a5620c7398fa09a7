"""How what the performer draws is carried over to a player: accents and lags of each drum's places, and how far strokes stray from them.

Moments are matched: strokes of the player and strokes that the performer draws for the same hits are both set beside what the performer
expects before it hears anything; the player's mean distance becomes a table, the ratio of the spreads a factor of the drum. So samples
measure as the player does, whatever of it the performer would have picked up by listening.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.models.performer_inputs import FAMILIES
from backbeat.profiles.habits import PLACES
from backbeat.profiles.steadiness import shrink_means
from backbeat.units import Floats, Ints

FIRM = 20.0
"""Strokes for which a spread like the performer's stands."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """From the performer's draws to the player's, in the performer's frame and the network's units.

    Args:
        offsets: float64 [2, families, PLACES], of velocity and lateness.
        factors: float64 [2, families], of what draws stray.
    """

    offsets: Floats
    factors: Floats

    def carry(self, drawn: Floats, means: Floats, families: Ints, places: Ints) -> Floats:
        """float64 [n, 2]: as the player would have played.

        Args:
            drawn: float64 [n, 2], by the performer.
            means: float64 [n, 2], what it expects.
            families, places: int64 [n].
        """
        return np.asarray(means + self.offsets[:, families, places].T + self.factors[:, families].T * (drawn - means))


def learn_drawing(rests: Floats, drawn: Floats, families: Ints, places: Ints) -> Drawing:
    """Match moments.

    Args:
        rests: float64 [n, 2], what the player's strokes lie off what was expected.
        drawn: the same of strokes that the performer drew for the same hits.
        families, places: int64 [n].
    """
    at = families * PLACES + places
    shape = (len(FAMILIES), PLACES)
    counts = np.bincount(at, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    drums = counts.sum(axis=1)
    offsets, factors = np.zeros((2, *shape)), np.ones((2, len(FAMILIES)))
    for kind in (0, 1):
        own, theirs = (shrink_means(np.bincount(at, x[:, kind], minlength=counts.size).astype(np.float64).reshape(shape), counts) for x in (rests, drawn))
        spreads = [np.bincount(families, (x[:, kind] - m[families, places]) ** 2, minlength=len(FAMILIES)) for x, m in ((rests, own), (drawn, theirs))]
        whole = np.log((spreads[0].sum() + 1e-6) / (spreads[1].sum() + 1e-6)) * drums.sum() / (drums.sum() + FIRM)
        ratio = np.log((spreads[0] + 1e-6) / (spreads[1] + 1e-6))
        factors[kind] = np.clip(np.exp(0.5 * (whole + (ratio - whole) * drums / (drums + FIRM))), 0.02, 3.0)
        offsets[kind] = own - factors[kind][:, None] * theirs
    return Drawing(offsets, factors)
