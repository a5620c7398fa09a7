"""The clock of NeuralDrummer: instruments and half-beats of a MIDI file as the original's reader (pretty_midi 0.2) has them.

Only for the faithful codec: this reader takes tempi and metres of the first track alone, adds up beats in floating point, ends a
note with the first note-off of its pitch, and forgets notes that have none. Ours (``midi``) does otherwise; but where a note lies
half-way between two half-beats, rounding decides, so that equal tokens need the same sums in the same order.

Conventions: times in seconds, float64. Beats are those of the metre: quarters in x/4, dotted quarters in 6/8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from backbeat.errors import MidiError
from backbeat.midi.events import SET_TEMPO, TEXT, TIME_SIGNATURE
from backbeat.midi.notes import collect_voice_events
from backbeat.midi.reader import Bytes, dissect
from backbeat.units import Floats, Ints

LYRIC, KEY_SIGNATURE = 0x05, 0x59
DRUM_CHANNEL = 9
EXTRA = 32
"""Half-beats behind the last beat."""
LARGEST_TICK = 10_000_000
_DENOMINATORS = (1, 2, 4, 8, 16, 32)


@dataclass
class Instrument:
    """The notes of one program on one channel of one track.

    Args:
        is_drum: whether it is on the drum channel.
        starts: seconds, and pitches: of its notes, in the order in which they end.
        last: the latest note-off, in seconds.
        others: the latest controller or pitch bend, shared with what came before the first note.
    """

    is_drum: bool
    starts: list[float] = field(default_factory=list)
    pitches: list[int] = field(default_factory=list)
    last: float = 0.0
    others: list[float] = field(default_factory=lambda: [0.0])

    def end_notes(self, starts: list[float], pitch: int, now: float) -> None:
        """End notes of a pitch that began at these times."""
        self.starts += starts
        self.pitches += [pitch] * len(starts)
        self.last = max(self.last, now)


@dataclass(frozen=True)
class HalfBeats:
    """A file on its half-beats.

    Args:
        times: float64 [n] seconds.
        last_downbeat: index of the last bar line, four bars behind the song.
        instruments: those with notes, in the order of their first note-off.
    """

    times: Floats
    last_downbeat: int
    instruments: list[Instrument]

    def place(self, instrument: Instrument) -> list[tuple[int, int]]:
        """(half-beat, pitch) of every note, by start: the nearest half-beat, of two the earlier."""
        order = np.argsort(np.array(instrument.starts), kind="stable")
        starts = np.array(instrument.starts)[order]
        right = np.clip(np.searchsorted(self.times, starts), 1, len(self.times) - 1)
        nearest = np.where(np.abs(self.times[right - 1] - starts) <= np.abs(self.times[right] - starts), right - 1, right)
        return [(int(k), instrument.pitches[i]) for k, i in zip(nearest, order, strict=True)]


@dataclass(frozen=True)
class _Clock:
    """Seconds of ticks, piecewise."""

    ticks: Ints
    scales: Floats
    anchors: Floats
    resolution: int

    def seconds(self, ticks: Ints) -> Floats:
        """Float64 [n]; of two segments that meet at a tick, the later counts."""
        k = np.searchsorted(self.ticks, ticks, side="right") - 1
        return np.asarray(self.anchors[k] + self.scales[k] * (ticks - self.ticks[k]))

    def second(self, tick: int) -> float:
        """The same of one tick."""
        return float(self.seconds(np.array([tick]))[0])

    @property
    def tempi(self) -> list[tuple[float, float]]:
        """Seconds at which a tempo starts, and the tempo in quarters a minute."""
        return [(t, 60.0 / (s * self.resolution)) for t, s in zip(self.seconds(self.ticks).tolist(), self.scales.tolist(), strict=True)]


def read_half_beats(data: bytes) -> HalfBeats:
    """Read a file.

    Raises:
        MidiError: it cannot be read, has no note, or less than two bars of beats.
    """
    file = dissect(data)
    last = max((int(t.ticks[-1]) for t in file.tracks if len(t.ticks)), default=0)
    if not 0 < file.layout.division < 0x8000 or last + 1 > LARGEST_TICK:
        raise MidiError("its division or length is none that the original reads")
    clock = _read_clock(file)
    metres = [
        (clock.second(m.tick), file.data[m.start], 1 << file.data[m.start + 1])
        for m in file.tracks[0].metas
        if m.type == TIME_SIGNATURE and m.end - m.start >= 2 and file.data[m.start] and file.data[m.start + 1] < 8
    ]
    instruments = _read_instruments(file, clock)
    if not instruments:
        raise MidiError("there is no note")
    others = [clock.second(m.tick) for m in file.tracks[0].metas if m.type == KEY_SIGNATURE]
    others += [clock.second(m.tick) for t in file.tracks for m in t.metas if m.type in (TEXT, LYRIC)]
    end = max([max(i.last, i.others[0]) for i in instruments] + others + [m[0] for m in metres] + [t for t, _ in clock.tempi])
    beats = _count_beats(clock.tempi, metres, end)
    if len(beats) < 2:
        raise MidiError("it is shorter than two beats")
    times = _halve(beats)
    return HalfBeats(times, _find_last_downbeat(times, beats, metres), instruments)


def _read_clock(file: Bytes) -> _Clock:
    resolution = file.layout.division
    changes = [(0, 60.0 / (120.0 * resolution))]
    for meta in file.tracks[0].metas if file.tracks else ():
        if meta.type != SET_TEMPO or meta.end - meta.start < 3:
            continue
        scale = 60.0 / ((6e7 / max(1, int.from_bytes(file.data[meta.start : meta.start + 3], "big"))) * resolution)
        if meta.tick == 0:
            changes = [(0, scale)]
        elif scale != changes[-1][1]:
            changes.append((meta.tick, scale))
    anchors = [0.0]
    for (tick, scale), (following, _) in pairwise(changes):
        anchors.append(anchors[-1] + scale * (following - tick))
    ticks, scales = zip(*changes, strict=True)
    return _Clock(np.array(ticks, np.int64), np.array(scales), np.array(anchors), resolution)


def _read_instruments(file: Bytes, clock: _Clock) -> list[Instrument]:
    instruments: dict[tuple[int, int, int], Instrument] = {}
    before: dict[tuple[int, int], list[float]] = {}
    programs: dict[tuple[int, int], int] = {}
    sounding: dict[tuple[int, int, int], list[float]] = {}
    events = collect_voice_events(file.data, file.tracks)
    times = clock.seconds(events.tick).tolist()
    for track, now, status, data1, data2 in zip(
        events.track.tolist(), times, events.status.tolist(), events.data1.tolist(), events.data2.tolist(), strict=True
    ):
        kind, place = status >> 4, (track, status & 15)
        if kind == 9 and data2:
            sounding.setdefault((*place, data1), []).append(now)
        elif kind in (8, 9):
            begun = sounding.pop((*place, data1), [])
            ended = [t for t in begun if t != now]
            if ended and len(ended) < len(begun):
                sounding[*place, data1] = [now] * (len(begun) - len(ended))
            if ended:
                key = (programs.get(place, 0), *place)
                if key not in instruments:
                    instruments[key] = Instrument(place[1] == DRUM_CHANNEL, others=before.get(place, [0.0]))
                instruments[key].end_notes(ended, data1, now)
        elif kind == 0xC:
            programs[place] = data1
        elif kind in (0xB, 0xE):
            known = instruments.get((programs.get(place, 0), *place))
            others = known.others if known else before.setdefault(place, [0.0])
            others[0] = max(others[0], now)
    return list(instruments.values())


def _count_beats(tempi: list[tuple[float, float]], metres: list[tuple[float, int, int]], end: float) -> Floats:
    """The beats before ``end``, each a sum of the one before and a beat's length."""
    beats, tempo, metre = [0.0], 0, 0
    while metre < len(metres) - 1 and beats[-1] >= metres[metre + 1][0]:
        metre += 1
    while beats[-1] < end:
        pace = _beats_a_minute(tempi[tempo][1], metres, metre)
        beat = beats[-1] + 60.0 / pace
        if tempo < len(tempi) - 1 and beat > tempi[tempo + 1][0]:
            beat, rest = beats[-1], 1.0
            while tempo < len(tempi) - 1 and beat + rest * 60.0 / pace >= tempi[tempo + 1][0]:
                share = (tempi[tempo + 1][0] - beat) / (60.0 / pace)
                beat += share * 60.0 / pace
                rest -= share
                tempo += 1
                pace = _beats_a_minute(tempi[tempo][1], metres, metre)
            beat += rest * 60.0 / pace
        if metres and metre == 0 and metres[0][0] > beats[-1] and _reaches(beat, metres[0][0]):
            beat = metres[0][0]
        if metre < len(metres) - 1 and _reaches(beat, metres[metre + 1][0]):
            beat = metres[metre + 1][0]
            metre += 1
        beats.append(beat)
    return np.array(beats[:-1])


