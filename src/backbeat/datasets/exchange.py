"""A corpus as one Parquet file, for others: a row a piece, the manifest's columns and the arrays as lists."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.datasets.corpus import Corpus
from backbeat.datasets.manifest import load_arrow
from backbeat.errors import OutputError

GROUP = 256
"""Pieces of a row group."""


def export_parquet(corpus: Corpus, path: Path) -> None:
    """Write a corpus as Parquet.

    An array of shape [steps, columns] (or [bars, columns]) becomes a flat list by rows; its number of columns stands in the
    file's metadata as ``columns:NAME``.

    Args:
        corpus: the corpus.
        path: the file, which appears when it is whole.

    Raises:
        MissingExtraError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """
    arrow = load_arrow()
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder, name a file in it")
    try:
        _write(arrow, corpus, path)
    except FileNotFoundError:
        raise OutputError(f"{path}: there is no folder {path.parent}, make it first") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write(arrow: Any, corpus: Corpus, path: Path) -> None:  # noqa: ANN401 - a module
    manifest = corpus.manifest
    columns = {f"columns:{n}": str(int(np.prod(shape))) for n, (_, shape) in corpus.meta["arrays"].items()}
    types = {n: arrow.list_(arrow.from_numpy_dtype(np.dtype(kind))) for n, (kind, _) in corpus.meta["arrays"].items()}
    schema = arrow.schema([*manifest.schema, *(arrow.field(n, t) for n, t in types.items())], metadata=columns)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with arrow.parquet.ParquetWriter(temporary, schema, compression="zstd") as file:
            for first in range(0, len(corpus), GROUP):
                table = manifest.slice(first, GROUP)
                pieces = [corpus.piece(i) for i in range(first, min(first + GROUP, len(corpus)))]
                for name, kind in types.items():
                    table = table.append_column(arrow.field(name, kind), arrow.array([np.asarray(p[name]).ravel() for p in pieces], type=kind))
                file.write_table(table)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
