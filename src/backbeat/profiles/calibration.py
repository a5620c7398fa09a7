"""How a player strikes beside the players that the performer knows: a monotone curve of velocity, and a shift and a scale of lateness.

The performer plays in its own frame, with the velocities and the lateness of the kits and people it was taught on. A calibration
carries its frame into the player's, drum by drum: velocities through a monotone curve, lateness through ``shift + scale x``. Both
are maps, so that distributions stay distributions (probabilities of 127 velocities, densities with their Jacobian). They are fitted
by maximum likelihood; a Gaussian prior holds the curve of all drums near the identity, and that of each drum near that of all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backbeat.models.performer import NARROWEST
from backbeat.models.performer_inputs import FAMILIES, LATE_SCALE, VELOCITY_CENTRE, VELOCITY_SCALE
from backbeat.units import Floats, Ints

KNOTS = 8
"""Pieces of a curve of velocity."""
TRUST = 0.05
"""Weight of a stroke beside the priors: strokes of a take lean on each other and say less than as many that do not."""
SPREAD_ALL = (0.2, *[1.0] * KNOTS, 20.0, 0.7)
SPREAD_OWN = (0.06, *[0.3] * KNOTS, 8.0, 0.25)
"""Standard deviations of the priors: start of the curve, logarithms of its slopes, ms of shift, logarithm of the scale; of all drums, of each beside all."""
_STEPS, _RATE, _FAR = 80, 0.06, 1e4


class Mixture(NamedTuple):
    """What the network says of n strokes, in its units; float64 [n, components] each.

    Args:
        logits: log-weights, normalised.
        loud, loud_scale, late, late_scale: centres and scales of the logistic distributions.
    """

    logits: Floats
    loud: Floats
    loud_scale: Floats
    late: Floats
    late_scale: Floats


def read_mixture(given: Floats, means: Floats) -> Mixture:
    """The numbers of ``PerformerNet.follow`` as distributions.

    Args:
        given: float64 [n, 5 components].
        means: float [n, 2 or more], from which the centres count.
    """
    logits, loud, loud_scale, late, late_scale = np.split(given, 5, axis=1)
    logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    scales = [np.maximum(np.exp(s), n) for s, n in zip((loud_scale, late_scale), NARROWEST, strict=True)]
    return Mixture(logits, loud + means[:, :1], scales[0], late + means[:, 1:2], scales[1])


@dataclass(frozen=True, eq=False)
class Calibration:
    """From the performer's frame to a player's.

    Args:
        numbers: float64 [families, 11]: start of the curve, logarithms of its slopes, shift in ms, logarithm of the scale.
    """

    numbers: Floats

    def to_frame(self, velocities: Floats, late: Floats, families: Ints) -> tuple[Floats, Floats]:
        """Velocities (0-1) and lateness in ms, as the performer would have played them, float64 [n] each."""
        own = self.numbers[families]
        heights = own[:, 0] + (_lay_basis(velocities) * np.exp(own[:, 1:-2])).sum(axis=1)
        return np.asarray(heights), np.asarray((late - own[:, -2]) / np.exp(own[:, -1]))

    def to_player(self, velocities: Floats, late: Floats, families: Ints) -> tuple[Floats, Floats]:
        """The way back: velocities (0-1) and lateness in ms, as the player plays what the performer does."""
        own = self.numbers[families]
        heights = own[:, :1] + np.concatenate([np.zeros((len(own), 1)), np.cumsum(np.exp(own[:, 1:-2]) / KNOTS, axis=1)], axis=1)
        piece = np.clip((heights[:, 1:-1] <= velocities[:, None]).sum(axis=1), 0, KNOTS - 1)
        rows = np.arange(len(own))
        inside = (velocities - heights[rows, piece]) / np.exp(own[rows, 1 + piece])
        return np.asarray(np.clip(piece / KNOTS + inside, 1 / 127, 1)), np.asarray(own[:, -2] + np.exp(own[:, -1]) * late)

    def find_edges(self, velocities: Floats, families: Ints) -> tuple[Floats, Floats]:
        """Where each velocity ends and begins in the performer's frame, in the network's units, float64 [n] each."""
        return _find_edges(self.numbers[families], velocities)

    def measure(self, mixture: Mixture, velocities: Floats, late: Floats, families: Ints) -> Floats:
        """float64 [n, 2], nats: probability of the velocity, density per ms of the lateness given it.

        Args:
            mixture: in the performer's frame.
            velocities, late: float64 [n], as the player played, 0-1 and ms.
            families: int64 [n].
        """
        loud, timing, _ = _measure(self.numbers[families], mixture, velocities, late)
        alone, both = np.logaddexp.reduce(mixture.logits + loud, axis=1), np.logaddexp.reduce(mixture.logits + loud + timing, axis=1)
        return np.stack([alone, both - alone], axis=1)


def make_identity() -> Calibration:
    """The performer as it is."""
    numbers = np.zeros((len(FAMILIES), KNOTS + 3))
    return Calibration(numbers)


def fit_calibration(mixture: Mixture, velocities: Floats, late: Floats, families: Ints, start: Calibration) -> Calibration:
    """The likeliest calibration of strokes, as far as its priors let it go (Adam of Kingma and Ba 2015, all strokes at once).

    Args:
        mixture, velocities, late, families: see ``Calibration.measure``.
        start: where to begin.
    """
    wide, narrow = np.array(SPREAD_ALL), np.array(SPREAD_OWN)
    shared = np.median(start.numbers, axis=0) / wide
    own = (start.numbers - shared * wide) / narrow
    point = np.concatenate([shared[None], own])
    first, second = np.zeros_like(point), np.zeros_like(point)
    for step in range(1, _STEPS + 1):
        numbers = point[0] * wide + point[1:] * narrow
        slope = _find_slope(numbers, mixture, velocities, late, families)
        gradient = np.concatenate([(slope.sum(axis=0) * wide)[None], slope * narrow]) * TRUST - point
        gradient /= 1 + TRUST * len(velocities)
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        rate = _RATE * (1 - (step - 1) / _STEPS)
        point = point + rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
    return Calibration(point[0] * wide + point[1:] * narrow)


def _find_slope(numbers: Floats, mixture: Mixture, velocities: Floats, late: Floats, families: Ints) -> Floats:
    """float64 [families, 11]: how the log-likelihood changes with the numbers."""
    own = numbers[families]
    loud, timing, (upper, lower, moved, widened) = _measure(own, mixture, velocities, late)
    share = mixture.logits + loud + timing
    share = np.exp(share - np.logaddexp.reduce(share, axis=1, keepdims=True))
    high, low = (share * upper).sum(axis=1), (share * lower).sum(axis=1)
    parts = [(high + low)[:, None]]
    slopes = np.exp(own[:, 1:-2])
    parts.append(slopes * (high[:, None] * _lay_basis(velocities + 0.5 / 127) + low[:, None] * _lay_basis(velocities - 0.5 / 127)))
    parts += [(share * moved).sum(axis=1)[:, None], (share * widened).sum(axis=1)[:, None]]
    out = np.zeros_like(numbers)
    np.add.at(out, families, np.concatenate(parts, axis=1))
    return out


def _measure(own: Floats, mixture: Mixture, velocities: Floats, late: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats, Floats]]:
    """Nats of velocity and lateness under each component, and their slopes: by the curve's upper and lower edge, the shift, the log-scale."""
    upper, lower = _find_edges(own, velocities)
    scale = np.exp(own[:, -1])
    loud, timing, (by_upper, by_lower, by_late) = weigh(mixture, upper, lower, (late - own[:, -2]) / scale / LATE_SCALE)
    rate = -by_late / (scale * LATE_SCALE)[:, None]
    moved, widened = rate, rate * (late - own[:, -2])[:, None] - 1
    return loud, timing - math.log(LATE_SCALE) - own[:, -1:], (by_upper / VELOCITY_SCALE, by_lower / VELOCITY_SCALE, moved, widened)


