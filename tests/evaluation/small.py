"""Small data sets in a folder: takes as Groove MIDI has them, songs with a band, LSTMetallica's drums; and a poisoned file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from tests.midi.builders import Track, band_song, midi

PITCHES = (36, 38, 42, 46, 45, 48, 50, 49, 51)
POISON = band_song(9)[:-40]
"""Its data end in the middle of an event."""
DATASET_SPLITS = ("train",) * 6 + ("validation",) * 3 + ("test",) * 4


def drum_take(seed: int, bars: int = 4, numerator: int = 4) -> bytes:
    """A loop over a few drums with noise, early and late, loud and soft."""
    rng = np.random.default_rng(seed)
    loop = rng.random((4 * numerator, len(PITCHES))) < np.array([0.3, 0.25, 0.6, 0.05, 0.03, 0.02, 0.02, 0.03, 0.05])
    loop[0, 0] = True
    track = Track().metre(0, numerator, 4).tempo(0, 500_000)
    for bar in range(bars):
        for step, column in zip(*np.nonzero(loop ^ (rng.random(loop.shape) < 0.03)), strict=True):
            tick = (bar * len(loop) + int(step)) * 120 + int(rng.integers(-25, 26))
            track.note(max(0, tick), 20, PITCHES[column], int(rng.integers(40, 120)), 9)
    return midi(track.chunk(bars * len(loop) * 120))


def make_takes(data: Path) -> Path:
    """A folder as Groove MIDI is unpacked: 13 takes, the last of the test split in 3/4."""
    folder = data / "groove" / "drummer1"
    folder.mkdir(parents=True)
    rows = []
    for number, split in enumerate(DATASET_SPLITS):
        last = number == len(DATASET_SPLITS) - 1
        name, numerator = f"drummer1/{number}.mid", 3 if last else 4
        (data / "groove" / name).write_bytes(drum_take(number, bars=5, numerator=numerator))
        row = {"drummer": "drummer1", "session": "drummer1/session1", "id": name, "style": "rock" if number % 2 else "jazz/swing", "bpm": "120"}
        kind = "fill" if number % 3 == 2 else "beat"
        rows.append(row | {"beat_type": kind, "time_signature": f"{numerator}-4", "midi_filename": name, "split": split})
    with (data / "groove" / "info.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return data


def make_songs(folder: Path, count: int = 3, *, poisoned: bool = True) -> Path:
    """A folder of songs with a band and drums, and one that cannot be read."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"song {number}.mid").write_bytes(band_song(9 + number))
    if poisoned:
        (folder / "poison.mid").write_bytes(POISON)
    return folder


def make_text_songs(data: Path, count: int = 12) -> Path:
    """A folder as LSTMetallica's files lie."""
    folder = data / "lstmetallica" / "midi"
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.mid").write_bytes(drum_take(50 + number, bars=3))
    return data
