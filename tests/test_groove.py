"""What a groove accepts, and what becomes of it in another kit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit

KIT = load_kit("backbeat")
GRID = Grid.regular(2)
SHAPE = (GRID.steps, len(KIT))


def strike(*cells: tuple[int, str, float, float], kit: Kit = KIT) -> Groove:
    """A groove of (step, class, velocity, offset)."""
    hits, velocities, offsets = np.zeros(SHAPE, np.bool_), np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    for step, name, velocity, offset in cells:
        at = step, kit.index(name)
        hits[at], velocities[at], offsets[at] = True, velocity, offset
    return Groove(GRID, kit, hits, velocities, offsets)


def test_an_empty_groove_has_no_hit() -> None:
    empty = Groove.empty(GRID, KIT)
    assert empty.hits.shape == SHAPE
    assert sum(empty.count_hits().values()) == 0


def test_hits_are_counted_by_class() -> None:
    counts = strike((0, "kick", 1, 0), (8, "kick", 0.5, 0), (4, "snare", 0.7, 0)).count_hits()
    assert {k: v for k, v in counts.items() if v} == {"kick": 2, "snare": 1}
    assert tuple(counts) == KIT.names


@pytest.mark.parametrize("name", ["hits", "velocities", "offsets"])
def test_a_wrong_shape_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} has shape \(3, 2\), not \[steps, classes\] = \(32, {len(KIT)}\)"):
        Groove.empty(GRID, KIT).replace(**{name: np.zeros((3, 2), np.float32)})


@pytest.mark.parametrize(("velocity", "offset"), [(0, 0), (-0.1, 0), (1.01, 0), (0.5, 0.5), (0.5, -0.51), (np.nan, 0), (0.5, np.nan)])
def test_values_out_of_range_are_refused(velocity: float, offset: float) -> None:
    with pytest.raises(ValueError, match="velocities lie in"):
        strike((0, "kick", velocity, offset))


@pytest.mark.parametrize(("velocity", "offset"), [(1, -0.5), (1 / 127, 0.4999)])
def test_the_ends_of_the_ranges_are_allowed(velocity: float, offset: float) -> None:
    assert strike((0, "kick", velocity, offset)).hits.sum() == 1


def test_what_is_not_hit_is_zero() -> None:
    loud = np.full(SHAPE, 7, np.float32)
    hits = np.zeros(SHAPE, np.bool_)
    groove = Groove(GRID, KIT, hits, loud, loud)
    assert not groove.velocities.any() and not groove.offsets.any()


def test_a_groove_cannot_be_changed() -> None:
    hits = np.zeros(SHAPE, np.bool_)
    groove = Groove.empty(GRID, KIT).replace(hits=hits)
    hits[0, 0] = True
    assert not groove.hits.any(), "the groove keeps its own arrays"
    for array in (groove.hits, groove.velocities, groove.offsets):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        groove.kit = KIT  # type: ignore[misc]


def test_replacing_hits_clears_the_rest_of_a_cell() -> None:
    groove = strike((0, "kick", 0.9, 0.25), (4, "snare", 0.8, 0.1))
    less = groove.replace(hits=groove.hits & (np.arange(GRID.steps) < 4)[:, None])
    assert less.velocities.sum() == pytest.approx(0.9)
    assert less.offsets.sum() == pytest.approx(0.25)


def test_another_kit_keeps_the_louder_of_two_with_its_offset() -> None:
    nine = load_kit("drums_rnn_9")
    target = KIT.mapping(nine)
    first, second = (KIT.names[i] for i in np.flatnonzero(target == nine.index("snare"))[:2])
    for loud, soft in ((first, second), (second, first)):
        folded = strike((4, loud, 0.9, 0.25), (4, soft, 0.3, -0.25)).to_kit(nine)
        assert folded.hits.sum() == 1
        assert folded.velocities[4, nine.index("snare")] == np.float32(0.9)
        assert folded.offsets[4, nine.index("snare")] == 0.25


def test_classes_that_the_other_kit_lacks_leave() -> None:
    small = load_kit("neuraldrummer_6")
    missing = [n for n, into in zip(KIT.names, KIT.mapping(small), strict=True) if into < 0]
    assert missing, "this test needs a kit that lacks a class"
    assert not strike((0, missing[0], 1, 0)).to_kit(small).hits.any()


def test_its_own_kit_leaves_a_groove_as_it_is() -> None:
    groove = strike((0, "kick", 0.9, 0.25), (31, "snare", 0.1, -0.5))
    same = groove.to_kit(KIT)
    for name in ("hits", "velocities", "offsets"):
        assert np.array_equal(getattr(same, name), getattr(groove, name))


def test_a_bar_is_a_view_of_its_steps() -> None:
    bar = strike((17, "kick", 1, 0)).bar(1)
    assert bar.shape == (16, len(KIT))
    assert np.argwhere(bar).tolist() == [[1, KIT.index("kick")]]