def _find_edges(own: Floats, velocities: Floats) -> tuple[Floats, Floats]:
    """Where a velocity ends and begins in the performer's frame, in the network's units; far away beyond the loudest and the softest."""
    slopes = np.exp(own[:, 1:-2])
    upper, lower = ((own[:, 0] + (_lay_basis(velocities + side * 0.5 / 127) * slopes).sum(axis=1) - VELOCITY_CENTRE) / VELOCITY_SCALE for side in (1, -1))
    return np.where(velocities > 126.5 / 127, _FAR, upper), np.where(velocities < 1.5 / 127, -_FAR, lower)


def weigh(mixture: Mixture, upper: Floats, lower: Floats, late: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats]]:
    """Nats of a velocity between two edges and of a lateness under each component, float64 [n, components] each, and their slopes.

    Args:
        mixture: of n strokes.
        upper, lower: float64 [n], in the network's units.
        late: float64 [n], the same; densities are per unit.

    Returns:
        velocity, lateness, and how the first changes with the upper and the lower edge, the second with the lateness.
    """
    unit = 1 / mixture.loud_scale
    high, low = (upper[:, None] - mixture.loud) * unit, (lower[:, None] - mixture.loud) * unit
    apart = np.clip(high - low, 1e-9, 500)
    loud = np.log1p(-np.exp(-apart)) - np.logaddexp(0, -high) - np.logaddexp(0, low)
    by_both = 1 / np.expm1(apart)
    by_upper = np.where(upper[:, None] >= _FAR, 0, (by_both + squash(-high)) * unit)
    by_lower = np.where(lower[:, None] <= -_FAR, 0, -(by_both + squash(low)) * unit)
    z = (late[:, None] - mixture.late) / mixture.late_scale
    timing = -z - 2 * np.logaddexp(0, -z) - np.log(mixture.late_scale)
    return loud, timing, (by_upper, by_lower, (1 - 2 * squash(z)) / mixture.late_scale)


def squash(x: Floats) -> Floats:
    """The logistic function."""
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _lay_basis(velocities: Floats) -> Floats:
    """float64 [n, KNOTS]: how much of each piece of the curve lies below a velocity; the last piece has no end, the first no beginning."""
    inside = velocities[:, None] * KNOTS - np.arange(KNOTS)
    low, high = np.zeros(KNOTS), np.ones(KNOTS)
    low[0], high[-1] = -math.inf, math.inf
    return np.asarray(np.clip(inside, low, high) / KNOTS)
