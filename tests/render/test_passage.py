import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backbeat.errors import InputError
from backbeat.midi import parse_song
from backbeat.render import render_song
from backbeat.render.audio import RATE
from backbeat.render.passage import encode_mp3, render_passage, to_small

SONG = Path(__file__).parents[2] / "examples" / "song.mid"


def envelope(samples):
    """Level of each tenth of a second."""
    mono = np.asarray(samples, np.float64).mean(axis=1)
    return np.sqrt(np.square(mono[: len(mono) // 4800 * 4800].reshape(-1, 4800)).mean(axis=1))


@pytest.mark.slow
def test_a_passage_sounds_like_the_same_seconds_of_the_whole():
    song = parse_song(SONG.read_bytes())
    whole = render_song(song)
    part = render_passage(song, 10.0, 16.0)
    assert part.shape == (6 * RATE, 2)
    there = whole.samples[10 * RATE : 16 * RATE] / 32767 / whole.gain
    assert np.corrcoef(envelope(part)[1:-5], envelope(there)[1:-5])[0, 1] > 0.9


@pytest.mark.slow
def test_a_passage_has_its_length_and_fades_at_both_ends():
    song = parse_song(SONG.read_bytes())
    part = render_passage(song, 0.0, 1.5)
    assert len(part) == int(1.5 * RATE) and np.abs(part).max() > 0.01
    assert np.abs(part[-5:]).max() < 1e-3 and np.abs(part[:2]).max() < 0.01


def test_a_passage_behind_the_song_has_nothing_to_hear():
    with pytest.raises(InputError, match=r"5000 to 5001 s: nothing to hear"):
        render_passage(parse_song(SONG.read_bytes()), 5000.0, 5001.0)


@pytest.mark.parametrize(("start", "stop"), [(2.0, 2.0), (3.0, 1.0), (-1.0, 1.0)])
def test_a_passage_goes_forward(start, stop):
    with pytest.raises(ValueError, match="a later second"):
        render_passage(parse_song(SONG.read_bytes()), start, stop)


def make_tone(frequency):
    return np.repeat(np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)[:, None], 2, axis=1).astype(np.float32) / 2


def test_small_sound_keeps_what_is_low_and_loses_what_would_fold_back():
    low, high = to_small(make_tone(1000)), to_small(make_tone(18_000))
    assert len(low) == RATE // 2
    assert np.abs(low[200:-200]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(high[200:-200]).max() < 0.005


def test_mp3_is_the_same_every_time_and_comes_back():
    tone = to_small(make_tone(440))
    data = encode_mp3(tone, RATE // 2)
    assert data == encode_mp3(tone, RATE // 2)
    back, rate = soundfile.read(io.BytesIO(data))
    assert (rate, len(back)) == (RATE // 2, len(tone))
    assert np.corrcoef(back, tone)[0, 1] > 0.99
