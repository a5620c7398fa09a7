"""A corpus on disk: whatever is damaged about it is told in one line, and nothing wrong is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.datasets.building import WORKSHOP
from backbeat.datasets.corpus import Corpus
from backbeat.errors import InputError
from tests.training.corpora import make_corpus

parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install 'backbeat[data]'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_corpus(tmp_path).folder


def change_meta(folder: Path, **changes: Any) -> None:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    (folder / "meta.json").write_text(json.dumps(meta | changes), encoding="utf-8")


def change_array(folder: Path, kind: str, *shape: int, name: str = "step") -> None:
    change_meta(folder, arrays=json.loads((folder / "meta.json").read_text(encoding="utf-8"))["arrays"] | {name: [kind, shape]})


def write_meta(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "meta.json").write_text(text, encoding="utf-8")


def cut(name: str, size: Callable[[int], int]) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, size((folder / name).stat().st_size))


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "meta.json is missing": (remove("meta.json"), "is not a corpus"),
    "meta.json is cut": (cut("meta.json", lambda size: size // 2), "meta.json is damaged"),
    "meta.json is empty": (cut("meta.json", lambda size: 0), "meta.json is damaged"),
    "meta.json is a list": (write_meta("[2]"), "meta.json is damaged"),
    "meta.json is null": (write_meta("null"), "meta.json is damaged"),
    "another version": (lambda f: change_meta(f, schema=3), "a corpus of version 3, this is Backbeat for version 2"),
    "a version that is no number": (lambda f: change_meta(f, schema=[2]), "a corpus of version"),
    "no kit": (lambda f: change_meta(f, kit={}), "meta.json is damaged"),
    "no arrays": (lambda f: change_meta(f, arrays={}), "meta.json is damaged"),
    "a density that is no number": (lambda f: change_meta(f, steps_per_quarter="4"), "steps_per_quarter is '4'"),
    "an unknown type": (lambda f: change_array(f, "<q9", 46), "meta.json is damaged"),
    "Python objects": (lambda f: change_array(f, "|O", 46), "meta.json is damaged"),
    "a negative shape": (lambda f: change_array(f, "|u1", -46), "meta.json is damaged"),
    "an empty shape": (lambda f: change_array(f, "|u1", 0), "meta.json is damaged"),
    "another shape": (lambda f: change_array(f, "|u1", 23), "step.bin has .* entries where .* belong"),
    "a file elsewhere": (lambda f: change_array(f, "|u1", 1, name="../../secret"), "meta.json is damaged"),
    "an array is missing": (remove("step.bin"), "step.bin cannot be read"),
    "an array is empty": (cut("layout.bin", lambda size: 0), "layout.bin has 0 entries where 50 belong"),
    "an array lacks a byte": (cut("step.bin", lambda size: size - 1), "step.bin is cut off"),
    "an array lacks a step": (cut("words.bin", lambda size: size - 2), "words.bin has .* entries where .* belong"),
    "a piece is missing": (cut("pieces.bin", lambda size: size * 3 // 4), "entries where .* belong"),
    "all pieces are missing": (remove("pieces.bin"), "pieces.bin cannot be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_corpus_is_told_when_it_is_opened(fault: str, folder: Path) -> None:
    damage, told = FAULTS[fault]
    damage(folder)
    with pytest.raises(InputError, match=told) as caught:
        Corpus(folder)
    assert "\n" not in str(caught.value)


def other_rows(folder: Path) -> None:
    parquet.write_table(parquet.read_table(folder / "manifest.parquet").slice(1), folder / "manifest.parquet")


def other_columns(folder: Path) -> None:
    parquet.write_table(parquet.read_table(folder / "manifest.parquet").select(["name", "path"]), folder / "manifest.parquet")


TABLE_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "it is missing": (remove("manifest.parquet"), "missing, or not a table of a corpus"),
    "it is cut": (cut("manifest.parquet", lambda size: size // 2), "missing, or not a table of a corpus"),
    "it is empty": (cut("manifest.parquet", lambda size: 0), "missing, or not a table of a corpus"),
    "it is of another corpus": (other_rows, "has 3 rows for 4 pieces"),
    "it has other columns": (other_columns, "has no column backbeat_shifted"),
    "the corpus is of version 1": (lambda f: change_meta(f, schema=1), "is a corpus of version 1, which has no manifest.parquet"),
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_damaged_manifest_is_told_when_it_is_asked_for(fault: str, folder: Path) -> None:
    damage, told = TABLE_FAULTS[fault]
    damage(folder)
    corpus = Corpus(folder)
    assert len(corpus.piece(0)["words"]), "the arrays can be read all the same"
    with pytest.raises(InputError, match=told):
        corpus.names  # noqa: B018 - reading it is what fails


def test_an_unfinished_build_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "corpus" / WORKSHOP).mkdir(parents=True)
    with pytest.raises(InputError, match=r"corpus is not a corpus yet: .* goes on with --resume"):
        Corpus(tmp_path / "corpus")


def test_what_learns_on_another_grid_is_refused(folder: Path) -> None:
    Corpus(folder).check_density()
    with pytest.raises(InputError, match="has 4 steps a quarter, 8 are needed: build it with --steps-per-quarter 8"):
        Corpus(folder).check_density(8)


def test_arrays_cannot_be_written_through_the_map(folder: Path) -> None:
    words = Corpus(folder).piece(1)["words"]
    with pytest.raises(ValueError, match="read-only"):
        words[0] = np.uint16(1)
