"""Impossible places of a groove or a drum file, and grooves made playable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.song import Song
from backbeat.transforms.playability.limits import PLAYED, WRITTEN, Limits
from backbeat.transforms.playability.reasons import explain
from backbeat.transforms.playability.strokes import Timed, Verdict, judge
from backbeat.transforms.playability.surfaces import look_up_kit, look_up_notes
from backbeat.transforms.playability.weights import weigh
from backbeat.units import Floats, Ints, TempoMap


@dataclass(frozen=True)
class Conflict:
    """A place that nobody can play.

    Args:
        bar: from 0.
        seconds: from the start of the piece.
        what: names of what is struck too much there: what would have to be left out.
        among: names of everything that the same limbs play within a moment.
        why: in one sentence.
    """

    bar: int
    seconds: float
    what: tuple[str, ...]
    among: tuple[str, ...]
    why: str


class _Placed(NamedTuple):
    """Strokes in time with the bar of each (int64 [n]), and the order they were sorted from (int64 [n])."""

    strokes: Timed
    bars: Ints
    order: Ints


def find_conflicts(groove: Groove, tempo: TempoMap, limits: Limits = WRITTEN) -> list[Conflict]:
    """Where a groove asks more than two hands and two feet can do; [] = it can be played.

    Args:
        groove: in any kit; a class is struck where the note that is written for it stands in General MIDI.
        tempo: on the ticks of the groove's grid.
        limits: of hands and feet.
    """
    placed = _place_groove(groove, tempo)
    return _list_conflicts(placed, judge(placed.strokes, limits), limits)


def find_note_conflicts(song: Song, limits: Limits = PLAYED) -> list[Conflict]:
    """Where the drum parts of a file, together, ask more than one drummer can do.

    Args:
        song: its drum parts are read note by note, in seconds.
        limits: of hands and feet.
    """
    placed = _place_notes(song)
    return _list_conflicts(placed, judge(placed.strokes, limits), limits)


def make_playable(groove: Groove, tempo: TempoMap, limits: Limits = WRITTEN) -> Groove:
    """Take away hits until two hands and two feet can play the rest: the least important first, and none where it can be played already.

    Kick and snare on the beat and the crash that opens a bar are the last to go; hand percussion, the pedal hat and soft hits the first.

    Args:
        groove, tempo, limits: as in ``find_conflicts``, which finds nothing in what comes out.
    """
    while True:
        placed = _place_groove(groove, tempo)
        verdict = judge(placed.strokes, limits)
        if not verdict.impossible.any():
            return groove
        hits = groove.hits.copy()
        steps, columns = np.nonzero(hits)
        gone = placed.order[verdict.impossible]
        hits[steps[gone], columns[gone]] = False
        groove = groove.replace(hits=hits)


def assign_limbs(groove: Groove, tempo: TempoMap, limits: Limits = WRITTEN) -> Ints:
    """The sticking: who plays each hit.

    Args:
        groove, tempo, limits: as in ``find_conflicts``.

    Returns:
        int64 [steps, classes], a ``Limb`` where there is a hit, -1 elsewhere, and where nobody can play it.
    """
    placed = _place_groove(groove, tempo)
    limbs = np.full(groove.hits.shape, -1, dtype=np.int64)
    steps, columns = np.nonzero(groove.hits)
    limbs[steps[placed.order], columns[placed.order]] = judge(placed.strokes, limits).limbs
    return limbs


def assign_note_limbs(song: Song, limits: Limits = PLAYED) -> tuple[Timed, Ints, Ints]:
    """The strokes of a file's drum parts, the bar of each (int64 [n], from 0), and who plays it (int64 [n], a ``Limb``)."""
    placed = _place_notes(song)
    return placed.strokes, placed.bars, judge(placed.strokes, limits).limbs


def _place_groove(groove: Groove, tempo: TempoMap) -> _Placed:
    grid = groove.grid
    steps, columns = np.nonzero(groove.hits)
    ticks = grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64))
    surfaces, velocities = look_up_kit(groove.kit)[columns], groove.velocities[steps, columns].astype(np.float64)
    weights = weigh(surfaces, velocities, _find_places(grid, grid.step_ticks[steps]))
    return _sort(ticks, tempo, surfaces, velocities, weights, grid.bar_of_step[steps])


def _place_notes(song: Song) -> _Placed:
    grid = song.grid()
    notes = [part.notes for part in song.drum_parts]
    ticks, pitches, loud = (np.concatenate([n[name].astype(np.int64) for n in notes] or [np.zeros(0, np.int64)]) for name in ("onset", "pitch", "velocity"))
    surfaces = look_up_notes()[pitches]
    bars = np.clip(np.searchsorted(grid.bar_ticks, ticks, side="right") - 1, 0, max(0, grid.bars - 1))
    weights = weigh(surfaces, loud / 127, _find_places(grid, ticks))
    return _sort(ticks, song.tempo, surfaces, loud / 127, weights, bars)


def _sort(ticks: Ints, tempo: TempoMap, surfaces: Ints, velocities: Floats, weights: Floats, bars: Ints) -> _Placed:
    order = np.lexsort((surfaces, ticks))
    different, which = np.unique(ticks, return_inverse=True)
    seconds = np.array([tempo.seconds(t) for t in different.tolist()], dtype=np.float64)[which][order]
    return _Placed(Timed(seconds, surfaces[order], velocities[order], weights[order]), bars[order], order)


def _find_places(grid: Grid, ticks: Ints) -> Floats:
    """float64 [n]: quarters from the start of the bar that each tick is nearest to or in; 0 also for what comes a little early."""
    step, _ = grid.locate(ticks)
    return grid.step_in_bar[step] / grid.steps_per_quarter


def _list_conflicts(placed: _Placed, verdict: Verdict, limits: Limits) -> list[Conflict]:
    """One conflict for the strokes that nobody can play in one moment."""
    found: list[Conflict] = []
    strokes = np.flatnonzero(verdict.impossible)
    if not len(strokes):
        return found
    seconds = placed.strokes.seconds[strokes]
    new = np.concatenate([[True], (np.diff(seconds) > 0.035) | (np.diff(verdict.faults[strokes]) != 0) | (np.diff(placed.bars[strokes]) != 0)])
    for group in np.split(strokes, np.flatnonzero(new)[1:]):
        what, among, why = explain(placed.strokes, verdict, group, limits)
        found.append(Conflict(int(placed.bars[group[0]]), float(placed.strokes.seconds[group[0]]), what, among, why))
    return found
