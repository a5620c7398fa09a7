"""Drum events: Drums RNN's representation, equal to the reference (note-seq 0.0.5 and magenta's drums_rnn).

A track is a sequence of events, each the set of MIDI notes struck in a step. An encoding numbers events by which of its groups of notes
they touch (bit i = group i; a group decodes to its first note; unknown notes are left out). Into the network goes the event as
one-hot, with binary counters of the *next* step's place (bit i of it as -1 or 1); the label is the next event.

Tracks are extracted as ``drums_rnn_create_dataset`` does: cut where the tempo or the metre changes, quantised from there in seconds as
floats (so a hit exactly between two steps falls to either, and always to the one of the reference), begun at the bar of the first hit,
ended by a gap of a bar; too short ones leave, long ones are truncated. Notes without a length are not read (the reference's reader loses
them; Groove MIDI has some, on its first tick). Unlike the reference, drum parts off channel 10 are found, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.kits import load_kit
from backbeat.song import NOTE_DTYPE, Song
from backbeat.units import Ints, TempoMap

Event = frozenset[int]
Floats32 = npt.NDArray[np.float32]
MIN_BARS, MAX_STEPS, GAP_BARS = 7, 512, 1.0
MAX_PRIMER = 4096


@dataclass(frozen=True)
class DrumEncoding:
    """How events are numbered.

    Args:
        name: as the original calls it.
        groups: MIDI notes that count as one, the first being the one written.
        steps_per_quarter: density of the grid.
        counters: binary counters in the input.
    """

    name: str
    groups: tuple[tuple[int, ...], ...]
    steps_per_quarter: int
    counters: int

    @property
    def classes(self) -> int:
        """Number of events that can be told apart."""
        return 1 << len(self.groups)

    @property
    def inputs(self) -> int:
        """Length of an input vector."""
        return self.classes + self.counters

    def number(self, event: Iterable[int], *, strict: bool = False) -> int:
        """The number of an event.

        Args:
            event: MIDI notes.
            strict: refuse a note of no group instead of leaving it out.

        Raises:
            InputError: there is an unknown note, and it is not to be left out.
        """
        index = 0
        for note in event:
            group = next((i for i, notes in enumerate(self.groups) if note in notes), None)
            if group is not None:
                index |= 1 << group
            elif strict:
                raise InputError(f"drum note {note} belongs to no class of {self.name}: take one of {', '.join(str(g[0]) for g in self.groups)}")
        return index

    def event(self, number: int) -> Event:
        """The event of a number: the first note of each group.

        Raises:
            InputError: there is no such event.
        """
        if not 0 <= number < self.classes:
            raise InputError(f"{self.name} has events 0-{self.classes - 1}, not {number}")
        return frozenset(notes[0] for i, notes in enumerate(self.groups) if number >> i & 1)

    def count(self, positions: npt.NDArray[np.integer[Any]]) -> Floats32:
        """float32 [..., counters]: the counters that stand beside the events at ``positions`` (integers, any shape)."""
        following = np.asarray(positions, np.int64)[..., None] + 1
        return np.where(following >> np.arange(self.counters) & 1, 1, -1).astype(np.float32)

    @cached_property
    def count_all(self) -> Floats32:
        """float32 [2 ** counters, counters]: the counters of every position; they begin anew behind the last."""
        return self.count(np.arange(1 << self.counters))

    def numbers(self, events: Sequence[Iterable[int]]) -> Ints:
        """int64 [n]: the number of each event."""
        return np.array([self.number(e) for e in events], np.int64)

    def encode(self, events: Sequence[Iterable[int]]) -> tuple[Floats32, Ints]:
        """Inputs and labels as the reference's ``encode`` gives them.

        Returns:
            float32 [n - 1, inputs] and int64 [n - 1].
        """
        numbers = self.numbers(events)
        inputs = np.zeros((max(0, len(numbers) - 1), self.inputs), np.float32)
        inputs[np.arange(len(inputs)), numbers[:-1]] = 1
        inputs[:, self.classes :] = self.count(np.arange(len(inputs)))
        return inputs, numbers[1:]


DRUM_KIT = DrumEncoding("drum_kit", tuple(c.notes for c in load_kit("drums_rnn_9").classes), 4, 6)
"""Nine classes of drums in 16ths: 512 events."""

ONE_DRUM = DrumEncoding("one_drum", ((39, *range(39), *range(40, 128)),), 2, 0)
"""Struck or not, in 8ths; decodes to 39, a hand clap."""

ENCODINGS = {e.name: e for e in (DRUM_KIT, ONE_DRUM)}


class DrumTrack(NamedTuple):
    """Events from the start of a bar.

    Args:
        events: one a step.
        start: steps from where its piece was cut (or began) to the first event.
        steps_per_bar: of its metre.
        qpm: its tempo.
    """

    events: tuple[Event, ...]
    start: int
    steps_per_bar: int
    qpm: float


class Extraction(NamedTuple):
    """Tracks, and what became of the rest.

    Args:
        tracks: those that stay.
        too_short: tracks with fewer bars than wanted.
        truncated: tracks cut at the largest length.
        uneven: pieces whose bars are no whole number of steps.
    """

    tracks: tuple[DrumTrack, ...]
    too_short: int
    truncated: int
    uneven: int


def extract_tracks(
    song: Song, encoding: DrumEncoding = DRUM_KIT, *, min_bars: int = MIN_BARS, max_steps: int = MAX_STEPS, gap_bars: float = GAP_BARS
) -> Extraction:
    """Drum tracks of a song by the original's rules.

    Args:
        song: any song; its drum parts are read.
        encoding: says how dense the grid is.
        min_bars: shorter tracks leave.  max_steps: longer ones are truncated.  gap_bars: so many silent bars end a track.
    """
    tracks, short, long, uneven = list[DrumTrack](), 0, 0, 0
    for notes, bar, qpm in _cut(song, encoding.steps_per_quarter):
        if bar.denominator != 1:
            uneven += 1
            continue
        for start, events in _follow(notes, bar.numerator, gap_bars):
            if len(events) < bar.numerator * min_bars:
                short += 1
                continue
            long += len(events) > max_steps
            tracks.append(DrumTrack(tuple(events[:max_steps]), start, bar.numerator, qpm))
    return Extraction(tuple(tracks), short, long, uneven)


def _cut(song: Song, steps_per_quarter: int) -> Iterator[tuple[list[tuple[int, Event]], Fraction, float]]:
    """The hits of each part of a song without a change of tempo or metre, its steps per bar and its tempo."""
    notes = np.concatenate([np.zeros(0, NOTE_DTYPE), *(p.notes for p in song.drum_parts)])
    notes = notes[notes["onset"] < notes["end"]]
    onsets, pitches = notes["onset"].astype(np.int64), notes["pitch"].astype(np.int64)
    edges = sorted({0, *song.tempo.ticks, *song.metre.ticks})
    for first, last in zip(edges, [*edges[1:], max(song.end_tick, edges[-1]) + 1], strict=True):
        inside = (onsets >= first) & (onsets < last)
        steps = _quantise(onsets[inside], first, song.tempo, steps_per_quarter)
        struck: dict[int, set[int]] = {}
        for step, pitch in zip(steps.tolist(), pitches[inside].tolist(), strict=True):
            struck.setdefault(step, set()).add(pitch)
        metre = max(k for k, tick in enumerate(song.metre.ticks) if tick <= first)
        bar = Fraction(4 * steps_per_quarter * song.metre.numerators[metre], song.metre.denominators[metre])
        yield [(step, frozenset(struck[step])) for step in sorted(struck)], bar, song.tempo.qpm(first)


def _quantise(ticks: Ints, first: int, tempo: TempoMap, steps_per_quarter: int) -> Ints:
    """Steps of ticks from ``first`` on, in the reference's arithmetic: seconds of ticks, less those of the start, times steps per second."""
    if tempo.ticks_per_second is not None:
        quarters = [float(tempo.quarters(t) - tempo.quarters(first)) for t in ticks.tolist()]
        return np.floor(np.array(quarters, np.float64) * steps_per_quarter + 0.5).astype(np.int64)
    scales = [60.0 / ((6e7 / us) * tempo.ticks_per_quarter) for us in tempo.microseconds]
    starts = [0.0]
    for (before, after), scale in zip(pairwise(tempo.ticks), scales, strict=False):
        starts.append(starts[-1] + scale * (after - before))
    edges = np.array(tempo.ticks)
    at, here = (np.searchsorted(edges, t, side="right") - 1 for t in (ticks, first))
    seconds = np.array(starts)[at] + np.array(scales)[at] * (ticks - edges[at])
    begin = starts[here] + scales[here] * (first - tempo.ticks[here])
    steps_per_second = steps_per_quarter * (60.0 / (scales[here] * tempo.ticks_per_quarter)) / 60.0
    return np.asarray((seconds - begin) * steps_per_second + 0.5, np.int64)


