"""Lines: text on a grid, parts on a grid, accents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.taps import ACCENT, TAP, is_text, lay_grid, lay_parts, lay_text, read_levels, write_part
from backbeat.errors import InputError
from backbeat.grid import Grid
from tests.midi.builders import METRES

TEXT = st.text("xX.-", min_size=1, max_size=40).filter(lambda t: "x" in t or "X" in t)


@given(TEXT)
def test_a_character_is_a_16th(text: str) -> None:
    line = lay_text(text, Grid.regular(3))
    wanted = [{"x": TAP, "X": ACCENT}.get(text[k % len(text)], 0.0) for k in range(48)]
    assert line.velocities == pytest.approx(np.array(wanted)) and not line.offsets.any()


@given(TEXT, st.integers(0, 5))
def test_bars_and_spaces_are_not_read(text: str, where: int) -> None:
    spaced = text[:where] + " | " + text[where:]
    assert np.array_equal(read_levels(text), read_levels(spaced)) and is_text(spaced)


@pytest.mark.parametrize("metre", METRES)
@pytest.mark.parametrize("density", [1, 2, 3, 4, 6])
def test_other_densities_stand_where_they_belong(metre: tuple[int, int], density: int) -> None:
    grid, tempo, _ = lay_grid(3, *metre, 120)
    line = lay_text("x", grid, density)
    steps = np.flatnonzero(line.taps)
    ticks = grid.ticks(steps, line.offsets[steps].astype(np.float64))
    every = 480 / density
    within = ticks[:-1] / every  # what comes after the last 16th is half a step late at most
    assert np.allclose(within, np.round(within), atol=0.02)
    wanted = int(np.ceil(grid.bar_ticks[-1] / every))
    assert len(steps) == (wanted if density <= 4 else grid.steps)
    assert tempo.qpm() == 120


@given(TEXT, st.floats(-0.3, 0.3))
def test_a_line_written_as_a_part_reads_back(text: str, late: float) -> None:
    line = lay_text(text, Grid.regular(2))
    moved = type(line)(line.grid, line.velocities, np.where(line.taps, np.float32(late), 0).astype(np.float32))
    again = lay_parts([write_part(moved)], line.grid)
    assert np.array_equal(again.taps, line.taps)
    assert again.velocities == pytest.approx(line.velocities, abs=1e-6)
    assert again.offsets[1:] == pytest.approx(moved.offsets[1:], abs=0.01), "the first may lie before tick 0"


def test_of_notes_that_meet_the_loudest_counts() -> None:
    loud, soft = (write_part(lay_text(t, Grid.regular(1))) for t in ("X...", "x..."))
    for parts in ([loud, soft], [soft, loud]):
        assert lay_parts(parts, Grid.regular(1)).velocities[0] == pytest.approx(ACCENT)


def test_accents_are_measured_against_the_line_itself() -> None:
    assert lay_text("Xx.x", Grid.regular(1)).rank_accents()[:4].tolist() == [1, 0, 0, 0]
    assert lay_text("XX.xXX", Grid.regular(1)).rank_accents()[:4].tolist() == [0, 0, 0, -1]
    assert not lay_text("X...", Grid.regular(1)).rank_accents().any()
    assert lay_text("x.......x...x...", Grid.regular(2)).taps_per_quarter == 0.75


@pytest.mark.parametrize(("text", "message"), [("x..y", "'y' is no tap"), ("....", "no tap"), ("", "no tap"), ("x" * 20_001, "at most 20,000 characters")])
def test_what_is_no_line_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_levels(text)
    assert not is_text(text) or len(text) > 20_000
