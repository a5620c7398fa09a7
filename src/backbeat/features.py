"""Descriptors of a song's bars: what repeats, where sections turn. Pure functions over arrays.

Conventions: ``bars`` descriptors are float32 [bars, dimensions], rows of Euclidean length <= 1; a section start is the
first bar of a section. Novelty follows Foote (2000): the distance between what was and what comes, over windows of bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
LOOK_BACK = 1024
"""Bars searched backwards for a match; keeps very long songs bounded."""
_ROWS = 256
"""Bars of which the matches are sought at once."""


def normalise_rows(rows: npt.NDArray[np.floating[Any]]) -> Array:
    """Scale rows [n, d] to length 1; rows of zeros stay zero."""
    length = np.sqrt(np.add.reduce(rows * rows, axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(length, 1e-6, out=length), dtype=np.float32)


def compute_novelty(bars: Array, window: int) -> Array:
    """Squared distance between the means of the ``window`` bars before and after each bar line.

    Args:
        bars: float32 [bars, d] descriptors.
        window: bars on either side; fewer where the song begins or ends.

    Returns:
        float32 [bars]; entry b speaks of the line before bar b; entry 0 is 0.
    """
    return compute_novelties(bars, (window,))[0]


def compute_novelties(bars: Array, windows: Sequence[int]) -> list[Array]:
    """``compute_novelty`` for several windows."""
    count, reach = len(bars), max(windows)
    total = np.zeros((count + 1 + 2 * reach, bars.shape[1]))  # sums of the bars before each line, with margins in which nothing is added
    inner = total[reach + 1 : reach + 1 + count]
    inner[:] = bars
    np.add.accumulate(inner, axis=0, out=inner)
    total[reach + 1 + count :] = total[reach + count]
    out = []
    for window in windows:
        # The mean of the window that ends at each line: of all bars before the line where it begins before the song, and likewise behind the end.
        means = total[reach : reach + count + window] - total[reach - window : reach + count]
        if window > 1:
            line = np.arange(count + window)
            means /= np.maximum(np.minimum(np.minimum(line, window), line[::-1] + 1), 1)[:, None]
        change = np.subtract(means[:count], means[window:], out=means[:count])
        novelty = np.add.reduce(np.square(change, out=change), axis=1).astype(np.float32)
        novelty[:1] = 0
        out.append(novelty)
    return out


def find_section_starts(novelty: npt.NDArray[np.float32], reach: int = 3) -> npt.NDArray[np.bool_]:
    """Bars at which a section starts: local maxima of novelty, within ``reach`` bars, that stand out from the song.

    Args:
        novelty: float32 [bars].
        reach: no two starts lie this many bars apart or closer.

    Returns:
        bool [bars]; bar 0 is always a start (where there is one).
    """
    starts = np.zeros(len(novelty), dtype=np.bool_)
    if not len(novelty):
        return starts
    threshold = novelty.mean() + 0.5 * novelty.std()
    values = novelty.tolist()
    last = -reach - 1
    for bar in np.flatnonzero(novelty > threshold).tolist():
        if bar - last > reach and values[bar] >= max(values[max(0, bar - reach) : bar + reach + 1]):
            starts[bar], last = True, bar
    starts[0] = True
    return starts


def find_matches(bars: Array, lengths: npt.NDArray[np.int64], count: int = 2) -> tuple[npt.NDArray[np.int64], Array]:
    """The earlier bars that are most like each bar and its neighbours (one before, two after).

    Args:
        bars: float32 [bars, d], rows of length <= 1.
        lengths: int64 [bars] steps of each bar; only bars of the same length match.
        count: how many matches a bar gets.

    Returns:
        matches int64 [bars, count], best first, -1 where there is none, and their similarities float32 [bars, count].
    """
    total = len(bars)
    matches, similarity = np.full((total, count), -1, np.int64), np.zeros((total, count), np.float32)
    wide = _widen(bars)
    mixed = bool(total) and bool((lengths != lengths[0]).any())
    for low in range(0, total, _ROWS):
        high, first = min(low + _ROWS, total), max(0, low - LOOK_BACK)
        rows, earlier = np.arange(high - low), _weigh_earlier(low, first)[: high - low, : high - first]
        alike = wide[low:high].copy() @ wide[first:high].T + earlier
        if mixed:
            alike[lengths[first:high] != lengths[low:high, None]] = -np.inf
        for k in range(count):
            best = alike.argmax(axis=1)
            value = alike[rows, best]
            found = value > -np.inf
            np.copyto(matches[low:high, k], best + first, where=found)
            np.copyto(similarity[low:high, k], np.minimum(np.maximum(value, 0), 1), where=found, casting="same_kind")
            alike[rows, best] = -np.inf
    return matches, similarity


def _widen(bars: Array) -> Array:
    """float32 [bars, 4 d]: each bar beside the one before it and the two behind it, weighted."""
    total, size = bars.shape
    wide = np.zeros((total, 4 * size), np.float32)
    np.multiply(bars, 1.2, out=wide[:, :size])
    np.multiply(bars[:-1], 0.6, out=wide[1:, size : 2 * size])
    np.multiply(bars[1:], 0.8, out=wide[:-1, 2 * size : 3 * size])
    np.multiply(bars[2:], 0.6, out=wide[:-2, 3 * size :])
    wide /= 1.673
    return wide


@lru_cache(8)
def _weigh_earlier(low: int, first: int) -> npt.NDArray[np.float64]:
    """float64 [_ROWS, n] of the bars from ``low`` and those from ``first``: -inf where the second is not the earlier; else a trifle, the later the more."""
    column = np.arange(first, low + _ROWS)
    return np.where(column < np.arange(low, low + _ROWS)[:, None], 1e-6 * column, -np.inf)


def compute_similarity_back(bars: Array, back: int) -> Array:
    """float32 [bars]: cosine similarity of each bar with the bar ``back`` before it; 0 where there is none."""
    out = np.zeros(len(bars), np.float32)
    if len(bars) > back:
        alike = np.add.reduce(bars[back:] * bars[:-back], axis=1)
        np.minimum(np.maximum(alike, 0, out=alike), 1, out=out[back:])
    return out
