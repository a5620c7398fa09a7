"""Play some bars of a song's own drums anew; every event outside them keeps its tick, its order and its bytes.

A note belongs to these bars if it begins between their bar lines and is nearest to a step of theirs: a hit that anticipates the
bar behind them stays, and so does one before them that anticipates their first. New notes begin and end between the bar lines.
Of a note that leaves, a note-off that lies behind the bars stays where it is; it ends nothing then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backbeat.asking import Wishes
from backbeat.drummer import Drummer, find_known_cells
from backbeat.errors import InputError, SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.midi import extract_groove
from backbeat.midi.exchange import exchange_notes
from backbeat.midi.restrike import NewNote, StruckNotes, find_struck
from backbeat.song import Song
from backbeat.takes import check_length
from backbeat.transforms.playability import make_playable
from backbeat.units import Ints

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Infilled:
    """A song with some bars of its drums played anew.

    Args:
        data: the file.
        groove: all its drums, in the drummer's kit.
        removed, added: notes that left and came.
        kept: notes between the bar lines that stayed.
    """

    data: bytes = field(repr=False)
    groove: Groove
    removed: int
    added: int
    kept: int


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is exchanged: the song's drum notes, which of them leave, the cells and the classes that stay, and the edges of the bars in ticks."""

    notes: StruckNotes
    columns: Ints
    leaving: Flags
    known: Flags
    stays: Flags
    runs: list[tuple[int, int]]
    kept: int


def infill_song(
    drummer: Drummer,
    song: Song,
    bars: Iterable[int],
    *,
    keep: Sequence[str] = (),
    takes: int = 1,
    style: str = "any",
    seed: int = 0,
    temperature: float | None = None,
    top_p: float | None = None,
    machine: bool = False,
    wishes: Wishes | None = None,
    watch: Callable[[float], None] | None = None,
) -> list[Infilled]:
    """Play some bars of a song's own drums anew.

    Args:
        drummer: who plays them.
        song: the song, with its drums.
        bars: 0-based.
        keep: classes that stay as they are in these bars, too: of ``drums_rnn_9``, or of the drummer's kit.
        takes: how many different takes.
        style, seed, temperature, top_p: see ``Drummer.accompany``.
        machine: also new hits that two hands and two feet cannot play.
        wishes, watch: see ``Drummer.accompany``.

    Returns:
        one result a take.

    Raises:
        SongError: the song has no drums, or is too long.
        InputError: there is no such bar or class, or an option is out of range.
    """
    where = song.source or "the song"
    if not any(len(p.notes) for p in song.drum_parts):
        raise SongError(f"{where} has no drums that could be played anew: 'backbeat accompany' adds some")
    check_length(song)
    grid, kit = song.grid(), drummer.model.kit
    groove = extract_groove(song, grid, kit)[0]
    plan = _plan(song, grid, kit, sorted(set(bars)), keep)
    played = drummer.redo_takes(song, groove, plan.known, takes, style=style, seed=seed, temperature=temperature, top_p=top_p, wishes=wishes, watch=watch)
    return [_write(song, plan, _drop_new(plan, new, song, machine=machine)) for new in played]


def _plan(song: Song, grid: Grid, kit: Kit, bars: Sequence[int], keep: Sequence[str]) -> _Plan:
    nine = load_kit("drums_rnn_9")
    group = kit.mapping(nine)
    unknown = [name for name in keep if name not in nine.names and name not in kit.names]
    if unknown:
        raise InputError(f"no class {unknown[0]!r} to keep: name {', '.join(nine.names)}, or one of 'backbeat kits {kit.name}'")
    known = find_known_cells(grid, bars, [name for name in keep if name in nine.names])
    stays = np.array([name in keep or nine.names[group[c]] in keep for c, name in enumerate(kit.names)])
    notes = find_struck(song)
    columns, steps = kit.lookup[notes.pitch], grid.locate_steps(notes.tick)
    among = np.zeros(grid.bars, np.bool_)
    among[list(bars)] = True
    bar = np.clip(np.searchsorted(grid.bar_ticks, notes.tick, side="right") - 1, 0, grid.bars - 1)
    inside = among[bar] & among[grid.bar_of_step[steps]]
    leaving = inside & (columns >= 0) & ~stays[columns]
    staying = ~leaving & (columns >= 0)
    known[steps[staying], group[columns[staying]]] = True
    return _Plan(notes, columns, leaving, known, stays, _find_runs(grid, bars), int(np.count_nonzero(among[bar] & ~leaving)))


def _find_runs(grid: Grid, bars: Sequence[int]) -> list[tuple[int, int]]:
    """First tick of each run of bars, and the one behind its last."""
    edges = [0, *(k for k, (a, b) in enumerate(pairwise(bars), 1) if b > a + 1), len(bars)]
    return [(int(grid.bar_ticks[bars[a]]), int(grid.bar_ticks[bars[b - 1] + 1])) for a, b in pairwise(edges) if b > a]


