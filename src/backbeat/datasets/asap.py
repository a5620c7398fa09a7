"""ASAP: piano performances aligned to their scores, no drums.

Origin: Foscarin and others, 2020: 1,067 performances of 236 scores by 15 composers; most performances are from MAESTRO. The
checksums here are of 200 of them.

Citation: Foscarin, McLeod, Rigaux, Jacquemard, Sakai: ASAP: a dataset of aligned scores and performances for piano
transcription, ISMIR 2020.

Licence: CC BY-NC-SA 4.0, so never for weights that are shipped.

Checksums: 200 files. Layout: ``piano/asap/Composer/.../Piece/Player.mid``, or ``asap-dataset`` as cloned. Performances of one
piece are a cluster; the scores (``midi_score.mid``) are left out, as nobody plays them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.folders import find_folder, list_files
from backbeat.datasets.source import Dataset, Source

LICENCE = "CC BY-NC-SA 4.0"


def list_performances(data: Path) -> Iterator[Source]:
    """The performances.

    Raises:
        InputError: the data set is not below ``data``.
    """
    folder = find_folder(data, "piano/asap", "asap", "asap-dataset")
    if folder is None:
        raise DATASET.missing(data)
    for path, name in list_files(folder):
        piece, _, player = name.rpartition("/")
        if player != "midi_score.mid":
            yield Source(path, name, "classical", f"asap:{piece}", licence=LICENCE, tags=(name.split("/")[0],))


DATASET = Dataset(
    name="asap",
    title="ASAP: 1,067 piano performances aligned to 236 scores, no drums",
    citation="Foscarin, McLeod, Rigaux, Jacquemard, Sakai: ASAP: a dataset of aligned scores and performances for piano transcription, ISMIR 2020",
    licence=LICENCE,
    download="clone https://github.com/fosfrancesco/asap-dataset there, as piano/asap or asap-dataset",
    list_all=list_performances,
    index=ChecksumIndex("asap"),
)
