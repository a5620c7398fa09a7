"""LSTMetallica: the drum tracks of 57 Metallica songs.

Origin: the repository keunwoochoi/LSTMetallica, 2016: 57 MIDI files and ``metallica_drums_text.txt``, the text they were
turned into, 2,141,692 characters.

Citation: Choi, Fazekas, Sandler: Text-based LSTM networks for Automatic Music Composition, arXiv 1604.05358, 2016.

Licence: none stated.

Checksums: every file. Layout: ``lstmetallica/midi/*.mid`` and the text beside ``midi``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.folders import list_files
from backbeat.datasets.source import Dataset, Source

TEXT = "lstmetallica/metallica_drums_text.txt"
"""The published text, below the data folder."""


def list_songs(data: Path) -> Iterator[Source]:
    """The songs' drums.

    Raises:
        InputError: the data set is not below ``data``.
    """
    folder = data / "lstmetallica" / "midi"
    if not folder.is_dir():
        raise DATASET.missing(data)
    for path, name in list_files(folder):
        yield Source(path, name, genre="metal", band=False, licence="none stated")


DATASET = Dataset(
    name="lstmetallica",
    title="LSTMetallica: the drum tracks of 57 Metallica songs",
    citation="Choi, Fazekas, Sandler: Text-based LSTM networks for Automatic Music Composition, arXiv 1604.05358, 2016",
    licence="none stated",
    download="put the MIDI files of https://github.com/keunwoochoi/LSTMetallica into lstmetallica/midi there, its text beside that folder",
    list_all=list_songs,
    index=ChecksumIndex("lstmetallica"),
)
