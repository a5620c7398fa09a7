"""Whether a probability means what it says: of the hits given 30 %, do 30 % fall?

Conventions: ``probabilities`` float [n] (or any shape) of a hit, ``hits`` bool of the same shape. Bins divide 0-1 evenly, each
includes its upper edge, the first one 0 too. ECE weighs bins by their cells, in probability (0 = calibrated). Most cells are
surely silent, so ECE is small for nearly everybody: read it beside the curve, and never alone (a constant is calibrated).

Source: expected calibration error of Naeini, Cooper, Hauskrecht 2015.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.units import Floats, Ints

BINS = 10
Flags = npt.NDArray[np.bool_]


class Reliability(NamedTuple):
    """A reliability curve.

    Args:
        counts: int64 [bins], cells in each bin.
        predicted: float64 [bins], their mean probability; nan in an empty bin.
        happened: float64 [bins], their share of hits; nan in an empty bin.
    """

    counts: Ints
    predicted: Floats
    happened: Floats


def validate(probabilities: Floats, hits: Flags) -> None:
    """Check that probabilities and hits belong together.

    Raises:
        ValueError: shapes differ, nothing is given, or a value is not a probability.
    """
    if probabilities.shape != hits.shape or not hits.size:
        raise ValueError(f"probabilities and hits must have one shape and an entry, not {probabilities.shape} and {hits.shape}")
    if hits.dtype != np.bool_ or probabilities.dtype.kind != "f":
        raise ValueError(f"hits must be bool and probabilities float, not {hits.dtype} and {probabilities.dtype}")
    if not (probabilities.min() >= 0 and probabilities.max() <= 1):
        raise ValueError("probabilities lie in 0-1")


def reliability(probabilities: Floats, hits: Flags, bins: int = BINS) -> Reliability:
    """Predicted probability against the share of hits, by bin of the former.

    Args:
        probabilities: float, any shape.
        hits: bool, the same shape.
        bins: number of bins.
    """
    validate(probabilities, hits)
    p, hit = np.ravel(probabilities), np.ravel(hits)
    index = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p, side="left")
    counts = np.bincount(index, minlength=bins)
    sums = [np.bincount(index, weights=w, minlength=bins) for w in (p, hit)]
    means = [np.divide(s, counts, out=np.full(bins, np.nan), where=counts > 0) for s in sums]
    return Reliability(counts.astype(np.int64), *means)


def calibration_error(probabilities: Floats, hits: Flags, bins: int = BINS) -> float:
    """Expected calibration error: the mean of |predicted - happened| over bins, weighted by cells."""
    counts, predicted, happened = reliability(probabilities, hits, bins)
    full = counts > 0
    return float((counts[full] * np.abs(predicted - happened)[full]).sum() / counts.sum())


def brier_score(probabilities: Floats, hits: Flags) -> float:
    """Mean of (probability - hit)^2, which a constant cannot win (Brier 1950)."""
    validate(probabilities, hits)
    return float(((probabilities - hits) ** 2).mean())


def evaluate(probabilities: Floats, hits: Flags, bins: int = BINS) -> dict[str, float]:
    """Calibration error, Brier score, the mean prediction and the share of hits."""
    return {
        "calibration_error": calibration_error(probabilities, hits, bins),
        "brier_score": brier_score(probabilities, hits),
        "predicted": float(probabilities.mean()),
        "happened": float(hits.mean()),
    }
