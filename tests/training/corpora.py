"""A corpus of a few short songs, for tests of training."""

from __future__ import annotations

from pathlib import Path

from backbeat.datasets.building import Plan, build_corpus
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.source import Source
from tests.midi.builders import band_song


def make_corpus(folder: Path) -> Corpus:
    """Four pieces in three metres, the shortest of 9 bars."""
    files = {"four": band_song(14), "waltz": band_song(17, numerator=3), "six": band_song(9, numerator=6, denominator=8), "five": band_song(10, numerator=5)}
    (folder / "songs").mkdir()
    for name, data in files.items():
        (folder / "songs" / name).write_bytes(data)
    counts = build_corpus(Plan([Source(str(folder / "songs" / n), n, "rock") for n in files], keep_copies=True), folder / "corpus")
    if dict(counts) != {"kept": 4}:
        raise ValueError(f"the songs of the test were not kept: {counts}")
    return Corpus(folder / "corpus")
