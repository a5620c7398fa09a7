"""The figures behind the plots of a report: bits by piece, F1 by class, features by piece, calibration by place in the bar.

Pure functions of a ``Report``. Arrays "by piece" have one value a result, in its order, nan where there is none.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, Hits
from backbeat.evaluation.results import REAL, Case, Report, Result
from backbeat.metrics import calibration, sense
from backbeat.metrics.calibration import Reliability
from backbeat.metrics.likelihood import count_onsets
from backbeat.metrics.onsets import class_f1, micro_f1

Floats = npt.NDArray[np.float64]
HISTORY = "history"
"""In the name of players that are given real drums of earlier bars: another task than playing from the song alone."""


def list_scorers(report: Report) -> list[str]:
    """Names of everything that was scored, the measured model first."""
    return _first_is(report.model, dict.fromkeys(name for r in report.results for name in r.log2_p))


def list_players(report: Report) -> list[str]:
    """Names of everything that was played, ``REAL`` first, then the measured model."""
    return _first_is(REAL, _first_is(report.model, dict.fromkeys(name for r in report.results for name in r.hits)))


def _first_is(name: str, names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda n: n != name)


def is_floor(report: Report, name: str) -> bool:
    """Whether a name is neither the real drums, nor the measured model, nor a variant of it ("drummer, no band")."""
    return name not in (REAL, report.model) and not name.startswith((f"{report.model}, ", f"{report.model} ("))


def measure_bits(report: Report, name: str) -> Floats:
    """float64 [pieces]: bits per onset of a scorer by piece."""
    return np.array([_bits(r, name) for r in report.results], dtype=np.float64)


def _bits(result: Result, name: str) -> float:
    onsets = count_onsets(result.case.piece.words)
    bits = float(-result.log2_p[name].sum()) / onsets if name in result.log2_p and onsets else np.nan
    return bits if np.isfinite(bits) else np.nan


def measure_f1(report: Report, player: str) -> Floats:
    """float64 [pieces]: onset F1 of a player by piece."""
    return np.array([micro_f1(r.case.piece.hits, r.hits[player]) if player in r.hits else np.nan for r in report.results], dtype=np.float64)


def pool(report: Report, player: str) -> tuple[Hits, Hits]:
    """Real and played hits of all pieces that it played, bool [steps of all, 9] each."""
    chosen = [r for r in report.results if player in r.hits]
    empty = np.zeros((0, CLASSES), np.bool_)
    return np.concatenate([empty, *(r.case.piece.hits for r in chosen)]), np.concatenate([empty, *(r.hits[player] for r in chosen)])


def score_classes(report: Report, player: str) -> Floats:
    """float64 [9]: onset F1 by class over all pieces; nan for classes that neither side hits."""
    real, played = pool(report, player)
    return np.where(real.any(axis=0) | played.any(axis=0), class_f1(real, played), np.nan)


def pool_bits(report: Report, names: Sequence[str]) -> dict[str, float]:
    """Bits per onset of each scorer over the pieces that all of them scored, pooled; {} where there is no such piece."""
    shared = [r for r in report.results if all(np.isfinite(_bits(r, n)) for n in names)]
    onsets = sum(count_onsets(r.case.piece.words) for r in shared)
    return {n: -sum(float(r.log2_p[n].sum()) for r in shared) / onsets for n in names} if onsets else {}


def find_best_floor(report: Report) -> str:
    """The floor with the fewest bits per onset, over the pieces that all floors scored; "" where there is none."""
    bits = pool_bits(report, [n for n in list_scorers(report) if is_floor(report, n)])
    return min(bits, key=lambda n: bits[n], default="")


def rank_floors(report: Report) -> list[str]:
    """Floors that play, those that play from the song alone first, then by onset F1, best first."""
    names = [n for n in list_players(report) if is_floor(report, n)]
    return sorted(names, key=lambda n: (HISTORY in n, -micro_f1(*pool(report, n)), n))


@dataclass(frozen=True)
class Feature:
    """A number that describes a drum track.

    Args:
        name: what stands under the plot.
        note: how it is counted, one line.
        measure: from a performance; nan where there is nothing to count.
    """

    name: str
    note: str
    measure: Callable[[sense.Performance], float]


def perform(case: Case, hits: Hits) -> sense.Performance:
    """Drums of a case as the functions of ``sense`` want them."""
    piece, grid = case.piece, case.piece.grid
    starts = np.zeros(grid.bars, np.bool_)
    return sense.Performance(
        hits, grid.first_steps, grid.numerators, grid.denominators, piece.band_onsets[:, 0] > 0, piece.active_bars, starts, grid.steps_per_quarter
    )


def _divide(a: float, b: float) -> float:
    return a / b if b else float("nan")


def measure_density(p: sense.Performance) -> float:
    """Hits in a quarter, in bars with a hit."""
    played = p.bar_hits > 0
    return _divide(float(p.bar_hits.sum()), float(np.diff(p.first_steps)[played].sum()) / p.steps_per_quarter)


def measure_offbeat(p: sense.Performance) -> float:
    """Share of kicks and snares that fall on no quarter of their bar."""
    place = np.arange(len(p.hits)) - np.repeat(p.first_steps[:-1], np.diff(p.first_steps))
    struck = p.column("kick").astype(np.int64) + p.column("snare")
    return _divide(float(struck[place % p.steps_per_quarter != 0].sum()), float(struck.sum()))


def measure_change(p: sense.Performance) -> float:
    """Cells that differ from the bar before, per hit of the two; bars of one length, at least one with a hit."""
    differing = struck = 0
    bars = [p.hits[a:b] for a, b in zip(p.first_steps[:-1], p.first_steps[1:], strict=True)]
    for before, bar in itertools.pairwise(bars):
        if len(before) == len(bar):
            differing += int((before != bar).sum())
            struck += int(before.sum() + bar.sum())
    return _divide(differing, struck)


def measure_kick_bass(p: sense.Performance) -> float:
    """Kick-bass excess: kicks with a bass onset, minus the same with the bass of seven bars later."""
    if not p.bass.any():
        return float("nan")
    return sense.count_bass_with_kick(p).value - sense.count_bass_with_kick_shifted(p).value


FEATURES = (
    Feature("hits per quarter", "in bars with a hit", measure_density),
    Feature("steps hit", "share of all 16ths with any hit", lambda p: sense.count_steps_hit(p).value),
    Feature("off the beat", "share of kicks and snares that fall on no quarter", measure_offbeat),
    Feature("distinct bars", "different bars, of all bars with a hit", lambda p: sense.count_distinct_bars(p).value),
    Feature("change", "cells that differ from the bar before, per hit of both", measure_change),
    Feature("kick-bass excess", "kicks with a bass onset, minus the same with the bass of 7 bars later", measure_kick_bass),
)


def measure_feature(report: Report, player: str, feature: Feature) -> Floats:
    """float64 [pieces]: a feature of a player by piece."""
    values = [feature.measure(perform(r.case, r.hits[player])) if player in r.hits else np.nan for r in report.results]
    return np.array(values, dtype=np.float64)


def measure_wasserstein(a: Floats, b: Floats) -> float:
    """Wasserstein-1 distance of two samples (the area between their distribution functions); nan where one is empty.

    Args:
        a, b: float64 [n] and [m]; nan values are left out.
    """
    a, b = np.sort(a[np.isfinite(a)]), np.sort(b[np.isfinite(b)])
    if not len(a) or not len(b):
        return float("nan")
    both = np.sort(np.concatenate([a, b]))
    below = [np.searchsorted(x, both[:-1], side="right") / len(x) for x in (a, b)]
    return float((np.abs(below[0] - below[1]) * np.diff(both)).sum())


@dataclass(frozen=True, eq=False)
class Places:
    """How often each class is hit at each place of a bar, in bars of the commonest metre.

    Args:
        metre: as "4/4".  bars: how many bars.
        real, played: float64 [places, 9] in 0-1.
    """

    metre: str
    bars: int
    real: Floats
    played: Floats

    @property
    def gap(self) -> float:
        """Mean |played - real| over cells, each weighing what both hit there."""
        weight = self.real + self.played
        return _divide(float((np.abs(self.played - self.real) * weight).sum()), float(weight.sum()))


def calibrate_places(report: Report, player: str) -> Places | None:
    """Marginal calibration of a player (Gneiting, Balabdaoui and Raftery 2007): whether over many bars it hits what drummers hit.

    Returns:
        the shares, over bars in which the real drums play; None where there is no such bar.
    """
    kinds: Counter[tuple[int, int, int]] = Counter()
    real: dict[tuple[int, int, int], list[Hits]] = {}
    played: dict[tuple[int, int, int], list[Hits]] = {}
    for result in report.results:
        if player in result.hits:
            grid, truth = result.case.piece.grid, result.case.piece.hits
            for bar, kind in enumerate(zip(grid.numerators, grid.denominators, grid.bar_steps.tolist(), strict=True)):
                steps = slice(int(grid.first_steps[bar]), int(grid.first_steps[bar + 1]))
                if truth[steps].any():
                    kinds[kind] += 1
                    real.setdefault(kind, []).append(truth[steps])
                    played.setdefault(kind, []).append(result.hits[player][steps])
    if not kinds:
        return None
    kind, bars = kinds.most_common(1)[0]
    return Places(f"{kind[0]}/{kind[1]}", bars, np.mean(real[kind], axis=0), np.mean(played[kind], axis=0))


def list_expecting(report: Report) -> list[str]:
    """Names of everything that gave a probability of each hit, the measured model first, variants of it last."""
    names = _first_is(report.model, dict.fromkeys(name for r in report.results for name in r.expected))
    return sorted(names, key=lambda n: n != report.model and not is_floor(report, n))


def calibrate_hits(report: Report, name: str) -> tuple[Reliability, float]:
    """The reliability curve of a model's probabilities of hits, and its expected calibration error."""
    heard = [r for r in report.results if name in r.expected]
    chances = np.concatenate([r.expected[name].astype(np.float64) for r in heard])
    hits = np.concatenate([r.case.piece.hits for r in heard])
    return calibration.reliability(chances, hits), calibration.calibration_error(chances, hits)


def rank_results(report: Report, count: int = 3) -> tuple[list[int], list[int], str]:
    """Indices of the worst and of the best pieces, and what they were ranked by.

    Worst first in the one, best first in the other; no piece is in both. By bits per onset, or by onset F1 of a model that only plays.
    """
    figures, by = measure_bits(report, report.model), "bits per onset"
    if not np.isfinite(figures).any():
        figures, by = -measure_f1(report, report.model), "onset F1"
    order = [int(i) for i in np.argsort(figures, kind="stable") if np.isfinite(figures[i])]
    best = order[: min(count, (len(order) + 1) // 2)]
    worst = [i for i in reversed(order) if i not in best][:count]
    return worst, best, by
