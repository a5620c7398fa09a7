"""Style files of arranger keyboards: intros, main parts, fills and endings of a whole band.

Origin: 313 files of two repositories: JJazzLab (203 in Yamaha's formats and its own, sorted by kind of music) and Orin-ayo (110
in formats of Yamaha, Korg, Ketron and Casio), counted without the mixer settings (.mix) beside them; 281 of them differ.

Citation: none.

Licence: as of the repositories, LGPL-2.1 (JJazzLab) and MIT (Orin-ayo); the styles' makers state none.

Checksums: one digest of all files. Layout: any folders below ``styles``; licence by the first folder.

A style file is a MIDI file with more behind it (CASM and others: how the parts follow chords). Only the MIDI file is read, from
``MThd`` to the end of its tracks: all sections one after another, over the chord of C major 7. A file without ``MThd`` (Casio .AC7)
is still a source, and ``read`` says why it cannot be used. The first drum part sits on channel 10, a second one on 9, which the
reader knows by the file's XG messages: of the 299 files that can be read, 3 keep a part on channel 9 that is not seen as drums.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.folders import find_folder, list_files
from backbeat.datasets.source import Dataset, Source, read_file
from backbeat.errors import InputError

SUFFIXES = (".sty", ".prs", ".sst", ".bcs", ".pcs", ".pst", ".fps", ".yjz", ".sas", ".kst", ".ac7")
LICENCES = {"jjazzlab": "LGPL-2.1 (repository); style: none stated", "orinayo": "MIT (repository); style: none stated"}
_ENDING = re.compile(r"(\.[ST]\d{3}|_E443| X3000|\.sty)?\.\w+$", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def read_style(source: Source) -> bytes:
    """The MIDI file within a style file.

    Raises:
        InputError: it cannot be read, or holds no MIDI file.
    """
    data = read_file(source)
    start = data.find(b"MThd")
    if start < 0:
        raise InputError(f"{source.path}: no MIDI inside (no MThd): a style format that is not read")
    return cut_midi(data[start:])


def cut_midi(data: bytes) -> bytes:
    """Bytes from ``MThd`` to the end of the last of the track chunks that follow it; a track that is cut off stays, to be reported."""
    end = 8 + int.from_bytes(data[4:8], "big")
    while data[end : end + 4] == b"MTrk":
        end += 8 + int.from_bytes(data[end + 4 : end + 8], "big")
    return data[:end]


def name_genre(name: str) -> str:
    """Genre of a file by its folder (``Rhythms/GENRE/...``), else its name in words: ``DiscoFunk.S524.prs`` is "Disco Funk"."""
    folder, _, file = name.rpartition("/")
    if "/Rhythms/" in folder:
        return folder.rpartition("/")[2]
    return _HUMP.sub(" ", html.unescape(_ENDING.sub("", file)).replace(".", " ").replace("_", " "))


def list_styles(data: Path) -> Iterator[Source]:
    """The style files.

    Raises:
        InputError: the data set is not below ``data``.
    """
    folder = find_folder(data, "styles")
    if folder is None:
        raise DATASET.missing(data)
    for path, name in list_files(folder, SUFFIXES):
        licence = LICENCES.get(name.split("/")[0], "none stated")
        yield Source(path, name, name_genre(name), licence=licence, reader=read_style)


DATASET = Dataset(
    name="yamaha_styles",
    title="Style files of arranger keyboards: 313 files, each with intros, main parts, fills and endings",
    citation="none",
    licence="LGPL-2.1 and MIT (repositories); styles: none stated",
    download="put style files (.sty, .prs, .sst, .sas ...), of JJazzLab (https://github.com/jjazzboss/JJazzLab) say, into styles there",
    list_all=list_styles,
    index=ChecksumIndex("yamaha_styles"),
)
