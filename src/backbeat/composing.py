"""A whole song from nothing: a form, grooves for its sections, and parts that follow the drums.

The drums are the organising layer (as Tikhonov, Yamshchikov, arXiv 2007.06284, propose): sections that are alike have the same groove, chords
follow the sections, and every melody is written on the drums, so that it comes back where they come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backbeat.cues import hear_nothing
from backbeat.drummer import Drummer
from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.metrics.fills import count_extra
from backbeat.midi.parttrack import build_part_chunk
from backbeat.midi.writer import build_song
from backbeat.models.drummer import Known
from backbeat.models.melody import open_melody, write_melody
from backbeat.models.melody_steps import StepPlayer
from backbeat.song import NOTE_DTYPE, Notes
from backbeat.tonality.chords import NO_CHORD, list_triad
from backbeat.tonality.scales import parse_key
from backbeat.touch import TOUCH, Touch, play_by_hand
from backbeat.units import Ints, MetreMap, TempoMap, round_half_up

PHRASE = 4
SECTION = 2 * PHRASE
LEAST_BARS, MOST_BARS = 4, 512
FORMS = {
    1: "V", 2: "VC", 3: "VCC", 4: "VCVC", 5: "VCVCC", 6: "VCVCBC", 7: "VVCVCBC", 8: "VVCVCBCC",
}  # fmt: skip
"""Verses, choruses and bridges by the number of eights between intro and ending; longer songs go round again."""
NAMES = {"I": "intro", "V": "verse", "C": "chorus", "B": "bridge", "E": "ending"}
FULLNESS = {"V": 0.5, "C": 1.0, "B": 0.0}
"""Which of several grooves a section takes, from the calmest (0) to the fullest (1)."""
CANDIDATES = 6
PADS = 48
"""General MIDI program of the chords: strings."""


@dataclass(frozen=True)
class Section:
    """A part of a song's form.

    Args:
        name: intro, verse, chorus, bridge or ending.
        groove: number of its groove; sections with the same number are alike.
        first: its first bar, from 0.  bars: its length.
    """

    name: str
    groove: int
    first: int
    bars: int


@dataclass(frozen=True, eq=False)
class Composition:
    """A song that was made up.

    Args:
        sections: its form, in order.
        drums: the groove of the whole song.
        parts: name, General MIDI program and notes (NOTE_DTYPE) of each other part.
        chords: int64 [bars], see ``tonality.chords``.
        tempo, metre: its maps.
    """

    sections: tuple[Section, ...]
    drums: Groove
    parts: tuple[tuple[str, int, Notes], ...]
    chords: Ints
    tempo: TempoMap
    metre: MetreMap

    def encode(self) -> bytes:
        """The song as a MIDI file: tempo and markers, drums, and a track a part."""
        end = int(self.drums.grid.bar_ticks[-1])
        chunks = [build_part_chunk(notes, channel=number, program=program, name=name, end_tick=end) for number, (name, program, notes) in enumerate(self.parts)]
        markers = [(int(self.drums.grid.bar_ticks[s.first]), s.name) for s in self.sections]
        return build_song(self.drums, self.tempo, self.metre, chunks, markers)


def plan_form(bars: int, novelty: float = 0.2, seed: int = 0) -> tuple[Section, ...]:
    """Sections for so many bars.

    Args:
        bars: 4-512. From 16 bars there is an ending, from 24 an intro.
        novelty: share of the sections that return with another groove than before; 0 = verses and choruses are all alike, 1 = nothing returns.
        seed: which ones.

    Raises:
        InputError: a number is out of range.
    """
    if not LEAST_BARS <= bars <= MOST_BARS or not 0 <= novelty <= 1:
        raise InputError(f"a song has {LEAST_BARS}-{MOST_BARS} bars and a novelty in 0-1, not {bars} and {novelty:g}")
    rng = np.random.default_rng([abs(seed), 1])
    intro, ending = PHRASE if bars >= 6 * PHRASE else 0, PHRASE if bars >= 4 * PHRASE else 0
    body = bars - intro - ending
    eights = max(1, body // SECTION)
    letters = FORMS[eights] if eights in FORMS else (FORMS[8] * (eights // 8 + 1))[:eights]
    lengths = [SECTION] * eights
    lengths[-1] += body - SECTION * eights
    rows = [("I", intro), *zip(letters, lengths, strict=True), ("E", ending)]
    known: dict[str, int] = {}
    sections, first, count = list[Section](), 0, 0
    for letter, length in rows:
        if not length:
            continue
        kind = {"I": "V", "E": "C" if "C" in known else "V"}.get(letter, letter)
        if kind not in known or (letter not in "IE" and rng.random() < novelty):
            known[kind], count = count, count + 1
        sections.append(Section(NAMES[letter], known[kind], first, length))
        first += length
    return tuple(sections)


def compose(
    drummer: Drummer,
    bars: int,
    key: str,
    *,
    tempo: float = 110.0,
    metre: tuple[int, int] = (4, 4),
    style: str = "any",
    novelty: float = 0.2,
    seed: int = 0,
    touch: Touch = TOUCH,
    melody: StepPlayer | None = None,
) -> Composition:
    """Make up a song.

    Args:
        drummer: plays the grooves.
        bars: length, see ``plan_form``.
        key: such as "Dm" or "Bb".
        tempo: quarters a minute.
        metre: numerator and denominator.
        style: one of ``drummer.styles``.
        novelty: see ``plan_form``.
        seed: the same arguments give the same song.
        touch: how the drums are played.
        melody: who writes the melodies; none = the model that ships.

    Raises:
        InputError: there is no such key or style, or a number is out of range.
    """
    number, sections, melody = parse_key(key), plan_form(bars, novelty, seed), melody or _open_melody()
    grid, tempi = Grid.regular(bars, *metre), TempoMap(480, (0,), (round_half_up(60e6 / tempo),))
    typed = _lay_grooves(drummer, sections, grid, style, tempo, seed)
    labels = [_find(sections, bar).groove for bar in range(0, bars, PHRASE)]
    chords = melody.draw_chords(labels, bars, number, np.random.default_rng([abs(seed), 2]))
    chords[-1] = number % 12 + (12 if number >= 12 else 0)
    drums = play_by_hand(typed, tempi, touch.in_style(style), seed=seed, rounded=False)
    parts = _write_parts(typed, sections, chords, key, seed, melody)
    return Composition(sections, drums, parts, chords, tempi, MetreMap((0,), (metre[0],), (metre[1],)))


def _open_melody() -> StepPlayer:
    player = open_melody("ours")
    if not isinstance(player, StepPlayer):
        raise ModelError("weights/melody holds no network of steps: install Backbeat again")
    return player


def _find(sections: Sequence[Section], bar: int) -> Section:
    return next(s for s in reversed(sections) if s.first <= bar)


def _lay_grooves(drummer: Drummer, sections: Sequence[Section], grid: Grid, style: str, tempo: float, seed: int) -> Groove:
    """The hits of the whole song: a groove of four bars for every number, fills before sections, crashes on them."""
    letters = {name: letter for letter, name in NAMES.items()}
    made: dict[int, Groove] = {}
    hits, velocities = np.zeros((grid.steps, len(drummer.model.kit)), np.bool_), np.zeros((grid.steps, len(drummer.model.kit)), np.float32)
    for place, section in enumerate(sections):
        kind = {"I": "V", "E": "C"}.get(letters[section.name], letters[section.name])
        if section.groove not in made:
            made[section.groove] = _make_core(drummer, grid, style, tempo, seed * 101 + section.groove, FULLNESS[kind])
        core, first = made[section.groove], int(grid.first_steps[section.first])
        length = int(grid.first_steps[section.first + section.bars]) - first
        rows = np.arange(length) % core.grid.steps
        hits[first : first + length], velocities[first : first + length] = core.hits[rows], core.velocities[rows]
        if place + 1 < len(sections):
            fill, bar = _make_fill(drummer, core, style, tempo, seed * 103 + place), int(grid.first_steps[section.first + section.bars - 1])
            hits[bar : first + length], velocities[bar : first + length] = fill.hits, fill.velocities
    groove = Groove(grid, drummer.model.kit, hits, velocities, np.zeros(hits.shape, np.float32))
    return _mark_sections(groove, sections)


def _make_core(drummer: Drummer, grid: Grid, style: str, tempo: float, seed: int, fullness: float) -> Groove:
    """Four bars of a groove, the third as the first: of several that the drummer plays, the one that is as full as asked."""
    metre = grid.numerators[0], grid.denominators[0]
    played = []
    for k in range(CANDIDATES):
        whole = drummer.play_alone(Grid.regular(2 * PHRASE, *metre), style=style, qpm=tempo, seed=seed * CANDIDATES + k)
        half, steps = Grid.regular(PHRASE, *metre), whole.grid.steps // (2 * PHRASE)
        rows = np.concatenate([np.arange(steps) + (PHRASE + bar) * steps for bar in (0, 1, 0, 3)])
        played.append(Groove(half, whole.kit, whole.hits[rows], whole.velocities[rows], np.zeros_like(whole.velocities[rows])))
    some = [g for g in played if g.hits.sum() >= 3 * PHRASE] or played
    ordered = sorted(some, key=lambda g: float(g.velocities.sum()))
    return ordered[round_half_up(fullness * (len(ordered) - 1))]


def _make_fill(drummer: Drummer, core: Groove, style: str, tempo: float, seed: int) -> Groove:
    """One bar that leads over from the last of a groove: of several tries the one with the most snares and toms that the groove lacks."""
    grid, nine = core.grid, drummer.model.group
    mask = np.repeat((grid.bar_of_step < PHRASE - 1)[:, None], 9, axis=1)
    takes = drummer.play_cues(hear_nothing(grid, tempo), CANDIDATES, known=Known(mask, core), band=False, style=style, seed=seed)
    first = int(grid.first_steps[PHRASE - 1])

    def to_nine(groove: Groove) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return np.stack([groove.hits[first:, nine == c].any(axis=1) for c in range(9)], axis=1)

    best = max(takes, key=lambda take: sum(count_extra(to_nine(take), to_nine(core))))
    bar = Grid.regular(1, grid.numerators[0], grid.denominators[0])
    return Groove(bar, core.kit, best.hits[first:], best.velocities[first:], np.zeros_like(best.velocities[first:]))


def _mark_sections(groove: Groove, sections: Sequence[Section]) -> Groove:
    """A crash and a kick where a section begins; an intro of hats and kick; one stroke on the last bar."""
    hits, velocities, kit, grid = groove.hits.copy(), groove.velocities.copy(), groove.kit, groove.grid
    crash, kick = kit.index("crash"), kit.index("kick")
    for section in sections:
        first = int(grid.first_steps[section.first])
        if section.name == "intro":
            end = int(grid.first_steps[section.first + section.bars - 1])
            loud = [k for k, name in enumerate(kit.names) if "hat" not in name and name not in ("kick", "ride")]
            hits[first:end, loud] = False
        else:
            hits[first, [crash, kick]] = True
            velocities[first, [crash, kick]] = 0.9
    if sections[-1].name == "ending":
        last = int(grid.first_steps[-2])
        hits[last:], hits[last, [crash, kick]] = False, True
        velocities[last, [crash, kick]] = 0.95
    return Groove(grid, kit, hits, np.where(hits, np.maximum(velocities, 1 / 127), 0).astype(np.float32), np.zeros(hits.shape, np.float32))


def _write_parts(drums: Groove, sections: Sequence[Section], chords: Ints, key: str, seed: int, melody: StepPlayer) -> tuple[tuple[str, int, Notes], ...]:
    """Bass throughout, held chords, and a lead that is calmer in verses than in choruses and rests in the intro and the ending."""
    bass = write_melody(drums, key, "bass", 2, seed, model=melody, chords=chords)
    calm = write_melody(drums, key, "lead", 4, seed + 1, model=melody, chords=chords, density="calm")
    bold = write_melody(drums, key, "lead", 5, seed + 2, model=melody, chords=chords, density="walking")
    names = np.array([_find(sections, bar).name for bar in range(drums.grid.bars)])
    lead = np.concatenate([_keep_bars(calm, drums.grid, names == "verse"), _keep_bars(bold, drums.grid, np.isin(names, ("chorus", "bridge")))])
    lead = lead[np.argsort(lead["onset"], kind="stable")]
    last = names == "ending"
    last[:-1] = False
    held = hold_chords(drums.grid, chords)
    if last.any():
        bass = np.concatenate([_keep_bars(bass, drums.grid, ~last), _hold_root(drums.grid, chords)])
    return (("Bass", 33, bass), ("Chords", PADS, held), ("Lead", 80, lead))


def _keep_bars(notes: Notes, grid: Grid, wanted: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Notes:
    bars = np.searchsorted(grid.bar_ticks, notes["onset"], side="right") - 1
    return notes[wanted[np.clip(bars, 0, grid.bars - 1)]]


def hold_chords(grid: Grid, chords: Ints) -> Notes:
    """NOTE_DTYPE [n]: the triads of the bars, each held for its bar, in close position around middle C.

    Args:
        grid: the bars.
        chords: int64 [bars], see ``tonality.chords``.
    """
    rows = []
    for bar, chord in enumerate(chords.tolist()):
        if chord == NO_CHORD:
            continue
        begin, end = int(grid.bar_ticks[bar]), int(grid.bar_ticks[bar + 1])
        rows += [(begin, end - 10, 55 + (pitch - 55) % 12, 58) for pitch in list_triad(chord)]
    return np.array(rows, NOTE_DTYPE)


def _hold_root(grid: Grid, chords: Ints) -> Notes:
    """The root of the last bar's chord, held to its end."""
    root = 36 + int(chords[-1]) % 12
    return np.array([(int(grid.bar_ticks[-2]), int(grid.bar_ticks[-1]) - 10, root, 84)], NOTE_DTYPE)
