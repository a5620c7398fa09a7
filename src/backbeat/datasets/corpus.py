"""A corpus: packed training arrays, read at random through a memory map.

A corpus is a folder: one ``NAME.bin`` an array (all pieces one behind the other), ``pieces.bin`` with where each begins,
``manifest.parquet`` with a row for every piece kept, ``ledger.parquet`` with one for every source left out and why, and
``meta.json`` with shapes, kit, styles, counts and the manifest's hash. ``building`` makes it.
"""

from __future__ import annotations

import json
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
PIECE_DTYPE = np.dtype([("first_step", "<i8"), ("steps", "<i4"), ("first_bar", "<i8"), ("bars", "<i4"), ("style", "<i2"), ("band", "?"), ("dynamic", "?")])


class Corpus:
    """A corpus on disk, memory-mapped.

    Args:
        folder: what ``build_corpus`` wrote.

    Raises:
        InputError: the folder is not a corpus, or one of another version.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{folder} is not a corpus (no meta.json): build one with 'backbeat corpus build SOURCE -o {folder}'") from error
        if self.meta.get("schema") not in (1, SCHEMA):
            raise InputError(f"{folder} is a corpus of version {self.meta.get('schema')}, this is Backbeat for version {SCHEMA}: build it again")
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
        return {n: a[index] if n == "song" else a[bars] if n in BAR_ARRAYS else a[steps] for n, a in self.arrays.items()}

    def __iter__(self) -> Iterator[dict[str, npt.NDArray[Any]]]:
        return (self.piece(i) for i in range(len(self)))

    @cached_property
    def manifest(self) -> pa.Table:
        """A row for every piece, see ``manifest.COLUMNS``."""
        return read_table(self.folder / MANIFEST)

    @property
    def ledger(self) -> pa.Table:
        """A row for every source that was left out."""
        return read_table(self.folder / LEDGER)

    @property
    def names(self) -> list[str]:
        """What the manifest calls each piece."""
        names: list[str] = self.manifest.column("name").to_pylist()
        return names

    def choose(self, split: str) -> npt.NDArray[np.int64]:
        """int64 [n]: the pieces of a split."""
        return np.flatnonzero(np.array(self.manifest.column("split").to_pylist()) == split)
