"""The feel of the drums of a file, measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backbeat.codecs.places import Swing
from backbeat.errors import InputError
from backbeat.metrics.feel import measure_push, measure_spread, measure_swing
from backbeat.midi.reading import Reading, read_strokes
from backbeat.midi.restrike import StruckNotes
from backbeat.song import Song
from backbeat.transforms.feel import Flags, choose_pairs
from backbeat.transforms.feel_template import Template, learn_template
from backbeat.units import Floats, Ints


@dataclass(frozen=True)
class Measured:
    """The feel of drums.

    Args:
        swing_of, swing: which notes are paired, and where the second falls, in percent; 0 and nan where there are no pairs.
        late_ms: mean lateness against the nominal places, of all strokes ("all") and of each class.
        spread_ms: standard deviation of the lateness, a drift of the whole kit against the bars taken off.
        velocity, velocity_spread: mean and standard deviation, MIDI units.
        strokes: how many.
    """

    swing_of: int
    swing: float
    late_ms: dict[str, float]
    spread_ms: float
    velocity: float
    velocity_spread: float
    strokes: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what is not a number becomes none."""
        swing = None if np.isnan(self.swing) else round(self.swing, 2)
        late = {name: round(ms, 2) for name, ms in self.late_ms.items()}
        numbers = {"spread_ms": self.spread_ms, "velocity": self.velocity, "velocity_spread": self.velocity_spread}
        return {"swing_of": self.swing_of or None, "swing": swing, "late_ms": late} | {k: round(v, 2) for k, v in numbers.items()} | {"strokes": self.strokes}


def measure_feel(song: Song, of: int | None = None) -> Measured:
    """Measure the feel of a song's drums, places found from the notes alone.

    Args:
        song: the song.
        of: 8 or 16, the pairs whose swing is wanted; none = what the drums play.

    Raises:
        InputError: the song has no drum notes.
    """
    reading = read_drums(song)
    velocities = reading.strokes.velocities.astype(np.float64) * 127
    return measure(reading, reading.strokes.places, reading.swing, reading.lateness, velocities, of or find_paired_notes(reading))


def read_drums(song: Song) -> Reading:
    """The drum notes of a song as strokes.

    Raises:
        InputError: it has none.
    """
    reading = read_strokes(song)
    if not len(reading.strokes):
        raise InputError(f"{song.source or 'the song'} has no drum notes: nothing to humanise")
    return reading


def measure(reading: Reading, places: Floats, swing: Swing, late: Floats, velocities: Floats, of: int) -> Measured:
    """Measure strokes that were played anew.

    Args:
        reading: the strokes.
        places: float64 [m], their nominal places, with ``swing`` in them.
        swing: see there.
        late: float64 [m], ms.  velocities: float64 [m], MIDI units.
        of: 8 or 16, the pairs whose swing is wanted.
    """
    strokes = replace(reading.strokes, places=places)
    percent = measure_swing(strokes, reading.straight, reading.binary & find_swingable(reading, strokes.bars, of), late, swing, of)
    push = measure_push(strokes, late, count_leading(reading))
    figures = (measure_spread(late - reading.drift), float(velocities.mean()), measure_spread(velocities))
    return Measured(0 if np.isnan(percent) else of, percent, push, *figures, len(strokes))


def count_leading(reading: Reading) -> Floats:
    """float64 [m]: notes that sound with the one that leads each stroke, itself included."""
    return np.maximum(1, np.bincount(reading.stroke_of[reading.leads], minlength=len(reading.strokes))).astype(np.float64)


def find_denominators(reading: Reading, bars: Ints) -> Ints:
    """int64: the metre's denominator in each of some bars."""
    return np.array(reading.grid.denominators, dtype=np.int64)[np.minimum(bars, reading.grid.bars - 1)]


def find_swingable(reading: Reading, bars: Ints, of: int) -> Flags:
    """Bool: whether pairs of ``of`` swing in the metre of each of some bars; 8ths do not where they are the beat (x/8)."""
    return np.asarray((find_denominators(reading, bars) <= 4) | (of != 8))


def find_paired_notes(reading: Reading) -> int:
    """8 or 16: the notes that the drums pair, or that a swing would pair."""
    return choose_pairs(reading.straight, reading.binary, reading.swing, find_denominators(reading, reading.strokes.bars) <= 4)


def match_notes(notes: StruckNotes, written: StruckNotes) -> tuple[Ints, Ints]:
    """Ticks and velocities that notes have in the file that was written: of one drum they keep their order."""
    orders = [np.lexsort((n.on, n.pitch, n.channel, n.track)) for n in (notes, written)]
    ticks, loud = np.empty(len(notes), np.int64), np.empty(len(notes), np.int64)
    ticks[orders[0]], loud[orders[0]] = written.tick[orders[1]], written.velocity[orders[1]]
    return ticks, loud


def learn_groove(groove: Song) -> Template:
    """The feel of the drums of a song, as a template.

    Raises:
        InputError: it has no drum notes.
    """
    other = read_drums(groove)
    return learn_template(other.strokes, other.straight, other.lateness, other.swing)
