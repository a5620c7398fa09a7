"""The drum notes of a file as strokes with their nominal places: what can be performed anew, and written back note by note.

Notes that make one stroke (a flam, a note doubled on another track, two snare samples at once) are one stroke here: the loudest note
leads, the others follow it at the distance they have. So a flam stays a flam whatever becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.places import Metre, Places, Swing, find_places, lay_metre
from backbeat.codecs.strokes import Strokes, measure_beats
from backbeat.grid import Grid
from backbeat.kits import Kit, load_kit
from backbeat.midi.clock import Clock
from backbeat.midi.restrike import StruckNotes, find_struck
from backbeat.song import Song
from backbeat.units import Floats, Ints

FLAM_MS = 30.0
"""Two strokes of a drum nearer than this are one stroke with a grace note."""
UNKNOWN = "claves"
"""The class of the kit that notes unknown to it are read as; they keep their note."""
_DRIFT_FROM, _DRIFT_FULL, _WINDOW = 20.0, 35.0, 65
_LOST_MS = 65.0
"""A stroke farther than this from every place counts as meant where it is."""
_EVEN = 48


@dataclass(frozen=True, eq=False)
class Reading:
    """Drum notes read as strokes: n notes make m strokes.

    Args:
        notes: the notes of the file.
        strokes: m strokes as they were played; ``late`` is what is left when the drift is taken off.
        straight: float64 [m], quarters from the start of the bar as notated, without swing.
        binary: bool [m], strokes that swing applies to.
        drift: float64 [m], ms: how far the whole kit lies from the bars around a stroke, which is not the player's doing and stays.
        stroke_of: int64 [n], the stroke that a note belongs to.
        leads: bool [n], notes that lead their stroke or sound with the one that leads.
        swing: of the drums.
        spread_ms: how far strokes lie from their places.
        aligned: whether strokes lie near places at all.
        clock: the tempo map.
        grid: the bars.
    """

    notes: StruckNotes
    strokes: Strokes
    straight: Floats
    binary: npt.NDArray[np.bool_]
    drift: Floats
    stroke_of: Ints
    leads: npt.NDArray[np.bool_]
    swing: Swing
    spread_ms: float
    aligned: bool
    clock: Clock
    grid: Grid

    def nominal_seconds(self, places: Floats | None = None) -> Floats:
        """float64 [m]: when strokes are meant to sound, the drift included.

        Args:
            places: float64 [m], other places in their bars; none = as they are.
        """
        inside = self.strokes.places if places is None else places
        return np.asarray(self.clock.seconds_at(self.strokes.starts + inside) + self.drift / 1000, dtype=np.float64)

    @property
    def lateness(self) -> Floats:
        """float64 [m]: milliseconds behind the nominal place, the drift included."""
        return np.asarray(self.strokes.late + self.drift, dtype=np.float64)


def read_strokes(song: Song, kit: Kit | None = None) -> Reading:
    """Read the drum notes of a song.

    Args:
        song: the song.
        kit: names the strokes' columns; none = "backbeat".

    Raises:
        SongError: the song has more bars than can be played.
    """
    kit = kit or load_kit("backbeat")
    notes, clock = find_struck(song), Clock(song.tempo)
    grid = Grid.lay(song.tempo, song.metre, song.last_note_tick)
    grid = Grid.lay(song.tempo, song.metre, int(grid.bar_ticks[-1]) + 1)  # a bar more: strokes just before its start belong to it
    metre = lay_metre(clock.quarters(grid.bar_ticks), grid.numerators, grid.denominators)
    columns = kit.lookup[notes.pitch]
    columns = np.where(columns < 0, kit.index(UNKNOWN) if UNKNOWN in kit.names else 0, columns)
    seconds = clock.seconds(notes.tick)
    stroke_of, leader = _join_flams(columns, seconds, notes.velocity)
    ticks = notes.tick[leader]
    found = find_places(metre, clock.quarters(ticks), clock.qpm(ticks), float(clock.tick_ms(ticks).mean()) if len(ticks) else 0.5)
    return _build(notes, clock, grid, metre, kit, columns, seconds, stroke_of, leader, found)


def _join_flams(columns: Ints, seconds: Floats, velocity: Ints) -> tuple[Ints, Ints]:
    """Int64 [n], the stroke of each note, and int64 [m], the note that leads each: the loudest, of equals the last; by time of that note."""
    order = np.lexsort((seconds, columns))
    group, number, first = np.zeros(len(order), np.int64), -1, 0.0
    before = -1
    for i in order.tolist():
        if before != columns[i] or seconds[i] - first >= FLAM_MS / 1000 - 1e-6:
            number, first, before = number + 1, float(seconds[i]), int(columns[i])
        group[i] = number
    return _lead(group, seconds, velocity)


def _lead(group: Ints, seconds: Floats, velocity: Ints) -> tuple[Ints, Ints]:
    """Strokes numbered by the time of the notes that lead them, and those notes."""
    by_loudness = np.lexsort((seconds, velocity, group))
    last = np.append(group[by_loudness][1:] != group[by_loudness][:-1], True) if len(group) else np.zeros(0, np.bool_)
    leader = by_loudness[last]
    order = np.argsort(seconds[leader], kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[group] if len(group) else group, leader[order]


def _build(
    notes: StruckNotes,
    clock: Clock,
    grid: Grid,
    metre: Metre,
    kit: Kit,
    columns: Ints,
    seconds: Floats,
    stroke_of: Ints,
    leader: Ints,
    found: Places,
) -> Reading:
    """Join strokes of one drum on one place, sort them by place, and measure how late they are."""
    joined, leads_stroke = _join_places(found, columns[leader], seconds[leader], notes.velocity[leader])
    lead_note, bars = leader[leads_stroke], found.bars[leads_stroke]
    starts, places, straight = metre.bar_starts[bars], found.places[leads_stroke], found.straight[leads_stroke]
    qpm, binary = clock.qpm(notes.tick[lead_note]), found.binary[leads_stroke]
    late = (seconds[lead_note] - clock.seconds_at(starts + places)) * 1000
    drift = _find_drift(late)
    lost = np.abs(late - drift) > max(_LOST_MS, 3 * found.spread_ms)
    own = np.maximum(clock.quarters(notes.tick[lead_note]) - starts, 0)
    places, straight, binary = np.where(lost, own, places), np.where(lost, own, straight), binary & ~lost
    late, drift = np.where(lost, 0.0, late - drift), np.where(lost, 0.0, drift)
    order = np.lexsort((columns[lead_note], places, bars))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    lengths, beats = np.diff(metre.bar_starts), measure_beats(grid)
    last = np.minimum(bars, len(lengths) - 1)
    velocities = (notes.velocity[lead_note] / 127).astype(np.float32)
    together = np.abs(seconds - seconds[lead_note][joined[stroke_of]]) < 1e-3
    strokes = Strokes(
        kit,
        columns[lead_note][order],
        bars[order],
        places[order],
        lengths[last][order],
        beats[last][order],
        starts[order],
        qpm[order],
        velocities[order],
        late[order].astype(np.float32),
    )
    stroke_of = rank[joined[stroke_of]]
    return Reading(notes, strokes, straight[order], binary[order], drift[order], stroke_of, together, found.swing, found.spread_ms, found.aligned, clock, grid)


def _join_places(found: Places, columns: Ints, seconds: Floats, velocity: Ints) -> tuple[Ints, Ints]:
    """Strokes of one drum on one place as one: its number for each stroke, and the stroke that leads each, by time."""
    apart = np.zeros(len(columns), np.int64) if found.aligned else np.arange(len(columns))
    cells = np.stack([found.bars, np.floor(found.straight * _EVEN + 0.5).astype(np.int64), columns, apart], axis=1)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    return _lead(cell.reshape(-1), seconds, velocity)


def _find_drift(late: Floats) -> Floats:
    """Float64 [m]: the running median of the lateness, where it is more than a player's habit."""
    if len(late) < 8:
        return np.zeros(len(late))
    if len(late) < 2 * _WINDOW:
        middle = np.full(len(late), np.median(late))
    else:
        padded = np.pad(late, _WINDOW // 2, mode="reflect")
        middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW), axis=1)
    kept = np.clip((np.abs(middle) - _DRIFT_FROM) / (_DRIFT_FULL - _DRIFT_FROM), 0, 1)
    return np.asarray(middle * kept, dtype=np.float64)
