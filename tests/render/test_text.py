import numpy as np
import pytest

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.render.text import draw_bars, find_beats


def make_groove(grid, **hits):
    kit = load_kit("drums_rnn_9")
    velocities = np.zeros((grid.steps, len(kit)), np.float32)
    for name, strokes in hits.items():
        for step, velocity in strokes.items():
            velocities[step, kit.index(name)] = velocity
    return Groove(grid, kit, velocities > 0, velocities, np.zeros_like(velocities))


def test_a_bar_shows_the_classes_hit_loudness_and_beats():
    groove = make_groove(Grid.regular(2), kick={0: 1.0, 6: 0.5, 16: 1.0}, snare={4: 0.7, 7: 0.1})
    title, kick, snare = draw_bars(groove, 0, 1).splitlines()
    assert title == "bar 1, 4/4"
    assert kick.endswith(" |X...|..x.|....|....|")
    assert snare.endswith(" |....|x..o|....|....|")


def test_several_bars_are_numbered_for_people():
    text = draw_bars(make_groove(Grid.regular(3), kick={16: 1.0}), 1, 3)
    assert text.startswith("bar 2, 4/4\n")
    assert text.endswith("bar 3, 4/4\n  no drums")


@pytest.mark.parametrize(
    ("metre", "beats"), [((4, 4), [0, 4, 8, 12]), ((3, 4), [0, 4, 8]), ((6, 8), [0, 6]), ((7, 8), [0, 2, 4, 6, 8, 10, 12]), ((3, 8), [0, 2, 4])]
)
def test_beats_follow_the_metre(metre, beats):
    assert np.flatnonzero(find_beats(Grid.regular(1, *metre), 0)).tolist() == beats


@pytest.mark.parametrize(("first", "last"), [(0, 3), (1, 1), (-1, 1)])
def test_bars_that_are_not_there_are_refused(first, last):
    with pytest.raises(IndexError, match="of 2"):
        draw_bars(make_groove(Grid.regular(2)), first, last)
