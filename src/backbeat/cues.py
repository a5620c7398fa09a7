"""What a drummer may hear of a song: the band, per step and lane, and the shape of the piece. Never the drums.

Conventions: six lanes in the order of ``LANES``; a step's cue counts the notes that start nearest to it; offsets in steps,
positive = late. ``hear`` makes the cues; ``encode`` turns them into the bytes that a network eats (every feature lies in
[0, 1] and is stored as round(255 x), so that training and playing see the same numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.features import compute_novelties, compute_similarity_back, find_matches, find_section_starts, normalise_rows
from backbeat.grid import Grid
from backbeat.song import NOTE_DTYPE, Part, Song
from backbeat.units import TempoMap

LANES = ("bass", "guitar", "keys", "pads", "lead", "other")
_FAMILIES = ["keys", "keys", "keys", "guitar", "bass", "pads", "pads", "lead", "lead", "lead", "lead", "pads", "other", "other", "other", "other"]
_MIDI = np.float32(127)
_PITCH_CLASS = np.arange(128) % 12
_BASS_NAMES = ("bass", "basse", "bajo", "basso")
RHYTHM_BINS = 16
NOVELTY_WINDOWS = (1, 2, 4, 8)
"""Bars on either side of a line; sections start where four and eight together say so."""
BAND_STEP = tuple(range(25))
BAND_BAR = (*range(17), *range(22, 41))
BAND_SONG = (*range(42), 43)
"""Columns of ``encode`` that the band fills; the others speak of metre, tempo and place."""

Array = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Cues:
    """The band on a grid.

    Args:
        grid: bars and steps.
        qpm: float32 [bars] tempo at each bar.
        onsets: float32 [steps, lanes] notes starting.
        velocities: float32 [steps, lanes] in 0-1, the loudest of them.
        sustained: float32 [steps, lanes] 1 where a note sounds.
        pitches: float32 [steps, lanes] in 0-1 (MIDI pitch / 127) of the notes starting: the lowest in the bass, the highest elsewhere.
        offsets: float32 [steps] mean offset of the notes starting, 0 without notes.
        descriptors: float32 [bars, d] rhythm, harmony and instrumentation of each bar, rows of length <= 1.
        section_starts: bool [bars].
        matches, similarity: int64 and float32 [bars, 2], see ``find_matches``.
    """

    grid: Grid
    qpm: Array
    onsets: Array
    velocities: Array
    sustained: Array
    pitches: Array
    offsets: Array
    descriptors: Array
    section_starts: npt.NDArray[np.bool_]
    matches: npt.NDArray[np.int64]
    similarity: Array

    @cached_property
    def novelties(self) -> list[Array]:
        """Novelty of the descriptors over each of ``NOVELTY_WINDOWS``, float32 [bars] each."""
        return compute_novelties(self.descriptors, NOVELTY_WINDOWS)

    @cached_property
    def activity(self) -> npt.NDArray[np.float64]:
        """float64 [bars, lanes]: the share of each bar in which a lane sounds."""
        return _share_of_bars(self.sustained, self.grid)

    @cached_property
    def active_bars(self) -> npt.NDArray[np.bool_]:
        """Bool [bars]: whether the band sounds anywhere in the bar."""
        return np.asarray(self.activity.max(axis=1) > 0, dtype=np.bool_)


def choose_lane(part: Part) -> str:
    """The lane of a part, by its name where that says bass, else by its General MIDI family."""
    name = part.name.lower()
    if any(word in name for word in _BASS_NAMES) and "bassoon" not in name and "drum" not in name:
        return "bass"
    return _FAMILIES[part.program // 8]


def assign_lanes(parts: tuple[Part, ...]) -> list[str]:
    """Lanes of all parts; without a bass among them, the lowest part below the middle of the staff takes its place."""
    lanes = [choose_lane(p) for p in parts]
    if parts and "bass" not in lanes:
        medians = [float(np.median(p.notes["pitch"])) if len(p.notes) >= 8 else 127.0 for p in parts]
        lowest = int(np.argmin(medians))
        if medians[lowest] < 50:
            lanes[lowest] = "bass"
    return lanes


class _Heard(NamedTuple):
    """The band's notes, the bass first; columns [n], int64 but for the velocities, uint8."""

    lane: npt.NDArray[np.int64]
    onset: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.uint8]


