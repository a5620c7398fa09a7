"""What may be asked of a drummer: songs, takes and styles that are possible, what is known when some bars are played anew, and the generators of takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError, SongError
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.song import Song

STEPS_PER_QUARTER = 4
"""The drummers think in 16ths."""
MAX_STEPS_PER_QUARTER = 48
MAX_TAKES = 16
MAX_STEPS = 16_000
"""Longest song in 16ths, more than half an hour at 120 BPM, so that any file is done within 10 s; longer is the sign of a damaged file."""


def check_song(song: Song) -> None:
    """Refuse what cannot be accompanied.

    Raises:
        SongError: no notes, drums only, a single bar, or far too long.
    """
    where = song.source or "the song"
    if not any(len(p.notes) for p in song.parts):
        raise SongError(f"{where} has no notes: there is nothing to accompany")
    if not any(len(p.notes) for p in song.band):
        raise SongError(f"{where} has only drums: add the band's parts, a drummer follows them")
    first, last = min(int(p.notes["onset"].min()) for p in song.band if len(p.notes)), max(int(p.notes["onset"].max()) for p in song.band if len(p.notes))
    check_length(song)
    bars = np.searchsorted(song.grid().bar_ticks, [first, last], side="right")
    if bars[0] == bars[1]:
        raise SongError(f"{where} plays in one bar only: give at least two, so that there is something to follow")


def check_length(song: Song) -> None:
    """Refuse a song that is too long to be played.

    Raises:
        SongError: it has more than ``MAX_STEPS`` 16ths.
    """
    grid = song.grid()
    if grid.steps > MAX_STEPS:
        where = song.source or "the song"
        raise SongError(f"{where} has {grid.bars:,} bars, more than can be played ({MAX_STEPS:,} 16ths): look for an event far behind its end, or cut it")


def check_takes(takes: int, steps_per_quarter: int = STEPS_PER_QUARTER) -> None:
    """Refuse numbers of takes and grids that are out of range.

    Raises:
        InputError: one of them is.
    """
    if not 1 <= steps_per_quarter <= MAX_STEPS_PER_QUARTER:
        raise InputError(f"steps per quarter must lie in 1-{MAX_STEPS_PER_QUARTER}, not {steps_per_quarter}")
    if not 1 <= takes <= MAX_TAKES:
        raise InputError(f"takes must lie in 1-{MAX_TAKES}, not {takes}")


def check_style(style: str, styles: Sequence[str]) -> None:
    """Refuse a style that a drummer does not have.

    Raises:
        InputError: it is not among ``styles``.
    """
    if style not in styles:
        raise InputError(f"no style {style!r}: choose from {', '.join(styles)}")


def make_generators(seed: int, takes: int) -> list[np.random.Generator]:
    """One generator a take: take k is drawn with [seed, k], negative seeds apart."""
    return [np.random.default_rng([abs(seed), int(seed < 0), k]) for k in range(takes)]


def find_known_cells(grid: Grid, bars: Sequence[int], keep: Sequence[str] = ()) -> npt.NDArray[np.bool_]:
    """Bool [steps, 9]: cells of ``drums_rnn_9`` that stay when some bars are played anew, all of them outside these bars.

    Args:
        grid: bars and steps.
        bars: 0-based.  keep: classes that stay in these bars, too.

    Raises:
        InputError: there is no such bar or class.
    """
    outside = [b for b in bars if not 0 <= b < grid.bars]
    if outside:
        raise InputError(f"no bar {outside[0] + 1}: there are bars 1-{grid.bars}")
    mask = np.ones((grid.steps, 9), np.bool_)
    mask[np.isin(grid.bar_of_step, list(bars))] = False
    mask[:, [load_kit("drums_rnn_9").index(name) for name in keep]] = True
    return mask
