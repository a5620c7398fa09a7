"""A tapped rhythm, or a part of a song, becomes a groove: tap to drums, and drumify a part."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from backbeat.asking import Wishes
from backbeat.codecs.taps import Line, lay_grid, lay_parts, lay_text, read_levels, write_part
from backbeat.cues import LANES, Cues, assign_lanes, hear
from backbeat.drummer import Drummer
from backbeat.errors import InputError, SongError
from backbeat.finishing import TAKES, end_with_band
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.models.drummer import Known
from backbeat.models.tapping import Tapping, favour_line
from backbeat.song import Part, Song
from backbeat.takes import MAX_STEPS, check_length
from backbeat.touch import TOUCH, Touch, perform, set_loudness
from backbeat.transforms import follow_timing
from backbeat.transforms.playability import make_playable
from backbeat.units import MetreMap, TempoMap

LEAST_BARS = 4
"""Bars of a line of text that nobody asked to be longer."""

SPARE = ("closed_hat", "snare", "low_tom")
"""Drums that take over taps which the drummer's own choice cannot be played on, in this order."""

FAMILIES = {
    "piano": range(8),
    "mallets": range(8, 16),
    "organ": range(16, 24),
    "strings": range(40, 56),
    "brass": range(56, 64),
    "sax": range(64, 68),
    "reed": range(64, 72),
    "flute": range(72, 80),
    "synth": range(80, 104),
}
"""General MIDI programs of families that a part can be called by, besides the lanes that a drummer hears."""


@dataclass(frozen=True, eq=False)
class Tapped:
    """A line with what it was tapped to.

    Args:
        line: the taps.
        heard: the parts that the drummer hears, as a song.
        tempo, metre: the maps of the line's grid.
    """

    line: Line
    heard: Song
    tempo: TempoMap
    metre: MetreMap

    @property
    def cues(self) -> Cues:
        """What the drummer hears."""
        return hear(self.heard, self.line.grid)


