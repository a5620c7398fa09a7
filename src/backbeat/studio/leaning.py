"""The same hits with another feel: swing, push, tightness and dynamics as they are asked for, as ``backbeat humanise`` does it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backbeat.groove import Groove
from backbeat.humanising import Wish, humanise
from backbeat.humanising.measuring import match_notes
from backbeat.midi import parse_song
from backbeat.midi.restrike import find_struck
from backbeat.midi.writer import build_song
from backbeat.performer import Playing
from backbeat.studio.drums import LATEST, Flags
from backbeat.studio.settings import Values
from backbeat.studio.windows import Window
from backbeat.transforms.feel import Feel
from backbeat.units import Ints

Singles = npt.NDArray[np.float32]
LOUDER = (0.5, 2.0)
"""By how much hits are struck softer or harder, at the most, so that they are as loud as those beside them."""
_LOUD, _TURNS = 96 / 127, 4


def read_feel(settings: Values) -> Feel | None:
    """The swing and the push of a song's settings; none where none is set.

    Args:
        settings: of the song.
    """
    if settings["swing"] is None and settings["push_ms"] is None:
        return None
    return Feel(swing=settings["swing"], late_ms=settings["push_ms"])


def lean(groove: Groove, cells: Flags, window: Window, feel: Feel | None) -> Groove:
    """Hits with a swing and a push, else played as they are; a hit that comes nearer to another step goes there, if no other is on it.

    Args:
        groove: of the window.
        cells: bool [steps, classes], of which hits are moved, and to which they may be.
        window: the bars.
        feel: what is asked for; none leaves them where they are.
    """
    if feel is None or not (groove.hits & cells).any():
        return groove
    return _play(groove, cells, window, Wish(keep_velocity=True, keep_timing=True, feel=feel))


def play_again(groove: Groove, cells: Flags, window: Window, playing: Playing, feel: Feel | None, seed: int) -> Groove:
    """The same hits played anew: bars stay as loud as they are, ghost notes and accents what they are.

    Args:
        groove, cells, window, feel: see ``lean``; without a feel the swing stays, and the whole kit where it is.
        playing: style, tightness and dynamics.
        seed: the same plays the same.
    """
    swing, push = (None, None) if feel is None else (feel.swing, feel.late_ms)
    asked = Feel(swing=swing, late_ms=push, tightness=playing.tightness, dynamics=playing.dynamics)
    played = _play(groove, cells, window, Wish(playing=replace(playing, tightness=1.0, dynamics=1.0), feel=asked, seed=seed))
    return played.replace(velocities=np.where(played.hits & cells, _keep_loudness(groove, played), played.velocities).astype(np.float32))


def _keep_loudness(before: Groove, played: Groove) -> Singles:
    """float32 [steps, classes]: velocities as played, every bar as loud as it was; where all is struck as hard as can be, room is left for accents."""
    first, bar = before.grid.first_steps[:-1], before.grid.bar_of_step
    was, now = (np.add.reduceat(g.velocities.sum(axis=1, dtype=np.float64), first) for g in (before, played))
    room = min(1.0, _LOUD / max(float(before.velocities[before.hits].mean()), 1e-6))
    force = np.ones(len(first))
    for _ in range(_TURNS):  # what is cut off at 127 is made up for by the others
        force = np.clip(force * room * was / np.maximum(now, 1e-6), *LOUDER)
        loud = np.clip(np.floor(played.velocities * force[bar][:, None] * 127 + 0.5), 1, 127) / 127
        now = np.add.reduceat(np.where(played.hits, loud, 0).sum(axis=1), first)
    return np.asarray(loud, dtype=np.float32)


def _play(groove: Groove, cells: Flags, window: Window, wish: Wish) -> Groove:
    """The hits of some cells as they are humanised."""
    song = parse_song(build_song(groove, window.tempo, window.metre))
    before = find_struck(song)
    done = humanise(song, wish)
    ticks, loud = match_notes(before, find_struck(replace(parse_song(done.data), parts=song.parts)))
    steps, offsets = groove.grid.locate(ticks)
    written = groove.kit.lookup[before.pitch]
    old = _find_hits(groove, before.tick, written)
    here = np.flatnonzero((old >= 0) & cells[old, written])
    rows = zip(*(a[here].tolist() for a in (written, old, steps, offsets, loud)), strict=True)
    return _move(groove, cells, list(rows))


def _find_hits(groove: Groove, ticks: Ints, columns: Ints) -> Ints:
    """int64 [n]: the step of the hit that wrote each note, -1 where none is found."""
    rows, classes = np.nonzero(groove.hits)
    at = np.maximum(0, groove.grid.ticks(rows, groove.offsets[rows, classes].astype(np.float64)))
    there = {(tick, column): step for tick, column, step in zip(at.tolist(), classes.tolist(), rows.tolist(), strict=True)}
    return np.array([there.get(key, -1) for key in zip(ticks.tolist(), columns.tolist(), strict=True)], dtype=np.int64)


def _move(groove: Groove, cells: Flags, rows: list[tuple[int, int, int, float, int]]) -> Groove:
    """Hits at other steps and offsets; of those that would change their step, only those whose new one is free and among the cells do.

    Args:
        groove: of a window.
        cells: bool [steps, classes].
        rows: column, step, new step, new offset and MIDI velocity of each hit.
    """
    hits, velocities, offsets = groove.hits.copy(), groove.velocities.copy(), groove.offsets.copy()
    grid = groove.grid
    for column, was, now, offset, loud in sorted(rows):
        same_bar = grid.bar_of_step[now] == grid.bar_of_step[was]
        if now != was and (hits[now, column] or not cells[now, column] or not same_bar or abs(now - was) > 1):
            now, offset = was, (-0.5 if now < was else LATEST)
        hits[was, column], velocities[was, column], offsets[was, column] = False, 0, 0
        hits[now, column], velocities[now, column], offsets[now, column] = True, loud / 127, np.clip(offset, -0.5, LATEST)
    return Groove(grid, groove.kit, hits, velocities, offsets)
