"""How original human drum tracks are: some training tracks, each against all others but its near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backbeat.originality.compare import find_run, find_windows, summarise
from backbeat.originality.index import BARS, Index
from backbeat.originality.results import Summary
from backbeat.originality.tracks import Library, Track
from backbeat.units import Ints

HUMANS = 100
"""At most so many training tracks, evenly chosen, are compared with the others to know how original human tracks are."""


def list_humans(library: Library, most: int = HUMANS) -> Ints:
    """The training tracks that stand for human ones: evenly chosen, at most so many."""
    return np.unique(np.linspace(0, len(library.names) - 1, min(most, len(library.names))).astype(np.int64))


def take_track(library: Library, number: int) -> Track:
    """A training track by its number."""
    bars = np.flatnonzero(library.bar_tracks == number)
    start = int(library.track_places[number])
    end = int(library.bars[bars[-1]] + library.bar_steps[bars[-1]])
    first = np.append(library.bars[bars], end).astype(np.int64) - start
    return Track(library.names[number], np.asarray(library.words[start:end]), first)


def measure_humans(index: Index, most: int = HUMANS, progress: Callable[[int], None] = lambda done: None) -> dict[str, Any]:
    """How original human tracks are: some training tracks, each against all others.

    Returns:
        ``tracks``: how many; ``windows``: by number of bars, the median of the tracks' median distances and shares, and the mean share of
        exact copies; ``run_steps``, ``run_bars``: 10 %, 50 % and 90 % quantiles of the longest run. {} where there are not two tracks.
    """
    if len(index.library.names) < 2:
        return {}
    summaries, runs = list[Summary](), []
    numbers = list_humans(index.library, most)
    for done, number in enumerate(numbers.tolist(), 1):
        track, group = take_track(index.library, number), int(index.library.track_groups[number])
        for bars in BARS:
            summaries += summarise(find_windows(index, track, bars, exclude=group, sources=0))
        run = find_run(index, track, exclude=group, sources=0)
        runs.append((run.steps, run.bars) if run else (0, 0.0))
        progress(done)
    quantiles = np.percentile(np.array(runs, dtype=np.float64), (10, 50, 90), axis=0).round(2)
    return {
        "tracks": len(numbers),
        "windows": {str(bars): _pool([s for s in summaries if s.bars == bars]) for bars in BARS if any(s.bars == bars for s in summaries)},
        "run_steps": quantiles[:, 0].tolist(),
        "run_bars": quantiles[:, 1].tolist(),
    }


def _pool(summaries: Sequence[Summary]) -> dict[str, float]:
    return {
        "median_distance": float(np.median([s.median_distance for s in summaries])),
        "median_share": round(float(np.median([s.median_share for s in summaries])), 4),
        "exact_copies": round(float(np.mean([s.exact_copies for s in summaries])), 4),
        "far": round(float(np.mean([s.far for s in summaries])), 4),
    }
