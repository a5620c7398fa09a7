"""Packed training arrays: built by a process pool, streamed to disk, read through a memory map.

A corpus is a folder: one ``NAME.bin`` an array (all pieces one behind the other), ``meta.json`` with shapes, kit, styles and
the manifest's hash, and ``manifest.csv`` with a row for every file that went in, kept or rejected, and why.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from backbeat.datasets.preparation import KIT, Example, prepare
from backbeat.datasets.source import Source
from backbeat.datasets.styles import STYLES, find_style
from backbeat.errors import InputError
from backbeat.kits import load_kit

PIECE_DTYPE = np.dtype([("first_step", "<i8"), ("steps", "<i4"), ("first_bar", "<i8"), ("bars", "<i4"), ("style", "<i2"), ("band", "?"), ("dynamic", "?")])
STEP_ARRAYS = ("step", "words", "velocities", "articulations", "recalled_words", "agreement", "habit")
BAR_ARRAYS = ("bar", "layout")


def _prepare_source(source: Source) -> Example | str:
    return prepare(source.path, band=source.band)


def _arrays(example: Example) -> dict[str, npt.NDArray[Any]]:
    r = example.recalled
    named: dict[str, npt.NDArray[Any]] = {"recalled_words": r.words, "agreement": r.agreement, "habit": r.habit, "song": example.song[None]}
    return named | {n: getattr(example, n) for n in ("step", "words", "velocities", "articulations", "bar", "layout")}


def build_corpus(sources: Iterable[Source], folder: Path, *, workers: int = 2, progress: Callable[[int], None] = lambda done: None) -> Counter[str]:
    """Build a corpus.

    Args:
        sources: the files, in the order in which they are kept.
        folder: made if missing; must be empty.
        workers: processes.
        progress: called with the number of files done.

    Returns:
        how many files were kept ("kept") and rejected, by reason.

    Raises:
        InputError: the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(f"{folder} is not empty: name a new folder for the corpus")
    seen: set[str] = set()
    unique: list[Source] = []
    rows: list[list[Any]] = []
    for source in sources:
        twin = bool(source.cluster) and source.cluster in seen
        seen.add(source.cluster)
        if twin:
            rows.append([source.name, "near-duplicate", source.licence, 0, 0, 0])
        else:
            unique.append(source)
    writer = _Writer(folder)
    with ProcessPoolExecutor(workers) as pool:
        for done, (source, result) in enumerate(zip(unique, pool.map(_prepare_source, unique, chunksize=8), strict=True), 1):
            rows.append(_manifest_row(source, result))
            if isinstance(result, Example):
                writer.add(result, STYLES.index(find_style(source.genre)))
            progress(done)
    writer.finish(rows)
    return Counter(row[1] if not row[1].startswith("unreadable") else "unreadable" for row in rows)


def _manifest_row(source: Source, result: Example | str) -> list[Any]:
    if isinstance(result, str):
        return [source.name, result, source.licence, 0, 0, 0]
    return [source.name, "kept", source.licence, len(result.layout), result.unknown, result.merged]


class _Writer:
    """Streams arrays to disk; memory stays flat."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, dict[str, BinaryIO]()
        self.kinds: dict[str, tuple[str, list[int]]] = {}
        self.pieces: list[tuple[Any, ...]] = []
        self.steps = self.bars = 0

    def add(self, example: Example, style: int) -> None:
        for name, array in _arrays(example).items():
            if name not in self.files:
                self.files[name] = (self.folder / f"{name}.bin").open("wb")
                self.kinds[name] = (array.dtype.str, list(array.shape[1:]))
            self.files[name].write(np.ascontiguousarray(array).tobytes())
        self.pieces.append((self.steps, len(example.words), self.bars, len(example.layout), style, example.band, example.dynamic))
        self.steps += len(example.words)
        self.bars += len(example.layout)

    def finish(self, rows: list[list[Any]]) -> None:
        for file in self.files.values():
            file.close()
        np.array(self.pieces, dtype=PIECE_DTYPE).tofile(self.folder / "pieces.bin")
        manifest = self.folder / "manifest.csv"
        with manifest.open("w", newline="", encoding="utf-8") as table:
            csv.writer(table).writerows([["name", "result", "licence", "bars", "unknown_notes", "merged_notes"], *rows])
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
        meta = {
            "schema": 1,
            "arrays": self.kinds,
            "kit": load_kit(KIT).to_dict(),
            "styles": list(STYLES),
            "manifest_sha256": digest,
            "pieces": len(self.pieces),
        }
        (self.folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


class Corpus:
    """A corpus on disk, memory-mapped.

    Args:
        folder: what ``build_corpus`` wrote.

    Raises:
        InputError: the folder is not a corpus.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{folder} is not a corpus (no meta.json): build one with 'python -m backbeat.datasets.corpus'") from error
        self.folder = folder
        self.pieces: npt.NDArray[np.void] = np.fromfile(folder / "pieces.bin", dtype=PIECE_DTYPE)
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        for name, (kind, shape) in self.meta["arrays"].items():
            self.arrays[name] = np.memmap(folder / f"{name}.bin", dtype=kind, mode="r").reshape(-1, *shape)

    def __len__(self) -> int:
        return len(self.pieces)

    def piece(self, index: int) -> dict[str, npt.NDArray[Any]]:
        """The arrays of one piece, views into the map."""
        row = self.pieces[index]
        steps = slice(int(row["first_step"]), int(row["first_step"]) + int(row["steps"]))
        bars = slice(int(row["first_bar"]), int(row["first_bar"]) + int(row["bars"]))
        out = {n: self.arrays[n][steps] for n in STEP_ARRAYS} | {n: self.arrays[n][bars] for n in BAR_ARRAYS}
        return out | {"song": self.arrays["song"][index]}

    def __iter__(self) -> Iterator[dict[str, npt.NDArray[Any]]]:
        return (self.piece(i) for i in range(len(self)))