def _follow(hits: list[tuple[int, Event]], bar: int, gap_bars: float) -> Iterator[tuple[int, list[Event]]]:
    """Start and events of each track; as the reference searches on from the bar behind a track's end."""
    search, at = 0, 0
    while at < len(hits):
        start = hits[at][0] - (hits[at][0] - search) % bar
        events: list[Event] = []
        while at < len(hits) and not (events and hits[at][0] - start - len(events) >= gap_bars * bar):
            step, event = hits[at]
            events += [frozenset()] * (step - start - len(events)) + [event]
            at += 1
        yield start, events
        end = start + len(events)
        search = end + (search - end) % bar
        while at < len(hits) and hits[at][0] < search:  # pragma: no cover - a gap is a bar at least
            at += 1


def parse_primer(text: str) -> tuple[Event, ...]:
    """A primer as text, in the original's notation: "[(36,42),(),(42,)]", one tuple of MIDI notes a step.

    Raises:
        InputError: the text is not of that kind.
    """
    wrong = InputError(f"primer {text[:60]!r}: write one tuple of MIDI notes (0-127) a step, such as '[(36,42),(),(42,)]'")
    try:
        steps = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise wrong from None
    if not isinstance(steps, list | tuple) or not 0 < len(steps) <= MAX_PRIMER:
        raise wrong
    events = [(step,) if isinstance(step, int) else step for step in steps]
    if not all(isinstance(e, tuple | list) and all(type(n) is int and 0 <= n <= 127 for n in e) for e in events):
        raise wrong
    return tuple(frozenset(e) for e in events)


def write_primer(events: Iterable[Iterable[int]]) -> str:
    """Events in the notation of ``parse_primer``."""
    return repr([tuple(sorted(e)) for e in events]).replace(" ", "")
