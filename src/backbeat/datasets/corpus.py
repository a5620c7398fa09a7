"""A corpus: packed training arrays, read at random through a memory map.

A corpus is a folder: one ``NAME.bin`` an array (all pieces one behind the other), ``pieces.bin`` with where each begins,
``manifest.parquet`` with a row for every piece kept, ``ledger.parquet`` with one for every source left out and why, and
``meta.json`` with shapes, kit, styles, counts and the manifest's hash. ``building`` makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from backbeat.datasets.blocks import BAR_ARRAYS
from backbeat.datasets.manifest import LEDGER, MANIFEST, read_table
from backbeat.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = 2
WORKSHOP = ".build"
"""Folder of the blocks while a corpus is being built."""
PIECE_DTYPE = np.dtype([("first_step", "<i8"), ("steps", "<i4"), ("first_bar", "<i8"), ("bars", "<i4"), ("style", "<i2"), ("band", "?"), ("dynamic", "?")])


class Corpus:
    """A corpus on disk, memory-mapped.

    Args:
        folder: what ``build_corpus`` wrote.

    Raises:
        InputError: the folder is not a corpus, or one of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.meta = folder, _read_meta(folder)
        self.pieces: npt.NDArray[np.void] = np.array(_map_array(folder, "pieces", PIECE_DTYPE, ()))
        self.arrays: dict[str, npt.NDArray[Any]] = {n: _map_array(folder, n, np.dtype(kind), tuple(shape)) for n, (kind, shape) in self.meta["arrays"].items()}
        self._check_lengths()

    def _check_lengths(self) -> None:
        counts = {"song": len(self.pieces)} | dict.fromkeys(BAR_ARRAYS, int(self.pieces["bars"].sum()))
        steps = int(self.pieces["steps"].sum())
        for name, array in {**self.arrays, "pieces": self.pieces}.items():
            wanted = self.meta.get("pieces", len(array)) if name == "pieces" else counts.get(name, steps)
            if len(array) != wanted:
                raise InputError(f"{self.folder}: {name}.bin has {len(array):,} entries where {wanted:,} belong: the corpus is damaged, build it again")

    def __len__(self) -> int:
        return len(self.pieces)

    def piece(self, index: int) -> dict[str, npt.NDArray[Any]]:
        """The arrays of one piece, views into the map."""
        row = self.pieces[index]
        steps = slice(int(row["first_step"]), int(row["first_step"]) + int(row["steps"]))
        bars = slice(int(row["first_bar"]), int(row["first_bar"]) + int(row["bars"]))
        return {n: a[index] if n == "song" else a[bars] if n in BAR_ARRAYS else a[steps] for n, a in self.arrays.items()}

    def __iter__(self) -> Iterator[dict[str, npt.NDArray[Any]]]:
        return (self.piece(i) for i in range(len(self)))

    @cached_property
    def manifest(self) -> pa.Table:
        """A row for every piece, see ``manifest.COLUMNS``.

        Raises:
            InputError: it is missing or damaged, or of another corpus.
            MissingExtraError: pyarrow is not installed.
        """
        table = self._read_table(MANIFEST)
        if len(table) != len(self):
            raise InputError(f"{self.folder / MANIFEST} has {len(table):,} rows for {len(self):,} pieces: the corpus is damaged, build it again")
        return table

    @property
    def ledger(self) -> pa.Table:
        """A row for every source that was left out.

        Raises:
            InputError: it is missing or damaged.
            MissingExtraError: pyarrow is not installed.
        """
        return self._read_table(LEDGER)

    def _read_table(self, name: str) -> pa.Table:
        if self.meta["schema"] != SCHEMA:
            raise InputError(f"{self.folder} is a corpus of version {self.meta['schema']}, which has no {name}: build it again")
        return read_table(self.folder / name)

    def check_density(self, steps_per_quarter: int = 4) -> None:
        """Check that the corpus is on the grid that a model learns on.

        Raises:
            InputError: it is on another one.
        """
        found = self.meta.get("steps_per_quarter", 4)
        if found != steps_per_quarter:
            raise InputError(
                f"{self.folder} has {found} steps a quarter, {steps_per_quarter} are needed: build it with --steps-per-quarter {steps_per_quarter}"
            )

    @property
    def names(self) -> list[str]:
        """What the manifest calls each piece."""
        names: list[str] = self.manifest.column("name").to_pylist()
        return names

    def choose(self, split: str) -> npt.NDArray[np.int64]:
        """int64 [n]: the pieces of a split."""
        return np.flatnonzero(np.array(self.manifest.column("split").to_pylist()) == split)


def _read_meta(folder: Path) -> dict[str, Any]:
    """What meta.json says, as far as it can be used."""
    path = folder / "meta.json"
    if not path.is_file():
        if (folder / WORKSHOP).is_dir():
            raise InputError(f"{folder} is not a corpus yet: its build was stopped, the command that began it goes on with --resume")
        raise InputError(f"{folder} is not a corpus (no meta.json): build one with 'backbeat corpus build SOURCE -o {folder}'")
    try:
        meta: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if meta["schema"] not in (1, SCHEMA):
            raise InputError(f"{folder} is a corpus of version {meta['schema']!r}, this is Backbeat for version {SCHEMA}: build it again")
        _check_meta(meta)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}): build the corpus again") from None
    return meta


def _check_meta(meta: dict[str, Any]) -> None:
    """Raise ValueError, KeyError, TypeError or AttributeError where what every reader relies on is not there."""
    for key, kind in {"steps_per_quarter": int, "sources": int, "pieces": int, "results": dict}.items():
        if not isinstance(meta.get(key, kind()), kind):
            raise TypeError(f"{key} is {meta[key]!r}")
    if not isinstance(meta["kit"]["name"], str):
        raise TypeError("the kit has no name")
    for name, (kind, shape) in meta["arrays"].items():
        np.empty((0, *shape), np.dtype(kind))
        if "/" in name or np.dtype(kind).hasobject or 0 in shape:
            raise TypeError(f"there is no array {name} of kind {kind} and shape {shape}")
    if meta.get("pieces") and not {"words", "layout"} <= meta["arrays"].keys():
        raise KeyError("words")


def _map_array(folder: Path, name: str, kind: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """An array of the corpus, [entries, ...shape]; mapped, so that only what is asked for is read."""
    path = folder / f"{name}.bin"
    size = kind.itemsize * math.prod(shape)
    try:
        length = path.stat().st_size
        if length % size:
            raise InputError(f"{path} is cut off: the corpus is damaged, build it again")
        return np.memmap(path, dtype=kind, mode="r", shape=(length // size, *shape)) if length else np.empty((0, *shape), kind)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): the corpus is damaged, build it again") from None
