"""Velocity and timing: properties of errors and distances, and the quantised floor of Groove MIDI."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.metrics import timing
from backbeat.midi import extract_groove, read_song
from backbeat.units import TempoMap
from tests.metrics.strategies import samples


def make_feel(count=200, seed=0, cells=4):
    rng = np.random.default_rng(seed)
    return timing.Feel(rng.integers(0, cells, count), rng.uniform(-0.5, 0.5, count), rng.uniform(0.1, 1, count), rng.uniform(60, 180, count))


def test_a_late_hit_is_positive_and_a_16th_at_120_is_125_ms():
    assert timing.steps_to_ms(np.array([0.1, -0.2]), np.array([120.0, 60.0])).tolist() == pytest.approx([12.5, -50])
    assert timing.steps_to_ms(np.array([0.1]), np.array([120.0]), 24).tolist() == pytest.approx([12.5 / 6])


def test_collect_takes_tempo_and_place_of_each_hit():
    grid = Grid.regular(2)
    hits = np.zeros((32, 9), bool)
    hits[[4, 20], [1, 2]] = True
    late = np.where(hits, np.float32(0.25), 0).astype(np.float32)
    groove = Groove(grid, load_kit("drums_rnn_9"), hits, hits * np.float32(0.5), late)
    feel = timing.collect_feel(groove, TempoMap(480, (0, 1920), (500_000, 1_000_000)))
    assert feel.qpm.tolist() == [120, 60]
    assert feel.milliseconds.tolist() == pytest.approx([0.25 * 125, 0.25 * 250])
    assert feel.cells.tolist() == timing.number_cells(np.array([1, 2]), np.array([4, 4])).tolist()
    assert timing.evaluate(feel, timing.quantise(feel))["timing_mae_ms"] == pytest.approx(0.25 * 187.5)


def test_the_drummer_himself_is_perfect():
    feel = make_feel()
    figures = timing.evaluate(feel, feel)
    assert figures.pop("velocity_r2") == 1 and figures.pop("covered") == 1 and figures.pop("hits") == 200
    assert set(figures.values()) == {0.0}


def test_the_mean_wins_errors_and_the_sampler_distances():
    real = make_feel()
    mean = timing.replace_feel(real, offsets=np.full(200, real.offsets.mean()), velocities=np.full(200, real.velocities.mean()))
    drawn = make_feel(seed=1)
    sampler = timing.replace_feel(real, offsets=drawn.offsets, velocities=drawn.velocities)
    by_mean, by_sample = timing.evaluate(real, mean), timing.evaluate(real, sampler)
    assert by_mean["velocity_r2"] == pytest.approx(0)
    for error in ("timing_mae_ms", "timing_mse", "velocity_mae"):
        assert by_mean[error] < by_sample[error]
    for distance in ("timing_w1_ms", "velocity_w1", "timing_w1_pooled_ms", "velocity_w1_pooled"):
        assert by_mean[distance] > by_sample[distance]


def test_cells_with_too_few_hits_are_left_out():
    real = timing.Feel(np.repeat([0, 1], [20, 19]), np.zeros(39), np.ones(39), np.full(39, 120.0))
    played = timing.replace_feel(real, offsets=np.repeat([0.1, 0.4], [20, 19]))
    assert timing.timing_wasserstein(real, played) == pytest.approx(12.5)
    assert timing.covered(real, played) == pytest.approx(20 / 39)
    assert np.isnan(timing.timing_wasserstein(real, played, minimum=21))


def test_other_hits_have_distances_but_no_errors():
    real, played = make_feel(), make_feel(150, 2)
    assert "timing_mae_ms" not in timing.evaluate(real, played)
    with pytest.raises(ValueError, match="the same hits on both sides"):
        timing.timing_mae(real, played)


@given(samples(), samples())
def test_the_distance_is_symmetric_bounded_and_zero_for_itself(a, b):
    distance = timing.wasserstein(a, b)
    assert distance == pytest.approx(timing.wasserstein(b, a))
    assert 0 <= distance <= max(a.max(), b.max()) - min(a.min(), b.min()) + 1e-12
    assert abs(a.mean() - b.mean()) <= distance + 1e-9
    assert timing.wasserstein(a, np.random.default_rng(0).permutation(a)) == 0


@settings(max_examples=40)
@given(samples(), samples(), st.floats(-3, 3))
def test_shifting_one_sample_moves_it_by_no_more(a, b, shift):
    assert timing.wasserstein(a, a + shift) == pytest.approx(abs(shift), abs=1e-9)
    assert timing.wasserstein(a, b + shift) <= timing.wasserstein(a, b) + abs(shift) + 1e-9


def test_what_does_not_fit_is_refused():
    one = np.zeros(1)
    with pytest.raises(ValueError, match="of one length"):
        timing.Feel(np.zeros(2, int), one, one, one)
    with pytest.raises(ValueError, match="tempi positive"):
        timing.Feel(np.zeros(1, int), one, one, one)
    empty = timing.Feel(np.zeros(0, int), one[:0], one[:0], one[:0])
    with pytest.raises(ValueError, match="no hit"):
        timing.evaluate(empty, empty)
    with pytest.raises(ValueError, match="cannot be compared"):
        timing.validate(make_feel(), timing.Feel(*(getattr(make_feel(), n) for n in ("cells", "offsets", "velocities", "qpm")), 24))
    with pytest.raises(ValueError, match="one density"):
        timing.join_feels([])
    with pytest.raises(ValueError, match="count from 0"):
        timing.number_cells(np.array([-1]), np.array([0]))
    with pytest.raises(ValueError, match="empty sample"):
        timing.wasserstein(one, one[:0])


@pytest.mark.slow
def test_quantised_groove_midi_is_the_published_floor():
    info = Path(os.environ.get("BACKBEAT_DATA", "")) / "groove" / "info.csv"
    if not info.is_file():
        pytest.skip("needs Groove MIDI: set BACKBEAT_DATA")
    with info.open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "test" and r["time_signature"] == "4-4"]
    feels = []
    for row in rows:
        song = read_song(info.parent / row["midi_filename"])
        feels.append(timing.collect_feel(extract_groove(song, song.grid(), load_kit("drums_rnn_9"))[0], song.tempo))
    feel = timing.join_feels(feels)
    assert len(rows) == 129
    assert timing.timing_mae(feel, timing.quantise(feel)) == pytest.approx(22.65, rel=0.02)
    assert timing.timing_mse(feel, timing.quantise(feel)) == pytest.approx(0.0415, rel=0.02)
