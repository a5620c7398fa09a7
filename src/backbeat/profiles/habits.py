"""What a player does again and again: counts of velocity and lateness by drum and place, mixed with what the performer expects.

Interpolation of counts with a model is that of Jelinek and Mercer 1980 (and of cache models, Kuhn and De Mori 1990): weights by EM on
strokes that were not counted. Counts of a drum at a 16th of the bar, and of a drum anywhere; as they are, and smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.models.performer_inputs import FAMILIES
from backbeat.units import Floats, Ints

PLACES = 16
LEVELS, LATEST = 128, 100
"""Velocities, and the ms on either side in which lateness is counted, one bin a ms."""
COMPONENTS = 5
"""The performer; drum at place, sharp and smooth; drum, sharp and smooth."""
SMOOTH = (4.0, 4.0)
"""Standard deviations of the smoothing, in velocities and in ms."""
PRIOR = (50.0, 0.5, 0.5, 0.5, 0.5)
"""Strokes that each component is thought to have explained before any is seen."""
_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Habits:
    """Counts and how much to make of them.

    Args:
        loud: float64 [families, PLACES, LEVELS], how often each velocity was played.
        late: float64 [families, PLACES, 2 LATEST + 1], how often each ms.
        weights: float64 [2, COMPONENTS], of velocity and of lateness, 1 in all.
    """

    loud: Floats
    late: Floats
    weights: Floats

    def mix(self, nats: Floats, velocities: Floats, late: Floats, families: Ints, places: Ints) -> Floats:
        """float64 [n, 2], nats: the performer's, mixed with the habits.

        Args:
            nats: float64 [n, 2], of the performer.
            velocities, late: float64 [n], 0-1 and ms.
            families, places: int64 [n], see ``find_places``.
        """
        shares = self.share(velocities, late, families, places)
        out = [np.log(np.exp(nats[:, k]) * self.weights[k, 0] + shares[k] @ self.weights[k, 1:] + 1e-300) for k in (0, 1)]
        return np.stack(out, axis=1)

    def share(self, velocities: Floats, late: Floats, families: Ints, places: Ints) -> tuple[Floats, Floats]:
        """Probability of the velocity and density per ms of the lateness under the four counts, float64 [n, 4] each."""
        loud, ms = count_values(velocities, late)
        inside = np.abs(late) <= LATEST + 0.5
        out = []
        for counts, values, smooth in ((self.loud, loud, SMOOTH[0]), (self.late, ms, SMOOTH[1])):
            tables = normalise(counts, smooth)
            own, drum = (tables[k][families, places, values] for k in (0, 1)), (tables[k][families, values] for k in (2, 3))
            out.append(np.stack([*own, *drum], axis=1))
        out[1] = out[1] * inside[:, None]
        return out[0], out[1]

    def draw(self, velocities: Floats, late: Floats, families: Ints, places: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """What the performer drew, exchanged for what the player does as often as the weights say; float64 [n] each, 0-1 and ms."""
        drawn = []
        for kind, (counts, given, smooth) in enumerate(((self.loud, velocities, SMOOTH[0]), (self.late, late, SMOOTH[1]))):
            tables = normalise(counts, smooth)
            which = rng.choice(COMPONENTS, len(given), p=self.weights[kind] / self.weights[kind].sum())
            rows = [tables[0][families, places], tables[1][families, places], tables[2][families], tables[3][families]]
            chance = np.stack(rows)[np.maximum(which - 1, 0), np.arange(len(given))] if len(given) else np.zeros((0, counts.shape[-1]))
            sums = np.cumsum(chance, axis=1)
            value = (sums < rng.random((len(given), 1)) * sums[:, -1:]).sum(axis=1) if len(given) else np.zeros(0)
            spread = value / 127 if kind == 0 else value - LATEST + rng.uniform(-0.5, 0.5, len(given))
            drawn.append(np.where((which > 0) & (chance.sum(axis=1) > 0), spread, given))
        return drawn[0], drawn[1]


def find_places(places: Floats) -> Ints:
    """int64 [n]: the 16th of the bar, from 0, of places in quarters; bars longer than four quarters begin again."""
    return np.asarray(np.floor(places * 4 + 0.5).astype(np.int64) % PLACES)


def count_values(velocities: Floats, late: Floats) -> tuple[Ints, Ints]:
    """Bins of velocities and of lateness, int64 [n] each."""
    loud = np.clip(np.floor(velocities * 127 + 0.5), 1, LEVELS - 1).astype(np.int64)
    return loud, np.clip(np.floor(late + 0.5) + LATEST, 0, 2 * LATEST).astype(np.int64)


def count_strokes(velocities: Floats, late: Floats, families: Ints, places: Ints) -> tuple[Floats, Floats]:
    """The counts of strokes, see ``Habits``."""
    loud, ms = count_values(velocities, late)
    counts = np.zeros((len(FAMILIES), PLACES, LEVELS)), np.zeros((len(FAMILIES), PLACES, 2 * LATEST + 1))
    np.add.at(counts[0], (families, places, loud), 1)
    near = np.abs(late) <= LATEST + 0.5
    np.add.at(counts[1], (families[near], places[near], ms[near]), 1)
    return counts


def normalise(counts: Floats, smooth: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Distributions of counts: drum at place, sharp and smooth, then drum; nothing counted = the drum's, or 0."""
    drum = counts.sum(axis=1)
    own = counts + np.where(counts.sum(axis=2, keepdims=True) > 0, 1e-9, 1.0) * drum[:, None]
    sharp, drum = (c / np.maximum(c.sum(axis=-1, keepdims=True), 1e-300) for c in (own, drum))
    reach = int(3 * smooth)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / smooth) ** 2)
    size = counts.shape[-1]
    bins = np.arange(size)
    spread = np.zeros((size, size))
    for k, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        inside = (bins + k >= (1 if size == LEVELS else 0)) & (bins + k < size)
        spread[bins[inside], bins[inside] + k] += weight
    spread /= spread.sum(axis=1, keepdims=True)
    return sharp, sharp @ spread, drum, drum @ spread


def fit_weights(nats: Floats, shares: tuple[Floats, Floats]) -> Floats:
    """float64 [2, COMPONENTS]: the likeliest weights, by EM.

    Args:
        nats: float64 [n, 2], of the performer.
        shares: of the habits, float64 [n, 4] each, counted on other strokes.
    """
    out = []
    for kind, share in enumerate(shares):
        chance = np.concatenate([np.exp(nats[:, kind : kind + 1]), share], axis=1) + 1e-300
        prior = np.array(PRIOR)
        weights = prior / prior.sum()
        for _ in range(_ROUNDS):
            explained = chance * weights
            weights = (explained / explained.sum(axis=1, keepdims=True)).sum(axis=0) + prior
            weights /= weights.sum()
        out.append(weights)
    return np.stack(out)
