"""Patterns as MIDI files and back, and as a user names them: words on the command line, a MIDI file, a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from backbeat.codecs.patterns import CLASSES, KIT, STEPS, Patterns, measure_entropy, parse_pattern, patterns_to_hits
from backbeat.datasets.drum_space import REPEATS, VELOCITY
from backbeat.datasets.folders import is_midi
from backbeat.datasets.mining import ANY_METRE, Rules, read_track
from backbeat.datasets.pattern_table import SUFFIX, is_table, read_table
from backbeat.datasets.steps import encode_steps
from backbeat.errors import InputError
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from backbeat.midi.reader import read_bytes
from backbeat.song import Song
from backbeat.units import TempoMap

TICKS_PER_STEP = 120
TICKS_PER_QUARTER, PUBLISHED_TICKS_PER_QUARTER = 480, 360
"""A step of 120 ticks is a 16th at 480 ticks a quarter. The published program writes 360, where it is a third of a quarter."""
EXAMPLE_ROW = "patterns.tsv:12"


def encode_midi(patterns: Patterns, *, repeats: int = REPEATS, ticks_per_quarter: int = TICKS_PER_QUARTER, qpm: float = 0) -> bytes:
    """Patterns one behind the other as a MIDI file: channel 10, velocity 127, 120 ticks a step.

    Args:
        patterns: uint16 [n, steps].
        repeats: how often each is played.
        ticks_per_quarter: 480, or 360 as published.
        qpm: quarters a minute; 0 writes no tempo, as published.
    """
    struck = patterns_to_hits(np.repeat(patterns, repeats, axis=0).reshape(-1, patterns.shape[1] * repeats)).reshape(-1, CLASSES)
    velocities = (struck * VELOCITY).astype(np.uint8)
    return encode_steps(velocities, load_kit(KIT).written.tolist(), ticks_per_quarter=ticks_per_quarter, ticks_per_step=TICKS_PER_STEP, qpm=qpm)


def read_pattern(text: str, steps: int = STEPS) -> Patterns:
    """The pattern that is meant on a command line: uint16 [steps].

    Args:
        text: comma-separated words; a row of a table as ``patterns.tsv:12`` (the first is 1, without a number it is the first); or a
            MIDI file, whose first bars with drums are taken.
        steps: how long a pattern of a MIDI file is.

    Raises:
        InputError: it is none of these, or the pattern cannot be read.
    """
    name, _, row = text.rpartition(":")
    path, number = (Path(name), int(row)) if name and row.isdecimal() and len(row) < 10 else (Path(text), 1)
    if path.suffix.lower() == SUFFIX:
        patterns = read_table(path).patterns
        if not 1 <= number <= len(patterns):
            raise InputError(f"{path}: it has {len(patterns):,} rows, and no row {number}")
        return np.asarray(patterns[number - 1], np.uint16)
    if is_midi(text):
        return read_midi(Path(text), steps)
    if "," not in text:
        raise InputError(f"{text}: no pattern: write {steps} comma-separated numbers, or name a MIDI file (.mid) or a row of a table as {EXAMPLE_ROW}")
    return parse_pattern(text)


def read_midi(path: Path, steps: int = STEPS) -> Patterns:
    """The pattern of a MIDI file, from the bar of its first drum hit on: uint16 [steps].

    A file as the published program writes it (360 ticks a quarter, no tempo, all hits on steps of 120 ticks) is read at 120 ticks a step.

    Raises:
        InputError: it cannot be read, or has no drums.
    """
    song = _straighten(parse_song(read_bytes(path), str(path)))
    words, grid, _ = read_track(song, Rules(metre=ANY_METRE, all_drums=True, least_notes=1))
    struck = np.flatnonzero(words)
    if not len(struck):
        raise InputError(f"{path}: no drums that kit {KIT} knows: a pattern needs some")
    first = int(grid.first_steps[grid.bar_of_step[struck[0]]])
    pattern = np.zeros(steps, np.uint16)
    found = words[first : first + steps]
    pattern[: len(found)] = found
    return pattern


def _straighten(song: Song) -> Song:
    """A song in the published form, as if it had 480 ticks a quarter."""
    onsets = np.concatenate([np.zeros(0, np.int64), *(p.notes["onset"] for p in song.parts)])
    is_published = song.tempo.ticks_per_quarter == PUBLISHED_TICKS_PER_QUARTER and not (onsets % TICKS_PER_STEP).any()
    if not is_published or any(not p.is_drums for p in song.parts) or song.tempo.ticks != (0,) or song.tempo.ticks_per_second is not None:
        return song
    return replace(song, tempo=TempoMap(TICKS_PER_QUARTER, song.tempo.ticks, song.tempo.microseconds))


def read_patterns(texts: Sequence[str], steps: int = STEPS) -> Patterns:
    """Patterns that are meant on a command line, uint16 [n, steps]; a table named without a row gives all of its rows.

    Raises:
        InputError: one of them is no pattern, or they are not of one length.
    """
    found = [read_table(text).patterns if is_table(text) else read_pattern(text, steps)[None] for text in texts]
    if len(lengths := sorted({p.shape[1] for p in found})) > 1:
        raise InputError(f"patterns of {' and '.join(map(str, lengths))} steps: they must be of one length")
    return np.concatenate(found) if found else np.zeros((0, steps), np.uint16)


def draw_pattern(pattern: Patterns, beat: int = 4) -> str:
    """A pattern for the eye: a line for each class that is struck, ``|`` where a beat begins, and its entropy.

    Args:
        pattern: uint16 [steps].
        beat: steps of a beat.
    """
    hits, kit = patterns_to_hits(pattern[None])[0], load_kit(KIT)
    lines = [f"{len(pattern)} steps, {int(hits.sum())} hits, entropy {measure_entropy(pattern[None])[0]:.2f} nats"]
    for column in np.flatnonzero(hits.any(axis=0)).tolist():
        marks = "".join(("|" if step % beat == 0 else "") + ("x" if hit else ".") for step, hit in enumerate(hits[:, column].tolist()))
        lines.append(f"{kit.classes[column].label:>16} {marks}|")
    return "\n".join(lines)
