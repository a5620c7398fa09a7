"""Lakh MIDI: 178,561 MIDI files from the web, 45,129 of them matched to entries of the Million Song Dataset.

Origin: Colin Raffel, 2016, in three layouts that overlap:

- ``lakh_clean``: ``clean_midi/Artist/Title.mid``, 17,256 files. ``Title.1.mid``, ``Title.2.mid`` ... are other versions of
  the same song, so the cluster is artist and title without that number.
- ``lakh_matched``: ``lmd_matched/A/B/C/TRxxxx/HASH.mid``, 116,189 files; the cluster is the track id (TRxxxx).
- ``lakh_full``: ``lmd_full/x/HASH.mid``, 178,561 files; no clusters.

``lakh`` is the first of full, matched and clean that is there.

Citation: Raffel: Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI Alignment and Matching,
PhD thesis, Columbia University, 2016.

Licence: CC BY 4.0 for the collection; none is stated for the songs.

Checksums: none here; the name of a file in ``lmd_full`` and ``lmd_matched`` is its MD5.

Layout: the folder ``clean_midi``, ``lmd_matched`` or ``lmd_full``, or its archive as downloaded (``lmd_full.tar.gz`` ...),
in the data folder or in ``lakh`` below it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from backbeat.datasets.archives import list_archive
from backbeat.datasets.folders import list_folder
from backbeat.datasets.source import Dataset, Source

LICENCE = "CC BY 4.0 (collection); songs: none stated"
CITATION = "Raffel: Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI Alignment and Matching, PhD thesis, 2016"
_VERSION = re.compile(r"(\.\d+)?\.[^.]+$")
_TRACK = re.compile(r"(?:^|/)(TR[A-Z0-9]+)/[^/]+$")


def cluster_by_title(name: str) -> str:
    """``lakh:artist/title`` of ``Artist/Title.2.mid``, in lower case and without runs of spaces."""
    return "lakh:" + " ".join(_VERSION.sub("", name).lower().split())


def cluster_by_track(name: str) -> str:
    """``lakh:TRxxxx`` of ``A/B/C/TRxxxx/HASH.mid``; "" where the name has no track id."""
    found = _TRACK.search(name)
    return f"lakh:{found[1]}" if found else ""


def _find(data: Path, layout: str) -> Path | None:
    places = [data / "lakh" / layout, data / layout, data / "lakh" / f"{layout}.tar.gz", data / f"{layout}.tar.gz"]
    return next((p for p in places if p.exists()), None)


def _list_layout(layout: str, cluster: Callable[[str], str]) -> Callable[[Path], Iterator[Source]]:
    """The lister of a layout."""

    def list_layout(data: Path) -> Iterator[Source]:
        place = _find(data, layout)
        if place is None:
            raise _BY_LAYOUT[layout].missing(data)
        for source in list_folder(place) if place.is_dir() else list_archive(place):
            name = source.name.removeprefix("./").removeprefix(f"{layout}/")
            yield replace(source, name=name, cluster=cluster(name), licence=LICENCE)

    return list_layout


def list_songs(data: Path) -> Iterator[Source]:
    """The songs of the largest layout that is there.

    Raises:
        InputError: none is below ``data``.
    """
    for layout, dataset in _BY_LAYOUT.items():
        if _find(data, layout):
            return iter(dataset.list_all(data))
    raise DATASET.missing(data)


def _make(name: str, title: str, layout: str, list_all: Callable[[Path], Iterator[Source]]) -> Dataset:
    download = f"get {layout}.tar.gz from https://colinraffel.com/projects/lmd/ and put it there, packed or unpacked"
    return Dataset(name=name, title=title, citation=CITATION, licence=LICENCE, download=download, list_all=list_all)


CLEAN = _make("lakh_clean", "Lakh, clean subset: 17,256 files named by artist and title", "clean_midi", _list_layout("clean_midi", cluster_by_title))
MATCHED = _make("lakh_matched", "Lakh, matched: 116,189 files of 31,034 known tracks", "lmd_matched", _list_layout("lmd_matched", cluster_by_track))
FULL = _make("lakh_full", "Lakh, everything: 178,561 files", "lmd_full", _list_layout("lmd_full", lambda name: ""))
_BY_LAYOUT = {"lmd_full": FULL, "lmd_matched": MATCHED, "clean_midi": CLEAN}
DATASET = _make("lakh", "Lakh MIDI: 178,561 files from the web, or the subset that is there", "lmd_full", list_songs)