def tap_text(text: str, *, qpm: float = 120.0, metre: tuple[int, int] = (4, 4), bars: int | None = None, steps_per_quarter: int = 4) -> Tapped:
    """A line of text, repeated to a number of bars.

    Args:
        text: ``x`` a tap, ``X`` an accent, ``.`` or ``-`` a rest.
        qpm: quarter notes a minute.
        metre: numerator and denominator.
        bars: length; none = as many as the text fills, at least ``LEAST_BARS``.
        steps_per_quarter: characters in a quarter note.

    Raises:
        InputError: the text is no line, or it is too long.
    """
    if not 1 <= steps_per_quarter <= 48:
        raise InputError(f"steps per quarter must lie in 1-48, not {steps_per_quarter}")
    levels = read_levels(text)
    if bars is None:
        bars = max(LEAST_BARS, -(-len(levels) * metre[1] // (4 * metre[0] * steps_per_quarter)))
    most = MAX_STEPS * metre[1] // (16 * metre[0])
    if not 1 <= bars <= most:
        raise InputError(f"bars must lie in 1-{most:,} in {metre[0]}/{metre[1]}, not {bars}")
    grid, tempo, metres = lay_grid(bars, *metre, qpm)
    line = lay_text(text, grid, steps_per_quarter)
    part = write_part(line)
    heard = Song(b"", 1, (part,), tempo, metres, int(grid.bar_ticks[-1]), source="the line")
    return Tapped(line, heard, tempo, metres)


def tap_song(song: Song, part: str | None = None, *, band: bool = False) -> Tapped:
    """The rhythm of a song's part, or of all its notes.

    Args:
        song: any MIDI file.
        part: which part is tapped, see ``find_parts``; none = all notes of the file, drums included.
        band: whether the drummer hears the rest of the band, too.

    Raises:
        SongError: the song has no notes, or is too long.
        InputError: it has no such part.
    """
    if not any(len(p.notes) for p in song.parts):
        raise SongError(f"{song.source or 'the song'} has no notes: there is no rhythm in it")
    check_length(song)
    parts = find_parts(song, part) if part else song.parts
    line = lay_parts(parts, song.grid())
    if part is None:
        parts = (write_part(line),)
    chosen = {id(p) for p in parts}
    heard = tuple(p for p in song.parts if not p.is_drums or id(p) in chosen) if band and part else parts
    return Tapped(line, replace(song, parts=tuple(replace(p, drums="") for p in heard)), song.tempo, song.metre)


def find_parts(song: Song, name: str) -> tuple[Part, ...]:
    """The parts that a name stands for.

    Args:
        song: the song.
        name: an instrument family (a lane such as ``bass``, ``guitar`` or ``keys``, or one of ``FAMILIES``), part of a track's name,
            ``track:3`` or ``channel:2``, both counted from 1.

    Raises:
        InputError: there is none; the message lists the parts that there are.
    """
    wanted, band = name.strip().lower(), tuple(p for p in song.band if len(p.notes))
    numbered = re.fullmatch(r"(track|channel)[ :=]?(\d{1,5})", wanted)
    found: list[Part] = []
    if numbered:
        found = [p for p in song.parts if len(p.notes) and (p.track if numbered[1] == "track" else p.channel) + 1 == int(numbered[2])]
    elif wanted in LANES:
        found = [p for p, lane in zip(band, assign_lanes(band), strict=True) if lane == wanted]
    elif wanted in FAMILIES:
        found = [p for p in band if p.program in FAMILIES[wanted]]
    if not found and wanted and not numbered:
        found = [p for p in song.parts if len(p.notes) and wanted in p.name.lower()]
    if not found:
        lanes = dict(zip(map(id, band), assign_lanes(band), strict=True))
        there = [f"{p.name or lanes.get(id(p), 'drums')} (track:{p.track + 1}, channel:{p.channel + 1})" for p in song.parts if len(p.notes)]
        raise InputError(f"{song.source or 'the song'} has no part {name!r}: it has {', '.join(there[:12])}{' ...' if len(there) > 12 else ''}")
    return tuple(found)


def play_line(
    drummer: Drummer,
    tapped: Tapped,
    takes: int = 1,
    *,
    how: Tapping | None = None,
    as_class: str | None = None,
    style: str = "any",
    seed: int = 0,
    temperature: float | None = None,
    top_p: float | None = None,
    touch: Touch = TOUCH,
    wishes: Wishes | None = None,
) -> list[Groove]:
    """Play drums of which a line is a part: every tap is played, with its timing, loud where it is loud.

    Args:
        drummer: who plays.
        tapped: the line, and what is heard beside it.
        takes: how many different takes.
        how: weights of the line.
        as_class: a class of ``drums_rnn_9`` that plays the line and nothing else; none = whatever suits.
        style, seed, temperature, top_p: see ``Drummer.accompany``.
        wishes: what is asked for bar by bar; the taps are played whatever that is.
        touch: how the hits are played; a line that was tapped by hand keeps its own timing.

    Raises:
        InputError: an option is out of range.
        SongError: there is no tap.
    """
    line, cues = tapped.line, tapped.cues
    if not line.taps.any():
        raise SongError(f"{tapped.heard.source or 'the line'} has no notes to be played")
    known = know_class(line, drummer, as_class) if as_class else None
    bias = None if known else favour_line(line, how)
    played = drummer.play_cues(cues, takes, known=known, bias=bias, line=line.taps, wishes=wishes, style=style, seed=seed, temperature=temperature, top_p=top_p)
    touch = touch.in_style(style)
    finished = [_finish(groove, tapped, cues, touch, TAKES * abs(seed) + take) for take, groove in enumerate(played)]
    if touch.playable:
        finished = [make_playable(g, tapped.tempo) if as_class else make_line_playable(g, line, tapped.tempo) for g in finished]
    return [set_loudness(groove, wishes.intensity) for groove in finished] if wishes else finished


def make_line_playable(groove: Groove, line: Line, tempo: TempoMap) -> Groove:
    """Without hits that nobody could play; taps that leave with them, such as fast 16ths on the hat pedal, go to another drum.

    Args:
        groove: on the line's grid, with a hit on every tap.
        line: the taps.
        tempo: of the grid.
    """
    played = make_playable(groove, tempo)
    for name in SPARE:
        missing = np.flatnonzero(line.taps & groove.hits.any(axis=1) & ~played.hits.any(axis=1))
        if not len(missing):
            break
        column, loudest = groove.kit.index(name), groove.velocities[missing].argmax(axis=1)
        hits, velocities, offsets = played.hits.copy(), played.velocities.copy(), played.offsets.copy()
        hits[missing, column] = True
        velocities[missing, column] = groove.velocities[missing, loudest]
        offsets[missing, column] = groove.offsets[missing, loudest]
        tried = make_playable(played.replace(hits=hits, velocities=velocities, offsets=offsets), tempo)
        played = max(played, tried, key=lambda groove: int(groove.hits[line.taps].any(axis=1).sum()))
    return played


def know_class(line: Line, drummer: Drummer, name: str) -> Known:
    """The line as what is known of one class: its hits, and that it rests elsewhere.

    Raises:
        InputError: there is no such class.
    """
    nine, kit = load_kit("drums_rnn_9"), drummer.model.kit
    column = nine.index(name)
    mask, hits = np.zeros((line.grid.steps, len(nine)), np.bool_), np.zeros((line.grid.steps, len(kit)), np.bool_)
    mask[:, column] = True
    hits[:, int(kit.lookup[nine.written[column]])] = line.taps
    velocities = np.where(hits, line.velocities[:, None], 0).astype(np.float32)
    return Known(mask, Groove(line.grid, kit, hits, velocities, np.zeros(hits.shape, np.float32)))


def _finish(groove: Groove, tapped: Tapped, cues: Cues, touch: Touch, seed: int) -> Groove:
    """The line's timing and loudness on its steps, the band's timing between them; a line that stands on the grid is given a player's timing."""
    line, followed = tapped.line, follow_timing(groove, cues)
    if touch.performed and groove.hits.any():
        followed = perform(followed, tapped.tempo, touch.playing, seed=seed)
    typed = touch.performed and not line.offsets[line.taps].any()
    offsets = np.where(line.taps[:, None] & (not typed), line.offsets[:, None], followed.offsets)
    velocities = followed.velocities.copy()
    if np.ptp(line.velocities[line.taps]) > 8 / 127:  # a line with accents says how loud its taps are
        louder = np.clip(groove.velocities + 0.6 * (line.velocities - line.middle)[:, None], 1 / 127, 1)
        velocities = np.where(line.taps[:, None], louder, velocities).astype(np.float32)
    timed = groove.replace(velocities=velocities, offsets=np.where(groove.hits, offsets, 0).astype(np.float32))
    return end_with_band(timed, tapped.heard) if tapped.heard.data else timed
