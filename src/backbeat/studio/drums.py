"""Drums as the studio keeps them: bars of packed hits, which states share, so that an edit of one cell costs one bar.

A hit is its step in the piece, its class in the kit "backbeat", a MIDI velocity 1-127 and an offset, float32 to the bit. What is not touched keeps its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit

HIT = np.dtype([("step", "<u4"), ("column", "u1"), ("velocity", "u1"), ("offset", "<f4")])
"""One hit, 10 bytes: step in the piece, column of the kit, velocity 1-127, offset in steps (positive = late)."""
KIT = "backbeat"
LATEST = float(np.nextafter(np.float32(0.5), np.float32(0)))

Hits = npt.NDArray[np.void]
Cell = tuple[int, int, int, float]
Flags = npt.NDArray[np.bool_]


def studio_kit() -> Kit:
    """The kit whose classes are the rows of the studio's grid."""
    return load_kit(KIT)


@dataclass(frozen=True)
class Drums:
    """All hits of a piece.

    Args:
        bars: packed ``HIT`` of each bar, by step, then column.
    """

    bars: tuple[bytes, ...]

    @classmethod
    def empty(cls, grid: Grid) -> Drums:
        """No hit at all."""
        return cls((b"",) * grid.bars)

    @classmethod
    def from_hits(cls, hits: Hits, grid: Grid) -> Drums:
        """Cut hits into bars.

        Args:
            hits: ``HIT`` [n], in any order, one a cell.
            grid: its bars.
        """
        ordered = hits[np.lexsort((hits["column"], hits["step"]))]
        edges = np.searchsorted(ordered["step"], grid.first_steps)
        data, size = ordered.tobytes(), HIT.itemsize
        return cls(tuple(data[a * size : b * size] for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)))

    @classmethod
    def from_groove(cls, groove: Groove) -> Drums:
        """The hits of a groove in the studio's kit; velocities are rounded to MIDI's."""
        return cls.from_hits(pack_groove(groove), groove.grid)

    @cached_property
    def hits(self) -> Hits:
        """``HIT`` [n], by step, then column."""
        return np.frombuffer(b"".join(self.bars), HIT)

    @cached_property
    def key(self) -> str:
        """A name that says what is in it: 20 hexadecimal digits."""
        return blake2b(b"".join(self.bars), digest_size=10).hexdigest()

    def to_groove(self, grid: Grid) -> Groove:
        """As a groove on the grid."""
        return lay_hits(self.hits, grid)

    def with_bars(self, bars: Mapping[int, bytes]) -> Drums:
        """The same with some bars exchanged."""
        new = list(self.bars)
        for bar, packed in bars.items():
            new[bar] = packed
        return Drums(tuple(new))

    def find_changes(self, before: Drums) -> dict[int, bytes]:
        """The bars that are not as in other drums of the piece."""
        return {bar: new for bar, (new, old) in enumerate(zip(self.bars, before.bars, strict=True)) if new is not old and new != old}


def pack_groove(groove: Groove) -> Hits:
    """``HIT`` [n]: the hits of a groove, by step, then column."""
    steps, columns = np.nonzero(groove.hits)
    hits = np.empty(len(steps), HIT)
    hits["step"], hits["column"] = steps, columns
    hits["velocity"] = np.clip(np.floor(groove.velocities[steps, columns].astype(np.float64) * 127 + 0.5), 1, 127)
    hits["offset"] = groove.offsets[steps, columns]
    return hits


def lay_hits(hits: Hits, grid: Grid) -> Groove:
    """Hits as a groove.

    Args:
        hits: ``HIT`` [n].
        grid: its bars and steps.
    """
    kit = studio_kit()
    shape, cells = (grid.steps, len(kit)), (hits["step"].astype(np.int64), hits["column"].astype(np.int64))
    struck, velocities, offsets = np.zeros(shape, np.bool_), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    struck[cells], offsets[cells] = True, hits["offset"]
    velocities[cells] = hits["velocity"] / np.float32(127)
    return Groove(grid, kit, struck, velocities, offsets)


def exchange(drums: Drums, cells: Flags, hits: Hits, grid: Grid) -> Drums:
    """Drums with the hits of some cells exchanged; all others keep their bytes, and bars without such cells are shared.

    Args:
        drums: as they were.
        cells: bool [steps, classes], whose hits leave.
        hits: ``HIT`` [n], of which those in the cells come; the others are not looked at.
        grid: bars and steps.
    """
    bars = np.unique(grid.bar_of_step[cells.any(axis=1)]).tolist()
    old = np.frombuffer(b"".join([drums.bars[bar] for bar in bars]), HIT)
    new = Drums.from_hits(np.concatenate([old[~_are_in(old, cells)], hits[_are_in(hits, cells)]]), grid)
    return drums.with_bars({bar: new.bars[bar] for bar in bars if new.bars[bar] != drums.bars[bar]})


def _are_in(hits: Hits, cells: Flags) -> Flags:
    return np.asarray(cells[hits["step"].astype(np.int64), hits["column"].astype(np.int64)], dtype=np.bool_)


def write_bar(packed: bytes) -> list[list[Any]]:
    """A bar for JSON: [step, class, velocity, offset] of each hit; offsets in as few digits as tell float32 apart."""
    return [[step, column, velocity, _shorten(offset)] for step, column, velocity, offset in np.frombuffer(packed, HIT).tolist()]


def _shorten(offset: float) -> float:
    return float(f"{offset:.9g}")


def read_bar(rows: object, first: int, end: int) -> bytes:
    """The inverse of ``write_bar``, with anything else refused.

    Args:
        rows: from JSON.
        first, end: the bar's first step, and the one behind its last.

    Raises:
        InputError: a hit is not as above, or not in this bar, or two are in one cell.
    """
    classes = len(studio_kit())
    if not isinstance(rows, list):
        raise InputError("a bar is a list of hits")
    for row in rows:
        if not (isinstance(row, list) and len(row) == 4 and all(type(value) is int for value in row[:3]) and type(row[3]) in (int, float)):
            raise InputError("a hit is [step, class, velocity, offset]")
        step, column, velocity, offset = row
        if not (first <= step < end and 0 <= column < classes and 1 <= velocity <= 127 and -0.5 <= offset <= LATEST):
            raise InputError(f"a hit is out of range: {str(row)[:80]}")
    hits = np.array([tuple(row) for row in rows], HIT)
    return order_hits(hits).tobytes()


def order_hits(hits: Hits) -> Hits:
    """Hits by step, then column.

    Raises:
        InputError: two of them are in one cell.
    """
    ordered = hits[np.lexsort((hits["column"], hits["step"]))]
    if np.any((ordered["step"][1:] == ordered["step"][:-1]) & (ordered["column"][1:] == ordered["column"][:-1])):
        raise InputError("two hits are in one cell")
    return ordered


def pack(cells: Iterable[Cell]) -> Hits:
    """``HIT`` [n] of step, column, velocity and offset each."""
    return np.array(list(cells), HIT)
