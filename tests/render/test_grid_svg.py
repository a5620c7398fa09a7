import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backbeat.grid import Grid
from backbeat.render.grid_svg import CELL_WIDTH, LABEL_WIDTH, draw_hits

SVG = "{http://www.w3.org/2000/svg}"
LABELS = ("Kick", "Snare <rim>", "Hat & foot")


def parse(svg):
    return ElementTree.fromstring(svg)


def list_marks(svg, kind):
    """Left edges (squares) or tips (diamonds) of the marks of a kind, in columns of the drawing."""
    paths = [p.get("d") for p in parse(svg).iter(f"{SVG}path") if p.get("class") == kind]
    found = [(float(x), float(y)) for d in paths for x, y in re.findall(r"M([\d.]+) ([\d.]+)", d)]
    return sorted(int((x - LABEL_WIDTH) // CELL_WIDTH) for x, _ in found)


@given(arrays(np.bool_, (32, 3)), arrays(np.bool_, (32, 3)))
def test_every_hit_is_a_mark_and_says_whether_the_other_track_has_it(hits, other):
    svg = draw_hits(hits, Grid.regular(2), LABELS, 0, 2, other=other)
    assert list_marks(svg, "shared") == sorted(np.nonzero(hits & other)[0].tolist())
    assert list_marks(svg, "alone") == sorted(np.nonzero(hits & ~other)[0].tolist())


def test_what_differs_has_another_shape_and_not_only_another_colour():
    hits = np.zeros((16, 3), np.bool_)
    hits[0, 0] = hits[4, 1] = True
    other = np.zeros_like(hits)
    other[0, 0] = True
    shapes = {p.get("class"): p.get("d") for p in parse(draw_hits(hits, Grid.regular(1), LABELS, 0, 1, other=other)).iter(f"{SVG}path")}
    assert shapes["shared"].count("h") == 2 and shapes["alone"].count("l") == 3


def test_only_the_bars_asked_for_are_drawn_with_their_numbers():
    hits = np.zeros((48, 3), np.bool_)
    hits[[0, 16, 20, 40]] = True
    svg = draw_hits(hits, Grid.regular(3), LABELS, 1, 2)
    assert list_marks(svg, "shared") == [0, 0, 0, 4, 4, 4]
    texts = [t.text for t in parse(svg).iter(f"{SVG}text")]
    assert texts == ["Hat & foot", "Snare <rim>", "Kick", "2"]


def test_those_who_cannot_see_it_are_told_what_it_shows():
    hits = np.ones((16, 3), np.bool_)
    svg = parse(draw_hits(hits, Grid.regular(1), LABELS, 0, 1, other=~hits, title='"real" <drums>'))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == svg.find(f"{SVG}title").text == '"real" <drums>, bars 1 to 1, 48 hits, 0 of them in both tracks'


@pytest.mark.parametrize(("metre", "beats"), [((4, 4), 3), ((7, 8), 6), ((6, 8), 1)])
def test_a_tick_marks_each_beat_but_the_bar_line(metre, beats):
    grid = Grid.regular(1, *metre)
    svg = draw_hits(np.zeros((grid.steps, 3), np.bool_), grid, LABELS, 0, 1)
    assert sum(p.get("d").endswith("v6") for p in parse(svg).iter(f"{SVG}path")) == beats


@given(first=st.integers(-2, 4), last=st.integers(-2, 4))
def test_bars_that_are_not_there_are_refused(first, last):
    if not 0 <= first < last <= 2:
        with pytest.raises(IndexError, match="of 2"):
            draw_hits(np.zeros((32, 3), np.bool_), Grid.regular(2), LABELS, first, last)


def test_hits_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"= \(16, 3\), not \(16, 2\)"):
        draw_hits(np.zeros((16, 2), np.bool_), Grid.regular(1), LABELS, 0, 1)
