"""Stems add up to their mix, and to the song."""

import io

import numpy as np
import pytest
import soundfile

from backbeat.errors import InputError
from backbeat.midi import parse_song
from backbeat.render.audio import CEILING, FULL_SCALE, render_song
from backbeat.render.stems import Stems
from tests.midi.builders import Track, band_song, midi

pytestmark = pytest.mark.slow


def make(tmp_path, song, parts):
    stems = Stems(tmp_path)
    for name, pitches in parts:
        stems.render(song, name, pitches)
    stems.level()
    return stems


def read(stems, which):
    file = io.BytesIO()
    stems.write(file, which)
    file.seek(0)
    samples, rate = soundfile.read(file, dtype="int16")
    assert rate == 48_000
    return samples.astype(np.int64)


def test_stems_add_up_to_the_mix_and_to_the_song(tmp_path):
    song = parse_song(band_song(1))
    stems = make(tmp_path, song, [("Band", None), ("Kick", [36]), ("Snare", [38]), ("Hi-hat", [42])])
    parts, mix = [read(stems, k) for k in range(4)], read(stems, None)
    assert all(np.abs(part).max() > 300 for part in parts)
    assert np.array_equal(np.sum(parts, axis=0), mix)
    whole = render_song(song)
    assert whole.gain == 1 == stems.gain and len(whole.samples) == len(mix)
    assert np.abs(whole.samples.astype(np.int64) - mix).max() <= len(parts)


def test_a_stem_holds_its_own_notes_only(tmp_path):
    song = parse_song(midi(Track().note(0, 240, 36, 110, 9).note(960, 240, 38, 110, 9).note(1900, 20, 60, 1).chunk()))
    stems = make(tmp_path, song, [("Kick", [36]), ("Snare", [38])])
    kick, snare = read(stems, 0), read(stems, 1)
    onset = [int(np.argmax(np.abs(part).max(axis=1) > 200)) / 48_000 for part in (kick, snare)]
    assert onset == pytest.approx([0, 1], abs=0.02)


def test_a_sum_that_would_clip_is_brought_down_together(tmp_path):
    loud = Track()
    for channel in range(8):
        for pitch in range(40, 64, 2):
            loud.note(0, 480, pitch, 127, channel)
    song = parse_song(midi(loud.note(0, 480, 36, 127, 9).note(0, 480, 38, 127, 9).chunk()))
    stems = make(tmp_path, song, [("Band", None), ("Drums", [36, 38])])
    assert stems.gain < 1
    parts, mix = [read(stems, k) for k in range(2)], read(stems, None)
    assert np.array_equal(np.sum(parts, axis=0), mix)
    assert abs(np.abs(mix).max() - CEILING * FULL_SCALE) <= 2 or max(np.abs(p).max() for p in parts) > np.abs(mix).max()


def test_nothing_to_hear_is_told(tmp_path):
    with pytest.raises(InputError, match="nothing to hear"):
        make(tmp_path, parse_song(band_song(1, drums=False)), [("Kick", [36])])


def test_a_song_that_lasts_for_days_is_refused(tmp_path):
    song = parse_song(midi(Track().tempo(0, 0xFFFFFF).note(0, 480 * 600, 60).chunk()))
    with pytest.raises(InputError, match="hours"):
        Stems(tmp_path).render(song, "Band", None)
