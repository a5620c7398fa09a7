"""Where the data sets are, for tests that need them, and tiny MIDI files for those that do not."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.source import Source
from backbeat.errors import InputError


def midi(*notes: int) -> bytes:
    """A MIDI file that strikes some drums, one a quarter."""
    events = b"".join(bytes([0, 0x99, n, 100, 96, 0x89, n, 0]) for n in notes)
    track = events + b"\x00\xff\x2f\x00"
    return b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk" + len(track).to_bytes(4, "big") + track


def write_tree(folder: Path, *names: str) -> None:
    """MIDI files of different content under some names."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(midi(36, 36 + number))


@cache
def _list_once(name: str, data: Path) -> list[Source]:
    try:
        return DATASETS[name].list_sources(data)
    except InputError:
        return []


def find_data() -> Path:
    """The folder with the data sets; the test is skipped where it is not set."""
    data = os.environ.get("BACKBEAT_DATA")
    if not data:
        pytest.skip("needs data sets: set BACKBEAT_DATA")
    return Path(data)


def list_here(name: str, split: str = "") -> list[Source]:
    """The sources of a data set in BACKBEAT_DATA; the test is skipped where it is not there."""
    sources = [s for s in _list_once(name, find_data()) if not split or s.split == split]
    if not sources:
        pytest.skip(f"needs {name}{':' * bool(split)}{split} below BACKBEAT_DATA")
    return sources
