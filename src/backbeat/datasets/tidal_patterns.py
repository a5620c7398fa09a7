"""Named step patterns: 492 of them, from books of drum machine patterns and from well-known songs and breaks.

Origin: the package tidal-drum-patterns for TidalCycles, as one JSON file.

Citation: Del Valle (lvm): tidal-drum-patterns, https://github.com/lvm/tidal-drum-patterns.

Licence: GPL-3.0.

Checksums: the file. Layout: ``tidal-patterns.json``, a list of {"name", "genre", "bpm", "parts": {"bd": "x...x...", ...}}.

What the data does not say, and is taken here: a pattern whose length is a multiple of 16 is in 16ths; the others (12 and 24 steps:
blues, shuffle, swing, half-time shuffle) are in triplets, 12 a bar of four quarters. Part "ac" is no sound but an accent on
what else is struck. 269 patterns, from many sources, say 60 quarters a minute, "When The Levee Breaks" and "Billie Jean" among them:
that is a place-holder, and is read as unknown, as is a missing tempo. A pattern is played four times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.source import Dataset, Source, read_file
from backbeat.datasets.steps import encode_steps
from backbeat.errors import InputError

NOTES = {
    "bd": 36, "sn": 38, "rm": 37, "cp": 39, "ch": 42, "oh": 46, "lt": 43, "mt": 47, "ht": 50, "cy": 49, "cb": 56, "cow": 56, "cl": 75, "sh": 70,
}  # fmt: skip
"""The MIDI note of each part: kick, snare, rim, clap, hats, three toms, cymbal, cowbell (two names), claves, shaker."""
ACCENT, LOUD, NORMAL = "ac", 120, 90
REPEATS = 4
PLACEHOLDER_QPM = 60.0


def encode_entry(entry: dict[str, Any], *, repeats: int = REPEATS) -> bytes:
    """A pattern as a MIDI file.

    Args:
        entry: one of the JSON file's list.
        repeats: how often it is played.

    Raises:
        InputError: it is not a pattern, or has a part that is not known.
    """
    try:
        parts = {str(n): str(p) for n, p in entry["parts"].items()}
        steps = {len(p) for p in parts.values()}
        sounds = [n for n in parts if n != ACCENT]
        if len(steps) != 1 or not max(steps):
            raise InputError(f"pattern {entry['name']}: its parts are empty or of different lengths")
        unknown = sorted(set(sounds) - set(NOTES))
        if unknown:
            raise InputError(f"pattern {entry['name']}: part {unknown[0]!r} is not known, only {', '.join([*NOTES, ACCENT])}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"not a pattern ({type(error).__name__}: {error})") from None
    struck = np.array([[c == "x" for c in parts[n]] for n in sounds], dtype=np.bool_).reshape(len(sounds), -1).T
    accent = np.array([c == "x" for c in parts.get(ACCENT, "." * max(steps))])
    velocities = np.where(struck, np.where(accent, LOUD, NORMAL)[:, None], 0).astype(np.uint8)
    ticks_per_step = 120 if max(steps) % 16 == 0 else 160
    return encode_steps(np.tile(velocities, (repeats, 1)), [NOTES[n] for n in sounds], ticks_per_step=ticks_per_step, qpm=find_tempo(entry))


def find_tempo(entry: dict[str, Any]) -> float:
    """Quarters a minute of a pattern, 0 where none is stated or the place-holder is."""
    qpm = float(entry.get("bpm") or 0)
    return 0.0 if qpm == PLACEHOLDER_QPM else qpm


def read_entries(path: str | Path) -> list[dict[str, Any]]:
    """The patterns of the JSON file.

    Raises:
        InputError: it cannot be read, or is no list of patterns.
    """
    try:
        entries = json.loads(read_file(Source(str(path), str(path))))
        if not all(isinstance(e["name"], str) and isinstance(e["genre"], str) for e in entries):
            raise TypeError("a name or genre is no text")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path}: not a list of patterns ({error})") from None
    return list(entries)


@lru_cache(maxsize=2)
def _index_entries(path: str) -> dict[str, dict[str, Any]]:
    return {e["name"]: e for e in read_entries(path)}


def read_named(source: Source) -> bytes:
    """The MIDI file of a pattern; ``source.member`` is its name.

    Raises:
        InputError: the file has no such pattern, or it cannot be read.
    """
    entry = _index_entries(source.path).get(source.member)
    if entry is None:
        raise InputError(f"{source.path}: it has no pattern {source.member!r}")
    return encode_entry(entry)


def list_named(data: Path) -> Iterator[Source]:
    """The patterns.

    Raises:
        InputError: the data set is not below ``data``.
    """
    path = data / "tidal-patterns.json"
    if not path.is_file():
        raise DATASET.missing(data)
    for entry in read_entries(path):
        name = entry["name"]
        yield Source(str(path), name, entry["genre"], band=False, licence="GPL-3.0", member=name, reader=read_named, tempo=find_tempo(entry))


DATASET = Dataset(
    name="tidal_patterns",
    title="Tidal patterns: 492 named step patterns of drum machines and well-known breaks",
    citation="Del Valle (lvm): tidal-drum-patterns, https://github.com/lvm/tidal-drum-patterns",
    licence="GPL-3.0",
    download="write the patterns of https://github.com/lvm/tidal-drum-patterns as tidal-patterns.json there",
    list_all=list_named,
    index=ChecksumIndex("tidal_patterns"),
)
