"""The manifest of a corpus and its ledger of rejects, as Parquet; and a corpus as one Parquet file, for others.

A manifest has a row for every piece kept, the ledger one for every source left out with the reason; together they are all
sources that went in. Columns: ``COLUMNS``.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbeat.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST, LEDGER = "manifest.parquet", "ledger.parquet"
COLUMNS = {
    "piece": "int64", "name": "string", "result": "string", "detail": "string", "path": "string", "member": "string", "bytes": "int64",
    "sha256": "string", "licence": "string", "genre": "string", "style": "string", "tags": "string", "stated_tempo": "float64", "split": "string",
    "cluster": "int64", "stated_cluster": "string", "content": "string", "band": "bool", "dynamic": "bool", "bars": "int64", "drum_bars": "int64",
    "hits": "int64", "unknown_notes": "int64", "merged_notes": "int64", "grid_fit": "float64", "snare_backbeat": "float64",
    "backbeat_shifted": "bool", "distinct_bars": "float64", "one_bar_loop": "bool", "single_velocity": "bool",
}  # fmt: skip
"""Column -> Arrow type. Of a source that could not be read, what is not known is null."""
GROUP = 8192
"""Rows that are held in memory."""


def load_arrow() -> Any:  # noqa: ANN401 - a module
    """Import pyarrow.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    return pyarrow


class TableWriter:
    """Writes rows as Parquet, some thousands at a time; the file appears when all are written.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        arrow = load_arrow()
        self.results: Counter[str] = Counter()
        self._path, self._temporary = path, path.with_suffix(".part")
        self._arrow = arrow
        self._schema = arrow.schema([(name, arrow.type_for_alias(kind)) for name, kind in COLUMNS.items()])
        self._rows: list[dict[str, Any]] = []
        self._file = arrow.parquet.ParquetWriter(self._temporary, self._schema, compression="zstd")

    def add(self, row: dict[str, Any]) -> None:
        """Append a row, a dictionary by column; a missing key is null."""
        self.results[row["result"]] += 1
        self._rows.append(row)
        if len(self._rows) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        self._file.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._flush()
                self._file.close()
                os.replace(self._temporary, self._path)
        finally:
            with suppress(OSError):  # of a full disk; the first one is told
                self._file.close()
            self._temporary.unlink(missing_ok=True)


def read_table(path: Path) -> pa.Table:
    """Read a manifest or ledger.

    Raises:
        InputError: there is none, or it is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    arrow = load_arrow()
    try:
        table = arrow.parquet.read_table(path)
        if missing := COLUMNS.keys() - set(table.column_names):
            raise InputError(f"{path}: it has no column {min(missing)}, as tables of this version have: build the corpus again")
        return table
    except (OSError, arrow.ArrowException) as error:
        raise InputError(f"{path}: missing, or not a table of a corpus ({error}): build the corpus again") from None
