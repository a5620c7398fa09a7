"""Songs with drums, described by a manifest.

Origin: many public collections of multi-instrument MIDI songs, gathered for this project: 8,105 for training, 221 for
validation, 673 for testing (whole sources that training has not seen). Splits never share a near-duplicate cluster.

Citation: none.

Licence: per row of the manifest, mostly "none stated", so the files are not redistributed.

Checksums: the manifest, and one digest a split; the manifest's own column ``md5`` has one for each file.

Layout: ``songs-manifest.csv`` and ``songs/SPLIT/PATH`` below the data folder. Any collection can be described that way: the
columns that are read are path, split, genre, licence, cluster and qpm. A split whose folder is missing is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.source import Dataset, Source


def list_songs(data: Path) -> Iterator[Source]:
    """The songs of all splits that are there.

    Args:
        data: the folder with the manifest.

    Raises:
        InputError: the data set is not there.
    """
    manifest = data / "songs-manifest.csv"
    folders = {s: data / "songs" / s for s in DATASET.splits if (data / "songs" / s).is_dir()}
    if not manifest.is_file() or not folders:
        raise DATASET.missing(data)
    with manifest.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] in folders:
                yield Source(
                    path=str(folders[row["split"]] / row["path"]),
                    name=row["path"],
                    genre=row["genre"],
                    cluster=f"songs:{row['cluster']}" if row["cluster"] else "",
                    licence=row["licence"],
                    split=row["split"],
                    tempo=float(row.get("qpm") or 0),
                )


DATASET = Dataset(
    name="songs",
    title="Songs: 8,999 songs with drums from public collections, described by a manifest",
    citation="none",
    licence="per song, mostly none stated",
    download="put songs-manifest.csv and songs/train, songs/validation or songs/test there",
    list_all=list_songs,
    splits=("train", "validation", "test"),
    index=ChecksumIndex("songs"),
)
