"""One song or take to training arrays, or the reason why it cannot teach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES
from backbeat.cues import Cues, encode, hear, hear_nothing
from backbeat.errors import BackbeatError, InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.midi import parse_song
from backbeat.midi.grooves import DrumHits, collect_hits
from backbeat.midi.reader import read_bytes
from backbeat.song import Song

KIT = "backbeat"
WORD_KIT = "drums_rnn_9"
NO_ARTICULATION = 255
OFFSET_SCALE = 254
"""Offsets are kept in 254ths of a step, so that half a step is 127."""
_BITS = (1 << np.arange(CLASSES)).astype(np.float32)
MAX_QUARTERS = 7_500
"""Longer songs are rejected: an hour at 125 BPM."""
MAX_STEPS_PER_QUARTER = 96
MAX_BYTES, MAX_NOTES = 4 << 20, 100_000
"""Files beyond these are rejected: the largest of 8,105 songs have 2.4 MB and 39,000 notes, and what is made to exhaust a reader has more."""


@dataclass(frozen=True, eq=False)
class Example:
    """Everything a network learns from one piece, packed.

    Args:
        step, bar, song: uint8, see ``cues.encode``.
        words: uint16 [steps].  velocities: uint8 [steps, 9] MIDI velocity of each hit, 0 without.
        articulations: uint8 [steps, 9] the class of the kit (usually "backbeat") that was struck, 255 without a hit.
        offsets: int8 [steps, 9] how late each hit is, in 1/254 of a step; 0 without a hit.
        matches: int32 [bars, 2] earlier bars in which the band played most alike, -1 where there is none.
        layout: int32 [bars, 5]: steps, numerator, denominator, quarters as a fraction (two columns).
        tempo: float32 [bars] quarters a minute at the bar's start.
        band: whether there is one.  dynamic: whether velocities mean anything.
        unknown, merged: drum notes that the kit lacks, and notes that met in a cell.
        steps_per_quarter: density of the grid.
    """

    step: npt.NDArray[np.uint8]
    bar: npt.NDArray[np.uint8]
    song: npt.NDArray[np.uint8]
    words: npt.NDArray[np.uint16]
    velocities: npt.NDArray[np.uint8]
    articulations: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int8]
    matches: npt.NDArray[np.int32]
    layout: npt.NDArray[np.int32]
    tempo: npt.NDArray[np.float32]
    band: bool
    dynamic: bool
    unknown: int
    merged: int
    steps_per_quarter: int = 4


class Folded(NamedTuple):
    """A groove as words uint16 [steps]; velocities and articulations uint8, offsets int8 [steps, 9], as ``Example`` has them."""

    words: npt.NDArray[np.uint16]
    velocities: npt.NDArray[np.uint8]
    articulations: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int8]


def fold_groove(groove: Groove) -> Folded:
    """A groove as words of the nine classes, and how each hit was played; of two that meet in a class the louder stays."""
    steps, columns = np.nonzero(groove.hits)
    return _fold(DrumHits(steps, columns, groove.velocities[steps, columns], groove.offsets[steps, columns]), groove.grid.steps, groove.kit)


def _fold(hits: DrumHits, steps: int, kit: Kit) -> Folded:
    cells = hits.steps * CLASSES + _map_classes(kit).take(hits.columns)
    crowded = np.bincount(cells, minlength=steps * CLASSES).take(cells) > 1
    if crowded.any():  # written from soft to loud, and of equals from the last column to the first, so that the one that stays is written last
        order = np.concatenate([(~crowded).nonzero()[0], crowded.nonzero()[0][np.lexsort((-hits.columns[crowded], hits.velocities[crowded]))]])
        cells, hits = cells.take(order), DrumHits(hits.steps.take(order), hits.columns.take(order), hits.velocities.take(order), hits.offsets.take(order))
    velocities, late = np.zeros((steps, CLASSES), np.uint8), np.zeros((steps, CLASSES), np.int8)
    which = np.full((steps, CLASSES), NO_ARTICULATION, np.uint8)
    velocities.reshape(-1)[cells] = np.minimum(np.maximum(np.floor(hits.velocities * 127 + 0.5), 1), 127)
    which.reshape(-1)[cells] = hits.columns
    late.reshape(-1)[cells] = np.floor(hits.offsets * OFFSET_SCALE + 0.5)
    words = ((velocities > 0).astype(np.float32) @ _BITS).astype(np.uint16)
    return Folded(words, velocities, which, late)


@cache
def _map_classes(kit: Kit) -> npt.NDArray[np.int64]:
    return kit.mapping(load_kit(WORD_KIT))


def find_fault(grid: Grid, groove: Groove, words: npt.NDArray[np.uint16]) -> str:
    """Why a song's drums should not be learned from; "" where they may."""
    return _find_fault(grid, groove.offsets[groove.hits], words)


