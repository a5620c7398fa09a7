"""Quality flags of a piece's drums, for the manifest: how they sit on the grid and in the bar, and what looks typed in.

Conventions: shares lie in 0-1; None where there is nothing to count. Drums are words of ``drums_rnn_9`` on a grid of steps.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from backbeat.datasets.preparation import Example

ON_GRID = 0.2
"""A hit less than so many steps early or late counts as on the grid."""
SHIFTED = 0.7
"""Share of on-beat snares on 1 and 3 above which a 4/4 piece counts as shifted against the metre (or in half time)."""


def flag(example: Example) -> dict[str, float | int | bool | None]:
    """The flags of a piece.

    Returns:
        ``grid_fit``: share of hits on the grid.  ``snare_backbeat``: share of the snares on beats of 4/4 bars that fall on 2 and 4.
        ``backbeat_shifted``: most of them fall on 1 and 3.  ``distinct_bars``: different bars of those with drums, as a share.
        ``one_bar_loop``: 32 bars or more with drums, and at most 3 different ones.  ``single_velocity``: all hits are equally loud.
        ``drum_bars``, ``hits``: how many.
    """
    hits = example.velocities > 0
    starts = np.concatenate([[0], np.cumsum(example.layout[:, 0])]).astype(np.int64)
    bars = [example.words[a:b].tobytes() for a, b in pairwise(starts) if example.words[a:b].any()]
    different = len(set(bars))
    late = np.abs(example.offsets[hits].astype(np.float64)) / 254
    backbeat = _backbeat_share(example, starts)
    return {
        "bars": len(example.layout),
        "drum_bars": len(bars),
        "hits": int(hits.sum()),
        "grid_fit": round(float((late < ON_GRID).mean()), 4) if hits.any() else None,
        "snare_backbeat": backbeat,
        "backbeat_shifted": backbeat is not None and 1 - backbeat > SHIFTED,
        "distinct_bars": round(different / max(len(bars), 1), 4),
        "one_bar_loop": len(bars) >= 32 and different <= 3,
        "single_velocity": len(np.unique(example.velocities[hits])) == 1,
    }


def _backbeat_share(example: Example, starts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float | None:
    """Share of snares on 2 and 4 among those on beats of whole 4/4 bars; None below eight of them."""
    quarter = example.steps_per_quarter
    four = starts[:-1][(example.layout[:, :3] == [4 * quarter, 4, 4]).all(axis=1)]
    beats = (example.words[four[:, None] + np.arange(4) * quarter] >> 1 & 1).sum(axis=0)
    return round(float((beats[1] + beats[3]) / beats.sum()), 4) if beats.sum() >= 8 else None
