"""Weak measures: usual in papers, easily won by nonsense. Never the reason to call a model good.

One loop repeated wins groove consistency and drum pattern consistency, noise wins the entropy filter, a plagiarist the overlap
area. So each is of use only as a *distance to the human figure* on the same kind of music, which is what ``evaluate`` gives: 0 is
as humans play, more is worse, whichever way.

Conventions: ``hits`` bool [steps, 9]; ``first_steps`` int64 [bars + 1]; ``words`` uint16 windows [n, steps]; nan where a
figure is not defined.

Sources: groove consistency, Wu and Yang 2020 (The Jazz Transformer on the Front Line) as in MusPy; drum pattern consistency,
Dong et al. 2018 (MuseGAN) as in MusPy; the entropy filter of drum_space; overlap area, Yang and Lerch 2020 (On the evaluation
of generative models in music).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from backbeat.codecs.words import Hits, Words
from backbeat.metrics.checks import check_numbers, check_words
from backbeat.metrics.fills import validate
from backbeat.units import Floats, Ints

MIN_ENTROPY = 0.9
"""Nats that the words of a pattern must have to pass the filter of drum_space."""
POINTS = 1000


def groove_consistency(hits: Hits, first_steps: Ints) -> float:
    """1 - the mean share of steps by which neighbouring bars differ in whether anything is struck.

    Only pairs of bars with as many steps count; nan where there is none.

    Args:
        hits: bool [steps, 9].
        first_steps: int64 [bars + 1].
    """
    validate(hits, first_steps)
    struck = np.asarray(hits.any(axis=1), dtype=np.bool_)
    bars = [struck[a:b] for a, b in pairwise(first_steps)]
    distances = [float((a != b).mean()) for a, b in pairwise(bars) if len(a) == len(b)]
    return 1 - float(np.mean(distances)) if distances else float("nan")


def drum_pattern_consistency(places: Ints, steps_per_quarter: int) -> float:
    """The larger of the shares of hits on the duple grid (16ths) and on the triple grid (8th triplets); nan without hits.

    On a grid of 16ths it is 1 for everybody; it says something on grids divisible by 3 and 4 (12, 24).

    Args:
        places: int64 [hits], steps counted from a quarter.
        steps_per_quarter: density of the grid.

    Raises:
        ValueError: the density is not positive, or places are no integers.
    """
    if steps_per_quarter < 1:
        raise ValueError("steps_per_quarter must be at least 1")
    if places.ndim != 1 or (len(places) and places.dtype.kind not in "iu"):
        raise ValueError(f"places must be integers [hits], not {places.dtype} {places.shape}")
    if not len(places):
        return float("nan")
    within = places % steps_per_quarter
    shares = [np.mean(within == 0)]
    shares += [np.mean(within % (steps_per_quarter // parts) == 0) for parts in (2, 3, 4) if steps_per_quarter % parts == 0]
    return float(max(shares))


def word_entropy(windows: Words) -> Floats:
    """float64 [n]: Shannon entropy of the words of each window, in nats.

    Args:
        windows: uint16 [n, steps].

    Raises:
        ValueError: windows are not [n, steps] with a step.
    """
    check_words(windows, 2)
    if not windows.shape[1]:
        raise ValueError(f"windows must be [n, steps], not {windows.shape}")
    same = windows[:, :, None] == windows[:, None, :]
    shares = same.mean(axis=2)  # of the window, the word that stands at each step
    return np.asarray(-np.log(shares).mean(axis=1), dtype=np.float64)


def entropy_pass(windows: Words, minimum: float = MIN_ENTROPY) -> float:
    """Share of windows whose words have at least ``minimum`` nats; nan of none.

    Args:
        windows: uint16 [n, steps].
        minimum: nats.
    """
    passed = word_entropy(windows) >= minimum - 1e-9
    return float(passed.mean()) if len(passed) else float("nan")


def overlap_area(first: Floats, second: Floats) -> float:
    """Area under both of two densities, 0-1, each a Gaussian kernel estimate with Scott's bandwidth; 1 = the same.

    Args:
        first, second: float [n] and [m], samples of a descriptor or of distances.

    Raises:
        ValueError: a sample has fewer than two different values, or is no array of finite numbers.
    """
    check_numbers(first, "first")
    check_numbers(second, "second")
    if any(len(np.unique(a)) < 2 for a in (first, second)):
        raise ValueError("an overlap area needs samples of two different values or more")
    widths = [float(a.std(ddof=1)) * len(a) ** -0.2 for a in (first, second)]
    margin = 4 * max(widths)
    low, high = min(first.min(), second.min()) - margin, max(first.max(), second.max()) + margin
    points = np.linspace(low, high, POINTS)
    densities = [_estimate(points, a, w) for a, w in zip((first, second), widths, strict=True)]
    return float(np.minimum(*densities).sum() * (points[1] - points[0]))


def _estimate(points: Floats, sample: Floats, width: float) -> Floats:
    kernels = np.exp(-0.5 * ((points[:, None] - sample) / width) ** 2)
    return np.asarray(kernels.mean(axis=1) / (width * np.sqrt(2 * np.pi)), dtype=np.float64)


def list_distances(first: Floats, second: Floats | None = None) -> Floats:
    """float64 [pairs]: Euclidean distances within a set (each pair once), or between two, as overlap areas compare them.

    Args:
        first: float [n, d], descriptors.
        second: float [m, d]; none = within ``first``.

    Raises:
        ValueError: they are no descriptors of one size.
    """
    for name, values in (("first", first), ("second", first if second is None else second)):
        check_numbers(values, name, 2)
        if values.shape[1] != first.shape[1]:
            raise ValueError(f"descriptors have one size, not {first.shape[1]} and {values.shape[1]}")
    other = first if second is None else second
    distances = np.sqrt(((first[:, None] - other[None]) ** 2).sum(axis=2))
    return np.asarray(distances[np.triu_indices(len(first), 1)] if second is None else distances.ravel(), dtype=np.float64)


def describe_bars(hits: Hits, first_steps: Ints) -> Floats:
    """float64 [9]: mean hits of each class in a bar, the descriptor whose overlap ``evaluate`` takes."""
    validate(hits, first_steps)
    return np.asarray(hits.sum(axis=0) / (len(first_steps) - 1), dtype=np.float64)


def distance_to_human(value: float, human: float) -> float:
    """|value - human|; nan where either is not defined."""
    return abs(value - human)


def evaluate(
    generated: Sequence[Hits], generated_bars: Sequence[Ints], generated_windows: Words, real: Sequence[Hits], real_bars: Sequence[Ints], real_windows: Words
) -> dict[str, float]:
    """Distances to the human figure, 0 = as humans: groove consistency, entropy filter, overlap area of hits per bar.

    The overlap's human figure is 1 (distances within real pieces against themselves); its sample is the distances between
    generated and real pieces.

    Args:
        generated, real: one bool [steps, 9] a piece.
        generated_bars, real_bars: one int64 [bars + 1] a piece.
        generated_windows, real_windows: uint16 [n, steps].
    """
    consistency = [_mean_defined([groove_consistency(h, f) for h, f in zip(*side, strict=True)]) for side in ((generated, generated_bars), (real, real_bars))]
    played, human = (np.array([describe_bars(h, f) for h, f in zip(*side, strict=True)]) for side in ((generated, generated_bars), (real, real_bars)))
    overlap = overlap_area(list_distances(played, human), list_distances(human))
    return {
        "weak_groove_consistency_distance": distance_to_human(*consistency),
        "weak_entropy_pass_distance": distance_to_human(entropy_pass(generated_windows), entropy_pass(real_windows)),
        "weak_overlap_area_distance": distance_to_human(overlap, 1.0),
    }


def _mean_defined(values: list[float]) -> float:
    kept = [v for v in values if not np.isnan(v)]
    return float(np.mean(kept)) if kept else float("nan")
