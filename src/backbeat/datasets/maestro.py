"""MAESTRO: virtuosic piano performances, no drums.

Origin: Magenta (Google) with the International Piano-e-Competition: 1,276 performances (version 3), 199 hours, MIDI and audio
aligned; version 2 has 1,282.

Citation: Hawthorne, Stasyuk, Roberts, Simon, Huang, Dieleman, Elsen, Engel, Eck: Enabling Factorized Piano Music Modeling and
Generation with the MAESTRO Dataset, ICLR 2019.

Licence: CC BY-NC-SA 4.0, so never for weights that are shipped.

Checksums: none here. Layout: ``maestro-v3.0.0`` (or v2.0.0, v1.0.0) with its CSV file, in the data folder or in ``piano``.
Performances of one piece (composer and title) are a cluster.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.folders import find_folder
from backbeat.datasets.source import Dataset, Source

LICENCE = "CC BY-NC-SA 4.0"
VERSIONS = ("maestro-v3.0.0", "maestro-v2.0.0", "maestro-v1.0.0")


def list_performances(data: Path) -> Iterator[Source]:
    """The performances of the newest version that is there.

    Raises:
        InputError: none is below ``data``.
    """
    folder = find_folder(data, *(f"{place}{version}" for version in VERSIONS for place in ("", "piano/")))
    table = folder / f"{folder.name}.csv" if folder else None
    if folder is None or table is None or not table.is_file():
        raise DATASET.missing(data)
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cluster = f"maestro:{row['canonical_composer']}/{row['canonical_title']}"
            name = row["midi_filename"]
            yield Source(str(folder / name), name, "classical", cluster, licence=LICENCE, split=row["split"], tags=(row["canonical_composer"],))


DATASET = Dataset(
    name="maestro",
    title="MAESTRO: 1,276 piano performances, 199 hours, no drums",
    citation="Hawthorne et al.: Enabling Factorized Piano Music Modeling and Generation with the MAESTRO Dataset, ICLR 2019",
    licence=LICENCE,
    download="unpack maestro-v3.0.0-midi.zip (https://magenta.tensorflow.org/datasets/maestro) there, so that maestro-v3.0.0/maestro-v3.0.0.csv exists",
    list_all=list_performances,
    splits=("train", "validation", "test"),
)
