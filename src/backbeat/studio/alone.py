"""Drums without a band to follow: bars are played before the first one, and behind the last one of a short piece, and left out.

A drummer who begins with a song's first bar often waits for the band, and one who sees the last bar ends; where there is no band, the beat
is wanted at once, and a few bars are there to be repeated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.asking import Wishes
from backbeat.cues import hear_nothing
from backbeat.drummer import Drummer
from backbeat.errors import SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.song import Song
from backbeat.takes import check_song

LEAD, TAIL = 4, 2
"""Bars that are played before the first one, and behind the last one of a piece that is ``SHORT``."""
SHORT = 8
"""A piece with fewer bars is there to be repeated: it does not end."""


def stands_alone(song: Song) -> bool:
    """Whether there is no band to follow, or one that plays in a single bar only.

    Args:
        song: the song, or bare bars.
    """
    try:
        check_song(song)
    except SongError:
        return True
    return False


def play_alone(drummer: Drummer, grid: Grid, qpm: npt.NDArray[np.float32], takes: int, wishes: Wishes | None = None, **options: Any) -> list[Groove]:  # noqa: ANN401 - as the drummer takes them
    """Takes without a band.

    Args:
        drummer: who plays.
        grid: the bars, in 16ths.
        qpm: float32 [bars], quarters a minute.
        takes: how many.
        wishes: what is asked for in each bar.
        options: see ``Drummer.play_cues``.

    Raises:
        InputError: an option is out of range.
    """
    around = (LEAD, TAIL if grid.bars < SHORT else 0)
    longer = _lay_around(grid, *around)
    asked = None if wishes is None else _ask_around(wishes, *around)
    cues = replace(hear_nothing(longer), qpm=np.pad(qpm, around, mode="edge"))
    played = drummer.play_cues(cues, takes, band=False, wishes=asked, **options)
    steps = slice(int(longer.first_steps[LEAD]), int(longer.first_steps[LEAD]) + grid.steps)
    return [Groove(grid, g.kit, g.hits[steps], g.velocities[steps], g.offsets[steps]) for g in played]


def _lay_around(grid: Grid, before: int, behind: int) -> Grid:
    """The bars between others like the first and like the last."""
    lengths = np.pad(np.diff(grid.bar_ticks), (before, behind), mode="edge")
    ticks = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    bars = [0] * before + list(range(grid.bars)) + [grid.bars - 1] * behind
    quarters = tuple(grid.bar_quarters[bar] for bar in bars)
    numerators, denominators = (tuple(metre[bar] for bar in bars) for metre in (grid.numerators, grid.denominators))
    return Grid(ticks, quarters, numerators, denominators, grid.steps_per_quarter)


def _ask_around(wishes: Wishes, before: int, behind: int) -> Wishes:
    """What is asked for, also of the bars around: as in the first and in the last, but for their fills."""
    density, intensity = (np.pad(values, (before, behind), mode="edge") for values in (wishes.density, wishes.intensity))
    fills = np.pad(wishes.fills, (before, behind), constant_values=np.nan)
    return Wishes(density, intensity, fills, wishes.styles[:1] * before + wishes.styles + wishes.styles[-1:] * behind)
