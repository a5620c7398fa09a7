"""The eight filters of melodies on a drum loop, after Tikhonov and Yamshchikov (arXiv 2007.06284, section 3.5), and how onsets meet drums.

Conventions: a loop is bool [64, 128], which pitches begin at each tick; it says nothing of lengths, so a tick without an onset is silent. A
filter is true where the loop is to be left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from backbeat.tonality.tonika import detect_tonika_key

Loop = npt.NDArray[np.bool_]
FEWEST_SOUNDS, LONGEST_PAUSE, WIDEST, FEWEST_NOTES, MOST_AT_ONCE, LARGEST_SHARE, TONE = 4, 16, 24, 3, 3, 0.75, 2


def is_sparse(loop: Loop, key: int = 0) -> bool:
    """It sounds on three or fewer ticks."""
    return int(loop.any(axis=1).sum()) < FEWEST_SOUNDS


def has_long_pause(loop: Loop, key: int = 0) -> bool:
    """More than 16 ticks in a row are silent, also before the first note or behind the last."""
    sounds = np.flatnonzero(loop.any(axis=1))
    return int(np.diff(sounds, prepend=-1, append=len(loop)).max()) - 1 > LONGEST_PAUSE


def has_clash(loop: Loop, key: int = 0) -> bool:
    """Two notes that begin together are a semitone or a tone apart."""
    return any(bool((loop[:, apart:] & loop[:, :-apart]).any()) for apart in range(1, TONE + 1))


def is_wide(loop: Loop, key: int = 0) -> bool:
    """There are more than two octaves between the lowest note and the highest."""
    pitches = np.flatnonzero(loop.any(axis=0))
    return len(pitches) > 0 and int(pitches[-1] - pitches[0]) > WIDEST


def is_monotonous(loop: Loop, key: int = 0) -> bool:
    """It has less than three different notes."""
    return int(loop.any(axis=0).sum()) < FEWEST_NOTES


def is_crowded(loop: Loop, key: int = 0) -> bool:
    """Four or more notes begin at once."""
    return len(loop) > 0 and int(loop.sum(axis=1).max()) > MOST_AT_ONCE


def is_dominated(loop: Loop, key: int = 0) -> bool:
    """One note makes up more than three quarters of all."""
    counts = loop.sum(axis=0)
    return int(counts.max(initial=0)) > LARGEST_SHARE * int(counts.sum())


def is_off_key(loop: Loop, key: int = 0) -> bool:
    """The original detector finds another key than the one that was asked for.

    Args:
        loop: bool [ticks, 128]; notes are read tick by tick, from low to high.
        key: 0-23, see ``tonality.scales``.
    """
    return detect_tonika_key(np.nonzero(loop)[1].tolist()) != key


FILTERS: dict[str, Callable[[Loop, int], bool]] = {
    "three sounds or fewer": is_sparse,
    "a pause of more than 16 ticks": has_long_pause,
    "a tone or semitone at once": has_clash,
    "more than two octaves": is_wide,
    "fewer than three notes": is_monotonous,
    "four or more at once": is_crowded,
    "one note more than 3/4": is_dominated,
    "another key": is_off_key,
}
"""The filters in the paper's order, by what they leave out."""


def list_faults(loop: Loop, key: int) -> list[str]:
    """Names of the filters that leave a loop out, [] for one that is accepted.

    Args:
        loop: bool [ticks, 128].
        key: that was asked for.
    """
    return [name for name, is_out in FILTERS.items() if is_out(loop, key)]


def count_faults(loops: Sequence[Loop], keys: Sequence[int]) -> tuple[float, dict[str, float]]:
    """Share of loops that are accepted, and of those that each filter leaves out.

    Args:
        loops: bool [ticks, 128] each.  keys: that were asked for.

    Raises:
        ValueError: there is no loop.
    """
    if not len(loops):
        raise ValueError("acceptance needs at least one loop")
    faults = [list_faults(loop, key) for loop, key in zip(loops, keys, strict=True)]
    counts = Counter(name for names in faults for name in names)
    return sum(not names for names in faults) / len(faults), {name: counts[name] / len(faults) for name in FILTERS}


def measure_coincidence(onsets: Sequence[npt.NDArray[np.bool_]], drums: Sequence[npt.NDArray[np.bool_]]) -> float:
    """Share of the steps with a melody onset at which a drum is struck, too; nan without onsets.

    Args:
        onsets, drums: bool [steps] each.
    """
    together = sum(int((a & b).sum()) for a, b in zip(onsets, drums, strict=True))
    total = sum(int(a.sum()) for a in onsets)
    return together / total if total else float("nan")