def _find_fault(grid: Grid, offsets: npt.NDArray[np.float32], words: npt.NDArray[np.uint16]) -> str:
    played = np.add.reduceat(words > 0, grid.first_steps[:-1], dtype=np.int64) > 0
    count = np.count_nonzero(played)
    if count < 8:
        return "fewer than 8 bars with drums"
    late = np.abs(offsets)
    if np.count_nonzero((late < 0.2) | (np.abs(late - 1 / 3) < 0.07)) / max(len(late), 1) < 0.7:
        return "drums off the grid"
    data, edges = words.tobytes(), (2 * grid.first_steps).tolist()
    if count >= 32 and len({data[a:b] for a, b in pairwise(edges)}) <= 3:
        return "one bar repeated"
    return "bars shifted against the metre" if _is_shifted(grid, words) else ""


def _is_shifted(grid: Grid, words: npt.NDArray[np.uint16]) -> bool:
    """Whether, in 4/4, the snare falls on beat 1 or 3 with the kick on 2 and 4 rather than the other way round."""
    quarter, (kinds, kind) = grid.steps_per_quarter, grid.metre_kinds
    lengths = np.array([steps if numerator == denominator == 4 else 0 for steps, numerator, denominator in kinds]).take(kind)
    beats = np.arange(4) * quarter
    struck = words.take(grid.first_steps[:-1] + beats[:, None], mode="clip") * (beats[:, None] < lengths)
    counts, kicks = ([int(np.count_nonzero(row)) for row in struck & bit] for bit in (2, 1))
    total = max(sum(counts), 1)
    mostly_one = counts[0] / total > 0.35 and counts[0] > counts[1]
    mostly_odd = (counts[0] + counts[2]) / total > 0.7 and kicks[1] + kicks[3] > kicks[0] + kicks[2]
    return bool(total >= 16 and (mostly_one or mostly_odd))


def pack(grid: Grid, groove: Groove, cues: Cues, *, band: bool, unknown: int = 0, merged: int = 0) -> Example:
    """Pack a groove and its cues."""
    return _pack(fold_groove(groove), cues, band, unknown, merged)


def _pack(folded: Folded, cues: Cues, band: bool, unknown: int, merged: int) -> Example:
    loud = folded.velocities[folded.velocities > 0]
    dynamic = bool(np.count_nonzero(np.bincount(loud)) + (len(loud) < folded.velocities.size) >= 6)
    return Example(
        *encode(cues),
        folded.words,
        folded.velocities,
        folded.articulations,
        folded.offsets,
        cues.matches.astype(np.int32),
        _lay_out(cues.grid),
        cues.qpm,
        band,
        dynamic,
        unknown,
        merged,
        cues.grid.steps_per_quarter,
    )


def _lay_out(grid: Grid) -> npt.NDArray[np.int32]:
    """int32 [bars, 5], see ``Example``."""
    kinds, kind = grid.quarter_kinds
    exact = [q.limit_denominator(1 << 14) for q in kinds]
    metres, metre = grid.metre_kinds
    layout = np.empty((grid.bars, 5), np.int32)
    layout[:, :3] = np.array(metres, np.int32).reshape(-1, 3).take(metre, axis=0)
    layout[:, 3:] = np.array([[q.numerator, q.denominator] for q in exact], np.int32).reshape(-1, 2).take(kind, axis=0)
    return layout


