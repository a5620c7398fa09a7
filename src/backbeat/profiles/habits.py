"""What a player does again and again: counts of velocity and lateness by drum and place, mixed with what the performer expects.

Interpolation of counts with a model is that of Jelinek and Mercer 1980 (and of cache models, Kuhn and De Mori 1990): weights by EM on
strokes that were not counted, of each drum near those of all. Counts of a drum at a 16th of the bar, and of a drum anywhere; as they are,
and smoothed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backbeat.models.performer_inputs import FAMILIES
from backbeat.units import Floats, Ints

PLACES = 16
LEVELS, LATEST = 128, 100
"""Velocities, and the ms on either side in which lateness is counted, one bin a ms."""
COMPONENTS = 6
"""The performer; the performer moved and narrowed (see ``steadiness``); drum at place, sharp and smooth; drum, sharp and smooth."""
EXPECTED = 2
"""Components that are the performer's."""
SMOOTH = (4.0, 4.0)
"""Standard deviations of the smoothing, in velocities and in ms."""
PRIOR = (30.0, 20.0, 0.5, 0.5, 0.5, 0.5)
"""Strokes that each component is thought to have explained before any is seen."""
FIRM = 60.0
"""Strokes for which the weights of all drums stand in those of each."""
_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Habits:
    """Counts and how much to make of them.

    Args:
        loud: float64 [families, PLACES, LEVELS], how often each velocity was played.
        late: float64 [families, PLACES, 2 LATEST + 1], how often each ms.
        weights: float64 [2, families, COMPONENTS], of velocity and of lateness, 1 in all.
    """

    loud: Floats
    late: Floats
    weights: Floats

    def mix(self, expected: Sequence[Floats], velocities: Floats, late: Floats, families: Ints, places: Ints) -> Floats:
        """float64 [n, 2], nats: the performer's, mixed with the habits.

        Args:
            expected: float64 [n, 2] nats each, of the performer and of the performer moved and narrowed.
            velocities, late: float64 [n], 0-1 and ms.
            families, places: int64 [n], see ``find_places``.
        """
        chances = join_chances(expected, self.share(velocities, late, families, places))
        return np.stack([np.log((c * own[families]).sum(axis=1) + 1e-300) for c, own in zip(chances, self.weights, strict=True)], axis=1)

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
            edges = np.cumsum(self.weights[kind], axis=1)[families]
            which = (edges[:, :-1] < rng.random((len(given), 1))).sum(axis=1)
            rows = [tables[0][families, places], tables[1][families, places], tables[2][families], tables[3][families]]
            chance = np.stack(rows)[np.maximum(which - EXPECTED, 0), np.arange(len(given))] if len(given) else np.zeros((0, counts.shape[-1]))
            sums = np.cumsum(chance, axis=1)
            value = (sums < rng.random((len(given), 1)) * sums[:, -1:]).sum(axis=1) if len(given) else np.zeros(0)
            spread = value / 127 if kind == 0 else value - LATEST + rng.uniform(-0.5, 0.5, len(given))
            drawn.append(np.where((which >= EXPECTED) & (chance.sum(axis=1) > 0), spread, given))
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


def join_chances(expected: Sequence[Floats], shares: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Probabilities and densities under all components, float64 [n, COMPONENTS] each."""
    loud, late = (np.concatenate([np.exp(np.stack([e[:, kind] for e in expected], axis=1)), shares[kind]], axis=1) + 1e-300 for kind in (0, 1))
    return loud, late


def fit_weights(chances: tuple[Floats, Floats], families: Ints) -> Floats:
    """float64 [2, families, COMPONENTS]: the likeliest weights of all drums, then of each drum near them, by EM.

    Args:
        chances: see ``join_chances``; counted on other strokes.
        families: int64 [n].
    """
    out = []
    for chance in chances:
        common = _raise_weights(chance, np.array(PRIOR))
        out.append(np.stack([_raise_weights(chance[families == f], FIRM * common) for f in range(len(FAMILIES))]))
    return np.stack(out)


def _raise_weights(chance: Floats, prior: Floats) -> Floats:
    weights = prior / prior.sum()
    for _ in range(_ROUNDS):
        explained = chance * weights
        weights = (explained / explained.sum(axis=1, keepdims=True)).sum(axis=0) + prior
        weights /= weights.sum()
    return np.asarray(weights)
