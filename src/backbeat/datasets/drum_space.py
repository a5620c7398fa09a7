"""Drum patterns sampled from three latent spaces: 10,000 of each, as they came and filtered.

Origin: the repository altsoph/drum_space, 2019. An autoencoder (AE), a variational one (VAE) and an adversarially constrained
one (ACAI) were trained on 33,000 patterns of two bars, which are not to be had; these are samples of the networks, not of
drummers. The filter (entropy, and no rotation of a training pattern) kept 5,581 of ACAI, 2,795 of AE and 1,672 of VAE.

Citation: Tikhonov, Yamshchikov: Artificial Neural Networks Jamming on the Beat, arXiv 2007.06284, 2020.

Licence: MIT.

Checksums: every file. Layout: ``drum-space/sampled10k_MODEL_filtered`` and ``_raw``. A row is 32 comma-separated numbers, one a
16th, whose bits 0-13 are the classes of kit ``drum_space_14``; then a tab and four latent values; then, in some files, a tab and
two coordinates on a map.

``drum_space`` lists the filtered patterns, ``drum_space_raw`` all. The published program writes a pattern three times, 120 ticks a
step at 360 ticks a quarter: a step is a third of a quarter then, though 16 of them are meant to be a bar. The sources here say 480
ticks a quarter, so that a step is a 16th and the pattern fills two bars; ``encode_pattern(..., ticks_per_quarter=360)`` writes as
published.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.datasets.checksums import ChecksumIndex
from backbeat.datasets.source import MAX_FILE_BYTES, Dataset, Source
from backbeat.datasets.steps import encode_steps
from backbeat.errors import InputError
from backbeat.kits import load_kit

Patterns = tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32] | None, npt.NDArray[np.float32] | None]
STEPS, CLASSES, LATENTS = 32, 14, 4
REPEATS, VELOCITY = 3, 127


def read_patterns(path: str | Path) -> Patterns:
    """Read a table of patterns.

    Args:
        path: a tab-separated file.

    Returns:
        uint16 [n, 32], a bit a class; float32 [n, 4] latent values and float32 [n, 2] coordinates, or None where the file has none.

    Raises:
        InputError: it cannot be read, or a row is not a pattern; the message names the row.
    """
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            raise InputError(f"{path}: larger than the {MAX_FILE_BYTES >> 20} MB that are read")
        text = Path(path).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table of patterns ({error})") from None
    rows = [line.split("\t") for line in text.splitlines() if line]
    columns = {len(row) for row in rows}
    if not rows or len(columns) > 1 or max(columns) > 3:
        raise InputError(f"{path}: not a table of patterns: it needs rows of one, two or three columns, all of them alike")
    hits = _parse_column(path, rows, 0, STEPS)
    if (hits < 0).any() or (hits >= 1 << CLASSES).any() or (hits != np.floor(hits)).any():
        raise InputError(f"{path}: a step is not a number from 0 to {(1 << CLASSES) - 1}")
    latents = _parse_column(path, rows, 1, LATENTS).astype(np.float32) if max(columns) > 1 else None
    places = _parse_column(path, rows, 2, 2).astype(np.float32) if max(columns) > 2 else None
    return hits.astype(np.uint16), latents, places


def _parse_column(path: str | Path, rows: list[list[str]], column: int, width: int) -> npt.NDArray[np.float64]:
    """float64 [n, width]: the comma-separated numbers of a column."""
    for number, row in enumerate(rows, 1):
        if row[column].count(",") != width - 1:
            raise InputError(f"{path}: row {number} is not a pattern: column {column + 1} needs {width} numbers")
    try:
        values = list(map(float, ",".join(row[column] for row in rows).split(",")))
    except ValueError as error:
        raise InputError(f"{path}: not a table of patterns: {error}") from None
    return np.array(values).reshape(-1, width)


def encode_pattern(pattern: npt.NDArray[np.uint16], *, repeats: int = REPEATS, ticks_per_quarter: int = 480) -> bytes:
    """A pattern as a MIDI file without tempo.

    Args:
        pattern: uint16 [steps], bits 0-13 are the classes of kit ``drum_space_14``.
        repeats: how often it is played.
        ticks_per_quarter: the file's resolution; a step has 120 ticks.
    """
    struck = (np.tile(pattern, repeats)[:, None] >> np.arange(CLASSES, dtype=np.uint16)) & 1
    return encode_steps((struck * VELOCITY).astype(np.uint8), load_kit("drum_space_14").written.tolist(), ticks_per_quarter=ticks_per_quarter)


@lru_cache(maxsize=8)
def _read_once(path: str, changed: int) -> npt.NDArray[np.uint16]:
    return read_patterns(path)[0]


def read_row(source: Source) -> bytes:
    """The MIDI file of a row; ``source.member`` is its 0-based number.

    Raises:
        InputError: the table cannot be read, or has no such row.
    """
    patterns = _read_once(source.path, os.stat(source.path).st_mtime_ns if os.path.exists(source.path) else 0)
    if int(source.member) >= len(patterns):
        raise InputError(f"{source.path}: it has no row {int(source.member) + 1}")
    return encode_pattern(patterns[int(source.member)])


def list_table(path: Path) -> Iterator[Source]:
    """The rows of one table; the file's name says which model and whether filtered.

    Raises:
        InputError: the table cannot be read.
    """
    tags = tuple(path.name.split("_")[1:])
    for row in range(len(read_patterns(path)[0])):
        yield Source(str(path), f"{path.name}/{row:05}", band=False, licence="MIT", member=str(row), reader=read_row, tags=tags)


def _list_tables(kind: str) -> Callable[[Path], Iterator[Source]]:
    """The lister of the tables whose name ends in ``kind``."""

    def list_patterns(data: Path) -> Iterator[Source]:
        tables = sorted((data / "drum-space").glob(f"sampled*_{kind}"))
        if not tables:
            raise (RAW if kind == "raw" else DATASET).missing(data)
        for table in tables:
            yield from list_table(table)

    return list_patterns


def _make(name: str, title: str, kind: str) -> Dataset:
    return Dataset(
        name=name,
        title=title,
        citation="Tikhonov, Yamshchikov: Artificial Neural Networks Jamming on the Beat, arXiv 2007.06284, 2020",
        licence="MIT",
        download="put the sampled10k_* files of https://github.com/altsoph/drum_space into drum-space there",
        list_all=_list_tables(kind),
        index=ChecksumIndex("drum_space"),
    )


RAW = _make("drum_space_raw", "Drum space, unfiltered: 30,000 patterns sampled from three networks", "raw")
DATASET = _make("drum_space", "Drum space: 10,048 patterns sampled from three networks and filtered", "filtered")