def prepare(path: str, *, band: bool = True, clean: bool = True, kit: str = KIT, steps_per_quarter: int = 4) -> Example | str:
    """Read one file for a corpus; see ``prepare_with_cues``."""
    prepared = prepare_with_cues(path, band=band, clean=clean, kit=kit, steps_per_quarter=steps_per_quarter)
    return prepared if isinstance(prepared, str) else prepared[0]


def prepare_with_cues(path: str, *, band: bool = True, clean: bool = True, kit: str = KIT, steps_per_quarter: int = 4) -> tuple[Example, Cues] | str:
    """Read one file.

    Args:
        path: a MIDI file.
        band: False for drum takes, which have nothing else to hear.
        clean: reject songs whose drums would teach something wrong.
        kit: names the articulations; each of its classes must be one of the nine words are made of.
        steps_per_quarter: density of the grid.

    Returns:
        the example and its cues, or the reason for rejecting it.

    Raises:
        InputError: the kit or the density cannot be used.
    """
    check_settings(kit, steps_per_quarter)
    try:
        return _prepare(read_bytes(path), path, band, clean, load_kit(kit), steps_per_quarter)
    except BackbeatError as error:
        return f"unreadable: {error}"


def prepare_bytes(data: bytes, name: str, *, band: bool = True, clean: bool = True, kit: str = KIT, steps_per_quarter: int = 4) -> Example | str:
    """Turn the bytes of one MIDI file into an example, or say why not.

    Args:
        data: the file.
        name: for messages.
        band, clean, kit, steps_per_quarter: see ``prepare_with_cues``.

    Raises:
        InputError: the kit or the density cannot be used.
    """
    check_settings(kit, steps_per_quarter)
    try:
        prepared = _prepare(data, name, band, clean, load_kit(kit), steps_per_quarter)
    except BackbeatError as error:
        return f"unreadable: {error}"
    return prepared if isinstance(prepared, str) else prepared[0]


@cache
def _keep_memory() -> None:
    """Make the C library keep freed memory for the next song; a third of the time went into asking the system for the same pages anew.

    glibc raises its thresholds for giving memory back to the largest block below 32 MB that it has seen freed (mallopt(3), M_MMAP_THRESHOLD).
    """
    np.empty(31 << 20, np.uint8)


@cache
def check_settings(kit: str, steps_per_quarter: int) -> None:
    """Check that examples can be made with a kit and a density.

    Raises:
        InputError: there is no such kit, it has classes that words lack, or the density is out of range.
    """
    chosen = load_kit(kit)
    lost = [name for name, into in zip(chosen.names, chosen.mapping(load_kit(WORD_KIT)).tolist(), strict=True) if into < 0]
    if lost or len(chosen) >= NO_ARTICULATION:
        raise InputError(f"kit {kit} cannot name articulations: {WORD_KIT} has no place for {', '.join(lost) or 'so many classes'}; choose {KIT}")
    if not 1 <= steps_per_quarter <= MAX_STEPS_PER_QUARTER:
        raise InputError(f"steps per quarter lie in 1-{MAX_STEPS_PER_QUARTER}, not {steps_per_quarter}: 4 are sixteenths")


def _prepare(data: bytes, name: str, band: bool, clean: bool, kit: Kit, steps_per_quarter: int) -> tuple[Example, Cues] | str:
    _keep_memory()
    if len(data) > MAX_BYTES:
        return "too large"
    song = parse_song(data, name)
    if fault := _find_lack(song, band):
        return fault
    grid = song.grid(steps_per_quarter)
    if grid.steps > MAX_QUARTERS * steps_per_quarter:
        return "too long"
    hits, report = collect_hits(song, grid, kit)
    folded = _fold(hits, grid.steps, kit)
    if clean and band and (fault := _find_fault(grid, hits.offsets, folded.words)):
        return fault
    cues = hear(song, grid) if band else hear_nothing(grid, song.tempo.qpm())
    return _pack(folded, cues, band, sum(report.unknown.values()), report.merged), cues


def _find_lack(song: Song, band: bool) -> str:
    """Why there is nothing to make of a song; "" where there is."""
    if not song.drum_parts:
        return "no drums"
    if band and sum(len(p.notes) for p in song.band) < 32:
        return "no band"
    return "too many notes" if sum(len(p.notes) for p in song.parts) > MAX_NOTES else ""