def _gather(parts: tuple[Part, ...]) -> _Heard:
    lanes = [LANES.index(lane) for lane in assign_lanes(parts)]
    order = sorted(range(len(parts)), key=lanes.__getitem__)
    notes = np.frombuffer(b"".join([parts[i].notes.tobytes() for i in order]), NOTE_DTYPE)  # joining bytes is ten times as fast as joining records
    lane = np.repeat(np.array([lanes[i] for i in order], np.int64), [len(parts[i].notes) for i in order])
    return _Heard(lane, notes["onset"].copy(), notes["end"].copy(), notes["pitch"].astype(np.int64), notes["velocity"].copy())


def _fill_lanes(notes: _Heard, grid: Grid, start: npt.NDArray[np.int64], late: npt.NDArray[np.float64]) -> tuple[Array, Array, Array, Array, Array]:
    """Onsets, velocities, sustained, pitches [steps, lanes] and the mean offset [steps] of notes and their steps and offsets: float32."""
    lanes, steps, size = len(LANES), grid.steps, len(LANES) * grid.steps
    cell = start * lanes
    cell += notes.lane
    onsets = np.bincount(cell, minlength=size).astype(np.float32).reshape(steps, lanes)
    loudest, extreme = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    np.maximum.at(loudest, cell, notes.velocity)
    bass = notes.lane.searchsorted(1)
    height = notes.pitch.astype(np.uint8)
    np.subtract(127, height[:bass], out=height[:bass])
    np.maximum.at(extreme, cell, height)
    pitch = extreme.reshape(steps, lanes)
    pitch[:, 0] = (127 - pitch[:, 0]) * (onsets[:, 0] > 0)
    loud: Array = np.divide(loudest.reshape(steps, lanes), _MIDI, dtype=np.float32)
    high: Array = np.divide(pitch, _MIDI, dtype=np.float32)
    return onsets, loud, _find_sounding(notes, grid, start), high, _average_offsets(cell, late, onsets)


def _find_sounding(notes: _Heard, grid: Grid, start: npt.NDArray[np.int64]) -> Array:
    """float32 [steps, lanes]: 1 where a note sounds; each does in its first step."""
    lanes, row = len(LANES), grid.steps + 1
    lane = notes.lane * row
    stop = np.maximum(grid.locate_steps(notes.end), start + 1)
    stop += lane
    lane += start
    change = np.bincount(lane, minlength=lanes * row)
    change -= np.bincount(stop, minlength=lanes * row)
    sounding = change.cumsum().reshape(lanes, row)[:, :-1] > 0  # every lane ends as silent as it began
    return sounding.T.astype(np.float32, order="C")


def _average_offsets(cell: npt.NDArray[np.int64], late: npt.NDArray[np.float64], onsets: Array) -> Array:
    by_lane = np.bincount(cell, weights=late, minlength=onsets.size).astype(np.float32).reshape(onsets.shape)
    offsets = by_lane[:, 0].copy()
    for lane in range(1, onsets.shape[1]):
        offsets += by_lane[:, lane]
    offsets /= np.maximum(_sum_lanes(onsets), 1)
    return offsets


