"""``backbeat inspect``: what was understood of a file, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.midi.builders import Track, band_song, midi

CHANGES = midi(
    Track().name("Conductor").metre(0, 4, 4).metre(3840, 7, 8).tempo(0, 500_000).tempo(3840, 400_000).chunk(),
    Track().name("Low").program(0, 33).note(0, 480, 36).note(3840, 480, 40).note(7200, 480, 36).chunk(),
    Track().name("Kit").note(0, 100, 36, channel=9).note(960, 100, 38, channel=9).chunk(),
)
"""Two bars of 4/4, then two and a bit of 7/8, faster."""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.mid"
    path.write_bytes(CHANGES)
    return path


def inspect(run: Run, path: Path) -> dict[str, Any]:
    result = run("inspect", path, "--json")
    assert result.code == 0 and result.err == ""
    report: dict[str, Any] = json.loads(result.out)
    return report


def test_json_has_parts_metres_and_tempi_with_their_bars(run: Run, song: Path) -> None:
    report = inspect(run, song)
    assert report["file"] == str(song) and report["format"] == 1 and report["ticks_per_quarter"] == 480 and not report["smpte"]
    assert report["bars"] == 5
    assert report["seconds"] == pytest.approx(4 + 0.8 * 480 / 960 + (7200 - 3840) / 480 * 0.4, abs=0.01)
    assert report["metre"] == [{"bar": 1, "tick": 0, "metre": "4/4"}, {"bar": 3, "tick": 3840, "metre": "7/8"}]
    assert report["tempo"] == [{"bar": 1, "tick": 0, "bpm": 120.0}, {"bar": 3, "tick": 3840, "bpm": 150.0}]
    bass, kit = report["parts"]
    assert bass == {"track": 1, "channel": 1, "program": 33, "name": "Low", "notes": 3, "lane": "bass", "drums": None}
    assert kit == {"track": 2, "channel": 10, "program": 0, "name": "Kit", "notes": 2, "lane": None, "drums": "channel 10"}
    assert report["drum_parts"] == 1 and report["warnings"] == []


def test_people_read_the_same(run: Run, song: Path) -> None:
    lines = run("inspect", song).out.splitlines()
    assert lines[0] == f"{song}: format 1, 480 ticks per quarter, 5 bars, {inspect(run, song)['seconds']} s"
    assert lines[1].split() == ["track", "1", "channel", "1", "program", "33", "3", "notes", "bass", "Low"]
    assert "drums (channel 10)" in lines[2] and lines[2].endswith(" Kit")
    assert lines[3:] == ["metre: bar 1: 4/4, bar 3: 7/8", "tempo: bar 1: 120.0, bar 3: 150.0"]


def test_many_changes_are_counted(run: Run, tmp_path: Path) -> None:
    conductor = Track().metre(0, 4, 4)
    for k in range(100):
        conductor.tempo(k * 480, 500_000 + 1000 * k)
    song = tmp_path / "song.mid"
    song.write_bytes(midi(conductor.note(0, 100 * 480, 60).chunk()))
    assert run("inspect", song).out.splitlines()[-1].endswith(" and 88 more")
    assert len(inspect(run, song)["tempo"]) == 100


def test_warnings_are_shown(run: Run, tmp_path: Path) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(midi(Track().note(0, 480, 60).chunk()))
    assert "warning: the file names no metre: 4/4 is taken" in run("inspect", song).out.splitlines()
    assert "the file names no metre: 4/4 is taken" in inspect(run, song)["warnings"]


def test_a_file_without_notes_is_understood_too(run: Run, tmp_path: Path) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(midi(Track().metre(0, 3, 4).tempo(0, 500_000).chunk(9600)))
    report = inspect(run, song)
    assert report["parts"] == [] and report["bars"] == 0 and report["seconds"] == 0
    assert report["metre"] == [{"bar": 1, "tick": 0, "metre": "3/4"}]


def test_smpte_division_is_named(run: Run, tmp_path: Path) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(midi(Track().metre(0, 4, 4).note(0, 1000, 60).note(4000, 1000, 60).chunk(), division=0xE728))
    report = inspect(run, song)
    assert report["smpte"] and report["seconds"] == 5.0


def test_the_file_is_only_read(run: Run, song: Path) -> None:
    run("inspect", song)
    assert song.read_bytes() == CHANGES and len(list(song.parent.iterdir())) == 1


@pytest.mark.parametrize(("numerator", "denominator"), [(5, 4), (7, 16), (12, 8)])
def test_bars_are_those_of_the_metre(run: Run, tmp_path: Path, numerator: int, denominator: int) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(band_song(6, numerator=numerator, denominator=denominator))
    report = inspect(run, song)
    assert report["bars"] == 6 and report["metre"][0]["metre"] == f"{numerator}/{denominator}"
