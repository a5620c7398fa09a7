"""How good sampled drum patterns are: the entropy filter, novelty however turned, and how much of a pattern survives a model.

The filter of the paper (Tikhonov, Yamshchikov, arXiv 2007.06284): a pattern passes if its step words have at least 0.9 nats of
entropy, and if no rotation of it stands in the training data. Measured on the published samples the first keeps 33.1 / 21.2 / 58.4 %
of AE / VAE / ACAI, both 2,795 / 1,672 / 5,581 of 10,000.

Conventions: patterns are uint16 [n, steps], see ``codecs.patterns``; a known pattern is given by its hash, which is that of all its
rotations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.patterns import Hits, Patterns, check_patterns, hash_patterns, measure_entropy, patterns_to_hits
from backbeat.metrics.checks import check_numbers

LEAST_ENTROPY = 0.9
"""Nats of the 32 step words that a generated pattern must have."""
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class FilterReport:
    """What a filter left of sampled patterns.

    Args:
        sampled: how many there were.
        rich: with enough entropy.
        novel: rich ones of which no rotation is known.
        distinct: different patterns up to rotation, of all that were sampled.
        distinct_rich, distinct_novel: the same of the rich and of the novel ones.
    """

    sampled: int
    rich: int
    novel: int
    distinct: int
    distinct_rich: int
    distinct_novel: int

    @property
    def pass_rate(self) -> float:
        """Share that has enough entropy, the paper's figure of quality."""
        return self.rich / max(1, self.sampled)


def is_rich(patterns: Patterns, least: float = LEAST_ENTROPY) -> npt.NDArray[np.bool_]:
    """Whether each pattern has enough entropy: bool [n].

    Args:
        patterns: uint16 [n, steps].
        least: nats.

    Raises:
        ValueError: they are no patterns.
    """
    check_patterns(patterns)
    return np.asarray(measure_entropy(patterns) >= least)


def is_novel(patterns: Patterns, known: Hashes) -> npt.NDArray[np.bool_]:
    """Whether no rotation of each pattern is known: bool [n].

    Args:
        patterns: uint16 [n, steps].
        known: uint64 [m], ``hash_patterns`` of what is known.

    Raises:
        ValueError: they are no patterns.
    """
    check_patterns(patterns)
    return np.asarray(~np.isin(hash_patterns(patterns), known))


def filter_patterns(patterns: Patterns, known: Hashes, least: float = LEAST_ENTROPY) -> FilterReport:
    """Count what the filter leaves.

    Args:
        patterns: uint16 [n, steps].
        known: uint64 [m], see ``is_novel``.
        least: nats.

    Raises:
        ValueError: they are no patterns.
    """
    rich, hashes = is_rich(patterns, least), hash_patterns(patterns)
    novel = rich & ~np.isin(hashes, known)
    counts = [len(np.unique(hashes[part])) for part in (np.ones_like(rich), rich, novel)]
    return FilterReport(len(patterns), int(rich.sum()), int(novel.sum()), *counts)


def measure_steps(patterns: Patterns, others: Patterns) -> float:
    """Share of steps whose words are exactly alike: the step accuracy of a reconstruction.

    Args:
        patterns, others: uint16 [n, steps].

    Raises:
        ValueError: they are no patterns of the same shape.
    """
    check_patterns(patterns)
    check_patterns(others)
    if patterns.shape != others.shape or not patterns.size:
        raise ValueError(f"patterns and reconstructions must be of one shape and not empty, not {patterns.shape} and {others.shape}")
    return float(np.mean(patterns == others))


def measure_hits(patterns: Patterns, others: Patterns) -> float:
    """F1 of the hits of a reconstruction.

    Args:
        patterns, others: uint16 [n, steps].

    Raises:
        ValueError: they are no patterns of the same shape.
    """
    check_patterns(patterns)
    check_patterns(others)
    ours, theirs = patterns_to_hits(patterns), patterns_to_hits(others)
    total = ours.sum() + theirs.sum()
    return float(2 * (ours & theirs).sum() / total) if total else 1.0


def count_smoothness(path: Hits) -> float:
    """Mean number of hits that change from one point of an interpolation to the next.

    Args:
        path: bool [points, steps, 14].

    Raises:
        ValueError: there are fewer than two points.
    """
    if path.ndim != 3 or len(path) < 2:
        raise ValueError(f"a path must be bool [points, steps, classes] of two points or more, not {path.shape}")
    return float((path[1:] != path[:-1]).sum() / (len(path) - 1))


def measure_purity(points: npt.NDArray[np.floating], labels: npt.NDArray[np.int64], neighbours: int = 10) -> float:
    """Mean share of each point's nearest neighbours that have its own label.

    Args:
        points: [n, dimensions].
        labels: int64 [n].
        neighbours: how many of the nearest count.

    Raises:
        ValueError: there are not more points than neighbours, or a point is not finite.
    """
    check_numbers(points, "points", 2)
    if not 0 < neighbours < len(points) or len(points) != len(labels):
        raise ValueError(f"{neighbours} neighbours of {len(points)} points with {len(labels)} labels")
    shares = []
    squares = (points.astype(np.float64) ** 2).sum(axis=1)
    for first in range(0, len(points), 1024):
        rows = points[first : first + 1024].astype(np.float64)
        distances = squares - 2 * rows @ points.T.astype(np.float64)
        distances[np.arange(len(rows)), first + np.arange(len(rows))] = np.inf
        nearest = np.argpartition(distances, neighbours, axis=1)[:, :neighbours]
        shares.append((labels[nearest] == labels[first : first + 1024, None]).mean(axis=1))
    return float(np.concatenate(shares).mean())
