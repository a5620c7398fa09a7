"""The judge: the parts put together, and where the result lies among real and mismatched drum tracks.

Method: pairwise ranking by logistic regression (RankNet with a linear score; Burges et al. 2005) on standardised parts; weights are
held at 0 or above, since more of each part is better. Conventions: values are [tracks, parts], nan where a part says nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError
from backbeat.units import Floats

SCHEMA = 1
LIMIT = 4.0
"""Standard deviations beyond which a part counts no further."""
QUANTILES = 101
RIDGE = 10.0


@dataclass(frozen=True, eq=False)
class Judge:
    """A linear judge.

    Args:
        parts: names, in the order of the arrays.
        mean, deviation, weight: float64 [parts] each; nan counts as the mean.
        slope, intercept: of the chance, a logistic function of the score.
        real, other: float64 [parts + 1, 101] percentiles of each part (nan left out) and, last, of the score, over the real
            tracks and over other songs' tracks that it was fitted on.
    """

    parts: tuple[str, ...]
    mean: Floats
    deviation: Floats
    weight: Floats
    slope: float
    intercept: float
    real: Floats
    other: Floats

    def weigh(self, values: Floats) -> Floats:
        """What each part adds to the score: float64 [..., parts] of values [..., parts]."""
        return np.asarray(_standardise(values, self.mean, self.deviation) * self.weight, dtype=np.float64)

    def score(self, values: Floats) -> Floats:
        """float64 [...]: the score of values [..., parts]; it orders tracks, its unit means nothing."""
        return np.asarray(self.weigh(values).sum(axis=-1), dtype=np.float64)

    def chance(self, score: float) -> float:
        """The chance that drums of this score belong to the song, where as many do as do not."""
        return float(1 / (1 + np.exp(-np.clip(self.slope * score + self.intercept, -50, 50))))

    def place(self, value: float, part: str | None = None) -> tuple[float, float]:
        """Share of real tracks, and of other songs' tracks, that lie below a value of a part (None: of the score)."""
        row = len(self.parts) if part is None else self.parts.index(part)
        found = [(np.searchsorted(q[row], value, "left") + np.searchsorted(q[row], value, "right")) / 2 / QUANTILES for q in (self.real, self.other)]
        return float(found[0]), float(found[1])

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        lists = {n: np.round(getattr(self, n), 5).tolist() for n in ("mean", "deviation", "weight", "real", "other")}
        return {"parts": list(self.parts), "slope": round(self.slope, 5), "intercept": round(self.intercept, 5)} | lists

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Judge:
        """The judge that ``to_dict`` wrote.

        Raises:
            ModelError: something is missing or has the wrong size.
        """
        try:
            arrays = {n: np.array(given[n], dtype=np.float64) for n in ("mean", "deviation", "weight", "real", "other")}
            judge = cls(tuple(given["parts"]), slope=float(given["slope"]), intercept=float(given["intercept"]), **arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the weights of the appreciation are damaged ({error}): install Backbeat again") from None
        count = len(judge.parts)
        rows = {getattr(judge, n).shape for n in ("mean", "deviation", "weight")}
        if rows != {(count,)} or {judge.real.shape, judge.other.shape} != {(count + 1, QUANTILES)}:
            raise ModelError("the weights of the appreciation do not fit its parts: install Backbeat again")
        return judge


@cache
def load_judges(folder: Path | None = None) -> tuple[Judge, Judge]:
    """The judges of whole songs and of passages.

    Args:
        folder: holds config.json; None = what ships with Backbeat.

    Raises:
        ModelError: it cannot be read.
    """
    place = folder or resources.files("backbeat").joinpath("weights/appreciation")
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8"))
        if config["schema"] != SCHEMA:
            raise ModelError(f"{place}: schema {config['schema']} is not one this version can read")
        return Judge.from_dict(config["song"]), Judge.from_dict(config["passage"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{place}: no readable config.json of an appreciation ({type(error).__name__})") from error


def fit_judge(parts: tuple[str, ...], real: Floats, other: Floats, donated: npt.NDArray[np.bool_] | None = None) -> Judge:
    """Fit a judge.

    Args:
        parts: names.
        real: float64 [pairs, parts] of the songs' own tracks.
        other: the same songs with tracks that do not belong there.
        donated: bool [pairs] which of them are other songs' tracks (None: all); the rest, own tracks out of place, teach the weights
            and the chance, and are left out of the percentiles.
    """
    donated = np.ones(len(real), np.bool_) if donated is None else donated
    both = np.concatenate([real, other])
    mean, deviation = np.nanmean(both, axis=0), np.maximum(np.nanstd(both, axis=0), 1e-6)
    low, high = mean - LIMIT * deviation, mean + LIMIT * deviation
    clipped = np.clip(both, low, high)
    mean, deviation = np.nanmean(clipped, axis=0), np.maximum(np.nanstd(clipped, axis=0), 1e-6)
    a, b = (_standardise(v, mean, deviation) for v in (real, other))
    weight = _rank(a - b)
    scores = [a @ weight, b @ weight]
    slope, intercept = _calibrate(*scores)
    tables = [_percentiles(np.column_stack([v, s])[donated]) for v, s in zip((real, other), scores, strict=True)]
    return Judge(parts, mean, deviation, weight, slope, intercept, *tables)


def _standardise(values: Floats, mean: Floats, deviation: Floats) -> Floats:
    scaled = (np.asarray(values, dtype=np.float64) - mean) / deviation
    return np.clip(np.nan_to_num(scaled, nan=0.0), -LIMIT, LIMIT)


def _rank(differences: Floats) -> Floats:
    """Weights >= 0 that make most differences [pairs, parts] positive: ridge logistic regression, negative parts taken out one by one."""
    free = np.ones(differences.shape[1], np.bool_)
    while True:
        weight = np.zeros(len(free))
        weight[free] = _newton(differences[:, free], np.full(int(free.sum()), RIDGE))
        if weight.min() >= 0:
            return weight
        free[int(np.argmin(weight))] = False


def _calibrate(real: Floats, other: Floats) -> tuple[float, float]:
    """Slope and intercept of P(real | score): Platt (1999)."""
    rows = np.column_stack([np.concatenate([real, -other]), np.concatenate([np.ones(len(real)), -np.ones(len(other))])])
    slope, intercept = _newton(rows, np.array([1e-3, 1e-3]))
    return float(slope), float(intercept)


def _newton(rows: Floats, ridge: Floats) -> Floats:
    """The weights that maximise sum log sigmoid(rows @ w) - ridge w^2 / 2."""
    weight = np.zeros(rows.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weight, -50, 50)))
        slope = rows.T @ (1 - chance) - ridge * weight
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        weight = weight + step
        if np.abs(step).max(initial=0.0) < 1e-8:
            break
    return np.asarray(weight, dtype=np.float64)


def _percentiles(values: npt.NDArray[np.float64]) -> Floats:
    """float64 [columns, 101]."""
    return np.nanpercentile(values, np.arange(QUANTILES), axis=0).T
