"""Grooves on other grids and in the band's timing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backbeat.cues import Cues, hear_nothing
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.transforms import follow_timing, quantise

KIT = load_kit("backbeat")


def strike(grid: Grid, *cells: tuple[int, str, float, float]) -> Groove:
    shape = (grid.steps, len(KIT))
    hits, velocities, offsets = np.zeros(shape, np.bool_), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for step, name, velocity, offset in cells:
        at = step, KIT.index(name)
        hits[at], velocities[at], offsets[at] = True, velocity, offset
    return Groove(grid, KIT, hits, velocities, offsets)


def make_cues(grid: Grid, offsets: dict[int, float], band: range | list[int]) -> Cues:
    """A band that strikes at the steps ``band``, late by phase in the quarter."""
    onsets, late = np.zeros((grid.steps, 6), np.float32), np.zeros(grid.steps, np.float32)
    for step in band:
        onsets[step, 0] = 1
        late[step] = offsets.get(step % 4, 0)
    return replace(hear_nothing(grid), onsets=onsets, offsets=late)


def test_quantising_moves_hits_to_the_nearest_step() -> None:
    groove = strike(Grid.regular(2), (1, "kick", 1, -0.4), (3, "snare", 0.5, 0.4), (16, "snare", 0.25, 0))
    eighths = quantise(groove, Grid.regular(2, steps_per_quarter=2))
    assert np.argwhere(eighths.hits).tolist() == [[0, KIT.index("kick")], [2, KIT.index("snare")], [8, KIT.index("snare")]]
    assert not eighths.offsets.any()


def test_of_two_that_meet_the_louder_stays() -> None:
    groove = strike(Grid.regular(1), (0, "kick", 0.25, 0), (1, "kick", 0.75, -0.3))
    quarters = quantise(groove, Grid.regular(1, steps_per_quarter=1))
    assert quarters.hits.sum() == 1
    assert quarters.velocities[0, KIT.index("kick")] == 0.75


def test_a_finer_grid_holds_triplets() -> None:
    groove = strike(Grid.regular(1), (1, "kick", 1, 1 / 3), (3, "kick", 1, -1 / 3))
    assert np.flatnonzero(quantise(groove, Grid.regular(1, steps_per_quarter=3)).hits.any(axis=1)).tolist() == [1, 2]


def test_other_bars_are_refused() -> None:
    with pytest.raises(ValueError, match="same bars"):
        quantise(Groove.empty(Grid.regular(2), KIT), Grid.regular(3))


def test_hits_follow_a_swung_band() -> None:
    grid = Grid.regular(4)
    groove = strike(grid, (0, "kick", 1, 0), (2, "closed_hat", 1, 0), (62, "closed_hat", 0.5, 0))
    moved = follow_timing(groove, make_cues(grid, {2: 1 / 3}, range(0, 60, 2)))
    hat = KIT.index("closed_hat")
    assert moved.offsets[2, hat] == pytest.approx(1 / 3)
    assert moved.offsets[62, hat] == pytest.approx(1 / 3), "the habit reaches steps where the band is silent"
    assert moved.offsets[0].max() == 0
    assert np.array_equal(moved.hits, groove.hits) and np.array_equal(moved.velocities, groove.velocities)


def test_a_single_note_off_the_grid_is_followed_there_only() -> None:
    grid = Grid.regular(4)
    groove = strike(grid, *((s, "snare", 1, 0) for s in range(0, 64, 4)))
    cues = make_cues(grid, {}, [8])
    cues.offsets[8] = 0.3
    late = follow_timing(groove, cues).offsets[:, KIT.index("snare")]
    assert np.flatnonzero(late).tolist() == [8]


def test_a_band_on_the_grid_moves_nothing() -> None:
    grid = Grid.regular(4)
    groove = strike(grid, *((s, "snare", 1, 0) for s in range(64)))
    assert not follow_timing(groove, make_cues(grid, {0: 0.03, 2: -0.05}, range(64))).offsets.any()


def test_a_band_without_a_habit_is_not_imitated() -> None:
    grid = Grid.regular(8)
    cues = make_cues(grid, {}, range(0, 64, 4))
    cues.offsets[0:64:4] = [0.18] * 9 + [-0.18] * 7  # a median far from 0 that barely half of the notes keep to
    groove = strike(grid, (100, "snare", 1, 0))
    assert not follow_timing(groove, cues).offsets.any()


@pytest.mark.parametrize("late", [0.5, -0.5])
def test_offsets_stay_in_their_range(late: float) -> None:
    grid = Grid.regular(1)
    moved = follow_timing(strike(grid, (4, "snare", 1, 0)), make_cues(grid, {0: late}, [4]))
    assert moved.offsets.min() >= -0.5 and moved.offsets.max() < 0.5
    assert abs(moved.offsets[4]).max() == pytest.approx(0.5)
