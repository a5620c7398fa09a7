"""Grooves of MMA (Musical MIDI Accompaniment): short accompaniments of a whole band in many styles.

Origin: the library of MMA, rendered with the Debian package ``mma``: 1,987 grooves, each over the same eight chords at 110
quarters a minute. A groove file of the library (a style) has several: intro, ending, fill and variants.

Citation: van der Poel: MMA, Musical MIDI Accompaniment, https://www.mellowood.ca/mma/.

Licence: GPL-2.0 or later.

Checksums: the index and one digest of all grooves. Layout: ``mma-grooves/COLLECTION/STYLE/GROOVE.mid``, with the groove's name
by file in ``index.tsv``; the style is the folder.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.folders import list_files
from backbeat.datasets.source import Dataset, Source

LICENCE = "GPL-2.0-or-later"
QPM = 110.0
_SECTION = re.compile(r"(intro|end|fill|break|main)", re.IGNORECASE)
_TAGS = {"end": "ending"}


def _tag(groove: str) -> tuple[str, ...]:
    """The sections that a groove's name speaks of, as in ``HipHopIntro``."""
    return tuple(_TAGS.get(word, word) for word in dict.fromkeys(w.lower() for w in _SECTION.findall(groove)))


def _read_names(index: Path) -> dict[str, str]:
    """Groove by path below the folder."""
    if not index.is_file():
        return {}
    with index.open(newline="", encoding="utf-8") as file:
        return {row["path"].partition("/")[2]: row["groove"] for row in csv.DictReader(file, delimiter="\t")}


def list_grooves(data: Path) -> Iterator[Source]:
    """The grooves; genre is the style's folder.

    Raises:
        InputError: the data set is not below ``data``.
    """
    folder = data / "mma-grooves"
    if not folder.is_dir():
        raise DATASET.missing(data)
    names = _read_names(folder / "index.tsv")
    for path, name in list_files(folder):
        genre = name.split("/")[-2] if "/" in name else ""
        yield Source(path, name, genre, licence=LICENCE, tempo=QPM, tags=_tag(names.get(name, Path(name).stem)))


DATASET = Dataset(
    name="mma_grooves",
    title="MMA grooves: 1,987 accompaniments of eight bars in 260 styles",
    citation="van der Poel: MMA, Musical MIDI Accompaniment, https://www.mellowood.ca/mma/",
    licence=LICENCE,
    download="render the grooves of MMA's library (https://www.mellowood.ca/mma/) as mma-grooves/COLLECTION/STYLE/GROOVE.mid there",
    list_all=list_grooves,
    index=ChecksumIndex("mma_grooves"),
)
