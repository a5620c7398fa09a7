"""Many arrays in one file, one behind the other, read through one memory map: an index has thousands, and opening as many files takes a second.

A table says where each array lies. The file has exactly the bytes that the table says, so that a shortened one is seen at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ALIGNED = 64
"""Arrays begin at multiples of so many bytes."""

Arrays = dict[str, npt.NDArray[Any]]
Table = dict[str, list[Any]]


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> Table:
    """Write arrays of any shapes.

    Args:
        path: the file.
        arrays: by name.

    Returns:
        the table, as JSON takes it: name -> type, shape, first byte.

    Raises:
        OSError: it cannot be written.
    """
    table: Table = {}
    with path.open("wb") as file:
        for name, array in arrays.items():
            file.write(bytes(-file.tell() % ALIGNED))
            table[name] = [array.dtype.str, list(array.shape), file.tell()]
            file.write(np.ascontiguousarray(array).data)
    return table


def read_arrays(path: Path, table: Table) -> Arrays:
    """The arrays of a file, as plain read-only arrays over a memory map.

    Args:
        path: the file.
        table: what ``write_arrays`` gave.

    Raises:
        OSError: the file cannot be read.
        AttributeError, TypeError, ValueError: it is no table, or not that of the file.
    """
    spans = {name: (first, first + np.dtype(kind).itemsize * prod(shape)) for name, (kind, shape, first) in table.items()}
    last = max((end for _, end in spans.values()), default=0)
    if path.stat().st_size != last:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, not {last}")
    # As plain arrays: every step on a memmap makes a new memmap, which takes longer than the step.
    whole = np.memmap(path, np.uint8, mode="r").view(np.ndarray) if last else np.zeros(0, np.uint8)
    return {name: whole[slice(*spans[name])].view(kind).reshape(shape) for name, (kind, shape, _) in table.items()}
