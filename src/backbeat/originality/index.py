"""The index of a corpus: built once, kept beside the corpus as plain arrays, read through a memory map.

A folder ``originality.index`` holds ``meta.json`` (version, the corpus' fingerprint, names, human figures, a table of the arrays) and
``arrays.bin``, see ``arrays``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.datasets.corpus import Corpus
from backbeat.errors import InputError, OutputError
from backbeat.originality.arrays import read_arrays, write_arrays
from backbeat.originality.seeds import Seeds
from backbeat.originality.tracks import Int32s, Library, Track, list_corpus_tracks, list_folder_tracks, list_midi_files
from backbeat.originality.windows import LONGEST, Shelf, fill_shelf, list_starts

VERSION = 2
FOLDER = "originality.index"
ARRAYS = "arrays.bin"
BARS = (1, 2, 4)
"""Lengths of windows, in bars."""


@dataclass(frozen=True, eq=False)
class Index:
    """Training tracks, ready to be searched.

    Args:
        library: their words.
        shelves: their windows, by (steps, stride).
        seeds: their seeds.
        steps_per_quarter: density of their grid.
        human: how original human tracks are, see ``humans.measure_humans``; {} where it was not measured.
    """

    library: Library
    shelves: dict[tuple[int, int], Shelf]
    seeds: Seeds
    steps_per_quarter: int = 4
    human: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, library: Library, steps_per_quarter: int = 4) -> Index:
        """Index a library."""
        starts: dict[tuple[int, int], list[Int32s]] = {}
        for bars in BARS:
            for steps, places in list_starts(library, bars).items():
                starts.setdefault((steps, 1), []).append(places)
            for steps, places in list_starts(library, 2 * bars).items():
                if steps % 2 == 0:
                    starts.setdefault((steps // 2, 2), []).append(places)
        shelves = {}
        for (steps, stride), several in sorted(starts.items()):
            shelf = fill_shelf(library, np.unique(np.concatenate(several)), steps, stride) if steps <= LONGEST else None
            if shelf:
                shelves[steps, stride] = shelf
        return cls(library, shelves, Seeds.plant(library.words), steps_per_quarter)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What is stored, by name."""
        named = {f"library.{n}": a for n, a in self.library.arrays().items()} | {f"seeds.{n}": a for n, a in self.seeds.arrays().items()}
        for (steps, stride), shelf in self.shelves.items():
            named |= {f"windows.{steps}.{stride}.{n}": a for n, a in shelf.arrays().items()}
        return named


def save_index(index: Index, folder: Path, fingerprint: str) -> None:
    """Write an index whole or not at all: into a folder beside, which then takes its place.

    Raises:
        OutputError: it cannot be written there.
    """
    temporary = folder.parent / f".{folder.name}-{secrets.token_hex(6)}.tmp"
    try:
        temporary.mkdir(parents=True)
        table = write_arrays(temporary / ARRAYS, index.arrays())
        shelves = [[steps, stride] for steps, stride in index.shelves]
        meta = {
            "version": VERSION,
            "fingerprint": fingerprint,
            "steps_per_quarter": index.steps_per_quarter,
            "names": index.library.names,
            "shelves": shelves,
            "human": index.human,
            "arrays": table,
        }
        (temporary / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        _exchange(temporary, folder)
    except OSError as error:
        raise OutputError(f"{folder}: the index cannot be written ({error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(new: Path, folder: Path) -> None:
    """Put a new folder in the place of an old one."""
    old = new.with_suffix(".old")
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        if not folder.is_dir():  # else another process has been quicker, with an index of the same corpus
            raise
    shutil.rmtree(old, ignore_errors=True)


def load_index(folder: Path, fingerprint: str) -> Index | None:
    """The index in a folder; None where there is none, or it is of another corpus or version, or damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if meta["version"] != VERSION or meta["fingerprint"] != fingerprint:
            return None
        parts: dict[str, dict[str, npt.NDArray[Any]]] = {}
        for name, array in read_arrays(folder / ARRAYS, meta["arrays"]).items():
            part, _, own = name.rpartition(".")
            parts.setdefault(part, {})[own] = array
        library = Library.restore(meta["names"], parts["library"])
        if len(library.names) != len(library.track_places):
            return None
        shelves = {(steps, stride): Shelf(steps, stride, **parts[f"windows.{steps}.{stride}"]) for steps, stride in meta["shelves"]}
        return Index(library, shelves, Seeds.restore(parts["seeds"]), meta["steps_per_quarter"], meta["human"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def take_fingerprint(source: Path) -> str:
    """What changes when a corpus, or a folder of MIDI files, does.

    Raises:
        InputError: there is no such folder.
    """
    if not source.is_dir():
        raise InputError(f"{source}: no such folder: name a corpus ('backbeat corpus build') or a folder of MIDI files")
    digest = hashlib.sha256()
    if (source / "meta.json").is_file():
        digest.update((source / "meta.json").read_bytes())
        digest.update(str([(source / n).stat().st_size for n in ("pieces.bin", "words.bin") if (source / n).is_file()]).encode())
    else:
        for path in list_midi_files(source):
            status = path.stat()
            digest.update(f"{path.relative_to(source).as_posix()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def list_places(source: Path) -> list[Path]:
    """Where the index of a corpus may be: in its folder, or, where nothing can be written there, in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "backbeat"
    return [source / FOLDER, cache / f"originality-{hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]}.index"]


def open_index(
    source: Path,
    *,
    measure: Callable[[Index], dict[str, Any]] = lambda index: {},
    progress: Callable[[str], None] = lambda line: None,
) -> Index:
    """The index of a corpus or of a folder of MIDI files; built on first use, and again when the corpus has changed.

    Args:
        source: the folder.
        measure: gives the human figures to keep with a new index.
        progress: called with a line for each part of the work, where there is work.

    Raises:
        InputError: there is no such folder, or nothing in it has drums.
        MissingExtraError: a corpus has to be indexed, and pyarrow, which reads its manifest, is not installed.
    """
    fingerprint = take_fingerprint(source)
    places = list_places(source)
    for folder in places:
        index = load_index(folder, fingerprint)
        if index:
            return index
    progress("reading the training tracks")
    index = measure_index(read_index(source, progress), measure, progress)
    for folder in places:
        try:
            save_index(index, folder, fingerprint)
        except OutputError:
            continue
        return load_index(folder, fingerprint) or index
    progress(f"the index is not kept: nothing can be written in {source} or {places[-1].parent}")
    return index


def read_index(source: Path, progress: Callable[[str], None] = lambda line: None) -> Index:
    """Index a corpus, or a folder of MIDI files.

    Raises:
        InputError: there is nothing with drums in it.
    """
    steps_per_quarter = 4
    tracks: Iterable[Track] = list_folder_tracks(source)
    if (source / "meta.json").is_file():
        corpus = Corpus(source)
        tracks, steps_per_quarter = list_corpus_tracks(corpus), int(corpus.meta.get("steps_per_quarter", 4))
    library = Library.lay(t for t in tracks if t.words.any())
    progress(f"indexing {len(library.names):,} tracks, {len(library.bars):,} bars")
    return Index.of(library, steps_per_quarter)


def measure_index(index: Index, measure: Callable[[Index], dict[str, Any]], progress: Callable[[str], None] = lambda line: None) -> Index:
    """The index with the human figures that ``measure`` gives."""
    progress("measuring how original human tracks are")
    return replace(index, human=measure(index))
