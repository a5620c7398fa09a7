"""Song to Groove: the drum parts of a song on a grid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit
from backbeat.song import NOTE_DTYPE, Song
from backbeat.units import Floats, Ints

_EARLIEST, _LATEST = np.float32(-0.5), np.nextafter(np.float32(0.5), np.float32(0))


@dataclass(frozen=True)
class DrumReport:
    """What became of a song's drum notes.

    Args:
        notes: drum notes in the song.
        merged: notes that left because a louder one of their class stood in the same step.
        unknown: number of notes by MIDI note that the kit does not know; they left, too.
    """

    notes: int
    merged: int
    unknown: dict[int, int]


class DrumHits(NamedTuple):
    """Hits of a groove, one a cell, in no order: int64 steps and columns, float32 velocities and offsets; [n] each."""

    steps: Ints
    columns: Ints
    velocities: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.float32]


def extract_groove(song: Song, grid: Grid, kit: Kit) -> tuple[Groove, DrumReport]:
    """All drum parts of a song on a grid, with velocities (1-127 becomes 1/127 .. 1) and offsets.

    A hit before tick 0's step or after the last one keeps its offset, up to half a step.
    """
    found, report = collect_hits(song, grid, kit)
    shape, cells = (grid.steps, len(kit)), (found.steps, found.columns)
    hits, velocities, late = np.zeros(shape, np.bool_), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    hits[cells], velocities[cells], late[cells] = True, found.velocities, found.offsets
    return Groove(grid, kit, hits, velocities, late), report


def collect_hits(song: Song, grid: Grid, kit: Kit) -> tuple[DrumHits, DrumReport]:
    """What ``extract_groove`` extracts, as a list of hits."""
    notes = np.frombuffer(b"".join([part.notes.tobytes() for part in song.drum_parts]), NOTE_DTYPE)  # ten times as fast as joining records
    onset, columns, velocity, unknown = notes["onset"].copy(), _look_up(kit).take(notes["pitch"]), notes["velocity"], dict[int, int]()
    if len(columns) and columns.min() < 0:
        here = (columns >= 0).nonzero()[0]
        unknown = dict(sorted(Counter(notes["pitch"][columns < 0].tolist()).items()))
        onset, columns, velocity = onset.take(here), columns.take(here), velocity.take(here)
    steps, offsets = grid.locate(onset)
    stays = _choose_loudest(steps * len(kit) + columns, velocity, offsets, grid.steps * len(kit))
    velocities: npt.NDArray[np.float32] = np.divide(velocity.take(stays), np.float32(127), dtype=np.float32)
    found = DrumHits(steps.take(stays), columns.take(stays), velocities, _to_float32(offsets.take(stays)))
    return found, DrumReport(len(notes), len(onset) - len(stays), unknown)


@cache
def _look_up(kit: Kit) -> Ints:
    return kit.lookup


def _choose_loudest(cells: Ints, velocities: npt.NDArray[np.uint8], offsets: Floats, size: int) -> Ints:
    """int64: the notes that stay, one a cell: the loudest; of equals, the one nearest to the step, of these the last."""
    crowded = np.bincount(cells, minlength=size).take(cells) > 1
    alone, several = (~crowded).nonzero()[0], crowded.nonzero()[0]
    if not len(several):
        return alone
    order = several.take(np.lexsort((-np.abs(offsets.take(several)), velocities.take(several), cells.take(several))))
    cell, last = cells.take(order), np.ones(len(order), np.bool_)
    np.not_equal(cell[1:], cell[:-1], out=last[:-1])
    return np.concatenate([alone, order[last]])


def _to_float32(offsets: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Narrow offsets without letting the largest round up to 0.5, which a groove refuses."""
    return np.minimum(np.maximum(offsets.astype(np.float32), _EARLIEST), _LATEST)