def _hear_harmony(notes: _Heard, grid: Grid, start: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """Pitch classes weighted by sounding time within the bar where each note starts, of all notes and of the bass: float32 [bars, 12]."""
    bar = grid.bar_of_step.take(start)
    bar -= notes.onset < grid.bar_ticks.take(bar)  # the step that is nearest may begin the next bar
    share = (notes.end - notes.onset) / np.diff(grid.bar_ticks).astype(np.float64).take(bar)
    np.minimum(np.maximum(share, 0.02, out=share), 1, out=share)
    bar *= 12
    bar += _PITCH_CLASS.take(notes.pitch)
    bass = notes.lane.searchsorted(1)
    flat = (np.bincount(bar[:n], weights=share[:n], minlength=grid.bars * 12) for n in (len(bar), bass))
    harmony, bass_harmony = (np.sqrt(f).astype(np.float32).reshape(grid.bars, 12) for f in flat)
    return harmony, bass_harmony


def _describe_bars(grid: Grid, onsets: Array, activity: npt.NDArray[np.float64], harmony: Array, bass_harmony: Array) -> Array:
    """Rhythm (lanes x 16), harmony (2 x 12) and instrumentation (lanes) of each bar, balanced and normalised."""
    rows, place = np.empty((grid.bars, len(LANES) * (RHYTHM_BINS + 1) + 24), np.float32), 0
    for weight, values in ((1, _describe_rhythm(grid, onsets)), (0.6, harmony), (0.5, bass_harmony), (0.8, activity)):
        np.multiply(normalise_rows(values), np.float32(weight), out=rows[:, place : place + values.shape[1]])
        place += values.shape[1]
    return normalise_rows(rows)


def _describe_rhythm(grid: Grid, onsets: Array) -> Array:
    """float32 [bars, 16 x lanes]: the square roots of the onsets in each sixteenth part of a bar."""
    longest = grid.bar_steps.max(initial=0)
    if longest == RHYTHM_BINS == grid.bar_steps.min(initial=RHYTHM_BINS):
        return np.sqrt(onsets).reshape(grid.bars, -1)
    bins = grid.step_in_bar * RHYTHM_BINS // grid.bar_steps.take(grid.bar_of_step) + grid.bar_of_step * RHYTHM_BINS
    rhythm = np.zeros((grid.bars * RHYTHM_BINS, onsets.shape[1]), np.float32)
    if longest <= RHYTHM_BINS:
        rhythm[bins] = np.sqrt(onsets)
    else:
        np.add.at(rhythm, bins, np.sqrt(onsets))
    return rhythm.reshape(grid.bars, -1)


def _share_of_bars(values: Array, grid: Grid) -> npt.NDArray[np.float64]:
    """float64 [bars, lanes]: the mean of whole numbers [steps, lanes] over each bar."""
    return np.asarray(np.add.reduceat(values, grid.first_steps[:-1], axis=0) / grid.bar_steps[:, None], dtype=np.float64)


def hear(song: Song, grid: Grid) -> Cues:
    """Listen to the band of a song.

    Args:
        song: drum parts are not heard.
        grid: usually ``song.grid()``.
    """
    notes = _gather(song.band)
    start, late = grid.locate(notes.onset)
    onsets, velocities, sustained, pitches, offsets = _fill_lanes(notes, grid, start, late)
    harmony, bass_harmony = _hear_harmony(notes, grid, start)
    activity = _share_of_bars(sustained, grid)
    descriptors = _describe_bars(grid, onsets, activity, harmony, bass_harmony)
    novelties = compute_novelties(descriptors, NOVELTY_WINDOWS)
    starts = find_section_starts(novelties[2] + novelties[3])
    matches, similarity = find_matches(descriptors, grid.bar_steps)
    cues = Cues(grid, _bar_tempi(song.tempo, grid), onsets, velocities, sustained, pitches, offsets, descriptors, starts, matches, similarity)
    vars(cues).update(novelties=novelties, activity=activity)  # known already
    return cues


def hear_nothing(grid: Grid, qpm: float = 120.0) -> Cues:
    """The cues of no band at all: a drummer alone."""
    none = np.zeros((grid.steps, len(LANES)), np.float32)
    starts = np.zeros(grid.bars, np.bool_)
    starts[:1] = True
    matches, similarity = np.full((grid.bars, 2), -1, np.int64), np.zeros((grid.bars, 2), np.float32)
    tempi = np.full(grid.bars, qpm, np.float32)
    return Cues(grid, tempi, none, none, none, none, np.zeros(grid.steps, np.float32), np.zeros((grid.bars, 1), np.float32), starts, matches, similarity)


def _bar_tempi(tempo: TempoMap, grid: Grid) -> Array:
    if len(tempo.ticks) == 1:
        return np.full(grid.bars, 60e6 / tempo.microseconds[0], np.float32)
    segment = np.searchsorted(np.array(tempo.ticks), grid.bar_ticks[:-1], side="right") - 1
    return (60e6 / np.array(tempo.microseconds, dtype=np.float64)[segment]).astype(np.float32)


def encode(cues: Cues) -> tuple[Bytes, Bytes, Bytes]:
    """Cues as a network eats them: uint8 [steps, STEP], uint8 [bars, BAR], uint8 [SONG], each feature x 255."""
    return _encode_steps(cues), _to_bytes(_bar_features(cues)), _to_bytes(_song_features(cues))


def silence(step: Bytes, bar: Bytes, song: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """The same encoded cues without the band: copies with its columns at 0."""
    step, bar, song = step.copy(), bar.copy(), song.copy()
    step[:, BAND_STEP], bar[:, BAND_BAR], song[list(BAND_SONG)] = 0, 0, 0
    return step, bar, song


def _to_bytes(features: Array) -> Bytes:
    scaled = np.maximum(features, 0)
    np.minimum(scaled, 1, out=scaled)
    scaled *= 255
    scaled += 0.5
    return scaled.astype(np.uint8)


def _encode_steps(cues: Cues) -> Bytes:
    """Per step: four cues a lane, the offset, and the place in quarter, beat and bar."""
    places, lanes = _encode_places(cues.grid), len(LANES)
    out = np.empty((len(places), 4 * lanes + 1 + places.shape[1]), np.uint8)
    for k, heard in enumerate((cues.onsets * np.float32(0.25), cues.velocities, cues.sustained, cues.pitches)):
        out[:, k * lanes : (k + 1) * lanes] = _to_bytes(heard)
    out[:, 4 * lanes] = _to_bytes(cues.offsets + np.float32(0.5))
    out[:, 4 * lanes + 1 :] = places
    return out


def _encode_places(grid: Grid) -> Bytes:
    """uint8 [steps, 21]: the places in quarter, beat and bar, worked out once for all bars of one kind."""
    kinds, kind = grid.metre_kinds
    blocks = [_describe_places(steps, denominator >= 8 and numerator % 3 == 0, grid.steps_per_quarter) for steps, numerator, denominator in kinds]
    if len(blocks) == 1:
        return blocks[0].take(grid.step_in_bar, axis=0)
    first = np.cumsum([0, *(len(block) for block in blocks)])
    return np.concatenate(blocks).take(first.take(kind).take(grid.bar_of_step) + grid.step_in_bar, axis=0)


@lru_cache(256)
def _describe_places(steps: int, compound: bool, steps_per_quarter: int) -> Bytes:
    """uint8 [steps of the bar, 21]: quarter, beat and bar as they are felt at each place of a bar."""
    place = np.arange(steps)
    beat_steps = max(steps_per_quarter * (12 if compound else 4) / (8 if compound else 4), 1)
    metre = np.zeros((steps, 21), np.float32)
    metre[place, place % steps_per_quarter * 4 // steps_per_quarter] = 1
    metre[place, 4 + np.minimum(place // steps_per_quarter, 7)] = 1
    metre[:, 12] = place == 0
    metre[:, 13] = 2 * place == steps
    metre[:, 14] = place % beat_steps == 0
    metre[:, 15] = compound
    metre[:, 16] = place / steps
    metre[:, 17] = np.minimum(steps - place, 32) / 32
    angle = 2 * np.pi * place / steps
    metre[:, 18], metre[:, 19] = 0.5 + 0.5 * np.sin(angle), 0.5 + 0.5 * np.cos(angle)
    metre[:, 20] = place % (2 * beat_steps) >= beat_steps
    return _to_bytes(metre)


def _bar_features(cues: Cues) -> Array:
    """Per bar: novelty, sections, likeness to earlier bars, density, lanes, place in the song, tempo and metre."""
    grid, activity = cues.grid, cues.activity
    out = _describe_order(grid.bars).copy()
    for column, novelty in enumerate(cues.novelties):
        np.multiply(novelty, 2, out=out[:, column])
    out[:-1, 4:8] = out[1:, :4]
    _describe_sections(cues.section_starts, out)
    for column, back in enumerate((1, 2, 4, 8), 22):
        out[:, column] = compute_similarity_back(cues.descriptors, back)
    out[:, 26:28] = cues.similarity
    density = np.add.reduceat(_sum_lanes(cues.onsets), grid.first_steps[:-1]) / grid.bar_steps
    density /= max(float(density.mean()), 1e-3)
    out[:, 28] = density / 3
    out[:, 31:37] = activity
    if grid.bars:
        out[1:, 37] = np.abs(activity[1:] - activity[:-1]).max(axis=1)
        out[0, 37] = np.abs(activity[0] - activity[-1]).max()
    out[:, 38] = cues.active_bars
    for column in (28, 38):  # the same of the next bar and of the one before
        out[:-1, column + 1] = out[1:, column]
        out[1:, column + 2] = out[:-1, column]
    out[:, 45] = np.log2(np.minimum(np.maximum(cues.qpm, 30), 300) / 30) / np.log2(10)
    quarters, kind = grid.quarter_kinds
    out[:, 46] = np.array([min(float(q) / 8, 1) for q in quarters]).take(kind)
    kinds, kind = grid.metre_kinds
    out[:, 47:] = np.array([(denominator >= 8, steps % 4 != 0) for steps, _, denominator in kinds]).take(kind, axis=0)
    return out


@lru_cache(256)
def _describe_order(bars: int) -> Array:
    """float32 [bars, 49]: the columns of ``_bar_features`` that speak of nothing but a bar's number; zeros in the others."""
    index, out = np.arange(bars), np.zeros((bars, 49), np.float32)
    out[index, 17 + index % 4] = 1
    out[:, 21] = index % 8 >= 4
    out[:1, 41] = out[-1:, 42] = 1
    out[:, 43], out[:, 44] = np.minimum(bars - 1 - index, 8) / 8, index / max(bars - 1, 1)
    return out


def _describe_sections(section_starts: npt.NDArray[np.bool_], out: Array) -> None:
    """Fill the columns that tell where a bar lies in its section."""
    bars = len(section_starts)
    index = np.arange(bars)
    out[:, 8] = section_starts
    out[:-1, 9] = out[1:, 8]
    since = index - np.maximum.accumulate(index * section_starts)
    following = np.minimum.accumulate(np.where(section_starts, index, bars)[::-1])[::-1]
    out[:-1, 11] = following[1:]
    out[-1:, 11] = bars
    out[:, 11] -= index
    out[:, 10] = since
    np.minimum(out[:, 10:12], 16, out=out[:, 10:12])
    out[:, 10:12] /= 16
    out[index, 12 + (since & 3)] = 1
    out[:, 16] = since & 4 > 0


def _song_features(cues: Cues) -> Array:
    """The whole song: lanes present and how busy, rhythm by place in the quarter, swing, pitch, dynamics, tempo."""
    onsets, steps, one = cues.onsets, max(cues.grid.steps, 1), np.ones(cues.grid.steps, np.float32)
    count = one @ onsets  # sums of whole numbers, which are exact in any order
    struck = np.maximum(one @ (onsets > 0).astype(np.float32), 1)
    out = np.empty(5 * len(LANES) + 14, np.float32)
    lanes = out[:30].reshape(5, len(LANES))
    lanes[0], lanes[1], lanes[2] = count > 0, count / np.float32(steps) / 2, one @ cues.sustained / np.float32(steps)
    lanes[3], lanes[4] = cues.pitches.sum(axis=0) / struck.astype(np.float64), cues.velocities.sum(axis=0) / struck.astype(np.float64)
    _describe_phases(cues, out[30:42])
    bars = len(cues.qpm)
    tempo = np.sort(cues.qpm)[(bars - 1) // 2 : bars // 2 + 1].mean()
    out[42] = np.log2(min(max(tempo, np.float32(30)), np.float32(300)) / 30) / np.log2(10)
    out[43] = 1 - np.count_nonzero(cues.active_bars) / bars if bars else 1
    return out


def _describe_phases(cues: Cues, out: Array) -> None:
    """Fill in how many notes of the band and of the bass start at each of four places in the quarter, as shares, and how late they are."""
    grid, total, bass = cues.grid, _sum_lanes(cues.onsets), cues.onsets[:, 0]
    late = cues.offsets * total
    places: list[Any] = [slice(k, None, 4) for k in range(4)]
    if grid.steps_per_quarter != 4 or any(steps % 4 for steps, _, _ in grid.metre_kinds[0]):
        phase = grid.step_in_bar % grid.steps_per_quarter * 4 // grid.steps_per_quarter
        places = [phase == k for k in range(4)]
    for k, place in enumerate(places):
        weight = total[place].sum()
        out[k], out[4 + k] = weight, bass[place].sum()
        out[8 + k] = (float(late[place].sum()) / float(weight) if weight else 0.0) + 0.5
    out[:4] /= np.maximum(out[:4].sum(), 1)
    out[4:8] /= np.maximum(out[4:8].sum(), 1)


def _sum_lanes(values: Array) -> Array:
    """float32 [steps]: the sums of the lanes, of whole numbers; as a product, for sums along a short axis are slow."""
    return values @ np.ones(values.shape[1], np.float32)