def _find_new(plan: _Plan, groove: Groove) -> Flags:
    """Bool [steps, classes of the kit]: the hits that were played anew."""
    return np.asarray(groove.hits & ~plan.known[:, groove.kit.mapping(load_kit("drums_rnn_9"))], dtype=np.bool_)


def _drop_new(plan: _Plan, groove: Groove, song: Song, *, machine: bool) -> Groove:
    """Without new hits of a class that is kept (one of the drummer's own kit, whose word others share, may have got some), and without those
    that two hands and two feet could not play together with what stays.
    """
    groove = groove.replace(hits=groove.hits & ~(_find_new(plan, groove) & plan.stays))
    if machine:
        return groove
    return groove.replace(hits=make_playable(groove, song.tempo).hits | groove.hits & ~_find_new(plan, groove))


def _write(song: Song, plan: _Plan, groove: Groove) -> Infilled:
    notes, leaving = plan.notes, defaultdict[int, set[int]](set)
    for track, on, off, end, tick in zip(*(a[plan.leaving].tolist() for a in (notes.track, notes.on, notes.off, notes.end, notes.tick)), strict=True):
        leaving[track].add(on)
        if off >= 0 and any(first <= tick < last and end < last for first, last in plan.runs):
            leaving[track].add(off)
    coming = _plan_notes(plan, groove)
    return Infilled(exchange_notes(song, leaving, coming), groove, int(plan.leaving.sum()), len(coming), plan.kept)


def _plan_notes(plan: _Plan, groove: Groove) -> list[NewNote]:
    """The new hits as notes: half a step long, where and on which note the song itself plays their class."""
    kit, grid = groove.kit, groove.grid
    steps, columns = np.nonzero(_find_new(plan, groove))
    ticks = grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64))
    velocities = np.clip(np.floor(groove.velocities[steps, columns].astype(np.float64) * 127 + 0.5), 1, 127).astype(np.int64)
    lengths = np.maximum(1, np.floor(grid.step_lengths[steps] / 2 + 0.5)).astype(np.int64)
    places, sounding = _find_places(plan, kit), _find_staying(plan)
    out: dict[tuple[int, int, int, int], NewNote] = {}
    for step, column, tick, velocity, length in zip(*(a.tolist() for a in (steps, columns, ticks, velocities, lengths)), strict=True):
        first, last = next(run for run in plan.runs if run[0] <= grid.step_ticks[step] < run[1])
        start = min(max(tick, first), last - 1)
        key = track, channel, pitch = places[column]
        end = _find_end(start, min(start + length, last - 1), last, sounding[key])
        if (*key, start) not in out:
            out[*key, start] = NewNote(track, channel, pitch, velocity, start, max(end, start + 1))
    return sorted(out.values(), key=lambda n: (n.tick, n.pitch))


def _find_places(plan: _Plan, kit: Kit) -> list[tuple[int, int, int]]:
    """Track, channel and MIDI note that the song uses most for each class; what it lacks goes to its fullest drum part."""
    notes = plan.notes
    keys = list(zip(notes.track.tolist(), notes.channel.tolist(), notes.pitch.tolist(), strict=True))
    parts, by_column = defaultdict[tuple[int, int], int](int), defaultdict[int, dict[tuple[int, int, int], int]](dict)
    for key, column in zip(keys, plan.columns.tolist(), strict=True):
        parts[key[:2]] += 1
        by_column[column][key] = by_column[column].get(key, 0) + 1
    fullest = max(parts, key=lambda part: (parts[part], -part[0]))
    return [max(by_column[c], key=lambda k: (by_column[c][k], k)) if by_column[c] else (*fullest, int(kit.written[c])) for c in range(len(kit))]


def _find_staying(plan: _Plan) -> dict[tuple[int, int, int], list[tuple[int, int]]]:
    """Onset and end of the notes that stay, by track, channel and MIDI note."""
    notes, stay = plan.notes, ~plan.leaving
    found = defaultdict[tuple[int, int, int], list[tuple[int, int]]](list)
    for track, channel, pitch, tick, end in zip(*(a[stay].tolist() for a in (notes.track, notes.channel, notes.pitch, notes.tick, notes.end)), strict=True):
        found[track, channel, pitch].append((tick, end))
    return found


def _find_end(start: int, end: int, last: int, staying: Sequence[tuple[int, int]]) -> int:
    """Where a new note ends, so that the notes of its pitch that stay end as before: behind those that sound, before those that follow."""
    for onset, off in staying:
        if onset <= start < off < last:
            end = max(end, off)
        elif start < onset < end:
            end = onset
    return end
