"""``backbeat accompany``: what it writes, what it prints, what it refuses. Nothing here depends on which drums are played."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.drummer import load_drummer
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song
from backbeat.midi.chunks import scan_chunks
from backbeat.midi.splice import list_events
from tests.cli.conftest import SHIPPED, Run
from tests.midi.builders import Track, band_song, midi

pytestmark = pytest.mark.skipif(not SHIPPED, reason="the shipped weights are not there yet: export them first")
Refused = Callable[..., str]
KEYS = {
    "song", "out", "bars", "metre", "tempo", "steps_per_quarter", "hits", "takes", "model", "notes", "warnings", "drum_parts",
    "seed", "asked", "style", "wav", "seconds",
}  # fmt: skip


def read_report(run: Run, *arguments: object) -> dict[str, Any]:
    """The object that ``accompany --json`` prints."""
    result = run("accompany", *arguments, "--json")
    assert result.code == 0, result.err
    report: dict[str, Any] = json.loads(result.out)
    return report


def list_chunks(path: Path) -> list[bytes]:
    """Every chunk behind the header."""
    data = path.read_bytes()
    return [data[c.start : c.end] for c in scan_chunks(data).chunks[1:]]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Four bars of bass and piano with drums on channel 10, in a folder of its own."""
    path = tmp_path / "song.mid"
    path.write_bytes(band_song(4))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A file to write."""
    return tmp_path / "out.mid"


def test_the_song_comes_out_with_drums(run: Run, example: Path, out: Path) -> None:
    result = run("accompany", example, "-o", out)
    assert result.code == 0
    assert f"wrote {out}" in result.out and "20 bars (12/8 x 20), 54-93 BPM" in result.out and "seed 0" in result.out
    before, after = read_song(example), read_song(out)
    assert len(after.drum_parts) == 1 and after.drum_parts[0].channel == 9 and after.drum_parts[0].name == "Drums (Backbeat)"
    assert len(after.band) == len(before.band) and not before.drum_parts
    assert list_chunks(out)[:-1] == list_chunks(example)


def test_without_o_a_free_name_beside_the_caller_is_taken(run: Run, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    assert run("accompany", song).code == 0
    first = (there / "song-drums.mid").read_bytes()
    assert run("accompany", song, "--seed", 5).code == 0
    assert sorted(p.name for p in there.iterdir()) == ["song-drums-2.mid", "song-drums.mid"]
    assert (there / "song-drums.mid").read_bytes() == first


def test_json_says_what_was_written(run: Run, song: Path, out: Path) -> None:
    report = read_report(run, song, "-o", out, "--seed", 3, "--style", "rock")
    assert set(report) == KEYS
    assert report["song"] == str(song) and report["out"] == [str(out)]
    assert report["bars"] == 4 and report["metre"] == {"bars": {"4/4": 4}, "changes": 0}
    assert report["tempo"] == {"first": 120.0, "lowest": 120.0, "highest": 120.0, "changes": 0}
    assert report["seed"] == 3 and report["style"] == "rock" and report["steps_per_quarter"] == 4 and report["seconds"] > 0
    assert report["model"]["name"] == "drummer"
    written = read_song(out).drum_parts[0]
    assert report["takes"] == [{"path": str(out), "notes": len(written.notes), "hits": report["hits"]}]
    merged = sum(n["count"] for n in report["notes"] if n["what"] == "merged")
    assert sum(report["hits"].values()) == len(written.notes) + merged


def test_json_says_what_was_removed_and_why(run: Run, song: Path, out: Path) -> None:
    removed = next(n for n in read_report(run, song, "-o", out)["notes"] if n["what"] == "removed")
    assert removed["count"] == len(read_song(song).drum_parts[0].notes) and "--drums replace" in removed["why"]
    report = read_report(run, song, "-o", out, "--drums", "keep")
    assert not [n for n in report["notes"] if n["what"] == "removed"]
    assert report["drum_parts"] == [{"track": 3, "channel": 10, "name": "Drums", "why": "channel 10", "notes": removed["count"]}]


def test_warnings_stand_on_stderr_and_in_the_json(run: Run, tmp_path: Path, out: Path) -> None:
    path = tmp_path / "odd.mid"
    path.write_bytes(midi(Track().note(0, 100, 40).note(1920, 100, 40).note(3840, 100, 43).chunk()))
    result = run("accompany", path, "-o", out, "--json")
    assert result.code == 0
    warnings = json.loads(result.out)["warnings"]
    assert "the file names no metre: 4/4 is taken" in warnings
    assert result.err.splitlines() == [f"backbeat: {path}: {w}" for w in warnings]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(run: Run, song: Path, tmp_path: Path) -> None:
    def play(name: str, *arguments: object) -> bytes:
        assert run("accompany", song, "-o", tmp_path / name, *arguments).code == 0
        return (tmp_path / name).read_bytes()

    first = play("a.mid", "--seed", 7)
    assert play("b.mid", "--seed", 7) == first
    assert play("c.mid", "--seed", 8) != first
    assert play("d.mid", "--seed", -7) != first


def test_the_temperature_changes_what_is_played(run: Run, song: Path, tmp_path: Path) -> None:
    for name, options in {"a.mid": ["--temperature", 0], "b.mid": ["--temperature", 3]}.items():
        assert run("accompany", song, "-o", tmp_path / name, *options).code == 0
    assert (tmp_path / "a.mid").read_bytes() != (tmp_path / "b.mid").read_bytes()


def test_takes_are_files_that_differ(run: Run, song: Path, out: Path) -> None:
    report = read_report(run, song, "-o", out, "--takes", 3)
    paths = [out, out.with_name("out-2.mid"), out.with_name("out-3.mid")]
    assert report["out"] == [str(p) for p in paths] == [t["path"] for t in report["takes"]]
    assert len({p.read_bytes() for p in paths}) == 3
    assert all(len(read_song(p).drum_parts) == 1 for p in paths)


def test_the_first_take_is_the_only_take(run: Run, song: Path, tmp_path: Path) -> None:
    assert run("accompany", song, "-o", tmp_path / "a.mid", "--takes", 2).code == 0
    assert run("accompany", song, "-o", tmp_path / "b.mid").code == 0
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_keep_leaves_every_chunk_byte_for_byte(run: Run, song: Path, out: Path) -> None:
    assert run("accompany", song, "-o", out, "--drums", "keep").code == 0
    assert list_chunks(out)[:-1] == list_chunks(song)
    assert len(read_song(out).drum_parts) == 2


def test_replace_takes_only_the_drums_out(run: Run, song: Path, out: Path) -> None:
    assert run("accompany", song, "-o", out).code == 0
    before, after = list_chunks(song), list_chunks(out)
    assert after[:3] == before[:3] and len(after) == len(before) + 1
    old_drums = list_events(out.read_bytes())[3]
    assert [(status, body) for _, status, body in old_drums] == [(0xFF, b"\x03\x05Drums"), (0xFF, b"\x2f\x00")]
    assert [p.track for p in read_song(out).drum_parts] == [4]


def test_the_input_is_not_overwritten_unless_told_to(run: Run, refused: Refused, song: Path) -> None:
    before = song.read_bytes()
    assert "is the input: use another -o, or --force" in refused("accompany", song, "-o", song)
    assert "is the input" in refused("accompany", song, "-o", song.parent / "." / "song.mid")
    assert song.read_bytes() == before and [p.name for p in song.parent.iterdir()] == ["song.mid"]
    assert run("accompany", song, "-o", song, "--force").code == 0
    assert read_song(song).drum_parts[0].name == "Drums (Backbeat)"


@pytest.mark.parametrize("density", [2, 3, 8])
def test_the_grid_of_the_drums_can_be_chosen(run: Run, song: Path, out: Path, density: int) -> None:
    report = read_report(run, song, "-o", out, "--steps-per-quarter", density)
    assert report["steps_per_quarter"] == density and report["bars"] == 4
    after = read_song(out)
    grid = read_song(song).grid(density)
    groove, _ = extract_groove(after, grid, load_kit("backbeat"))
    assert groove.grid.steps == 4 * 4 * density
    assert sum(groove.count_hits().values()) > 0


@pytest.mark.slow
def test_wav_is_written_and_not_silent(run: Run, tmp_path: Path, out: Path) -> None:
    song, sound = tmp_path / "song.mid", tmp_path / "out.wav"
    song.write_bytes(band_song(2))
    report = read_report(run, song, "-o", out, "--wav", sound)
    with wave.open(str(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        seconds = file.getnframes() / file.getframerate()
    peak = int(np.abs(samples.astype(np.int32)).max())
    assert 1000 < peak < 32767 and seconds > 4
    assert report["wav"]["path"] == str(sound) and report["wav"]["peak"] == pytest.approx(peak / 32767, abs=0.01)


def test_wav_may_not_be_the_song_or_its_output(refused: Refused, song: Path, out: Path) -> None:
    before = song.read_bytes()
    for target in (song, out):
        assert "use another --wav" in refused("accompany", song, "-o", out, "--wav", target)
    assert song.read_bytes() == before and not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--style", "polka", "no style 'polka': choose from any, "),
        ("--temperature", "-0.1", "temperature must lie in 0-5"),
        ("--temperature", "5.1", "temperature must lie in 0-5"),
        ("--temperature", "nan", "temperature must lie in 0-5"),
        ("--top-p", "0", "top-p in (0, 1]"),
        ("--top-p", "1.01", "top-p in (0, 1]"),
        ("--takes", "0", "takes must lie in 1-16, not 0"),
        ("--takes", "17", "takes must lie in 1-16, not 17"),
        ("--steps-per-quarter", "0", "steps per quarter must lie in 1-48, not 0"),
        ("--steps-per-quarter", "49", "steps per quarter must lie in 1-48, not 49"),
        ("--model", "/nonexistent", "/nonexistent"),
    ],
)
def test_an_option_out_of_range_is_one_line(refused: Refused, song: Path, out: Path, option: str, value: str, message: str) -> None:
    assert message in refused("accompany", song, "-o", out, option, value)
    assert not out.exists()


def test_every_style_that_the_help_names_can_be_played(run: Run) -> None:
    shown = " ".join(run("accompany", "--help").out.split())
    assert all(style in shown for style in load_drummer().styles)


@pytest.mark.slow
def test_the_installed_command_plays_a_song(song: Path, out: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "backbeat", "accompany", str(song), "-o", str(out)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
    assert read_song(out).drum_parts


def test_a_later_take_does_not_fall_on_the_input(refused, example, tmp_path):
    folder = tmp_path / "takes"
    folder.mkdir()
    (folder / "song-2.mid").write_bytes(example.read_bytes())
    line = refused("accompany", folder / "song-2.mid", "-o", folder / "song.mid", "--takes", 2)
    assert "is the input" in line
    assert [p.name for p in folder.iterdir()] == ["song-2.mid"]


@pytest.mark.parametrize("model", ["rock-loop", "rock-bass", "copy1"])
def test_any_player_of_the_registry_plays(run: Run, song: Path, tmp_path: Path, model: str) -> None:
    out, again = tmp_path / "out.mid", tmp_path / "again.mid"
    report = read_report(run, song, "-o", out, "--model", model, "--typed")
    assert sum(report["hits"].values()) > 0 and len({v for p in read_song(out).drum_parts for v in p.notes["velocity"].tolist()}) == 1
    assert list_chunks(out)[:3] == list_chunks(song)[:3]
    read_report(run, song, "-o", again, "--model", model, "--typed")
    assert out.read_bytes() == again.read_bytes()
    read_report(run, song, "-o", again, "--model", model)
    assert len({v for p in read_song(again).drum_parts for v in p.notes["velocity"].tolist()}) > 3, "played by hand"


def test_copying_needs_drums_to_copy(refused: Refused, tmp_path: Path, example: Path) -> None:
    assert "has no drums of its own" in refused("accompany", example, "-o", tmp_path / "out.mid", "--model", "copy4")


def test_a_model_that_must_be_trained_says_so(refused: Refused, song: Path, out: Path) -> None:
    assert "cache has to be trained first" in refused("accompany", song, "-o", out, "--model", "cache")
