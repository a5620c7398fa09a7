"""Song to Groove: the drum parts of a song on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit
from backbeat.song import NOTE_DTYPE, Song


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


def extract_groove(song: Song, grid: Grid, kit: Kit) -> tuple[Groove, DrumReport]:
    """All drum parts of a song on a grid, with velocities (1-127 becomes 1/127 .. 1) and offsets.

    A hit before tick 0's step or after the last one keeps its offset, up to half a step.
    """
    notes = np.concatenate([np.zeros(0, dtype=NOTE_DTYPE), *(part.notes for part in song.drum_parts)])
    columns = kit.lookup[notes["pitch"]]
    strange = notes["pitch"][columns < 0]
    unknown = {int(n): int(c) for n, c in zip(*np.unique(strange, return_counts=True), strict=True)}
    known, columns = notes[columns >= 0], columns[columns >= 0]
    steps, offsets = grid.locate(known["onset"])
    # Written from soft to loud, so that the loudest of a cell is the one that stays; of equals, the one nearest to the step.
    order = np.lexsort((-np.abs(offsets), known["velocity"]))
    cells = steps[order], columns[order]
    shape = (grid.steps, len(kit))
    hits, velocities, late = np.zeros(shape, np.bool_), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    hits[cells] = True
    velocities[cells] = known["velocity"][order].astype(np.float32) / 127
    late[cells] = _to_float32(offsets[order])
    report = DrumReport(len(notes), len(known) - int(hits.sum()), unknown)
    return Groove(grid, kit, hits, velocities, late), report


def _to_float32(offsets: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Narrow offsets without letting the largest round up to 0.5, which a groove refuses."""
    return np.clip(offsets.astype(np.float32), np.float32(-0.5), np.nextafter(np.float32(0.5), np.float32(0)))
