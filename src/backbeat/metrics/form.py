"""How the bars of a piece come back: the self-similarity of drums over short and long distances.

Conventions: ``hits`` bool [steps, 9] of ``drums_rnn_9``; ``first_steps`` int64 [bars + 1]. The similarity of two bars is the share of the hits
of either that both have (Jaccard); of two empty bars it is 1, of bars of different lengths 0. The *curve* is its mean over all pairs of bars so
many bars apart: what self-similarity matrices (Foote 1999) show, averaged along their diagonals. A loop has 1 everywhere, music that
never comes back falls to what two bars of its style share anyway, and verses and choruses make it rise again where they return.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Hits
from backbeat.metrics.checks import check_bars, check_hits
from backbeat.units import Floats, Ints

FARTHEST = 64
"""Bars apart up to which the curve goes."""


def validate(hits: Hits, first_steps: Ints) -> None:
    """Check that bars cover the hits.

    Raises:
        ValueError: hits are not bool [steps, 9], or the bars do not ascend from 0 to the number of steps.
    """
    check_hits(hits)
    check_bars(first_steps, len(hits), least=1)


def compare_bars(hits: Hits, first_steps: Ints) -> Floats:
    """float64 [bars, bars]: the self-similarity matrix."""
    validate(hits, first_steps)
    lengths = np.diff(first_steps)
    flat = np.zeros((len(lengths), int(lengths.max()) * hits.shape[1]), np.float64)
    for bar, (first, last) in enumerate(pairwise(first_steps.tolist())):
        flat[bar, : (last - first) * hits.shape[1]] = hits[first:last].ravel()
    both = flat @ flat.T
    counts = flat.sum(axis=1)
    either = counts[:, None] + counts[None] - both
    alike = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    return np.asarray(np.where(lengths[:, None] == lengths[None], alike, 0.0))


def measure_curve(hits: Hits, first_steps: Ints, farthest: int = FARTHEST) -> Floats:
    """float64 [farthest]: mean similarity of bars 1, 2, ... bars apart; nan where the piece is too short."""
    matrix = compare_bars(hits, first_steps)
    return np.array([np.diagonal(matrix, lag).mean() if lag < len(matrix) else np.nan for lag in range(1, farthest + 1)])


def shuffle_blocks(hits: Hits, first_steps: Ints, starts: Ints, rng: np.random.Generator) -> tuple[Hits, Ints]:
    """The same piece with its sections in another order.

    Args:
        hits, first_steps: the piece.
        starts: int64 [sections], the bar on which each section starts; the first is 0.
        rng: chooses the order.

    Returns:
        hits and first steps of the shuffled piece.

    Raises:
        ValueError: the sections do not ascend from bar 0.
    """
    validate(hits, first_steps)
    if len(starts) == 0 or starts[0] != 0 or np.any(np.diff(starts) <= 0) or starts[-1] >= len(first_steps) - 1:
        raise ValueError("sections start at ascending bars, the first at 0")
    ends = np.concatenate([starts[1:], [len(first_steps) - 1]])
    bars = np.concatenate([np.arange(starts[k], ends[k]) for k in rng.permutation(len(starts))])
    lengths = np.diff(first_steps)[bars]
    pieces: list[npt.NDArray[np.bool_]] = [hits[first_steps[b] : first_steps[b + 1]] for b in bars.tolist()]
    return np.concatenate(pieces), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def evaluate(hits: Hits, first_steps: Ints) -> dict[str, float]:
    """Mean similarity of bars 1-4, 5-16 and 17-64 apart, nan where the piece is too short."""
    curve = measure_curve(hits, first_steps)
    parts = {"form_near": curve[:4], "form_middle": curve[4:16], "form_far": curve[16:]}
    return {name: float(np.nanmean(part)) if np.isfinite(part).any() else float("nan") for name, part in parts.items()}
