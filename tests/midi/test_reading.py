"""Drum notes as strokes: flams are one stroke, every note has one, a drifting kit keeps its drift."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.midi.reading import read_strokes
from tests.humanising.made import HAT, KICK, SNARE, rock, song_of
from tests.midi.builders import METRES, Track


def test_a_typed_beat_is_read_as_it_was_typed():
    reading = read_strokes(song_of(rock(2)))
    assert len(reading.strokes) == len(reading.notes) == 24
    assert np.abs(reading.strokes.late).max() < 1e-3 and not reading.drift.any()
    assert reading.strokes.places[:4].tolist() == [0, 0, 0.5, 1] and (reading.strokes.qpm == 120).all()
    assert np.allclose(reading.nominal_seconds()[-3:], [3.5, 3.5, 3.75])


@pytest.mark.parametrize(("first", "second"), [(60, 100), (100, 60), (80, 80)])
def test_a_flam_is_one_stroke_led_by_the_louder(first, second):
    track = rock(2).note(1920 + 480 - 20, 10, 40, first, 9)
    track.events = [e for e in track.events if e[1][:2] != bytes([0x99, SNARE]) or e[0] != 1920 + 480]
    track.note(1920 + 480, 20, SNARE, second, 9)
    reading = read_strokes(song_of(track))
    snares = np.flatnonzero(np.array(reading.strokes.kit.names)[reading.strokes.columns] == "snare")
    assert len(snares) == 4 and len(reading.notes) == 25
    flam = snares[2]
    assert reading.strokes.velocities[flam] * 127 == pytest.approx(max(first, second))
    assert np.count_nonzero(reading.stroke_of == flam) == 2 and np.count_nonzero((reading.stroke_of == flam) & reading.leads) == 1


def test_a_note_doubled_on_another_track_is_the_same_stroke():
    reading = read_strokes(song_of(rock(2), rock(2)))
    assert len(reading.strokes) == 24 and len(reading.notes) == 48 and reading.leads.all()


def test_unknown_notes_are_strokes_too():
    reading = read_strokes(song_of(Track().note(0, 10, 3, channel=9).note(480, 10, 120, channel=9)))
    assert reading.notes.pitch.tolist() == [3, 120] and len(reading.strokes) == 2


@pytest.mark.parametrize("metre", METRES)
def test_every_metre(metre):
    numerator, denominator = metre
    track, beat = Track().metre(0, *metre), 1920 // denominator
    for k in range(3 * numerator):
        track.note(k * beat, 10, KICK if k % numerator == 0 else HAT, 80, 9)
    reading = read_strokes(song_of(track))
    assert reading.strokes.bars.tolist() == np.repeat(np.arange(3), numerator).tolist()
    assert np.allclose(reading.strokes.places, np.tile(np.arange(numerator) * 4 / denominator, 3))
    assert np.abs(reading.strokes.late).max() < 0.6


@pytest.mark.parametrize("division", [24, 96, 480, 960, 0xE728, 0xE250])
def test_any_division(division):
    ticks = division if division < 0x8000 else 500 if division == 0xE728 else 1200  # a quarter at 120 qpm
    track = Track().tempo(0, 500_000)
    for k in range(32):
        track.note(k * ticks // 2, 1, HAT, 80, 9)
    reading = read_strokes(song_of(track, division=division))
    assert np.abs(reading.strokes.late).max() < 1.1
    assert np.allclose(reading.strokes.quarters, np.arange(32) / 2)


def test_a_tempo_map_is_followed():
    track = rock(8)
    for quarter in range(32):
        track.tempo(quarter * 480, 500_000 + 9_000 * quarter)
    reading = read_strokes(song_of(track))
    assert np.abs(reading.strokes.late).max() < 1e-3
    assert reading.strokes.qpm[0] == 120 and reading.strokes.qpm[-1] == pytest.approx(60e6 / (500_000 + 9_000 * 31))


def test_a_kit_that_lies_off_the_bars_keeps_its_place():
    track = Track()
    for k in range(200):
        track.note(k * 240 + 58, 10, HAT, 80, 9)  # 60 ms behind
    reading = read_strokes(song_of(track))
    assert np.allclose(reading.drift, 58 / 0.96, atol=0.5) and np.abs(reading.strokes.late).max() < 0.5


def test_a_stroke_far_from_every_place_counts_as_meant_there():
    track = Track().tempo(0, 1_200_000)
    for k in range(64):
        track.note(k * 480, 10, HAT, 80, 9)
    reading = read_strokes(song_of(track.note(480 * 20 + 170, 10, SNARE, 90, 9)))
    snare = np.argmax(reading.strokes.columns != reading.strokes.columns[0])
    assert reading.strokes.late[snare] == pytest.approx(0, abs=66)
    assert reading.strokes.quarters[snare] == pytest.approx(20 + 170 / 480, abs=0.06)
