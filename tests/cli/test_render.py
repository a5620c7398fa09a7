import json

import pytest
from click.testing import CliRunner

from backbeat.cli.render import command
from backbeat.errors import InputError, OutputError
from tests.midi.builders import Track, midi
from tests.render.fonts import make_font


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(midi(Track().note(0, 480, 60).chunk()))
    (tmp_path / "tone.sf2").write_bytes(make_font(vorbis=False))
    return path


def call(*arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False, standalone_mode=False)


def test_json_is_one_object_on_stdout(song):
    out = song.with_name("x.wav")
    report = json.loads(call(song, "-o", out, "--soundfont", song.with_name("tone.sf2"), "--json").stdout)
    assert report["out"] == str(out) and out.read_bytes()[:4] == b"RIFF"
    assert report["length"] == pytest.approx(2.5, abs=0.02)
    assert 0 < report["rms"] < report["peak"] < 1 and report["rate"] == 48_000


def test_the_default_output_lies_beside_the_song(song):
    result = call(song, "--soundfont", song.with_name("tone.sf2"))
    assert f"wrote {song.with_suffix('.wav')}" in result.stdout
    assert "rendering" in result.stderr
    assert song.with_suffix(".wav").exists()


@pytest.mark.parametrize("name", ["song.mid", "tone.sf2"])
def test_inputs_are_never_overwritten(song, name):
    before = song.with_name(name).read_bytes()
    with pytest.raises(OutputError, match="is an input"):
        call(song, "-o", song.with_name(name), "--soundfont", song.with_name("tone.sf2"))
    assert song.with_name(name).read_bytes() == before


def test_a_missing_soundfont_leaves_no_file(song):
    with pytest.raises(InputError, match="cannot be read"):
        call(song, "--soundfont", song.with_name("none.sf2"))
    assert not song.with_suffix(".wav").exists()
