"""How a player keeps to himself: where and how near each stroke lies to what he has done before, in this take and in others.

The performer says where it expects a stroke. A player may be steadier than it thinks (an even hand, a machine), lean on what he did at
the same place of the bar, or have accents and lags of his own there. So the distribution of each stroke is moved by a weighted sum of a
few differences, between what was expected and what the player did (on this drum, at this place of the bar, in this take and in the takes
that were learned from), and drawn together about its mean by a factor of the drum. The weights are those of a ridge regression, fitted
by maximum likelihood through the performer's whole distribution; tables of a drum's places lean on the drum (empirical Bayes).

Everything is in the performer's frame (see ``calibration``) and in the network's units: velocity in .25, lateness in 20 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backbeat.models.performer_inputs import FAMILIES
from backbeat.profiles.calibration import Mixture, weigh
from backbeat.profiles.habits import PLACES
from backbeat.units import Floats, Ints

REASONS = 10
"""What a stroke may be moved by, see ``_find_reasons``."""
DRUM, DRUMS = REASONS, slice(REASONS + 1, None)
"""Columns of the logarithm of the factor of all drums, and of each beside it."""
SPREAD = np.array([0.25] * REASONS + [0.9] + [0.35] * len(FAMILIES))
"""Standard deviations of the priors: of a weight, of the logarithm of the factor, of that of each drum."""
TRUST = 0.2
"""Weight of a stroke beside the priors, see ``calibration``."""
_STEPS, _RATE = 80, 0.08
_FIRM, _PLACE_FIRM, _DRUM_FIRM = 8.0, 4.0, 8.0
"""Strokes that a mean of a drum, or of its place, is held back by."""


class Frame(NamedTuple):
    """Strokes in the performer's frame, what it expects of them, float64 [n], and where they are.

    Args:
        mixture: what it expects.
        upper, lower: edges of the velocities; far away at the ends.
        values: middle of the velocity, and lateness.
        stretch: logarithm of how much wider a ms is than 20 ms of the frame.
        families, places: int64 [n].
    """

    mixture: Mixture
    upper: Floats
    lower: Floats
    values: tuple[Floats, Floats]
    stretch: Floats
    families: Ints
    places: Ints

    @property
    def means(self) -> tuple[Floats, Floats]:
        """Mean velocity and lateness that are expected."""
        weights = np.exp(self.mixture.logits)
        return np.asarray((weights * self.mixture.loud).sum(axis=1)), np.asarray((weights * self.mixture.late).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Tables:
    """What a player did, by drum and place of the bar.

    Args:
        counts: float64 [families, PLACES], strokes.
        values: float64 [2, families, PLACES], sums of velocities and of lateness.
        rests: float64 [2, families, PLACES], sums of what they lie off the performer's means.
    """

    counts: Floats
    values: Floats
    rests: Floats

    def __sub__(self, other: Tables) -> Tables:
        """What is left without some of the takes."""
        return Tables(self.counts - other.counts, self.values - other.values, self.rests - other.rests)


@dataclass(frozen=True, eq=False)
class Steadiness:
    """What moves and narrows the performer's distributions.

    Args:
        numbers: float64 [2, REASONS + 1 + families], for velocity and lateness: weights of the reasons, logarithms of the factors.
        tables: of the takes that were learned from.
    """

    numbers: Floats
    tables: Tables

    def measure(self, frame: Frame) -> Floats:
        """float64 [n, 2], nats: probability of the velocity, density per ms of the lateness given it.

        Args:
            frame: a take from its first stroke, as what was played before counts.
        """
        moves, logs = _move(self.numbers, [_find_reasons(frame, kind, self.tables) for kind in (0, 1)], frame.families)
        loud, timing, _ = _weigh_moved(frame, moves, logs)
        alone, both = np.logaddexp.reduce(frame.mixture.logits + loud, axis=1), np.logaddexp.reduce(frame.mixture.logits + loud + timing, axis=1)
        return np.stack([alone, both - alone - frame.stretch], axis=1)


def count_frames(frames: Sequence[Frame]) -> Tables:
    """The tables of takes, or of parts of them."""
    shape = (len(FAMILIES), PLACES)
    tables = Tables(np.zeros(shape), np.zeros((2, *shape)), np.zeros((2, *shape)))
    for frame in frames:
        at = (frame.families, frame.places)
        np.add.at(tables.counts, at, 1)
        for kind, mean in enumerate(frame.means):
            np.add.at(tables.values[kind], at, frame.values[kind])
            np.add.at(tables.rests[kind], at, frame.values[kind] - mean)
    return tables


def fit_steadiness(frames: Sequence[Frame], others: Sequence[Tables], tables: Tables) -> Steadiness:
    """The likeliest numbers, as far as their priors let them go (Adam of Kingma and Ba 2015, all strokes at once).

    Args:
        frames: takes, or parts of them.
        others: for each of them what was done in the others.
        tables: of all of them.
    """
    reasons = [np.concatenate([_find_reasons(f, kind, o) for f, o in zip(frames, others, strict=True)]) for kind in (0, 1)]
    frame = join_frames(frames)
    point = np.zeros((2, len(SPREAD)))
    first, second = np.zeros_like(point), np.zeros_like(point)
    for step in range(1, _STEPS + 1):
        gradient = _find_slope(point * SPREAD, frame, reasons) * SPREAD * TRUST - point
        gradient /= 1 + TRUST * len(frame.families)
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        rate = _RATE * (1 - (step - 1) / _STEPS)
        point = point + rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
    return Steadiness(point * SPREAD, tables)


def join_frames(frames: Sequence[Frame]) -> Frame:
    """Frames end to end."""
    mixture = Mixture(*(np.concatenate(parts) for parts in zip(*(f.mixture for f in frames), strict=True)))
    values = (np.concatenate([f.values[0] for f in frames]), np.concatenate([f.values[1] for f in frames]))
    upper, lower, stretch = (np.concatenate([getattr(f, n) for f in frames]) for n in ("upper", "lower", "stretch"))
    families, places = (np.concatenate([getattr(f, n) for f in frames]) for n in ("families", "places"))
    return Frame(mixture, upper, lower, values, stretch, families, places)


def _move(numbers: Floats, reasons: Sequence[Floats], families: Ints) -> tuple[list[Floats], list[Floats]]:
    """How far each stroke is moved, and the logarithm of its factor, of velocity and of lateness."""
    moves = [r @ own[:REASONS] for r, own in zip(reasons, numbers, strict=True)]
    return moves, [own[DRUM] + own[DRUMS][families] for own in numbers]


def _weigh_moved(frame: Frame, moves: Sequence[Floats], logs: Sequence[Floats]) -> tuple[Floats, Floats, tuple[Floats, ...]]:
    """Nats of velocity and lateness under each component, and their slopes by the two moves and the two logarithms, [n, components]."""
    mean_loud, mean_late = frame.means
    factor_loud, factor_late = (np.exp(x) for x in logs)
    upper, lower = (mean_loud + (edge - mean_loud - moves[0]) / factor_loud for edge in (frame.upper, frame.lower))
    upper, lower = np.where(frame.upper > _END, frame.upper, upper), np.where(frame.lower < -_END, frame.lower, lower)
    late = mean_late + (frame.values[1] - mean_late - moves[1]) / factor_late
    loud, timing, (by_upper, by_lower, by_late) = weigh(frame.mixture, upper, lower, late)
    moved_loud = -(by_upper + by_lower) / factor_loud[:, None]
    wide_loud = -(by_upper * (upper - mean_loud)[:, None] + by_lower * (lower - mean_loud)[:, None])
    moved_late = -by_late / factor_late[:, None]
    wide_late = -by_late * (late - mean_late)[:, None] - 1
    return loud, timing - logs[1][:, None], (moved_loud, moved_late, wide_loud, wide_late)


_END = 1000.0


def _find_slope(numbers: Floats, frame: Frame, reasons: Sequence[Floats]) -> Floats:
    """float64 [2, numbers]: how the log-likelihood changes with them."""
    moves, logs = _move(numbers, reasons, frame.families)
    loud, timing, slopes = _weigh_moved(frame, moves, logs)
    share = frame.mixture.logits + loud + timing
    share = np.exp(share - np.logaddexp.reduce(share, axis=1, keepdims=True))
    moved_loud, moved_late, wide_loud, wide_late = ((share * s).sum(axis=1) for s in slopes)
    out = np.zeros_like(numbers)
    for kind, (moved, wide) in enumerate(((moved_loud, wide_loud), (moved_late, wide_late))):
        out[kind, :REASONS] = reasons[kind].T @ moved
        out[kind, DRUM] = wide.sum()
        out[kind, DRUMS] = np.bincount(frame.families, wide, minlength=len(FAMILIES))
    return out


def _find_reasons(frame: Frame, kind: int, others: Tables) -> Floats:
    """float64 [n, REASONS]: by what each stroke may be moved, all of it known before the stroke.

    Against what is expected: the mean of the drum in this take, of the drum at this place, what it did lately at this place, and lately
    anywhere. What it lay off on average: of the drum, of the place, lately at the place. And of other takes: what the drum and the place
    lie off on average, and the mean of the place.
    """
    value, mean = frame.values[kind], frame.means[kind]
    drum, place = frame.families, frame.families * PLACES + frame.places
    rest = value - mean
    by_drum, by_place = _average(value, drum, 0), _average(value, place, 0)
    late_place, late_drum = _average(value, place, 0.3), _average(value, drum, 0.5)
    off_drum, off_place, off_late = _average(rest, drum, 0), _average(rest, place, 0), _average(rest, place, 0.3)
    own = [
        (by_drum[0] - mean) * _trust(by_drum[1], 2),
        (by_place[0] - mean) * _trust(by_place[1], 1),
        (late_place[0] - mean) * _trust(late_place[1], 1),
        (late_drum[0] - mean) * (late_drum[1] > 0),
        off_drum[0] * _trust(off_drum[1], 4),
        off_place[0] * _trust(off_place[1], 4),
        off_late[0] * _trust(off_late[1], 2),
    ]
    off = shrink_means(others.rests[kind], others.counts)
    drums = others.counts.sum(axis=1)
    means = others.values[kind].sum(axis=1) / np.maximum(drums, 1)
    usual = (others.values[kind] + _PLACE_FIRM * means[:, None]) / (others.counts + _PLACE_FIRM)
    known = (drums / (drums + _DRUM_FIRM))[drum]
    off_all = others.rests[kind].sum(axis=1) / (drums + _DRUM_FIRM)
    at = (frame.families, frame.places)
    return np.stack([*own, off_all[drum], off[at] - off_all[drum], (usual[at] - mean) * known], axis=1)


def shrink_means(sums: Floats, counts: Floats) -> Floats:
    """float64 [families, PLACES]: means by drum and place, which lean on those of the drum, and these on 0.

    Args:
        sums, counts: float64 [families, PLACES].
    """
    drum = sums.sum(axis=1) / (counts.sum(axis=1) + _FIRM)
    return np.asarray(drum[:, None] + (sums - counts * drum[:, None]) / (counts + _FIRM))


def _trust(counts: Floats, firm: float) -> Floats:
    return np.asarray(counts / (counts + firm))


def _average(values: Floats, keys: Ints, rate: float) -> tuple[Floats, Floats]:
    """Mean of the earlier values with the same key, or one that forgets at a rate, and how many there were; 0 where none."""
    means, counts = np.zeros(len(values)), np.zeros(len(values))
    known: dict[int, tuple[float, int]] = {}
    for i, (key, value) in enumerate(zip(keys.tolist(), values.tolist(), strict=True)):
        mean, count = known.get(key, (0.0, 0))
        means[i], counts[i] = mean, count
        known[key] = (mean + max(rate, 1 / (count + 1)) * (value - mean), count + 1)
    return means, counts
