"""What was played, as sound: a passage of a case, its band with any of its drum tracks.

All drum tracks of a case, the real ones too, are played in the same manner (``accent``), so that what is heard to differ is
which hits are played and not how loud.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Hits
from backbeat.errors import InputError
from backbeat.evaluation.results import Case
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import parse_song, splice_drums
from backbeat.render.passage import Samples, render_passage
from backbeat.render.text import find_beats
from backbeat.song import Song

ON_BEAT, ON_EIGHTH, BETWEEN = 104 / 127, 92 / 127, 80 / 127
"""Velocities of hits on a beat, halfway between two, and elsewhere."""

START_SHARE = 0.25
"""A passage begins after this share of the bars with drums: past the introduction, before the song is over."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """A passage of a case, ready to be played with any drums.

    Args:
        case: the piece.
        song: its file.
        first, last: the first bar and the one behind the last, 0-based.
    """

    case: Case
    song: Song
    first: int
    last: int

    @property
    def seconds(self) -> tuple[float, float]:
        """Where it starts and stops, in seconds from tick 0."""
        ticks = self.case.piece.grid.bar_ticks
        return self.song.tempo.seconds(int(ticks[self.first])), self.song.tempo.seconds(int(ticks[self.last]))

    def render(self, hits: Hits, *, seconds: float | None = None, soundfont: str | Path | None = None) -> Samples:
        """Sound of the band with these drums.

        Args:
            hits: bool [steps, 9] on the whole piece.
            seconds: longest sound; none = the whole passage.
            soundfont: an SF2 or SF3 file; none = the one that is shipped.

        Returns:
            float32 [frames, 2] at 48 kHz.

        Raises:
            InputError: there is nothing to hear.
        """
        start, stop = self.seconds
        stop = stop if seconds is None else min(stop, start + seconds)
        data = splice_drums(self.song, accent(hits, self.case.piece.grid))
        return render_passage(parse_song(data), start, stop, soundfont)


def open_excerpt(case: Case, seconds: float) -> Excerpt:
    """Choose a passage of at most so many seconds (one bar at least) and read the file it is from.

    Args:
        case: the piece.
        seconds: how long it may last.

    Raises:
        InputError: the file cannot be read, or its grid is not the one that was measured on.
    """
    song = parse_song(case.source.read())
    grid = case.piece.grid
    if not np.array_equal(song.grid(grid.steps_per_quarter).step_ticks, grid.step_ticks):
        raise InputError(f"{case.source.name}: its bars are not those of the file, so that it cannot be played")
    times = np.array([song.tempo.seconds(int(t)) for t in grid.bar_ticks])
    return Excerpt(case, song, *_choose_bars(case, times, seconds))


def _choose_bars(case: Case, times: npt.NDArray[np.float64], seconds: float) -> tuple[int, int]:
    """The first bar and the one behind the last: from a quarter of the bars with drums on, moved back where the end comes too soon."""
    played = np.flatnonzero(np.logical_or.reduceat(case.piece.words > 0, case.piece.grid.first_steps[:-1]))
    first, end = (int(played[int(len(played) * START_SHARE)]), int(played[-1]) + 1) if len(played) else (0, case.piece.grid.bars)
    while first > 0 and times[end] - times[first] < seconds and times[end] - times[first - 1] <= seconds:
        first -= 1
    last = int(np.searchsorted(times, times[first] + seconds + 1e-6, side="right")) - 1
    return first, max(first + 1, min(last, end))


def accent(hits: Hits, grid: Grid) -> Groove:
    """Hits as a groove that is played by the metre: strong on beats, softer on 8ths, softest between; nothing early or late.

    Args:
        hits: bool [steps, 9], classes of ``drums_rnn_9``.
        grid: the bars and steps.
    """
    strong = np.concatenate([find_beats(grid, bar) for bar in range(grid.bars)])
    eighth = grid.step_in_bar % max(1, grid.steps_per_quarter // 2) == 0
    level = np.where(strong, ON_BEAT, np.where(eighth, ON_EIGHTH, BETWEEN)).astype(np.float32)
    return Groove(grid, load_kit("drums_rnn_9"), hits, hits * level[:, None], np.zeros(hits.shape, np.float32))
