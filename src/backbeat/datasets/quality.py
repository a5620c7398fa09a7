"""Quality flags of a piece's drums, for the manifest: how they sit on the grid and in the bar, and what looks typed in.

Conventions: shares lie in 0-1; None where there is nothing to count. Drums are words of ``drums_rnn_9`` on a grid of steps.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from backbeat.datasets.preparation import OFFSET_SCALE, Example

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
    hits = (example.velocities.reshape(-1) > 0).nonzero()[0]
    starts = np.zeros(len(example.layout) + 1, np.int64)
    np.cumsum(example.layout[:, 0], out=starts[1:])
    words, edges = example.words.tobytes(), (2 * starts).tolist()
    bars = [bar for a, b in pairwise(edges) if (bar := words[a:b]).count(0) < b - a]
    different = len(set(bars))
    late, loud = example.offsets.reshape(-1).take(hits), example.velocities.reshape(-1).take(hits)
    backbeat = _backbeat_share(example, starts)
    return {
        "bars": len(example.layout),
        "drum_bars": len(bars),
        "hits": len(hits),
        "grid_fit": round(int(np.count_nonzero(np.abs(late, dtype=np.int16) < ON_GRID * OFFSET_SCALE)) / len(hits), 4) if len(hits) else None,
        "snare_backbeat": backbeat,
        "backbeat_shifted": backbeat is not None and 1 - backbeat > SHIFTED,
        "distinct_bars": round(different / max(len(bars), 1), 4),
        "one_bar_loop": len(bars) >= 32 and different <= 3,
        "single_velocity": bool(len(loud)) and bool((loud == loud[0]).all()),
    }


def _backbeat_share(example: Example, starts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float | None:
    """Share of snares on 2 and 4 among those on beats of whole 4/4 bars; None below eight of them."""
    quarter, (steps, numerators, denominators) = example.steps_per_quarter, example.layout[:, :3].T
    four = starts[:-1][(steps == 4 * quarter) & (numerators == 4) & (denominators == 4)]
    beats = [int(np.count_nonzero(example.words.take(four + beat * quarter) & 2)) for beat in range(4)]
    return round((beats[1] + beats[3]) / sum(beats), 4) if sum(beats) >= 8 else None
