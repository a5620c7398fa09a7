"""Feel, measured: on drums whose feel is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backbeat.codecs.places import STRAIGHT, Swing, warp
from backbeat.metrics.feel import compare_feel, measure_push, measure_spread, measure_swing
from backbeat.midi.reading import read_strokes
from backbeat.transforms.feel_template import learn_template
from tests.humanising.made import rock, song_of


@pytest.fixture
def reading():
    return read_strokes(song_of(rock(4)))


@pytest.mark.parametrize("percent", [50, 57.5, 62, 75])
@pytest.mark.parametrize("in_places", [True, False])
def test_swing_is_the_place_of_the_second_notes(reading, percent, in_places):
    swing = Swing(8, percent)
    swung = warp(reading.straight, swing)
    late = np.full(len(swung), -7.0)  # late or early as a whole is no swing
    if in_places:
        strokes = replace(reading.strokes, places=swung)
        assert measure_swing(strokes, reading.straight, reading.binary, late, swing, 8) == pytest.approx(percent)
    else:
        late = late + (swung - reading.straight) * 500
        assert measure_swing(reading.strokes, reading.straight, reading.binary, late, STRAIGHT, 8) == pytest.approx(percent)


def test_where_there_are_no_pairs_there_is_no_swing(reading):
    assert np.isnan(measure_swing(reading.strokes, reading.straight, reading.binary, np.zeros(len(reading.straight)), STRAIGHT, 16))


def test_push_of_all_and_of_each_class(reading):
    names = np.array(reading.strokes.kit.names)[reading.strokes.columns]
    late = np.where(names == "snare", 8.0, np.where(names == "kick", -4.0, 1.0))
    assert measure_push(reading.strokes, late) == pytest.approx({"all": late.mean(), "kick": -4, "snare": 8, "closed_hat": 1})
    weights = np.where(names == "snare", 2.0, 1.0)
    assert measure_push(reading.strokes, late, weights)["all"] == pytest.approx(np.average(late, weights=weights))


def test_spread():
    assert measure_spread(np.array([1.0, 3.0])) == 1 and measure_spread(np.zeros(0)) == 0


def test_a_take_is_like_itself_and_unlike_another(reading):
    rng = np.random.default_rng(2)
    late = rng.normal(0, 10, len(reading.straight))
    take = reading.strokes.play(velocities=rng.uniform(0.1, 1, len(late)).astype(np.float32))
    template = learn_template(take, reading.straight, late, STRAIGHT)
    same = compare_feel(take, reading.straight, late, template)
    assert same.covered == 1 and same.late_ms == pytest.approx(0, abs=1e-9) and same.velocity == pytest.approx(0, abs=1e-6) and same.late_r == pytest.approx(1)
    other = compare_feel(take, reading.straight, late + 5, template)
    assert other.late_ms == pytest.approx(5) and other.late_r == pytest.approx(1)
    assert np.isnan(compare_feel(take, reading.straight + 100, late, template).late_ms)
