import numpy as np
import pytest

from backbeat.render.loudness import RATE, SILENT, measure_loudness


def make_sine(frequency, seconds=3.0, level=1.0, channels=1):
    wave = level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def test_the_reference_tone_of_the_recommendation():
    assert measure_loudness(make_sine(997)) == pytest.approx(-3.01, abs=0.01)
    assert measure_loudness(make_sine(997, channels=2)) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("decibels", [-6.0, -20.0, -40.0])
def test_a_sound_turned_down_is_as_much_less_loud(decibels):
    full = measure_loudness(make_sine(440))
    assert measure_loudness(make_sine(440, level=10 ** (decibels / 20))) == pytest.approx(full + decibels, abs=0.01)


def test_low_tones_count_less_and_high_tones_more():
    low, middle, high = (measure_loudness(make_sine(f)) for f in (40, 997, 6000))
    assert low < middle - 3 and high == pytest.approx(middle + 3.3, abs=0.3)


def test_silence_between_sounds_is_left_out():
    tone = make_sine(997)
    gap = np.zeros((3 * RATE, 1), np.float32)
    assert measure_loudness(np.concatenate([tone, gap])) == pytest.approx(measure_loudness(tone), abs=0.3)


def test_silence_and_nothing_are_silent():
    assert measure_loudness(np.zeros((RATE, 2), np.float32)) == SILENT
    assert measure_loudness(np.zeros((0, 2), np.float32)) == SILENT


def test_a_click_shorter_than_a_block_has_a_loudness():
    assert measure_loudness(make_sine(997, seconds=0.1)) == pytest.approx(-3.01, abs=0.5)


def test_one_row_is_refused():
    with pytest.raises(ValueError, match="channels"):
        measure_loudness(np.zeros(100, np.float32))
