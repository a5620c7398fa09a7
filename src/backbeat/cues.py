"""What a drummer may hear of a song: the band, per step and lane, and the shape of the piece. Never the drums.

Conventions: six lanes in the order of ``LANES``; a step's cue counts the notes that start nearest to it; offsets in steps,
positive = late. ``hear`` makes the cues; ``encode`` turns them into the bytes that a network eats (every feature lies in
[0, 1] and is stored as round(255 x), so that training and playing see the same numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from backbeat.features import compute_novelties, compute_similarity_back, find_matches, find_section_starts, normalise_rows
from backbeat.grid import Grid
from backbeat.song import NOTE_DTYPE, Notes, Part, Song
from backbeat.units import TempoMap

LANES = ("bass", "guitar", "keys", "pads", "lead", "other")
_FAMILIES = ["keys", "keys", "keys", "guitar", "bass", "pads", "pads", "lead", "lead", "lead", "lead", "pads", "other", "other", "other", "other"]
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
    def active_bars(self) -> npt.NDArray[np.bool_]:
        """Bool [bars]: whether the band sounds anywhere in the bar."""
        return np.asarray(np.add.reduceat(_sum_lanes(self.sustained), self.grid.first_steps[:-1]) > 0, dtype=np.bool_)


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


def _fill_lanes(notes: Notes, lane: npt.NDArray[np.int64], grid: Grid) -> tuple[Array, Array, Array, Array, Array]:
    """Onsets, velocities, sustained, pitches [steps, lanes] and the mean offset [steps] of notes with their lanes: float32."""
    steps, shape = grid.steps, (len(LANES), grid.steps)
    start, late = grid.locate(notes["onset"])
    stop = np.maximum(grid.locate_steps(notes["end"]), start + 1)
    cell = lane * steps + start
    onsets = np.bincount(cell, minlength=len(LANES) * steps).reshape(shape)
    loudest, extreme = np.zeros(len(LANES) * steps, np.uint8), np.zeros(len(LANES) * steps, np.uint8)
    np.maximum.at(loudest, cell, notes["velocity"])
    np.maximum.at(extreme, cell, np.where(lane == 0, 127 - notes["pitch"], notes["pitch"]))
    pitch = extreme.reshape(shape)
    pitch[0] = 127 - pitch[0]
    change = np.bincount(cell + lane, minlength=len(LANES) * (steps + 1)) - np.bincount(lane * (steps + 1) + stop, minlength=len(LANES) * (steps + 1))
    sounding = np.cumsum(change.reshape(len(LANES), -1)[:, :-1], axis=1) > 0
    by_lane = np.bincount(cell, weights=late, minlength=len(LANES) * steps).astype(np.float32).reshape(shape)
    offsets = np.zeros(steps, np.float32)
    for row in by_lane:
        offsets += row
    count = onsets.sum(axis=0).astype(np.float32)
    arrays = (onsets, loudest.reshape(shape) / np.float32(127), sounding, np.where(onsets > 0, pitch, 0) / np.float32(127))
    onset, velocity, sustained, pitches = (np.ascontiguousarray(array.T, dtype=np.float32) for array in arrays)
    return onset, velocity, sustained, pitches, offsets / np.maximum(count, 1)


def _hear_harmony(notes: Notes, bass: int, grid: Grid) -> tuple[Array, Array]:
    """Pitch classes weighted by sounding time within the bar where each note starts, of all notes and of the first few: float32 [bars, 12]."""
    bar = np.clip(np.searchsorted(grid.bar_ticks, notes["onset"], side="right") - 1, 0, grid.bars - 1)
    bar_length = (grid.bar_ticks[bar + 1] - grid.bar_ticks[bar]).astype(np.float64)
    share = np.clip((notes["end"] - notes["onset"]) / bar_length, 0.02, 1)
    cell = bar * 12 + notes["pitch"] % 12
    flat = (np.bincount(cell[:n], weights=share[:n], minlength=grid.bars * 12) for n in (len(notes), bass))
    harmony, bass_harmony = (np.sqrt(f.reshape(grid.bars, 12)).astype(np.float32) for f in flat)
    return harmony, bass_harmony


def _describe_bars(grid: Grid, onsets: Array, sustained: Array, harmony: Array, bass_harmony: Array) -> Array:
    """Rhythm (lanes x 16), harmony (2 x 12) and instrumentation (lanes) of each bar, balanced and normalised."""
    bar, lanes = grid.bar_of_step, onsets.shape[1]
    bins = grid.step_in_bar * RHYTHM_BINS // grid.bar_steps[bar]
    rhythm = np.zeros((grid.bars * RHYTHM_BINS, lanes), np.float32)
    if grid.bar_steps.max(initial=0) <= RHYTHM_BINS:
        rhythm[bar * RHYTHM_BINS + bins] = np.sqrt(onsets)
    else:
        np.add.at(rhythm, bar * RHYTHM_BINS + bins, np.sqrt(onsets))
    activity = np.add.reduceat(sustained, grid.first_steps[:-1], axis=0) / grid.bar_steps[:, None]
    rows = [normalise_rows(rhythm.reshape(grid.bars, -1)), 0.6 * normalise_rows(harmony), 0.5 * normalise_rows(bass_harmony), 0.8 * normalise_rows(activity)]
    return normalise_rows(np.concatenate(rows, axis=1))


def hear(song: Song, grid: Grid) -> Cues:
    """Listen to the band of a song.

    Args:
        song: drum parts are not heard.
        grid: usually ``song.grid()``.
    """
    parts = song.band
    lanes = [LANES.index(lane) for lane in assign_lanes(parts)]
    order = sorted(range(len(parts)), key=lanes.__getitem__)
    notes = np.concatenate([np.zeros(0, NOTE_DTYPE), *(parts[i].notes for i in order)])
    lane = np.repeat(np.array([lanes[i] for i in order], np.int64), [len(parts[i].notes) for i in order])
    onsets, velocities, sustained, pitches, offsets = _fill_lanes(notes, lane, grid)
    harmony, bass_harmony = _hear_harmony(notes, int(np.count_nonzero(lane == 0)), grid)
    descriptors = _describe_bars(grid, onsets, sustained, harmony, bass_harmony)
    novelties = compute_novelties(descriptors, NOVELTY_WINDOWS)
    starts = find_section_starts(novelties[2] + novelties[3])
    matches, similarity = find_matches(descriptors, grid.bar_steps)
    cues = Cues(grid, _bar_tempi(song.tempo, grid), onsets, velocities, sustained, pitches, offsets, descriptors, starts, matches, similarity)
    vars(cues)["novelties"] = novelties  # known already
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
    scaled = np.clip(features, 0, 1)
    scaled *= 255
    scaled += 0.5
    return scaled.astype(np.uint8)


def _encode_steps(cues: Cues) -> Bytes:
    """Per step: four cues a lane, the offset, and the place in quarter, beat and bar."""
    heard = np.concatenate([np.minimum(cues.onsets, 4) / 4, cues.velocities, cues.sustained, cues.pitches, cues.offsets[:, None] + 0.5], axis=1)
    return np.concatenate([_to_bytes(heard), _encode_places(cues.grid)], axis=1)


def _encode_places(grid: Grid) -> Bytes:
    """uint8 [steps, 21]: the places in quarter, beat and bar, worked out once for all bars of one kind."""
    bars = list(zip(grid.bar_steps.tolist(), grid.numerators, grid.denominators, strict=True))
    kinds = {bar: index for index, bar in enumerate(dict.fromkeys(bars))}
    blocks = [_describe_places(steps, denominator >= 8 and numerator % 3 == 0, grid.steps_per_quarter) for steps, numerator, denominator in kinds]
    first = np.cumsum([0, *(len(block) for block in blocks)])
    rows = first[[kinds[bar] for bar in bars]][grid.bar_of_step] + grid.step_in_bar
    return np.concatenate(blocks).take(rows, axis=0)


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


def _shift(values: npt.NDArray[np.float32], by: int) -> Array:
    """Values of the bar ``by`` later (negative: earlier); 0 beyond the ends."""
    out = np.zeros_like(values)
    if by > 0:
        out[:-by] = values[by:]
    elif by < 0:
        out[-by:] = values[:by]
    return out


def _bar_features(cues: Cues) -> Array:
    """Per bar: novelty, sections, likeness to earlier bars, density, lanes, place in the song, tempo and metre."""
    grid, bars = cues.grid, cues.grid.bars
    index = np.arange(bars)
    first = grid.first_steps[:-1]
    density = np.add.reduceat(_sum_lanes(cues.onsets), first) / grid.bar_steps
    relative = (density / max(float(density.mean()), 1e-3) / 3).astype(np.float32)
    lanes = np.add.reduceat(cues.sustained, first, axis=0) / grid.bar_steps[:, None]
    active = cues.active_bars.astype(np.float32)
    novelty = [2 * n for n in cues.novelties]
    starts = cues.section_starts.astype(np.float32)
    since = index - np.maximum.accumulate(np.where(cues.section_starts, index, 0))
    following = np.minimum.accumulate(np.where(cues.section_starts, index, bars)[::-1])[::-1]
    until = np.append(following[1:], bars) - index
    phase4, phase8 = np.eye(4, dtype=np.float32)[since % 4], (since % 8 >= 4).astype(np.float32)
    absolute4 = np.eye(4, dtype=np.float32)[index % 4]
    columns = [*novelty, *(_shift(n, 1) for n in novelty), starts, _shift(starts, 1), np.minimum(since, 16) / 16, np.minimum(until, 16) / 16]
    columns += [phase4, phase8, absolute4, index % 8 >= 4]
    columns += [compute_similarity_back(cues.descriptors, k) for k in (1, 2, 4, 8)] + [cues.similarity]
    columns += [relative, _shift(relative, 1), _shift(relative, -1), lanes, np.abs(lanes - np.roll(lanes, 1, axis=0)).max(axis=1)]
    columns += [active, _shift(active, 1), _shift(active, -1), index == 0, index == bars - 1, np.minimum(bars - 1 - index, 8) / 8, index / max(bars - 1, 1)]
    kinds, kind = grid.quarter_kinds
    quarters = np.array([float(q) for q in kinds])[kind]
    denominators = np.array(grid.denominators)
    columns += [np.log2(np.clip(cues.qpm, 30, 300) / 30) / np.log2(10), np.minimum(quarters / 8, 1), denominators >= 8, grid.bar_steps % 4 != 0]
    return np.concatenate([np.asarray(c, dtype=np.float32).reshape(bars, -1) for c in columns], axis=1)


def _song_features(cues: Cues) -> Array:
    """The whole song: lanes present and how busy, rhythm by place in the quarter, swing, pitch, dynamics, tempo."""
    onsets, steps = cues.onsets, max(cues.grid.steps, 1)
    count = onsets.sum(axis=0)
    phase = cues.grid.step_in_bar % cues.grid.steps_per_quarter * 4 // cues.grid.steps_per_quarter
    total = _sum_lanes(onsets)
    by_phase, bass_by_phase = (np.bincount(phase, weights=w, minlength=4).astype(np.float32) / max(float(w.sum()), 1) for w in (total, onsets[:, 0]))
    lateness = np.array([_weighted_mean(cues.offsets[phase == k], total[phase == k]) for k in range(4)]) + 0.5
    struck = np.maximum((onsets > 0).sum(axis=0), 1)
    pitch = (cues.pitches.sum(axis=0) / struck).astype(np.float32)
    loud = cues.velocities.sum(axis=0) / struck
    bars = len(cues.qpm)
    tempo = np.log2(np.clip(np.sort(cues.qpm)[(bars - 1) // 2 : bars // 2 + 1].mean(), 30, 300) / 30) / np.log2(10)
    silent = 1 - cues.active_bars.mean() if cues.grid.bars else 1.0
    rows = [count > 0, count / steps / 2, cues.sustained.mean(axis=0), pitch, loud, by_phase, bass_by_phase, lateness, [tempo, silent]]
    return np.concatenate([np.asarray(r, dtype=np.float32).ravel() for r in rows])


def _sum_lanes(values: Array) -> Array:
    """float32 [steps]: the sums of the lanes, of whole numbers; as a product, for sums along a short axis are slow."""
    return values @ np.ones(values.shape[1], np.float32)


def _weighted_mean(values: Array, weights: Array) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total else 0.0
