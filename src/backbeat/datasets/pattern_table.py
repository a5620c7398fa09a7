"""Tables of drum patterns: the published form, and ours with more columns behind it.

A row is tab-separated: 1 the pattern, comma-separated words (``codecs.patterns``); 2 its latent point, comma-separated numbers; 3 its
place on a map, two numbers. So far as altsoph/drum_space publishes them; who reads those reads ours, as what we add stands behind:
4 genre; 5 the piece it was found in; 6 how many pieces have it; 7 how often it is played there in a row. Columns may be missing from
the right; a column that is not known but has others behind it is empty in every row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.patterns import CLASSES, MOST_STEPS, Patterns
from backbeat.datasets.drum_space import encode_pattern
from backbeat.datasets.folders import clean_name
from backbeat.datasets.mining import Mined
from backbeat.datasets.source import MAX_FILE_BYTES, Source
from backbeat.errors import InputError
from backbeat.files import write_bytes
from backbeat.units import Ints

SUFFIX = ".tsv"
MOST_COLUMNS = 7


@dataclass(frozen=True, eq=False)
class PatternTable:
    """Patterns and what is known of them; all of one length.

    Args:
        patterns: uint16 [n, steps].
        latents: float32 [n, dimensions], or None.
        places: float32 [n, 2], or None.
        genres: [n], "" where it is not known; () = of none.
        pieces: [n] names of the pieces they were found in; () = of none.
        files, repeats: int64 [n], or None.
    """

    patterns: Patterns
    latents: npt.NDArray[np.float32] | None = None
    places: npt.NDArray[np.float32] | None = None
    genres: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    files: Ints | None = None
    repeats: Ints | None = None

    def __len__(self) -> int:
        return len(self.patterns)

    def choose(self, rows: npt.NDArray[Any]) -> PatternTable:
        """Some of the rows.

        Args:
            rows: bool [n], or int64 [m] numbers of rows.
        """
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        parts: dict[str, Any] = {
            name: array[numbers] for name in ("patterns", "latents", "places", "files", "repeats") if (array := getattr(self, name)) is not None
        }
        parts |= {name: tuple(texts[i] for i in numbers.tolist()) for name in ("genres", "pieces") if (texts := getattr(self, name))}
        return replace(self, **parts)


def tabulate_mined(mined: Mined, sources: Sequence[Source]) -> PatternTable:
    """What was mined, as a table without latent points.

    Args:
        mined: the patterns.
        sources: what they were mined from.
    """
    pieces = tuple(clean_name(sources[i].name) for i in mined.sources.tolist())
    return PatternTable(mined.patterns, genres=mined.genres, pieces=pieces, files=mined.files, repeats=mined.repeats)


def is_table(name: str) -> bool:
    """Whether a name on a command line means a table: one that ends in .tsv, or a file without an ending, as the published ones are named."""
    return name.lower().endswith(SUFFIX) or (not os.path.splitext(name)[1] and os.path.isfile(name))


def read_table(path: str | Path) -> PatternTable:
    """Read a table.

    Raises:
        InputError: it cannot be read, or a row is not a pattern; the message names the row.
    """
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            raise InputError(f"{path}: larger than the {MAX_FILE_BYTES >> 20} MB that are read")
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table of patterns ({error})") from None
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    widths = {len(row) for row in rows}
    if not rows or len(widths) > 1 or max(widths) > MOST_COLUMNS:
        raise InputError(f"{path}: not a table of patterns: it needs rows of 1 to {MOST_COLUMNS} columns, all of them alike")
    columns = [list(column) for column in zip(*rows, strict=True)] + [[""] * len(rows)] * (MOST_COLUMNS - max(widths))
    steps = columns[0][0].count(",") + 1
    words = _parse(path, columns[0], 1, 0)
    if words is None or not 1 < steps <= MOST_STEPS or not ((words >= 0) & (words < 1 << CLASSES) & (words == np.floor(words))).all():
        raise InputError(f"{path}: a pattern is 2-{MOST_STEPS} whole numbers from 0 to {(1 << CLASSES) - 1}, and one of this table is not")
    latents, places = _parse(path, columns[1], 2, 0), _parse(path, columns[2], 3, 2)
    files, repeats = (_parse(path, columns[i], i + 1, 1) for i in (5, 6))
    return PatternTable(
        words.astype(np.uint16),
        None if latents is None else latents.astype(np.float32),
        None if places is None else places.astype(np.float32),
        tuple(columns[3]) if any(columns[3]) else (),
        tuple(columns[4]) if any(columns[4]) else (),
        None if files is None else files[:, 0].astype(np.int64),
        None if repeats is None else repeats[:, 0].astype(np.int64),
    )


def _parse(path: str | Path, cells: list[str], number: int, width: int) -> npt.NDArray[np.float64] | None:
    """float64 [n, width], the numbers of a column, as many as in its first row where ``width`` is 0; None where all cells are empty."""
    if not any(cells):
        return None
    width = width or cells[0].count(",") + 1
    for row, cell in enumerate(cells, 1):
        if cell.count(",") != width - 1:
            raise InputError(f"{path}: row {row}, column {number}: it needs {width} comma-separated numbers")
    try:
        values = np.array(list(map(float, ",".join(cells).split(","))))
    except ValueError as error:
        raise InputError(f"{path}: not a table of patterns: column {number}: {error}") from None
    if not np.isfinite(values).all():
        raise InputError(f"{path}: not a table of patterns: column {number} has a number that is not finite")
    return values.reshape(-1, width)


def write_table(table: PatternTable, path: str | Path) -> None:
    """Write a table; columns that are not known are left out, from the right.

    Raises:
        OutputError: the file cannot be written.
    """
    write_bytes(path, encode_table(table))


def encode_table(table: PatternTable) -> bytes:
    """The text of a table, in UTF-8. Numbers have all their digits, so that a published table comes out digit for digit
    as it was read; lines end in a line feed alone.
    """
    columns = [
        _join(table.patterns, "%d"),
        _join(table.latents, "%r"),
        _join(table.places, "%r"),
        [" ".join(genre.split()) for genre in table.genres],
        [" ".join(piece.split()) for piece in table.pieces],
        _join(table.files, "%d"),
        _join(table.repeats, "%d"),
    ]
    while columns and not any(columns[-1]):
        columns.pop()
    filled = [column or [""] * len(table) for column in columns]
    return "".join("\t".join(row) + "\n" for row in zip(*filled, strict=True)).encode("utf-8", "backslashreplace")


def _join(array: npt.NDArray[Any] | None, form: str) -> list[str]:
    if array is None or not len(array):
        return []
    flat = array.reshape(len(array), -1)
    line = ",".join([form] * flat.shape[1])
    return [line % tuple(row) for row in flat.tolist()]


def read_table_row(source: Source) -> bytes:
    """The MIDI file of a row, played three times; ``source.member`` is its 0-based number.

    Raises:
        InputError: the table cannot be read, or has no such row.
    """
    patterns = read_table(source.path).patterns
    if int(source.member) >= len(patterns):
        raise InputError(f"{source.path}: it has no row {int(source.member) + 1}")
    return encode_pattern(patterns[int(source.member)])


def list_table(path: Path) -> Iterator[Source]:
    """The rows of a table as pieces.

    Raises:
        InputError: it cannot be read.
    """
    table = read_table(path)
    genres = table.genres or ("",) * len(table)
    for row, genre in enumerate(genres):
        yield Source(str(path), f"{path.name}/{row:05}", genre, band=False, member=str(row), reader=read_table_row)
