"""From what a drummer decided to what is written: the band's timing, the grid, hands and feet, the end of the song."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backbeat.asking import Wishes
from backbeat.cues import Cues
from backbeat.groove import Groove
from backbeat.song import Song
from backbeat.takes import STEPS_PER_QUARTER
from backbeat.touch import TOUCH, Touch, play_by_hand
from backbeat.transforms import follow_timing, quantise

TAKES = 64
"""Takes of one seed whose performances differ."""


def finish(
    grooves: Sequence[Groove],
    cues: Cues,
    song: Song,
    steps_per_quarter: int = STEPS_PER_QUARTER,
    touch: Touch = TOUCH,
    seed: int = 0,
    wishes: Wishes | None = None,
    watch: Callable[[float], None] | None = None,
) -> list[Groove]:
    """Grooves on the song's 16ths with the band's timing, on the grid that is asked for, played by hand, ending with the band.

    Args:
        grooves: takes on ``song.grid()``, without offsets.
        cues: what the band plays there.
        song: the song.
        steps_per_quarter: density of the grid of the result.
        touch: how the hits are played.
        seed: of the performer; each take is played differently.
        wishes: the styles and the loudness of bars.
        watch: called with the share that is done, 0-1.
    """
    finished = [follow_timing(groove, cues) for groove in grooves]
    if steps_per_quarter != STEPS_PER_QUARTER:
        grid = song.grid(steps_per_quarter)
        finished = [quantise(groove, grid) for groove in finished]
    played = []
    for take, groove in enumerate(finished):
        played.append(end_with_band(play_by_hand(groove, song.tempo, touch, seed=TAKES * abs(seed) + take, wishes=wishes), song))
        if watch is not None:
            watch((take + 1) / len(finished))
    return played


def end_with_band(groove: Groove, song: Song) -> Groove:
    """Without the hits that, with their offsets, fall at or behind the end of the band's last note."""
    end = max(int(p.notes["end"].max()) for p in song.band if len(p.notes))
    steps, columns = np.nonzero(groove.hits)
    late = groove.grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64)) >= end
    hits = groove.hits.copy()
    hits[steps[late], columns[late]] = False
    return groove.replace(hits=hits)
