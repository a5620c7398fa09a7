"""``backbeat score``: what people and programs read, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import SHIPPED, Run
from tests.midi.builders import Track, band_song, midi

pytestmark = pytest.mark.skipif(not SHIPPED, reason="the shipped weights are not there yet: export them first")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.mid"
    path.write_bytes(band_song(12))
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "bare.mid"
    path.write_bytes(band_song(12, drums=False))
    return path


def test_json_has_the_number_its_parts_and_passages(run: Run, song: Path) -> None:
    result = run("score", song, "--json")
    assert result.code == 0 and result.err == ""
    report = json.loads(result.out)
    keys = {"file", "drums", "score", "chance", "above_real", "above_other", "verdict", "hits", "parts", "passages", "worst", "warnings"}
    assert set(report) == keys
    assert report["file"] == report["drums"] == str(song) and report["hits"] == 12 * 8
    assert set(report["parts"]["kick_and_bass"]) == {"title", "value", "above_real", "above_other"}
    assert report["parts"]["accents"]["value"] is None
    assert [p["bars"] for p in report["passages"]] == [[1, 4], [5, 8], [9, 12]]


def test_people_read_a_verdict_and_every_part(run: Run, song: Path) -> None:
    report = json.loads(run("score", song, "--json").out)
    lines = run("score", song, "--bars").out.splitlines()
    assert lines[0] == f"{song}: {100 * report['chance']:.0f} of 100, the drum track {report['verdict']}"
    assert sum(any(line.strip().startswith(p["title"]) for p in report["parts"].values()) for line in lines) == len(report["parts"])
    assert any("nothing to judge" in line for line in lines) and any(line.strip().startswith("bars 5-8") for line in lines)


def test_the_drums_of_another_file_are_judged(run: Run, song: Path, bare: Path, tmp_path: Path) -> None:
    own, laid = (json.loads(run("score", *arguments, "--json").out) for arguments in ((song,), (bare, "--drums", song)))
    assert laid["drums"] == str(song) and laid["score"] == own["score"]
    short = tmp_path / "short.mid"
    short.write_bytes(band_song(2))
    once, looped = (json.loads(run("score", bare, "--drums", short, *more, "--json").out) for more in ((), ("--loop",)))
    assert (once["hits"], looped["hits"]) == (16, 96)


def test_out_holds_the_same_as_json(run: Run, song: Path, tmp_path: Path) -> None:
    out = tmp_path / "score.json"
    printed = run("score", song, "--json", "-o", out).out
    assert json.loads(out.read_text()) == json.loads(printed)


def test_bad_input_is_one_line(refused: Callable[..., str], song: Path, bare: Path, tmp_path: Path) -> None:
    assert "no drums to judge: name some with --drums" in refused("score", bare)
    assert "no drums to judge: name a file with a drum part" in refused("score", song, "--drums", bare)
    assert "name it with --drums" in refused("score", song, "--loop")
    refused("score", tmp_path / "nowhere.mid")
    drums = tmp_path / "drums.mid"
    drums.write_bytes(midi(Track().note(0, 100, 36, channel=9).note(480, 100, 38, channel=9).chunk()))
    assert "only drums" in refused("score", drums)
