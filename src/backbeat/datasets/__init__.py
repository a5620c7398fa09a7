"""Data sets, one a file, and the corpus builder: files in, packed arrays out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets import (
    asap,
    drum_space,
    groove_midi,
    lakh,
    lstmetallica,
    maestro,
    mma_grooves,
    pattern_table,
    pop909,
    songs,
    tidal_patterns,
    yamaha_styles,
)
from backbeat.datasets.archives import is_archive, list_archive
from backbeat.datasets.folders import is_midi, list_file, list_folder
from backbeat.datasets.source import Dataset, Source
from backbeat.errors import InputError

DATASETS: dict[str, Dataset] = {
    "songs": songs.DATASET,
    "groove_midi": groove_midi.DATASET,
    "lakh": lakh.DATASET,
    "lakh_clean": lakh.CLEAN,
    "lakh_matched": lakh.MATCHED,
    "lakh_full": lakh.FULL,
    "lstmetallica": lstmetallica.DATASET,
    "drum_space": drum_space.DATASET,
    "drum_space_raw": drum_space.RAW,
    "maestro": maestro.DATASET,
    "asap": asap.DATASET,
    "pop909": pop909.DATASET,
    "mma_grooves": mma_grooves.DATASET,
    "tidal_patterns": tidal_patterns.DATASET,
    "yamaha_styles": yamaha_styles.DATASET,
}
"""Every data set by its name. Adding one is adding a file and a line here."""


def list_sources(spec: str, data: Path | None = None) -> list[Source]:
    """The pieces that a name stands for.

    Args:
        spec: a data set (``groove_midi``) or one of its splits (``songs:train``), else a folder tree, a MIDI file or an archive. To
            name a folder that is called as a data set, write ``./songs``.
        data: the folder with the data sets.

    Raises:
        InputError: nothing is called that, the data set is not below ``data``, or there is no MIDI file in it.
    """
    name, _, split = spec.partition(":")
    if name in DATASETS:
        if data is None:
            raise InputError(f"where is {name}? name the folder with the data sets: --data DIR, or set BACKBEAT_DATA")
        sources = DATASETS[name].list_sources(data, split)
    else:
        sources = list(_list_path(spec))
    if not sources:
        raise InputError(f"{spec}: no piece in it")
    return sources


def _list_path(spec: str) -> Iterator[Source]:
    path = Path(spec)
    if path.is_dir():
        return list_folder(path)
    if path.is_file() and is_archive(spec):
        return list_archive(path)
    if path.is_file() and is_midi(spec):
        return list_file(path)
    if path.is_file() and path.suffix.lower() == pattern_table.SUFFIX:
        return pattern_table.list_table(path)
    kind = "neither MIDI nor an archive by its name" if path.is_file() else "no file, folder or data set"
    raise InputError(f"{spec}: {kind}; data sets are {', '.join(DATASETS)}, with their splits as in songs:train")
