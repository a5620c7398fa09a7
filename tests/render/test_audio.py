import io

import numpy as np
import pytest
import soundfile

from backbeat.errors import InputError, OutputError
from backbeat.render import Audio, render_midi, write_wav
from backbeat.render.audio import RATE, TAIL_SECONDS
from tests.midi.builders import Track, midi
from tests.render.fonts import make_font


@pytest.fixture
def font(tmp_path):
    path = tmp_path / "tone.sf2"
    path.write_bytes(make_font(vorbis=False, presets=((0, 0), (0, 33), (128, 0))))
    return path


def test_four_notes_sound_and_ring(font):
    track = Track()
    for k, pitch in enumerate((60, 64, 67, 72)):
        track.note(480 * k, 480, pitch)
    audio = render_midi(midi(track.chunk()), soundfont=font)
    assert audio.samples.dtype == np.int16 and audio.samples.shape[1] == 2
    assert audio.seconds == pytest.approx(2.0 + TAIL_SECONDS, abs=0.01)
    assert 0.01 < audio.rms < audio.peak < 1
    assert audio.gain == 1


def test_it_starts_when_the_note_does_and_is_silent_at_the_end(font):
    audio = render_midi(midi(Track().note(480, 480, 60).chunk()), soundfont=font)
    loud = np.flatnonzero(np.abs(audio.samples).max(axis=1) > 100)
    assert loud[0] / RATE == pytest.approx(0.5, abs=0.01)
    assert np.abs(audio.samples[-100:]).max() < 10


def test_a_sound_that_would_clip_is_brought_down_not_cut(font):
    track = Track().control(0, 7, 127)
    for pitch in range(30, 90, 2):
        track.note(0, 960, pitch, 127)
    audio = render_midi(midi(track.chunk()), soundfont=font)
    assert audio.gain < 1
    assert audio.peak == pytest.approx(0.98, abs=0.001)
    assert (np.abs(audio.samples) == np.abs(audio.samples).max()).sum() < 10


def test_the_same_bytes_give_the_same_sound(font):
    data = midi(Track().note(0, 480, 60).chunk())
    assert np.array_equal(render_midi(data, soundfont=font).samples, render_midi(data, soundfont=font).samples)


def test_the_shipped_band_plays_programs_and_kits_it_lacks():
    track = Track().program(0, 34).note(0, 240, 40).program(0, 119, 9).note(0, 240, 38, channel=9)
    assert render_midi(midi(track.chunk())).peak > 0.02


@pytest.mark.parametrize("data", [midi(Track().chunk()), midi(Track().control(0, 7, 0).note(0, 480, 60).chunk())])
def test_silence_is_refused(data, font):
    with pytest.raises(InputError, match="nothing to hear"):
        render_midi(data, soundfont=font)


def test_more_than_two_hours_are_refused(font):
    with pytest.raises(InputError, match=r"lasts 2\.8 hours"):
        render_midi(midi(Track().note(960 * 10_000, 480, 60).chunk()), soundfont=font)


def test_a_font_that_the_synthesiser_gives_up_on_is_refused(tmp_path):
    data = make_font(vorbis=False)
    (tmp_path / "bad.sf2").write_bytes(data.replace(b"igen", b"xgen"))
    with pytest.raises(InputError, match="SoundFont"):
        render_midi(midi(Track().note(0, 480, 60).chunk()), soundfont=tmp_path / "bad.sf2")


def test_levels_are_shares_of_full_scale():
    audio = Audio(np.array([[0, 16_384], [-16_384, 0]], np.int16))
    assert audio.peak == pytest.approx(0.5, abs=1e-4)
    assert audio.rms == pytest.approx(0.5 / 2**0.5, abs=1e-4)
    assert Audio(np.full((1, 2), -32_768, np.int16)).peak == 1


def test_a_written_file_is_read_back(tmp_path):
    samples = np.arange(2_000, dtype=np.int16).reshape(-1, 2)
    write_wav(Audio(samples), tmp_path / "a.wav")
    read, rate = soundfile.read(io.BytesIO((tmp_path / "a.wav").read_bytes()), dtype="int16")
    assert rate == RATE
    assert np.array_equal(read, samples)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write_wav(Audio(np.zeros((1, 2), np.int16)), tmp_path / "none" / "a.wav")
