"""Songs with drums, described by a manifest.

Origin: many public collections of multi-instrument MIDI songs, gathered for this project: 8,105 for training, 221 for
validation, 673 for testing (whole sources that training has not seen). Splits never share a near-duplicate cluster.

Citation: none; licence: per row of the manifest, mostly "none stated", so the files are not redistributed.

Layout: ``songs-manifest.csv`` and ``songs/SPLIT/PATH`` below the data folder. Checksums: column ``md5`` of the manifest.
"""

from __future__ import annotations

import csv
from pathlib import Path

from backbeat.datasets.source import Source
from backbeat.errors import InputError


def list_songs(data: Path, split: str) -> list[Source]:
    """The songs of a split.

    Args:
        data: the folder with the manifest.
        split: train, validation or test.

    Raises:
        InputError: the data set is not there.
    """
    manifest = data / "songs-manifest.csv"
    if not manifest.is_file() or not (data / "songs" / split).is_dir():
        raise InputError(f"no songs below {data}: put songs-manifest.csv and songs/{split}/ there, or set BACKBEAT_DATA")
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split]
    root = data / "songs" / split
    return [Source(str(root / r["path"]), r["path"], r["genre"], r["cluster"], True, r["licence"]) for r in rows]
