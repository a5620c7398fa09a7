"""Groove MIDI: 13.6 hours of human drumming on an electronic kit.

Origin: 1,150 MIDI files, ten drummers, with style, tempo, beat or fill and the official split in ``info.csv``.

Citation: Gillick, Roberts, Engel, Eck, Bamman: Learning to Groove with Inverse Sequence Transformations, ICML 2019.

Licence: CC BY 4.0. Layout: ``groove/info.csv`` and the files it names below the data folder.
"""

from __future__ import annotations

import csv
from pathlib import Path

from backbeat.datasets.source import Source
from backbeat.errors import InputError


def list_takes(data: Path, split: str) -> list[Source]:
    """The takes of a split.

    Args:
        data: the folder that holds ``groove``.
        split: train, validation or test.

    Raises:
        InputError: the data set is not there.
    """
    info = data / "groove" / "info.csv"
    if not info.is_file():
        raise InputError(f"no Groove MIDI below {data}: unpack groove-v1.0.0-midionly.zip there, or set BACKBEAT_DATA")
    with info.open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split]
    return [Source(str(data / "groove" / r["midi_filename"]), r["midi_filename"], r["style"].split("/")[0], "", False, "CC BY 4.0") for r in rows]
