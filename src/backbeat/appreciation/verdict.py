"""How well drums suit a song: the number, its parts, and the bars where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from backbeat.appreciation.judge import Judge, load_judges
from backbeat.appreciation.pairing import hear_band, pair
from backbeat.appreciation.parts import PARTS, Tally, tally_all
from backbeat.cues import hear
from backbeat.drummer import check_song, load_drummer
from backbeat.errors import SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove
from backbeat.models.drummer import DrummerModel
from backbeat.song import Part, Song
from backbeat.units import Floats

PASSAGE_BARS = 4
SUITS, IN_PART = 0.7, 0.3
"""Chances from which drums are said to suit, and to suit in part."""
SHORT = 0.75
"""Drums of another file that last for less of the song are said to be short."""
RARE = 0.05
"""Passages are named where fewer real ones than this share are worse."""


@dataclass(frozen=True)
class PartScore:
    """One part of the judgement.

    Args:
        name, title: of the part.
        value: in the part's own unit, nan where it says nothing (no crash, no bass).
        above_real, above_other: share of songs' own tracks, and of other songs' tracks, that lie below.
    """

    name: str
    title: str
    value: float
    above_real: float
    above_other: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; null where the part says nothing."""
        silent = np.isnan(self.value)
        return {"title": self.title} | {n: None if silent else round(getattr(self, n), 4) for n in ("value", "above_real", "above_other")}


@dataclass(frozen=True)
class Passage:
    """A passage of the song.

    Args:
        first, last: bars, 0-based, the last one included.
        chance: that these drums belong here, judged by this passage.
        above_real: share of passages of real tracks that lie below.
        trouble: name of the part that is worst beside real tracks.
    """

    first: int
    last: int
    chance: float
    above_real: float
    trouble: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON; bars as people count them."""
        return {"bars": [self.first + 1, self.last + 1], "chance": round(self.chance, 4), "above_real": round(self.above_real, 4), "trouble": self.trouble}


@dataclass(frozen=True)
class Appreciation:
    """How well drums suit a song.

    Args:
        score: what tracks are ranked by; its unit means nothing.
        chance: that these drums belong here rather than to another song or place, where as many do as do not.
        above_real, above_other: share of songs' own tracks, and of other songs' tracks of the same tempo, that lie below.
        parts: each part of the judgement.  passages: four bars each, in order.
        hits: drum hits judged.
        warnings: what was left out, one line each.
    """

    score: float
    chance: float
    above_real: float
    above_other: float
    parts: tuple[PartScore, ...]
    passages: tuple[Passage, ...]
    hits: int
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In words."""
        return "suits" if self.chance >= SUITS else "suits in part" if self.chance >= IN_PART else "does not suit"

    def list_worst(self, most: int = 5) -> tuple[Passage, ...]:
        """Passages that are worse than nearly all real ones, the worst first; neighbours with one trouble are joined."""
        joined: list[Passage] = []
        for p in (p for p in self.passages if p.above_real < RARE):
            before = joined[-1] if joined else None
            if before is not None and before.last + 1 == p.first and before.trouble == p.trouble:
                joined[-1] = replace(before, last=p.last, chance=min(before.chance, p.chance), above_real=min(before.above_real, p.above_real))
            else:
                joined.append(p)
        return tuple(sorted(joined, key=lambda p: (p.chance, p.first - p.last))[:most])

    def to_dict(self) -> dict[str, Any]:
        """For JSON; bars as people count them, shares to four places, null where a part says nothing."""
        numbers = {n: round(getattr(self, n), 4) for n in ("score", "chance", "above_real", "above_other")}
        parts = {p.name: p.to_dict() for p in self.parts}
        worst = [p.to_dict() | {"says": PARTS[p.trouble].trouble} for p in self.list_worst()]
        passages = [p.to_dict() for p in self.passages]
        listed = {"parts": parts, "passages": passages, "worst": worst, "warnings": list(self.warnings)}
        return numbers | {"verdict": self.verdict, "hits": self.hits} | listed


def appreciate(song: Song, drums: Song | None = None, *, loop: bool = False, model: DrummerModel | None = None) -> Appreciation:
    """Say how well drums suit a song.

    Args:
        song: its band is listened to; its own drum parts are judged where ``drums`` is None.
        drums: another file, whose drum parts are laid over the song, beat for beat, from its start.
        loop: repeat them until the song ends.
        model: the drummer that listens; None = the one that ships.

    Raises:
        SongError: no drums to judge, or no band to judge them by.
    """
    check_song(song)
    grid, groove, warnings = lay_drums(song, drums, loop=loop)
    model = model or _load_model()
    pairing = pair(hear_band(hear(song, grid), model), groove, model)
    tallies = tally_all(pairing)
    whole, passage = load_judges()
    values = read_values(tallies, whole)
    score = float(whole.score(values))
    parts = tuple(PartScore(n, PARTS[n].title, float(v), *whole.place(float(v), n)) for n, v in zip(whole.parts, values, strict=True))
    quiet = ~(pairing.band.cues.active_bars | (np.add.reduceat(pairing.hits.any(axis=1), grid.first_steps[:-1]) > 0))
    passages = tuple(_judge_passage(tallies, passage, a, b) for a, b in cut_passages(grid.bars) if not quiet[a:b].all())
    return Appreciation(score, whole.chance(score), *whole.place(score), parts, passages, int(pairing.hits.sum()), warnings)


