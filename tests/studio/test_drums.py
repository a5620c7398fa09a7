"""Drums as packed bars: every bit comes back, and what is not exchanged keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.studio.drums import HIT, LATEST, Drums, exchange, pack, pack_groove, read_bar, studio_kit, write_bar

GRID = Grid.regular(5, 7, 8)
CLASSES = len(studio_kit())

offsets = st.floats(-0.5, LATEST, width=32)
cells = st.dictionaries(st.tuples(st.integers(0, GRID.steps - 1), st.integers(0, CLASSES - 1)), st.tuples(st.integers(1, 127), offsets), max_size=40)


def drums_of(hits: dict[tuple[int, int], tuple[int, float]]) -> Drums:
    return Drums.from_hits(pack((s, c, v, o) for (s, c), (v, o) in hits.items()), GRID)


@given(cells)
def test_a_groove_gives_back_every_bit(hits: dict[tuple[int, int], tuple[int, float]]) -> None:
    drums = drums_of(hits)
    again = Drums.from_groove(drums.to_groove(GRID))
    assert again.bars == drums.bars and again.key == drums.key
    assert {(s, c): (v, o) for s, c, v, o in drums.hits.tolist()} == hits


@given(cells)
def test_json_gives_back_every_bit(hits: dict[tuple[int, int], tuple[int, float]]) -> None:
    for bar, packed in enumerate(drums_of(hits).bars):
        rows = json.loads(json.dumps(write_bar(packed)))
        assert read_bar(rows, int(GRID.first_steps[bar]), int(GRID.first_steps[bar + 1])) == packed


@given(cells, cells, st.sets(st.tuples(st.integers(0, GRID.steps - 1), st.integers(0, CLASSES - 1)), max_size=60))
def test_only_the_cells_are_exchanged(old: dict[Any, Any], new: dict[Any, Any], chosen: set[tuple[int, int]]) -> None:
    mask = np.zeros((GRID.steps, CLASSES), np.bool_)
    mask[[s for s, _ in chosen], [c for _, c in chosen]] = True
    before = drums_of(old)
    after = exchange(before, mask, drums_of(new).hits, GRID)
    assert {(s, c): (v, o) for s, c, v, o in after.hits.tolist()} == {k: v for k, v in old.items() if k not in chosen} | {
        k: v for k, v in new.items() if k in chosen
    }
    touched = {int(GRID.bar_of_step[s]) for s, _ in chosen}
    assert set(after.find_changes(before)) <= touched
    assert all(after.bars[bar] is before.bars[bar] for bar in range(GRID.bars) if bar not in touched)


def test_an_exchanged_bar_changes_the_key() -> None:
    one, other = drums_of({(0, 0): (90, 0.0)}), drums_of({(0, 0): (90, float(np.float32(1e-7)))})
    assert one.key != other.key and len(one.key) == 20


def test_velocities_of_a_groove_are_rounded_to_midi() -> None:
    groove = drums_of({(3, 1): (64, 0.25)}).to_groove(GRID)
    louder = groove.replace(velocities=np.where(groove.hits, np.float32(64.6 / 127), 0).astype(np.float32))
    assert pack_groove(louder)["velocity"].tolist() == [65]
    assert HIT.itemsize == 10


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({}, "a list of hits"),
        ([[14, 0, 90]], "step, class, velocity, offset"),
        ([[14, 0, True, 0.0]], "step, class, velocity, offset"),
        ([[14, 0, 90, "0"]], "step, class, velocity, offset"),
        ([[13, 0, 90, 0.0]], "out of range"),
        ([[28, 0, 90, 0.0]], "out of range"),
        ([[14, 24, 90, 0.0]], "out of range"),
        ([[14, -1, 90, 0.0]], "out of range"),
        ([[14, 0, 0, 0.0]], "out of range"),
        ([[14, 0, 128, 0.0]], "out of range"),
        ([[14, 0, 90, 0.5]], "out of range"),
        ([[14, 0, 90, -0.6]], "out of range"),
        ([[14, 0, 90, float("nan")]], "out of range"),
        ([[10**400, 0, 90, 0.0]], "out of range"),
        ([[14, 0, 90, 0.0], [14, 0, 80, 0.1]], "two hits"),
    ],
)
def test_what_is_no_bar_is_refused(rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_bar(rows, 14, 28)
