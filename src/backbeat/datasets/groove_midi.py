"""Groove MIDI: 13.6 hours of human drumming on an electronic kit.

Origin: Magenta (Google), 2019: 1,150 MIDI files, ten drummers, with style, tempo, beat or fill and the official split in
``info.csv``.

Citation: Gillick, Roberts, Engel, Eck, Bamman: Learning to Groove with Inverse Sequence Transformations, ICML 2019.

Licence: CC BY 4.0.

Checksums: every file. Layout: ``groove/info.csv`` and the files it names below the data folder.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.source import Dataset, Source

LICENCE = "CC BY 4.0"


def list_takes(data: Path) -> Iterator[Source]:
    """The takes: genre is the first word of a style as "rock/halftime", the rest, beat or fill, drummer and session are tags.

    Args:
        data: the folder that holds ``groove``.

    Raises:
        InputError: the data set is not there.
    """
    folder = data / "groove"
    if not (folder / "info.csv").is_file():
        raise DATASET.missing(data)
    with (folder / "info.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            genre, _, kind = row["style"].partition("/")
            tags = (row["beat_type"], row["drummer"], row["session"].split("/")[-1], row["time_signature"].replace("-", "/"), *kind.split("/"))
            yield Source(
                path=str(folder / row["midi_filename"]),
                name=row["midi_filename"],
                genre=genre,
                band=False,
                licence=LICENCE,
                split=row["split"],
                tempo=float(row["bpm"]),
                tags=tuple(t for t in tags if t),
            )


DATASET = Dataset(
    name="groove_midi",
    title="Groove MIDI: 1,150 takes of ten human drummers, 13.6 hours",
    citation="Gillick, Roberts, Engel, Eck, Bamman: Learning to Groove with Inverse Sequence Transformations, ICML 2019",
    licence=LICENCE,
    download="unpack groove-v1.0.0-midionly.zip (https://magenta.tensorflow.org/datasets/groove) there, so that groove/info.csv exists",
    list_all=list_takes,
    splits=("train", "validation", "test"),
    index=ChecksumIndex("groove_midi"),
)
