"""One song or take to training arrays, or the reason why it cannot teach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.recall import Recalled, recall
from backbeat.codecs.words import hits_to_words
from backbeat.cues import Cues, encode, hear, hear_nothing
from backbeat.errors import BackbeatError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song

KIT = "backbeat"
WORD_KIT = "drums_rnn_9"
NO_ARTICULATION = 255


@dataclass(frozen=True, eq=False)
class Example:
    """Everything a network learns from one piece, packed.

    Args:
        step, bar, song: uint8, see ``cues.encode``.
        words: uint16 [steps].  velocities: uint8 [steps, 9] MIDI velocity of each hit, 0 without.
        articulations: uint8 [steps, 9] the class of kit "backbeat" that was struck, 255 without a hit.
        recalled: what is remembered at each step.
        layout: int32 [bars, 5]: steps, numerator, denominator, quarters as a fraction (two columns).
        band: whether there is one.  dynamic: whether velocities mean anything.
        unknown, merged: drum notes that the kit lacks, and notes that met in a cell.
    """

    step: npt.NDArray[np.uint8]
    bar: npt.NDArray[np.uint8]
    song: npt.NDArray[np.uint8]
    words: npt.NDArray[np.uint16]
    velocities: npt.NDArray[np.uint8]
    articulations: npt.NDArray[np.uint8]
    recalled: Recalled
    layout: npt.NDArray[np.int32]
    band: bool
    dynamic: bool
    unknown: int
    merged: int


def fold_groove(groove: Groove) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A groove of kit "backbeat" as words, velocities [steps, 9] and articulations [steps, 9]; the louder of two stays."""
    target = groove.kit.mapping(load_kit(WORD_KIT))
    loud = np.zeros((groove.grid.steps, 9), np.float32)
    which = np.full((groove.grid.steps, 9), NO_ARTICULATION, np.uint8)
    for column, into in enumerate(target):
        louder = groove.hits[:, column] & (groove.velocities[:, column] > loud[:, into])
        loud[louder, into] = groove.velocities[louder, column]
        which[louder, into] = column
    velocities = np.clip(np.floor(loud * 127 + 0.5), 0, 127).astype(np.uint8)
    velocities[loud > 0] = np.maximum(velocities[loud > 0], 1)
    return hits_to_words(loud > 0), velocities, which


def find_fault(grid: Grid, groove: Groove, words: npt.NDArray[np.uint16]) -> str:
    """Why a song's drums should not be learned from; "" where they may."""
    played = np.maximum.reduceat((words > 0).astype(np.int8), grid.first_steps[:-1]) > 0
    if played.sum() < 8:
        return "fewer than 8 bars with drums"
    late = np.abs(groove.offsets[groove.hits])
    if np.mean((late < 0.2) | (np.abs(late - 1 / 3) < 0.07)) < 0.7:
        return "drums off the grid"
    bars = {words[a:b].tobytes() for a, b in zip(grid.first_steps[:-1], grid.first_steps[1:], strict=True)}
    if played.sum() >= 32 and len(bars) <= 3:
        return "one bar repeated"
    return "bars shifted against the metre" if _is_shifted(grid, words) else ""


def _is_shifted(grid: Grid, words: npt.NDArray[np.uint16]) -> bool:
    """Whether, in 4/4, the snare falls on beat 1 or 3 with the kick on 2 and 4 rather than the other way round."""
    four = np.array([n == 4 and d == 4 for n, d in zip(grid.numerators, grid.denominators, strict=True)])[grid.bar_of_step]
    beat = grid.step_in_bar // grid.steps_per_quarter
    on_beat = four & (grid.step_in_bar % grid.steps_per_quarter == 0)
    snare, kick = on_beat & (words >> 1 & 1 > 0), on_beat & (words & 1 > 0)
    counts = np.bincount(beat[snare], minlength=4)[:4]
    kicks = np.bincount(beat[kick], minlength=4)[:4]
    total = max(int(counts.sum()), 1)
    mostly_one = counts[0] / total > 0.35 and counts[0] > counts[1]
    mostly_odd = (counts[0] + counts[2]) / total > 0.7 and kicks[1] + kicks[3] > kicks[0] + kicks[2]
    return bool(total >= 16 and (mostly_one or mostly_odd))


def pack(grid: Grid, groove: Groove, cues: Cues, *, band: bool, unknown: int = 0, merged: int = 0) -> Example:
    """Pack a groove and its cues."""
    words, velocities, articulations = fold_groove(groove)
    step, bar, song = encode(cues)
    quarters = [q.limit_denominator(1 << 14) for q in grid.bar_quarters]
    rows = zip(grid.bar_steps.tolist(), grid.numerators, grid.denominators, [q.numerator for q in quarters], [q.denominator for q in quarters], strict=True)
    layout = np.array(list(rows), dtype=np.int32)
    dynamic = len(np.unique(velocities)) >= 6
    return Example(step, bar, song, words, velocities, articulations, recall(words, grid, cues.matches), layout, band, dynamic, unknown, merged)


def prepare(path: str, *, band: bool = True, clean: bool = True) -> Example | str:
    """Read one file for a corpus; see ``prepare_with_cues``."""
    prepared = prepare_with_cues(path, band=band, clean=clean)
    return prepared if isinstance(prepared, str) else prepared[0]


def prepare_with_cues(path: str, *, band: bool = True, clean: bool = True) -> tuple[Example, Cues] | str:
    """Read one file.

    Args:
        path: a MIDI file.
        band: False for drum takes, which have nothing else to hear.
        clean: reject songs whose drums would teach something wrong.

    Returns:
        the example and its cues, or the reason for rejecting it.
    """
    try:
        song = read_song(path)
        if not song.drum_parts:
            return "no drums"
        if band and sum(len(p.notes) for p in song.band) < 32:
            return "no band"
        grid = song.grid()
        if grid.steps > 30_000:
            return "too long"
        groove, report = extract_groove(song, grid, load_kit(KIT))
    except BackbeatError as error:
        return f"unreadable: {error}"
    if clean and band:
        fault = find_fault(grid, groove, fold_groove(groove)[0])
        if fault:
            return fault
    cues = hear(song, grid) if band else hear_nothing(grid, song.tempo.qpm())
    return pack(grid, groove, cues, band=band, unknown=sum(report.unknown.values()), merged=report.merged), cues
