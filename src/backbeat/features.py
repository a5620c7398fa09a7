"""Descriptors of a song's bars: what repeats, where sections turn. Pure functions over arrays.

Conventions: ``bars`` descriptors are float32 [bars, dimensions], rows of Euclidean length <= 1; a section start is the
first bar of a section. Novelty follows Foote (2000): the distance between what was and what comes, over windows of bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
LOOK_BACK = 1024
"""Bars searched backwards for a match; keeps very long songs bounded."""


def normalise_rows(rows: npt.NDArray[np.floating[Any]]) -> Array:
    """Scale rows [n, d] to length 1; rows of zeros stay zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-6), dtype=np.float32)


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
    np.cumsum(bars, axis=0, dtype=np.float64, out=total[reach + 1 : reach + 1 + count])
    total[reach + 1 + count :] = total[reach + count]
    line = np.arange(count)
    out = []
    for window in windows:
        left = total[reach : reach + count] - total[reach - window : reach - window + count]
        right = total[reach + window : reach + window + count] - total[reach : reach + count]
        left /= np.maximum(np.minimum(line, window), 1)[:, None]
        right /= np.maximum(np.minimum(count - line, window), 1)[:, None]
        left -= right
        novelty = np.square(left, out=left).sum(axis=1).astype(np.float32)
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
    padded = np.concatenate([np.zeros((1, bars.shape[1]), np.float32), bars, np.zeros((2, bars.shape[1]), np.float32)])
    wide = np.concatenate([padded[1 : total + 1] * 1.2, padded[:total] * 0.6, padded[2 : total + 2] * 0.8, padded[3 : total + 3] * 0.6], axis=1) / 1.673
    for low in range(0, total, 256):
        rows = np.arange(low, min(low + 256, total))
        first = max(0, low - LOOK_BACK)
        columns = np.arange(first, rows[-1] + 1)
        alike = wide[rows] @ wide[columns].T
        allowed = (columns[None, :] < rows[:, None]) & (lengths[columns][None, :] == lengths[rows][:, None])
        alike = np.where(allowed, alike + 1e-6 * columns[None, :], -np.inf)
        for k in range(count):
            best = alike.argmax(axis=1)
            value = alike[np.arange(len(rows)), best]
            found = np.isfinite(value)
            matches[rows[found], k] = columns[best[found]]
            similarity[rows[found], k] = np.clip(value[found], 0, 1)
            alike[np.arange(len(rows)), best] = -np.inf
    return matches, similarity


def compute_similarity_back(bars: Array, back: int) -> Array:
    """float32 [bars]: cosine similarity of each bar with the bar ``back`` before it; 0 where there is none."""
    out = np.zeros(len(bars), np.float32)
    if len(bars) > back:
        out[back:] = np.clip((bars[back:] * bars[:-back]).sum(axis=1), 0, 1)
    return out
