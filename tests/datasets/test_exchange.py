"""A corpus as Parquet: every array comes back."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from backbeat.datasets.corpus import Corpus
from backbeat.datasets.exchange import export_parquet
from backbeat.errors import OutputError
from tests.training.corpora import make_corpus

parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install 'backbeat[data]'")


def test_an_export_holds_the_manifest_and_every_array(tmp_path: Path) -> None:
    corpus: Corpus = make_corpus(tmp_path)
    export_parquet(corpus, tmp_path / "corpus.parquet")
    table = parquet.read_table(tmp_path / "corpus.parquet")
    assert table.column("name").to_pylist() == corpus.names
    for index, row in enumerate(table.to_pylist()):
        for name, array in corpus.piece(index).items():
            columns = int(table.schema.metadata[f"columns:{name}".encode()])
            assert np.array_equal(np.array(row[name]).reshape(-1, columns), np.asarray(array).reshape(-1, columns)), name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "corpus.parquet", "songs"]


def test_an_export_that_cannot_be_written_is_told_in_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_corpus(tmp_path)
    with pytest.raises(OutputError, match="this is a folder, name a file in it"):
        export_parquet(corpus, tmp_path)
    with pytest.raises(OutputError, match="there is no folder"):
        export_parquet(corpus, tmp_path / "nowhere" / "corpus.parquet")

    def fill(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fill)
    with pytest.raises(OutputError, match="No space left on device"):
        export_parquet(corpus, tmp_path / "corpus.parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "songs"]