def _beats_a_minute(quarters: float, metres: list[tuple[float, int, int]], metre: int) -> float:
    if not metres or metres[metre][2] not in _DENOMINATORS:
        return quarters
    _, numerator, denominator = metres[metre]
    return (quarters / 3.0 if numerator % 3 == 0 and numerator != 3 else quarters) * denominator / 4.0


def _reaches(a: float, b: float) -> bool:
    return a > b or _is_close(a, b)


def _is_close(a: float, b: float) -> bool:
    """As ``numpy.isclose`` has it."""
    return abs(a - b) <= 1e-8 + 1e-5 * abs(b)


def _halve(beats: Floats) -> Floats:
    """Every beat but the last and the middle behind it, and ``EXTRA`` more."""
    lengths = np.diff(beats)
    times = np.stack([beats[:-1], beats[:-1] + lengths * 2 / 4], axis=1).ravel()
    steps = np.concatenate([times[-1:], np.full(EXTRA, lengths[-1] / 2)])
    return np.concatenate([times, np.cumsum(steps)[1:]])


def _find_last_downbeat(times: Floats, beats: Floats, metres: list[tuple[float, int, int]]) -> int:
    """The half-beat of the last bar line, once four more bars are added.

    Raises:
        MidiError: there is but one bar.
    """
    spans = metres if metres and metres[0][0] <= 0 else [(0.0, 4, 4), *metres]
    lines: list[float] = []
    first = last = 0
    for index, (start, numerator, _) in enumerate(spans):
        bar = numerator // 3 if numerator % 3 == 0 and numerator != 3 else numerator
        if index == len(spans) - 1:
            lines += beats[_find(beats, start, last) :: bar].tolist()
        else:
            first = _find(beats, start, 0)
            last = _find(beats, spans[index + 1][0], first)
            lines += beats[first:last:bar].tolist()
    if len(lines) < 2:
        raise MidiError("it is shorter than two bars")
    length = lines[-1] - lines[-2]
    for _ in range(4):
        lines.append(lines[-1] + length)
    found: dict[int, None] = {}
    for line in lines:
        found.setdefault(int(np.abs(times - line).argmin()))
    return list(found)[-1]


def _find(beats: Floats, time: float, otherwise: int) -> int:
    close = np.flatnonzero(np.isclose(beats, time))
    return int(close[0]) if len(close) else otherwise
