"""Feel comes out as it was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.places import STRAIGHT, Swing
from backbeat.errors import InputError
from backbeat.midi.reading import read_strokes
from backbeat.transforms.feel import (
    APART_MS,
    Aim,
    Feel,
    choose_pairs,
    find_pairs,
    hold_back,
    keep_flams,
    list_columns,
    reach_means,
    round_evenly,
    scale_spread,
    scale_velocities,
)
from backbeat.transforms.feel_template import follow_template, learn_template
from tests.humanising.made import rock, song_of

numbers = st.lists(st.floats(-70, 70), min_size=1, max_size=40).map(np.array)
loud = st.lists(st.floats(1, 127), min_size=1, max_size=60).map(np.array)


@pytest.mark.parametrize(
    "wrong", [{"swing": 49}, {"swing": 76}, {"swing_of": 4}, {"late_ms": 101}, {"late_ms_of": {"snare": float("nan")}}, {"tightness": 0}, {"dynamics": -1}]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        Feel(**wrong)


def test_pairs_of_8ths_and_16ths():
    straight = np.array([0, 0.25, 0.5, 0.75, 1, 1.5, 1 / 3, 3.0])
    first, second = find_pairs(straight, np.ones(8, np.bool_), np.full(8, 3.5), 8)
    assert np.flatnonzero(first).tolist() == [0, 4] and np.flatnonzero(second).tolist() == [2, 5]  # 3.0 has lost its partner
    first, second = find_pairs(straight, np.ones(8, np.bool_), np.full(8, 3.5), 16)
    assert np.flatnonzero(first).tolist() == [0, 2, 4, 5, 7] and np.flatnonzero(second).tolist() == [1, 3]


@pytest.mark.parametrize(("parts", "of"), [(1, 8), (2, 8), (4, 16)])
def test_the_pairs_are_those_that_are_played(parts, of):
    reading = read_strokes(song_of(rock(2, parts=parts)))
    yes = np.ones(len(reading.straight), np.bool_)
    assert choose_pairs(reading.straight, reading.binary, STRAIGHT, yes) == of
    assert choose_pairs(reading.straight, reading.binary, STRAIGHT, ~yes) == 16
    assert choose_pairs(reading.straight, reading.binary, Swing(8, 60), ~yes) == 8


@given(st.lists(st.tuples(st.floats(-200, 200), st.integers(0, 40)), min_size=1, max_size=40), st.sampled_from([0.0268, 0.0535, 0.125, 0.5]))
def test_no_stroke_comes_near_the_next_place(rows, step):
    late, place = np.array([r[0] for r in rows]), np.sort(np.array([r[1] for r in rows]))
    held = hold_back(late, place * step)
    times = place * step * 1000 + held
    for a, b in zip(np.unique(place), np.unique(place)[1:], strict=False):
        assert times[place == a].max() < times[place == b].min()
    assert (np.abs(held) <= np.abs(late) + 1e-9).all()


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(-29, 29))
def test_kick_and_snare_stay_a_flam_in_their_order(kick, snare, before):
    yes, no = np.array([True, False]), np.array([False, True])
    out = keep_flams(np.array([kick, snare]), np.array([0.0, before]), np.array([3, 3]), yes, no)
    assert abs(out[1] - out[0]) <= APART_MS + 1e-9
    if abs(before) >= 0.5:
        assert (out[1] > out[0]) == (before > 0)
    assert out.sum() == pytest.approx(kick + snare)


def test_kick_and_snare_far_apart_or_elsewhere_are_left_alone():
    late, yes, no = np.array([-30.0, 30.0]), np.array([True, False]), np.array([False, True])
    assert np.array_equal(keep_flams(late, np.array([0.0, 40.0]), np.array([3, 3]), yes, no), late)
    assert np.array_equal(keep_flams(late, np.zeros(2), np.array([3, 4]), yes, no), late)


@given(numbers, st.floats(0.01, 4))
def test_a_spread_is_scaled_around_its_mean(values, factor):
    out = scale_spread(values, factor)
    assert out.mean() == pytest.approx(values.mean(), abs=1e-6) and out.std() == pytest.approx(values.std() * factor, abs=1e-6)


@given(loud, st.floats(0, 4))
def test_dynamics_stay_within_midi_and_keep_the_mean(values, factor):
    out, clipped = scale_velocities(values, factor)
    assert out.min() >= 1 and out.max() <= 127
    if not clipped:
        assert out.std() == pytest.approx(values.std() * factor, abs=1e-6) and out.mean() == pytest.approx(values.mean(), abs=1e-6)


@pytest.mark.parametrize("factor", [0, 0.5, 1.5, 2])
def test_dynamics_are_exact_even_where_some_are_cut_off(factor):
    values = np.clip(np.random.default_rng(1).normal(75, 20, 500), 1, 127)
    out, _ = scale_velocities(values, factor)
    assert out.std() == pytest.approx(factor * values.std(), rel=1e-3, abs=1e-6) and out.mean() == pytest.approx(values.mean(), abs=0.5)


@given(numbers, st.floats(-50, 50), st.integers(0, 9))
def test_means_are_reached_as_heard(late, goal, seed):
    rng = np.random.default_rng(seed)
    nominal, weights = np.sort(rng.uniform(0, 3, len(late))) + 0.2, rng.integers(1, 3, len(late)).astype(float)
    out = reach_means(late, [Aim(np.arange(len(late)), goal)], nominal, weights)
    assert np.average(np.maximum(out, -nominal * 1000), weights=weights) == pytest.approx(goal, abs=1)


def test_the_start_of_the_file_is_made_up_for():
    late = np.zeros(16)
    out = reach_means(late, [Aim(np.arange(16), -30.0)], np.arange(16) / 4, np.ones(16))
    assert np.maximum(out, -np.arange(16) * 250).mean() == pytest.approx(-30, abs=0.01)


@given(st.lists(st.tuples(st.floats(-1000, 1000), st.integers(0, 3)), min_size=1, max_size=50))
def test_rounding_keeps_the_sums_of_groups(rows):
    values, groups = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    out = round_evenly(values, groups)
    assert np.abs(out - values).max() <= 1
    for group in set(groups.tolist()):
        assert abs(out[groups == group].sum() - values[groups == group].sum()) <= 0.51
    assert np.array_equal(round_evenly(np.arange(5.0), np.zeros(5, np.int64)), np.arange(5))


def test_classes_are_asked_for_by_name_or_by_group():
    strokes = read_strokes(song_of(rock(1))).strokes
    names = strokes.kit.names
    assert list_columns({"hat": 3, "closed_hat": 5, "toms": 1}, strokes) == ({names.index("closed_hat"): 5}, ["toms"])
    with pytest.raises(InputError, match="no kit class 'gong': choose from kick"):
        list_columns({"gong": 1}, strokes)


def test_a_template_gives_its_means_place_by_place():
    reading = read_strokes(song_of(rock(8)))
    rng = np.random.default_rng(3)
    count = len(reading.strokes)
    model = reading.strokes.play(velocities=rng.uniform(0.2, 0.9, count).astype(np.float32))
    late = rng.normal(0, 15, count)
    template = learn_template(model, reading.straight, late, STRAIGHT)
    played, velocities, group, covered = follow_template(reading.strokes, reading.straight, rng.normal(0, 9, count), rng.normal(70, 15, count), template)
    assert covered.all()
    for number in range(group.max() + 1):
        here = group == number
        assert played[here].mean() == pytest.approx(late[here].mean()) and velocities[here].mean() == pytest.approx(
            model.velocities[here].mean() * 127, abs=0.1
        )
    assert played[group == 0].std() > 3  # what was played stays human


def test_a_template_falls_back_to_class_then_place_then_all():
    reading = read_strokes(song_of(rock(1)))
    template = learn_template(reading.strokes, reading.straight, np.arange(12.0), STRAIGHT)
    assert template.look_up("closed_hat", 24)[2] == "cell"
    assert template.look_up("closed_hat", 12)[2] == "class"
    assert template.look_up("ride", 24)[2] == "place"
    assert template.look_up("ride", 12) == (5.5, pytest.approx(90.67, abs=0.01), "all")
    with pytest.raises(InputError, match="no drums"):
        learn_template(read_strokes(song_of(rock(0))).strokes, np.zeros(0), np.zeros(0), STRAIGHT)
