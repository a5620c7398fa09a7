"""A tapped line: a rhythm of one voice, from text or from the notes of a MIDI file, on a grid of 16ths.

As text a line is one character a step: ``x`` a tap, ``X`` an accent, ``.`` or ``-`` a rest; spaces and ``|`` are not read. From a file
it is the onsets of some parts: nominally on the nearest 16th, with how loud and how late each was; of notes that meet the loudest counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.song import NOTE_DTYPE, Notes, Part
from backbeat.units import MetreMap, TempoMap

TAP, ACCENT = 84 / 127, 118 / 127
"""Velocities of ``x`` and ``X``."""
LEVELS = {"x": TAP, "X": ACCENT, ".": 0.0, "-": 0.0}
IGNORED = " |\t\n\r"
MAX_TEXT = 20_000
_LATEST = np.nextafter(np.float32(0.5), np.float32(0))

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Line:
    """A rhythm of one voice.

    Args:
        grid: 16ths.
        velocities: float32 [steps], 0 where there is no tap, else in (0, 1].
        offsets: float32 [steps] in [-0.5, 0.5), positive = late; 0 without a tap.
    """

    grid: Grid
    velocities: Floats32
    offsets: Floats32

    @property
    def taps(self) -> npt.NDArray[np.bool_]:
        """Bool [steps]: where there is a tap."""
        return self.velocities > 0

    @property
    def taps_per_quarter(self) -> float:
        """Taps in a quarter note, over the bars that have any; 0 without a tap."""
        bars = np.unique(self.grid.bar_of_step[self.taps])
        quarters = float(sum(self.grid.bar_quarters[b] for b in bars.tolist()))
        return int(np.count_nonzero(self.taps)) / quarters if quarters else 0.0

    @property
    def middle(self) -> np.float32:
        """The velocity of a plain tap: the median, of two the softer; 0 without a tap."""
        struck = np.sort(self.velocities[self.taps])
        return np.float32(struck[(len(struck) - 1) // 2]) if len(struck) else np.float32(0)

    def rank_accents(self) -> npt.NDArray[np.int64]:
        """int64 [steps]: 1 for accents, -1 for light taps, 0 for others: a seventh of the range louder or softer than the middle."""
        apart = self.velocities - self.middle
        return np.where(self.taps, (apart > 1 / 7).astype(np.int64) - (apart < -1 / 7), 0)


def is_text(line: str) -> bool:
    """Whether this can be read as taps, with at least one among them."""
    return bool(line) and all(c in LEVELS or c in IGNORED for c in line) and any(LEVELS.get(c, 0) for c in line)


def read_levels(text: str) -> Floats32:
    """float32 [steps of the text]: the velocity of each character that counts.

    Raises:
        InputError: there is another character, no tap, or far too much.
    """
    wrong = [c for c in text if c not in LEVELS and c not in IGNORED]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no tap: write x for a tap, X for an accent, . or - for a rest")
    if len(text) > MAX_TEXT:
        raise InputError(f"a line has at most {MAX_TEXT:,} characters, not {len(text):,}")
    levels = np.array([LEVELS[c] for c in text if c in LEVELS], np.float32)
    if not levels.any():
        raise InputError("the line has no tap: write x for a tap, X for an accent, . or - for a rest")
    return levels


def lay_text(text: str, grid: Grid, steps_per_quarter: int = 4) -> Line:
    """A line of text on a grid, again and again until the grid ends.

    Args:
        text: see the module.
        grid: 16ths.
        steps_per_quarter: characters in a quarter note: 4 = 16ths, 3 = triplets of 8ths.

    Raises:
        InputError: the text is no line.
    """
    levels = read_levels(text)
    quarters = [float(q) for q in grid.bar_quarters]
    starts = np.concatenate([[0.0], np.cumsum(quarters)])
    places = np.arange(int(np.ceil(starts[-1] * steps_per_quarter - 1e-9))) / steps_per_quarter
    struck = levels[np.arange(len(places)) % len(levels)]
    bar = np.searchsorted(starts, places[struck > 0] + 1e-9, side="right") - 1
    lengths = np.diff(grid.bar_ticks)[bar]
    ticks = grid.bar_ticks[bar] + np.floor((places[struck > 0] - starts[bar]) / np.array(quarters)[bar] * lengths + 0.5).astype(np.int64)
    return _lay(ticks, struck[struck > 0], grid)


def lay_parts(parts: Sequence[Part], grid: Grid) -> Line:
    """The onsets of parts on a grid."""
    ticks = np.concatenate([np.zeros(0, np.int64), *(p.notes["onset"] for p in parts)])
    velocities = np.concatenate([np.zeros(0, np.uint8), *(p.notes["velocity"] for p in parts)])
    return _lay(ticks.astype(np.int64), (velocities / 127).astype(np.float32), grid)


def _lay(ticks: npt.NDArray[np.int64], velocities: Floats32, grid: Grid) -> Line:
    steps, late = grid.locate(ticks)
    order = np.argsort(velocities, kind="stable")  # the loudest is written last
    loud, offsets = np.zeros(grid.steps, np.float32), np.zeros(grid.steps, np.float32)
    loud[steps[order]], offsets[steps[order]] = velocities[order], np.clip(late[order], -0.5, _LATEST)
    return Line(grid, loud, offsets)


def write_part(line: Line, program: int = 33) -> Part:
    """The line as notes of a bass that holds each until the next: what a drummer hears of it."""
    steps = np.flatnonzero(line.taps)
    onset = np.maximum(line.grid.ticks(steps, line.offsets[steps].astype(np.float64)), 0)
    notes: Notes = np.zeros(len(steps), NOTE_DTYPE)
    notes["onset"], notes["pitch"] = onset, 36
    notes["end"] = np.maximum(onset + 1, np.minimum(np.append(onset[1:], line.grid.bar_ticks[-1]), onset + line.grid.step_lengths[steps] * 4))
    notes["velocity"] = np.clip(np.floor(line.velocities[steps] * 127 + 0.5), 1, 127)
    return Part(0, 0, program, "Line", notes)


def lay_grid(bars: int, numerator: int, denominator: int, qpm: float) -> tuple[Grid, TempoMap, MetreMap]:
    """A grid of equal bars, with its maps.

    Args:
        bars: how many.  numerator, denominator: of all of them.
        qpm: quarter notes a minute.
    """
    tempo = TempoMap(480, (0,), (int(60e6 / qpm + 0.5),))
    metre = MetreMap((0,), (numerator,), (denominator,))
    return Grid.lay(tempo, metre, tempo.tick(Fraction(4 * numerator * bars, denominator))), tempo, metre
