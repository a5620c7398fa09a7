"""Ornaments as strokes to be played, and as notes to be written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.strokes import Strokes
from backbeat.midi import parse_song
from backbeat.midi.reading import Reading
from backbeat.midi.restrike import NewNote, StruckNotes, restrike
from backbeat.song import Song
from backbeat.transforms.ornaments import Ornament, Ornaments, Scene, choose_ghosts, choose_graces, draw_graces, list_ghost_places
from backbeat.transforms.playability import find_note_conflicts
from backbeat.units import Floats, Ints

SNARES = (38, 40)
SOFT, SOFTEST, LOUDEST = 0.25, 8, 44
"""Velocity (0-1) of a ghost before it is played; the softest and loudest (MIDI) it may become."""

_NEAR_SECONDS, _TURNS = 0.25, 6
"""No ornament so near to what cannot be played; rounds of looking for that."""


@dataclass(frozen=True, eq=False)
class Score:
    """Strokes to be played: those of the file, then the ghost notes that were added; m in all.

    Args:
        strokes: ``places`` are those of the file.
        straight: float64 [m].  binary: bool [m].  drift: float64 [m], ms.  See ``Reading``.
        given: float64 [m], lateness in the file, drift included, ms.
        weights: float64 [m], notes that a stroke stands for.
        own: how many are of the file.
    """

    strokes: Strokes
    straight: Floats
    binary: npt.NDArray[np.bool_]
    drift: Floats
    given: Floats
    weights: Floats
    own: int


def find_snare(notes: StruckNotes) -> tuple[int, int, int] | None:
    """Track, channel and pitch of the snare that is struck most; none where there is none."""
    snare = np.isin(notes.pitch, SNARES)
    if not snare.any():
        return None
    keys, counts = np.unique(np.stack([notes.track[snare], notes.channel[snare], notes.pitch[snare]], axis=1), axis=0, return_counts=True)
    track, channel, pitch = keys[int(counts.argmax())].tolist()
    return track, channel, pitch


def add_ghosts(score: Score, scene: Scene, reading: Reading, asked: Ornaments, rng: np.random.Generator, sound: Floats) -> Score:
    """The score with ghost notes.

    Args:
        score: strokes of the file.
        scene: the same, as they nominally sound.
        reading: of the file.
        asked: how many.
        rng: the same state adds the same.
        sound: float64 [16], sounding place of each 16th of a quarter-long pair, by which straight places are swung; see ``Session``.
    """
    bars, places = list_ghost_places(scene)
    if find_snare(reading.notes) is None or not len(bars):
        return score
    strokes = score.strokes
    first = np.searchsorted(strokes.bars, bars)
    swung = np.floor(places) + np.interp(places % 1, np.arange(len(sound)) / (len(sound) - 1), sound)
    seconds = reading.clock.seconds_at(strokes.starts[first] + swung)
    inside = seconds < reading.clock.seconds(reading.notes.tick.max(keepdims=True))[0] - 1e-3
    chosen = choose_ghosts(scene, bars[inside], places[inside], seconds[inside], asked.amount, rng)
    rows = np.flatnonzero(inside)[chosen]
    first, count = first[rows], len(rows)
    column = strokes.kit.index("snare")
    joined = Strokes(
        strokes.kit,
        np.concatenate([strokes.columns, np.full(count, column)]),
        np.concatenate([strokes.bars, strokes.bars[first]]),
        np.concatenate([strokes.places, places[rows]]),
        np.concatenate([strokes.bar_quarters, strokes.bar_quarters[first]]),
        np.concatenate([strokes.beat_quarters, strokes.beat_quarters[first]]),
        np.concatenate([strokes.starts, strokes.starts[first]]),
        np.concatenate([strokes.qpm, strokes.qpm[first]]),
        np.concatenate([strokes.velocities, np.full(count, SOFT, np.float32)]),
        np.concatenate([strokes.late, np.zeros(count, np.float32)]),
    )
    drift = score.drift[first]
    return Score(
        joined,
        np.concatenate([score.straight, places[rows]]),
        np.concatenate([score.binary, np.ones(count, np.bool_)]),
        np.concatenate([score.drift, drift]),
        np.concatenate([score.given, drift]),
        np.concatenate([score.weights, np.ones(count)]),
        score.own,
    )


def write_ghosts(score: Score, reading: Reading, seconds: Floats, velocities: Ints) -> list[tuple[Ornament, NewNote]]:
    """The ghost notes of a score.

    Args:
        score: with ghosts.
        reading: of the file.
        seconds: float64 [m], when strokes sound.  velocities: int64 [m].
    """
    key = find_snare(reading.notes)
    if key is None:
        return []
    length = _find_length(reading.notes, key)
    ticks = np.maximum(0, np.floor(reading.clock.ticks(seconds) + 0.5)).astype(np.int64)
    out = []
    for i in range(score.own, len(score.strokes)):
        velocity, tick = int(velocities[i]), int(ticks[i])
        ornament = Ornament("ghost", int(score.strokes.bars[i]), float(score.straight[i]), key[2], velocity, float(reading.clock.seconds(ticks[i : i + 1])[0]))
        out.append((ornament, NewNote(*key, velocity, tick, tick + length)))
    return out


def write_graces(
    score: Score, scene: Scene, reading: Reading, asked: Ornaments, rng: np.random.Generator, ticks: Ints, velocities: Ints
) -> list[tuple[Ornament, NewNote]]:
    """Flams and drags.

    Args:
        score, scene, reading: as above; the strokes of the file alone get grace notes.
        asked: which, and how many.
        rng: the same state adds the same.
        ticks, velocities: int64 [n], notes of the file as they are written.
    """
    leader = find_leaders(reading)
    alone = np.bincount(reading.stroke_of, minlength=score.own) == 1
    out: list[tuple[Ornament, NewNote]] = []
    taken: set[int] = set()
    for kind in ("drags", "flams"):
        for i in choose_graces(scene, kind, asked.amount, rng).tolist() if kind in asked.kinds else []:
            if i >= score.own or i in taken or not alone[i]:
                continue
            taken.add(i)
            note, notes = int(leader[i]), reading.notes
            key = (int(notes.track[note]), int(notes.channel[note]), int(notes.pitch[note]))
            out += _place_graces(kind, key, int(ticks[note]), int(velocities[note]), (int(score.strokes.bars[i]), float(score.straight[i])), reading, rng)
    return out


def drop_impossible(song: Song, notes: StruckNotes, ticks: Ints, velocities: Ints, added: list[tuple[Ornament, NewNote]]) -> list[tuple[Ornament, NewNote]]:
    """Ornaments without those that stand near, or in a bar with, something that two hands and two feet cannot play, whether they are the cause or not.

    Args:
        song: the song.
        notes, ticks, velocities: its drum notes, as they are written.
        added: ornaments and their notes.
    """
    for _ in range(_TURNS):
        if not added:
            break
        written = parse_song(restrike(song, notes, ticks, velocities, tuple(note for _, note in added)))
        conflicts = find_note_conflicts(written)
        where, bars = np.array([c.seconds for c in conflicts]), {c.bar for c in conflicts}
        when = np.array([ornament.seconds for ornament, _ in added])
        near = (np.abs(when[:, None] - where) < _NEAR_SECONDS).any(axis=1) if len(where) else np.zeros(len(when), np.bool_)
        lost = {(o.kind, o.bar, o.place) for (o, _), out in zip(added, near.tolist(), strict=True) if out or o.bar in bars}
        if not lost:
            break
        added = [(o, note) for o, note in added if (o.kind, o.bar, o.place) not in lost]
    return added


def _place_graces(
    kind: str, key: tuple[int, int, int], tick: int, velocity: int, where: tuple[int, float], reading: Reading, rng: np.random.Generator
) -> list[tuple[Ornament, NewNote]]:
    """The grace notes of one stroke; none where ticks are too coarse for them, or the file has no room before it."""
    now, behind = float(reading.clock.seconds(np.array([tick]))[0]), tick
    out: list[tuple[Ornament, NewNote]] = []
    for ms, share in reversed(draw_graces(kind, rng)):
        at = int(np.floor(reading.clock.ticks(np.array([now - ms / 1000]))[0] + 0.5))
        seconds = float(reading.clock.seconds(np.array([at]))[0])
        if at < 0 or at >= behind or abs((now - seconds) * 1000 - ms) > 4:
            return []
        loud = int(np.clip(velocity * share + 0.5, 1, 126))
        out.append((Ornament(kind[:-1], *where, key[2], loud, seconds), NewNote(*key, loud, at, behind)))
        behind = at
    return out[::-1]


def find_leaders(reading: Reading) -> Ints:
    """int64 [m]: the note of the file that leads each stroke."""
    notes = reading.notes
    order = np.lexsort((notes.tick, notes.velocity))
    out = np.zeros(len(reading.strokes), np.int64)
    out[reading.stroke_of[order]] = order
    return out


def _find_length(notes: StruckNotes, key: tuple[int, int, int]) -> int:
    """The median length of a drum's notes in ticks."""
    own = (notes.track == key[0]) & (notes.channel == key[1]) & (notes.pitch == key[2])
    return max(1, int(np.median((notes.end - notes.tick)[own])))