@cache
def _load_model() -> DrummerModel:
    return load_drummer().model


def read_values(tallies: dict[str, Tally], judge: Judge, first: int = 0, last: int | None = None) -> Floats:
    """float64 [parts]: the judge's parts over some bars, nan where one says nothing."""
    return np.array([tallies[n].value(first, last) for n in judge.parts])


def cut_passages(bars: int) -> list[tuple[int, int]]:
    """Passages of four bars, (first, behind the last), from the start; the last may be shorter."""
    return [(a, min(a + PASSAGE_BARS, bars)) for a in range(0, bars, PASSAGE_BARS)]


def _judge_passage(tallies: dict[str, Tally], judge: Judge, first: int, last: int) -> Passage:
    values = read_values(tallies, judge, first, last)
    score = float(judge.score(values))
    lost = judge.weigh(values) - judge.weigh(judge.real[:-1, 50])
    return Passage(first, last - 1, judge.chance(score), judge.place(score)[0], judge.parts[int(np.argmin(lost))])


def lay_drums(song: Song, drums: Song | None = None, *, loop: bool = False) -> tuple[Grid, Groove, tuple[str, ...]]:
    """The drums to judge on the grid of the song; see ``appreciate``.

    Returns:
        the grid, a groove of kit "backbeat" and what was left out.

    Raises:
        SongError: there are none.
    """
    other = drums or song
    where = other.source or ("the drums" if drums else "the song")
    if not any(len(p.notes) for p in other.drum_parts):
        raise SongError(f"{where} has no drums to judge: " + ("name a file with a drum part" if drums else "name some with --drums OTHER.mid"))
    warnings: list[str] = []
    if drums is not None:
        song = replace(song, parts=song.band)
        parts, late = _move_notes(song, drums, loop)
        warnings += _compare_forms(song, drums, loop)
        song = replace(song, parts=(*song.band, *parts))
        if late:
            warnings.append(f"{late} drum notes behind the end of the song are left out")
    grid = replace(song, parts=song.band).grid() if drums is not None else song.grid()
    groove, report = extract_groove(song, grid, load_kit("backbeat"))
    if report.unknown:
        warnings.append(f"{sum(report.unknown.values())} drum notes that the kit does not know are left out: {', '.join(map(str, sorted(report.unknown)))}")
    if not groove.hits.any():
        why = "no drum note that a drum kit has" if report.unknown else "no drums that fall within the song"
        raise SongError(f"{where} has {why}: nothing to judge")
    return grid, groove, tuple(warnings)


def _compare_forms(song: Song, drums: Song, loop: bool) -> Iterator[str]:
    """What is odd about laying the drums of one file over another."""
    ours, theirs = song.grid(), drums.grid()
    metres = [sorted({f"{n}/{d}" for n, d in zip(g.numerators, g.denominators, strict=True)}) for g in (theirs, ours)]
    if metres[0] != metres[1]:
        yield f"the drums are in {', '.join(metres[0])}, the song in {', '.join(metres[1])}: they are laid over it beat for beat"
    lengths = [float(sum(g.bar_quarters, Fraction(0))) for g in (theirs, ours)]
    if not loop and lengths[0] < SHORT * lengths[1]:
        yield f"the drums end after {lengths[0]:g} of the song's {lengths[1]:g} quarters, and rest from there on: --loop repeats them"


def _move_notes(song: Song, drums: Song, loop: bool) -> tuple[list[Part], int]:
    """The drum parts of another file with their beats on those of the song, and how many notes lie behind its end."""
    end = song.last_note_tick
    length = sum(drums.grid().bar_quarters, Fraction(0)) if loop else Fraction(0)
    times = -(-song.tempo.quarters(end) // length) if loop else 1
    parts, late = [], 0
    for part in drums.drum_parts:
        starts = [drums.tempo.quarters(int(t)) for t in part.notes["onset"]]
        onsets = np.array([song.tempo.tick(s + k * length) for k in range(times) for s in starts], dtype=np.int64)
        notes = np.tile(part.notes, times)
        notes["onset"], notes["end"] = onsets, onsets + 1
        late += 0 if loop else int((onsets >= end).sum())
        parts.append(replace(part, notes=notes[onsets < end]))
    return parts, late
