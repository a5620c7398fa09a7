"""``backbeat continue``: primers of both kinds, every option, and what is refused."""

import json
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from backbeat.cli import group
from backbeat.errors import BackbeatError
from backbeat.midi import read_song

pytestmark = pytest.mark.skipif(
    not (Path(str(resources.files("backbeat"))) / "weights" / "drums_rnn" / "config.json").is_file(), reason="the shipped weights are not there yet"
)
BEAT = "[(36,42),(),(42,),(),(38,42),(),(42,),(),(36,42),(),(42,),(),(38,42),(),(42,),()]"


def run(*arguments):
    result = CliRunner().invoke(group, ["continue", *map(str, arguments)])
    if isinstance(result.exception, BackbeatError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def notes(path):
    (part,) = read_song(path).drum_parts
    return [(int(n["onset"]), int(n["pitch"]), int(n["velocity"])) for n in part.notes]


def test_text_is_gone_on_from_at_its_tempo(tmp_path):
    report = json.loads(run(BEAT, "--bars", 3, "--qpm", 90, "-o", tmp_path / "a.mid", "--json"))
    song = read_song(tmp_path / "a.mid")
    assert round(song.tempo.qpm()) == 90 and report["steps"] == 48 and report["primer_steps"] == 16
    first = [n for n in notes(tmp_path / "a.mid") if n[0] < 1920]
    assert first[:2] == [(0, 36, 100), (0, 42, 100)] and report["outputs"][0]["log_likelihood"] < 0
    assert max(n[0] for n in notes(tmp_path / "a.mid")) < 3 * 1920


def test_steps_end_within_a_bar(tmp_path):
    run(BEAT, "--steps", 20, "-o", tmp_path / "a.mid", "--temperature", 0)
    assert max(n[0] for n in notes(tmp_path / "a.mid")) < 20 * 120


def test_many_outputs_differ_and_repeat(tmp_path):
    for name in ("a", "b"):
        run(BEAT, "--bars", 3, "--outputs", 3, "-o", tmp_path / f"{name}.mid", "--seed", 4)
    first = [tmp_path / f"a{k}.mid" for k in ("", "-2", "-3")]
    assert all(p.read_bytes() == p.with_name(p.name.replace("a", "b", 1)).read_bytes() for p in first)
    assert len({p.read_bytes() for p in first}) == 3


def test_beams_and_a_midi_primer(tmp_path):
    run(BEAT, "--bars", 2, "--qpm", 100, "-o", tmp_path / "a.mid")
    options = ("--beam-size", 2, "--branch-factor", 2, "--steps-per-iteration", 4)
    out = run(tmp_path / "a.mid", "--bars", 3, *options, "-o", tmp_path / "b.mid", "--qpm", 100)
    assert "48 steps after a primer of 32" in out
    before = notes(tmp_path / "a.mid")
    assert notes(tmp_path / "b.mid")[: len(before)] == before


def test_another_tempo_than_the_primer_s_is_an_error(tmp_path):
    run(BEAT, "--bars", 2, "-o", tmp_path / "a.mid")
    with pytest.raises(BackbeatError, match="plays at 120 BPM, not at 90: leave --qpm out"):
        run(tmp_path / "a.mid", "--bars", 4, "--qpm", 90, "-o", tmp_path / "b.mid")


def test_the_drummer_goes_on_too(tmp_path):
    run(BEAT, "--bars", 2, "-o", tmp_path / "a.mid")
    run(tmp_path / "a.mid", "--model", "drummer", "--bars", 4, "-o", tmp_path / "b.mid")
    before = [n[:2] for n in notes(tmp_path / "a.mid")]
    after = [n[:2] for n in notes(tmp_path / "b.mid")]
    assert after[: len(before)] == before and len(after) > len(before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("[(200,)]",), "write one tuple of MIDI notes"),
        ((BEAT, "--bars", 1), "ask for more bars or steps"),
        ((BEAT, "--bars", 2, "--steps", 32), "not both"),
        ((BEAT, "--steps", 99999), "16,000 at most"),
        ((BEAT, "--outputs", 0), "outputs must lie in 1-100"),
        ((BEAT, "--qpm", 5), "the tempo must lie in 20-400"),
        ((BEAT, "--temperature", 9), "temperature must lie in 0-5"),
        ((BEAT, "--style", "rock"), "has no styles"),
        ((BEAT, "--model", "rock-loop", "--bars", 2), "plays for songs only"),
        ((BEAT, "--model", "drummer", "--steps", 20), "whole bars"),
        ((BEAT, "--model", "drummer", "--bars", 2, "--beam-size", 2), "does not search with beams"),
        (("missing.mid",), "missing.mid"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, arguments, message):
    with pytest.raises(BackbeatError, match=message):
        run(*arguments, "-o", tmp_path / "a.mid")
