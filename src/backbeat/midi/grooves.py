"""Song to Groove: the drum parts of a song on a grid."""

from __future__ import annotations

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
    notes = np.concatenate([np.zeros(0, dtype=NOTE_DTYPE), *(part.notes for part in song.drum_parts)])
    columns = _look_up(kit)[notes["pitch"]]
    here = columns >= 0
    strange = np.bincount(notes["pitch"][~here], minlength=128).tolist()
    unknown = {pitch: count for pitch, count in enumerate(strange) if count}
    known, columns = notes[here], columns[here]
    steps, offsets = grid.locate(known["onset"])
    stays = _choose_loudest(steps * len(kit) + columns, known["velocity"], offsets, grid.steps * len(kit))
    velocities = known["velocity"][stays].astype(np.float32) / 127
    found = DrumHits(steps[stays], columns[stays], velocities, _to_float32(offsets[stays]))
    return found, DrumReport(len(notes), len(known) - len(stays), unknown)


@cache
def _look_up(kit: Kit) -> Ints:
    return kit.lookup


def _choose_loudest(cells: Ints, velocities: npt.NDArray[np.uint8], offsets: Floats, size: int) -> Ints:
    """int64: the notes that stay, one a cell: the loudest; of equals, the one nearest to the step, of these the last."""
    crowded = np.bincount(cells, minlength=size).take(cells) > 1
    alone, several = np.flatnonzero(~crowded), np.flatnonzero(crowded)
    order = several[np.lexsort((-np.abs(offsets[several]), velocities[several], cells[several]))]
    last = np.append(np.diff(cells[order]) != 0, True)[: len(order)]
    return np.concatenate([alone, order[last]])


def _to_float32(offsets: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Narrow offsets without letting the largest round up to 0.5, which a groove refuses."""
    return np.clip(offsets.astype(np.float32), np.float32(-0.5), np.nextafter(np.float32(0.5), np.float32(0)))
