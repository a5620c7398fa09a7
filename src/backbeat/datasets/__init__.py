"""Data sets, one a file, and the corpus builder: files in, packed arrays out."""

from __future__ import annotations

from pathlib import Path

from backbeat.datasets.groove_midi import list_takes
from backbeat.datasets.songs import list_songs
from backbeat.datasets.source import Source
from backbeat.errors import InputError

DATASETS = {"songs": list_songs, "groove_midi": list_takes}


def list_sources(name: str, data: Path) -> list[Source]:
    """The files of a data set and split, named as ``songs:train``.

    Raises:
        InputError: no such data set, or it is not below ``data``.
    """
    dataset, _, split = name.partition(":")
    if dataset not in DATASETS or split not in ("train", "validation", "test"):
        raise InputError(f"no source {name!r}: name one of {', '.join(DATASETS)} with its split, as in songs:train")
    return DATASETS[dataset](data, split)
